import { describe, expect, it } from 'vitest';
import { toHtml, toText } from './text';

describe('HTML as text', () => {
  it('keeps lines and free lines as they were written', () => {
    expect(toText('<p>Kính gửi: Sở Nội vụ</p><p></p><p>Dòng một<br>dòng hai</p>')).toBe('Kính gửi: Sở Nội vụ\n\nDòng một\ndòng hai');
    expect(toText('<p>Kính gửi</p><p style="margin:0"><br></p><p>Hết</p>')).toBe('Kính gửi\n\nHết');
  });

  it('collapses space as a browser does, and not in preformatted text', () => {
    expect(toText('<div>một\n   hai <b>ba</b> bốn</div>')).toBe('một hai ba bốn');
    expect(toText('<pre>a\n  b</pre>')).toBe('a\n  b');
    expect(toText('<p>a&nbsp;b</p>')).toBe('a b');
  });

  it('marks lists, nested and numbered', () => {
    expect(toText('<ul><li><p>một</p><ul><li><p>hai</p></li></ul></li></ul><ol start="3"><li>ba</li><li>bốn</li></ol>')).toBe(
      '- một\n  - hai\n3. ba\n4. bốn',
    );
  });

  it('says where a link leads unless it says so itself', () => {
    expect(toText('<a href="https://khanhhoa.example/vb">văn bản</a>')).toBe('văn bản (https://khanhhoa.example/vb)');
    expect(toText('<a href="https://khanhhoa.example/">khanhhoa.example</a>')).toBe('khanhhoa.example');
    expect(toText('<a href="mailto:an@a.example">an@a.example</a>')).toBe('an@a.example');
    expect(toText('<a href="javascript:x()">đây</a>')).toBe('đây');
  });

  it('cites, deeper with each answer', () => {
    expect(toText('<blockquote>một<blockquote>hai</blockquote></blockquote>')).toBe('> một\n>> hai');
  });

  it('lays tables out in lines', () => {
    expect(toText('<table><tbody><tr><th><p>STT</p></th><th><p>Tên</p></th></tr><tr><td>1</td><td>Cầu</td></tr></tbody></table>')).toBe(
      'STT | Tên\n1 | Cầu',
    );
    expect(toText('<table><tr><td><p>a</p><p>b</p><p>c</p></td></tr></table>')).toBe('a\nb\nc');
  });

  it('leaves out what is not read', () => {
    expect(toText('<style>p{}</style><p>a<img alt="Dấu" src="cid:x"></p><script>x()</script>')).toBe('aDấu');
  });

  it('ends on deep nesting', () => {
    expect(toText(`${'<div>'.repeat(400)}x`)).toBe('x');
  });

  it('becomes HTML and text again', () => {
    const text = 'một <hai>\n\n  ba  bốn';
    expect(toText(toHtml(text)).replace(/\u00a0/g, ' ')).toBe(text);
  });
});
