// What the server says of an account whose mail is reviewed before it leaves (S9.1, Điều 9).
import type { ReviewRule } from './senders';

export const REVIEW = 'https://congvu.example/jmap/review';

/** The rule of an account, read from its capabilities; null where mail leaves without a review. */
export function reviewRule(capabilities: Record<string, unknown>): ReviewRule | null {
  const found = capabilities[REVIEW];
  if (typeof found !== 'object' || found === null) return null;
  const { required, reviewed, citation, reviewers } = found as Record<string, unknown>;
  if (required === false || reviewed === false) return null;
  return { article: articleOf(citation), reviewer: Array.isArray(reviewers) ? reviewers.filter(isText).join(', ') : '' };
}

function articleOf(citation: unknown): string {
  if (isText(citation)) return citation;
  if (typeof citation !== 'object' || citation === null) return '';
  const { label, article } = citation as Record<string, unknown>;
  return isText(label) ? label : typeof article === 'number' ? `Điều ${article}` : '';
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
