// @vitest-environment jsdom
// A cleaner is only as good as the document it is tried on: jsdom reads HTML as browsers do.
import { describe, expect, it } from 'vitest';
import payloads from '../../../tests/vectors/hostile-html/payloads.txt?raw';
import { clean } from './sanitize';
import { blocks, runs } from './text';

const parsed = (html: string) => new DOMParser().parseFromString(html, 'text/html');

describe('cleaning', () => {
  it('leaves nothing that runs, submits or navigates by itself', () => {
    for (const payload of payloads.split('\n').filter((line) => line && !line.startsWith('#'))) {
      const document = parsed(clean(payload, false));
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
    const html = '<img src="https://t.example/p.png" alt="x"><img src="//t.example/q"><img src="cid:a"><img src="data:text/html,x"><img src="data:image/png;base64,AA==">';
    const shown = (remote: boolean) => [...parsed(clean(html, remote)).querySelectorAll('img[src]')].map((image) => image.getAttribute('src'));
    expect(shown(false)).toEqual(['data:image/png;base64,AA==']);
    expect(shown(true)).toEqual(['https://t.example/p.png', 'data:image/png;base64,AA==']);
  });

  it('opens links in a window of their own, without saying where from', () => {
    const anchor = parsed(clean('<a href="https://x.example" id="a" name="b">x</a>', false)).querySelector('a');
    expect([anchor?.target, anchor?.rel, anchor?.id]).toEqual(['_blank', 'noopener noreferrer', '']);
    expect(clean('<a href="javascript:alert(1)">x</a>', false)).not.toContain('href');
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
