import { expect, it } from 'vitest';
import { linkOf } from './links';

it('a link leads to pages and to mail alone', () => {
  expect(linkOf(' khanhhoa.example/van-ban ')).toBe('https://khanhhoa.example/van-ban');
  expect(linkOf('http://khanhhoa.example')).toBe('http://khanhhoa.example');
  expect(linkOf('khanhhoa.example:8443/x')).toBe('https://khanhhoa.example:8443/x');
  expect(linkOf('an@khanhhoa.example')).toBe('mailto:an@khanhhoa.example');
  for (const bad of ['', 'hai chữ', 'javascript:alert(1)', 'data:text/html,x', 'file:///etc', 'https://', 'chữ']) expect(linkOf(bad)).toBeNull();
});
