import { expect, it } from 'vitest';
import { REVIEW, reviewRule } from './review';

// S9.1 (Điều 9)
it('an account says that its mail will be reviewed, and by which article', () => {
  const citation = { rule: 'S9.1', instrument: 'Quy định', text: 'Điều 9' };
  expect(reviewRule({ [REVIEW]: { willBeReviewed: true, citation } })).toEqual({ article: 'Điều 9' });
  expect(reviewRule({ [REVIEW]: { willBeReviewed: true, citation: null } })).toEqual({ article: '' });
  expect(reviewRule({ [REVIEW]: { willBeReviewed: false, citation: null } })).toBeNull();
  expect(reviewRule({})).toBeNull();
});
