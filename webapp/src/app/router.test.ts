import { describe, expect, it } from 'vitest';
import { go, parse, reviewPath, route } from './router.svelte';

describe('router', () => {
  it('reads paths', () => {
    expect(parse('/')).toEqual({ screen: 'reviews', tab: 'awaiting', id: null });
    expect(parse('/reviews/17')).toEqual({ screen: 'reviews', tab: 'awaiting', id: '17' });
    expect(parse('/reviews/mine/17')).toEqual({ screen: 'reviews', tab: 'mine', id: '17' });
    expect(parse('/reviews/decided/x')).toEqual({ screen: 'reviews', tab: 'decided', id: null });
    expect(parse('/outbox')).toEqual({ screen: 'outbox' });
    expect(parse('/devices')).toEqual({ screen: 'devices' });
    expect(parse('/devices/1')).toEqual({ screen: 'unknown' });
    expect(parse('/%E0%A4%A')).toEqual({ screen: 'unknown' });
  });

  it('goes there and back again', () => {
    go(reviewPath('mine', '5'));
    expect(location.pathname).toBe('/reviews/mine/5');
    expect(route()).toEqual(parse('/reviews/mine/5'));
  });
});
