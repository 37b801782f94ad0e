// The folders as a tree: those with a role first, in the order in which they are used, the others by name.
import type { Key } from '../locales/i18n.svelte';
import type { Id, Mailbox } from '../jmap/types';

const ROLES = ['inbox', 'flagged', 'drafts', 'sent', 'archive', 'junk', 'trash', 'all', 'important'];

const NAMES: Record<string, Key> = {
  inbox: 'folder.inbox', drafts: 'folder.drafts', sent: 'folder.sent', archive: 'folder.archive', junk: 'folder.junk', trash: 'folder.trash',
};

export interface Folder {
  mailbox: Mailbox;
  depth: number;
}

/** Deeper than anybody nests by hand. */
const DEEPEST = 10;

/** The words for a role's folder; nothing where a folder has a name of its own. */
export function roleName(mailbox: Pick<Mailbox, 'role'>): Key | null {
  return (mailbox.role && NAMES[mailbox.role]) || null;
}

const rank = (mailbox: Mailbox) => (mailbox.role && ROLES.includes(mailbox.role) ? ROLES.indexOf(mailbox.role) : ROLES.length);

/** All folders from the top down; one whose parent is not shown stands at the top. */
export function tree(all: readonly Mailbox[]): Folder[] {
  const known = new Set(all.map((mailbox) => mailbox.id));
  const inside = new Map<Id | null, Mailbox[]>();
  for (const mailbox of all) {
    const parent = mailbox.parentId !== null && known.has(mailbox.parentId) && mailbox.role === null ? mailbox.parentId : null;
    inside.set(parent, [...(inside.get(parent) ?? []), mailbox]);
  }
  const placed = new Set<Id>();
  const walk = (parent: Id | null, depth: number): Folder[] =>
    [...(inside.get(parent) ?? [])]
      .sort((a, b) => rank(a) - rank(b) || a.sortOrder - b.sortOrder || a.name.localeCompare(b.name, 'vi'))
      .flatMap((mailbox) => {
        if (placed.has(mailbox.id) || depth > DEEPEST) return [];
        placed.add(mailbox.id);
        return [{ mailbox, depth }, ...walk(mailbox.id, depth + 1)];
      });
  return walk(null, 0);
}

/** What the number beside a folder says: drafts are counted whole, the rest by what is unread. */
export function figure(mailbox: Mailbox): number {
  if (mailbox.role === 'drafts') return mailbox.totalEmails;
  return mailbox.role === 'trash' || mailbox.role === 'sent' ? 0 : mailbox.unreadThreads;
}
