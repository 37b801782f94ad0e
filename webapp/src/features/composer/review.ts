// What the server says of an account whose mail is reviewed before it leaves (S9.1, Điều 9; docs/jmap.md).
import type { ReviewRule } from './senders';

export const REVIEW = 'https://congvu.example/jmap/review';

/** The rule of an account, read from its capabilities; null where mail leaves without a review. */
export function reviewRule(capabilities: Record<string, unknown>): ReviewRule | null {
  const told = capabilities[REVIEW] as { willBeReviewed?: unknown; citation?: { text?: unknown } | null } | null | undefined;
  if (told?.willBeReviewed !== true) return null;
  const text = told.citation?.text;
  return { article: typeof text === 'string' ? text : '' };
}
