import { describe, expect, it } from 'vitest';
import { go, mailPath, parse, reviewPath, route } from './router.svelte';

describe('router', () => {
  it('reads paths', () => {
    expect(parse('/')).toEqual(parse('/mail'));
    expect(parse('/reviews/17')).toEqual({ screen: 'reviews', tab: 'awaiting', id: '17' });
    expect(parse('/reviews/mine/17')).toEqual({ screen: 'reviews', tab: 'mine', id: '17' });
    expect(parse('/reviews/decided/x')).toEqual({ screen: 'reviews', tab: 'decided', id: null });
    expect(parse('/outbox')).toEqual({ screen: 'outbox' });
    expect(parse('/devices')).toEqual({ screen: 'settings', tab: 'devices' });
    expect(parse('/devices/1')).toEqual({ screen: 'unknown' });
    expect(parse('/settings')).toEqual({ screen: 'settings', tab: 'appearance' });
    expect(parse('/settings/vacation')).toEqual({ screen: 'settings', tab: 'vacation' });
    expect(parse('/settings/nothing')).toEqual({ screen: 'unknown' });
    expect(parse('/%E0%A4%A')).toEqual({ screen: 'unknown' });
  });

  it('reads paths of mail', () => {
    const none = { screen: 'mail', account: null, mailbox: null, query: null, thread: null };
    expect(parse('/mail')).toEqual(none);
    expect(parse('/mail/a1/m2/t3')).toEqual({ ...none, account: 'a1', mailbox: 'm2', thread: 't3' });
    expect(parse('/mail/a1/../x')).toEqual({ ...none, account: 'a1' });
    for (const at of [{ account: 'a1', mailbox: 'm2' }, { account: 'a1', query: 'từ:mai 50% a/b', thread: 't3' }, { account: 'a1', mailbox: 'm2', thread: 't3' }]) {
      expect(parse(mailPath(at))).toEqual({ ...none, ...at });
    }
    expect(mailPath({ account: 'a1', thread: 't3' })).toBe('/mail/a1');
  });

  it('goes there and back again', () => {
    go(reviewPath('mine', '5'));
    expect(location.pathname).toBe('/reviews/mine/5');
    expect(route()).toEqual(parse('/reviews/mine/5'));
  });
});
