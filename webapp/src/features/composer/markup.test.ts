import { describe, expect, it } from 'vitest';
import type { Quote } from './letter';
import { sections, shownCids, whole } from './markup';
import { toText } from '../../ui/editor/text';

describe('the HTML of a letter', () => {
  const quote: Quote = { kind: 'reply', head: ['Vào 09:12, An <an@a.example> viết:'], html: '<div style="color:red">Chào</div>', text: 'Chào' };

  it('comes apart again as it was put together', () => {
    for (const one of [quote, { ...quote, kind: 'forward' as const, head: ['Thư chuyển tiếp', 'Từ: An <an@a.example>'] }]) {
      const html = whole({ body: '<p>Kính gửi</p>', signature: '<p>Văn An</p>', quote: one });
      const back = sections(html, toText);
      expect(toText(back.body)).toBe('Kính gửi');
      expect(toText(back.signature)).toBe('Văn An');
      expect(back.quote).toEqual(one);
      expect(whole(back)).toBe(html);
    }
  });

  it('quotes text as text', () => {
    const html = whole({ body: '<p>a</p>', signature: '', quote: { ...quote, html: null, text: 'một <hai>\n  ba' } });
    expect(html).toContain('<div style="white-space:pre-wrap">một &lt;hai&gt;\n  ba</div>');
    expect(sections(html, toText).quote?.text).toBe('một <hai>\n  ba');
  });

  it('keeps what looks like a style in words and in other attributes', () => {
    const odd = { ...quote, html: '<p title="a style=b" style="color:red" class="x">style=c <b style=\'margin:0\'>d</b></p>' };
    const back = sections(whole({ body: '', signature: '', quote: odd }), toText).quote?.html ?? '';
    expect(back).toBe('<p title="a style=b" style="color:red" class="x">style=c <b style="margin:0">d</b></p>');
  });

  it('of another program is all body', () => {
    const back = sections('<html><body><div>Từ Outlook</div><blockquote>x</blockquote></body></html>', toText);
    expect(back).toEqual({ body: '<div>Từ Outlook</div><blockquote>x</blockquote>', signature: '', quote: null });
  });

  it('tells which pictures it shows', () => {
    expect([...shownCids('<img src="cid:a@x"> <td background=cid:b%40x> <img src="https://x/cid:c">')]).toEqual(['a@x', 'b@x']);
  });
});
