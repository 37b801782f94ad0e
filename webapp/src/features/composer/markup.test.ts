import { describe, expect, it } from 'vitest';
import type { Quote } from './letter';
import { dressed, sections, shownCids, whole } from './markup';
import { toText } from './plain';

describe('the HTML of a letter', () => {
  it('carries the styles that no style sheet will bring', () => {
    expect(dressed('<p>Kính gửi</p><p></p><table><tbody><tr><td colspan="2">1</td></tr></tbody></table>')).toBe(
      '<p style="margin:0">Kính gửi</p><p style="margin:0"><br></p><table style="border-collapse:collapse;margin:8px 0"><tbody><tr>' +
        '<td colspan="2" style="border:1px solid #888;padding:4px 8px;vertical-align:top">1</td></tr></tbody></table>',
    );
  });

  it('holds nothing that the editor does not know', () => {
    expect(dressed('<p onclick="x()">a<script>b</script><font color="red">c</font></p>')).toBe('<p style="margin:0">abc</p>');
    expect(dressed('<a href="javascript:x()">a</a><img src="https://x.example/p.png">')).toContain('<a>a</a>');
    expect(dressed('<a href="https://x.example/?a=1&amp;b=%22">a</a>')).toBe('<a href="https://x.example/?a=1&amp;b=%22">a</a>');
    expect(dressed('a &lt;b&gt; &amp; c')).toBe('a &lt;b&gt; &amp; c');
  });

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

  it('of another program is all body', () => {
    const back = sections('<html><body><div>Từ Outlook</div><blockquote>x</blockquote></body></html>', toText);
    expect(back).toEqual({ body: '<div>Từ Outlook</div><blockquote>x</blockquote>', signature: '', quote: null });
  });

  it('tells which pictures it shows', () => {
    expect([...shownCids('<img src="cid:a@x"> <td background=cid:b%40x> <img src="https://x/cid:c">')]).toEqual(['a@x', 'b@x']);
  });
});
