// @vitest-environment jsdom
// A cleaner is only as good as the document it is tried on: jsdom reads HTML as browsers do.
import { describe, expect, it } from 'vitest';
import payloads from '../../../tests/vectors/hostile-html/payloads.txt?raw';
import { clean } from './sanitize';
import { blocks, runs } from './text';

const none = { inline: () => undefined, remote: false };
const parsed = (html: string) => new DOMParser().parseFromString(html, 'text/html');

describe('cleaning', () => {
  it('leaves nothing that runs, submits or navigates by itself', () => {
    for (const payload of payloads.split('\n').filter((line) => line && !line.startsWith('#'))) {
      const document = parsed(clean(payload, none).html);
      expect(document.querySelectorAll('script, iframe, object, embed, form, input, button, base, meta, link, svg, math').length, payload).toBe(0);
      for (const element of document.querySelectorAll('*')) {
        for (const { name, value } of element.attributes) {
          expect(name.startsWith('on'), `${payload}: ${name}`).toBe(false);
          if (['href', 'src', 'action', 'xlink:href'].includes(name)) {
            expect(/^(https?:|mailto:|tel:|\/|data:image\/(png|jpe?g|gif|webp|bmp);)/i.test(value.trim()), `${payload}: ${value}`).toBe(true);
          }
        }
      }
    }
  });

  it('holds pictures of other hosts back until asked', () => {
    const html = '<img src="https://t.example/p.png" alt="x"><img src="//t.example/q"><p style="background:url(https://t.example/b)">a</p>';
    const held = clean(html, none);
    expect([held.hasRemote, held.html.includes('src=')]).toEqual([true, false]);
    const shown = clean(html, { ...none, remote: true });
    expect([shown.hasRemote, parsed(shown.html).querySelectorAll('img[src]').length]).toEqual([false, 2]);
    expect(clean('<p>a</p>', none).hasRemote).toBe(false);
  });

  it('puts the parts of the message in their places', () => {
    const inline = (cid: string) => (cid === 'logo@x' ? '/jmap/download/a1/b1/logo' : undefined);
    const { html, hasRemote } = clean('<img src="cid:logo%40x"><img src="cid:gone"><img src="data:text/html,x">', { inline, remote: false });
    expect([parsed(html).querySelectorAll('img[src]').length, html.includes('/jmap/download/a1/b1/logo'), hasRemote]).toEqual([1, true, false]);
  });

  it('opens links in a window of their own, without saying where from', () => {
    const anchor = parsed(clean('<a href="https://x.example" id="a" name="b">x</a>', none).html).querySelector('a');
    expect([anchor?.target, anchor?.rel, anchor?.id]).toEqual(['_blank', 'noopener noreferrer', '']);
    expect(clean('<a href="javascript:alert(1)">x</a>', none).html).not.toContain('href');
  });
});

describe('plain text', () => {
  it('has links and addresses', () => {
    expect(runs('Xem https://khanhhoa.example/a?b=1. Hỏi mai@khanhhoa.example, nhé')).toEqual([
      { text: 'Xem ', href: null },
      { text: 'https://khanhhoa.example/a?b=1', href: 'https://khanhhoa.example/a?b=1' },
      { text: '. Hỏi ', href: null },
      { text: 'mai@khanhhoa.example', href: 'mailto:mai@khanhhoa.example' },
      { text: ', nhé', href: null },
    ]);
  });

  it('tells what is quoted', () => {
    expect(blocks('Chào\r\n\r\n> cũ\n>> cũ hơn\nHết')).toEqual([
      { text: 'Chào\n', quoted: false }, { text: '> cũ\n>> cũ hơn', quoted: true }, { text: 'Hết', quoted: false },
    ]);
  });
});
