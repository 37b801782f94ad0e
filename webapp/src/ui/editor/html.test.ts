import { describe, expect, it } from 'vitest';
import { dressed } from './html';

describe('the editor\'s HTML in a message', () => {
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
});
