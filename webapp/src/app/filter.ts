// The question behind a mail screen: a folder or a search, narrowed by chips.
import type { EmailCondition, EmailFilter } from '../jmap/types';

export type Chip = 'unread' | 'starred' | 'attachment';

const NARROWED: Record<Chip, EmailCondition> = {
  unread: { notKeyword: '$seen' },
  starred: { hasKeyword: '$flagged' },
  attachment: { hasAttachment: true },
};

export function narrowed(base: EmailFilter, chips: Iterable<Chip>): EmailFilter {
  const conditions = [...chips].sort().map((chip) => NARROWED[chip]);
  if (conditions.length === 0) return base;
  return { operator: 'AND', conditions: [base, ...conditions] };
}
