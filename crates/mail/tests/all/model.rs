//! Random work against a model: UIDs only grow, counters are right, views equal fresh loads.

use congvu_directory::{SignedIn, act_for, right};
use congvu_mail::{
    DeliverOptions, FlagChange, FlagOperation, FlagSet, Role, Since, Target, View, Views, copy_messages,
    deliver, email_changes, emails, expunge, mailbox_by_role, move_messages, prepare, store_flags, take_back,
    thread_changes, usage,
};
use congvu_storage::{Actor, params};
use congvu_types::{AccountId, EmailId, Flags, MailboxId, ThreadId, Uid};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use std::collections::{BTreeSet, HashMap};
use testkit::agency::{Agency, DIRECTOR, each_agency};

/// One thing that clients do. Places are taken modulo what is there.
#[derive(Debug, Clone)]
enum Step {
    Deliver,
    Flag { place: usize, flag: u8, add: bool },
    Copy { place: usize, undone: bool },
    Move { place: usize, back: bool },
    Expunge,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Deliver),
        3 => (0..50_usize, 0..5_u8, any::<bool>()).prop_map(|(place, flag, add)| Step::Flag { place, flag, add }),
        1 => (0..50_usize, any::<bool>()).prop_map(|(place, undone)| Step::Copy { place, undone }),
        1 => (0..50_usize, any::<bool>()).prop_map(|(place, back)| Step::Move { place, back }),
        1 => Just(Step::Expunge),
    ]
}

struct Work {
    agency: Agency,
    who: SignedIn,
    account: AccountId,
    inbox: MailboxId,
    archive: MailboxId,
}

impl Work {
    async fn new(agency: Agency) -> Self {
        let (account, who) = (agency.account(DIRECTOR).await, agency.person("hung").await);
        let found = agency.db.write(Actor::System("test"), move |tx| {
            congvu_mail::ensure_account(tx, account)?;
            let id = |role| mailbox_by_role(tx, account, role).map(|m| m.unwrap().id);
            Ok((id(Role::Inbox)?, id(Role::Archive)?))
        });
        let (inbox, archive) = found.await.unwrap();
        Self { agency, who, account, inbox, archive }
    }

    async fn uids(&self, mailbox: MailboxId) -> Vec<u32> {
        let account = self.account;
        let found = self.agency.db.read(move |s| {
            s.query(
                "SELECT uid FROM placement WHERE account_id = ?1 AND mailbox_id = ?2 ORDER BY uid",
                &params![account.get(), mailbox.get()],
                |r| r.u32(0),
            )
        });
        found.await.unwrap()
    }

    async fn carry_out(&self, step: &Step) {
        let (account, inbox, archive, who) = (self.account, self.inbox, self.archive, self.who.clone());
        let (here, there) = (self.uids(inbox).await, self.uids(archive).await);
        let pick = |from: &[u32], place: usize| from.get(place % from.len().max(1)).map(|uid| Uid(*uid));
        let step = step.clone();
        let done = self.agency.db.write(Actor::System("test"), move |tx| {
            let reading = act_for::<right::Read>(tx, &who, account)?;
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            match step {
                Step::Deliver => {
                    // Some name each other: conversations of several messages.
                    let number = here.len() % 7;
                    let raw = format!("Message-ID: <{number}@x>\r\nSubject: x\r\n\r\ntext\r\n");
                    let message = prepare(raw.as_bytes())?;
                    deliver(tx, account, Target::Mailbox(inbox), &message, &DeliverOptions::default())?;
                }
                Step::Flag { place, flag, add } => {
                    let operation = if add { FlagOperation::Add } else { FlagOperation::Remove };
                    let flags = Flags::from_bits(1 << flag);
                    let change = FlagChange { operation, flags, keywords: Vec::new(), unchanged_since: None };
                    store_flags(tx, &acting, inbox, pick(&here, place).as_slice(), &change)?;
                }
                Step::Copy { place, undone } => {
                    let wanted = pick(&here, place);
                    let copied = copy_messages(tx, (&reading, inbox), (&acting, archive), wanted.as_slice())?;
                    if undone {
                        let copies: Vec<Uid> = copied.uids.into_iter().map(|(_, copy)| copy).collect();
                        take_back(tx, &acting, archive, &copies)?;
                    }
                }
                Step::Move { place, back: false } => {
                    move_messages(tx, &acting, inbox, archive, pick(&here, place).as_slice())?;
                }
                Step::Move { place, back: true } => {
                    move_messages(tx, &acting, archive, inbox, pick(&there, place).as_slice())?;
                }
                Step::Expunge => {
                    let all: Vec<Uid> = here.iter().map(|uid| Uid(*uid)).collect();
                    expunge(tx, &acting, inbox, &all)?;
                }
            }
            Ok(())
        });
        done.await.unwrap();
    }

    /// What a client that follows the changes has is what there is (RFC 8620 §5.2).
    async fn follow(&self, client: &mut Client, max: usize) {
        let (who, account, since) = (self.who.clone(), self.account, client.since);
        let read = self.agency.db.read(move |s| {
            let acting = act_for::<right::Read>(s, &who, account)?;
            let changes = email_changes(s, &acting, since, max)?.unwrap();
            let threads = thread_changes(s, &acting, since, max)?.unwrap();
            let new: Vec<_> = [changes.created.clone(), changes.updated.clone()].concat();
            let rows = emails(s, &acting, &new)?;
            Ok((changes, threads, rows))
        });
        let (changes, threads, rows) = read.await.unwrap();
        for id in &changes.created {
            assert!(client.is_behind || !client.emails.contains_key(id), "created twice: {id}");
        }
        for id in changes.updated.iter().chain(&changes.destroyed) {
            // What came and went meanwhile is told as gone.
            assert!(client.emails.contains_key(id) || changes.destroyed.contains(id), "never created: {id}");
        }
        let count = changes.created.len() + changes.updated.len() + changes.destroyed.len();
        assert!(count <= max && (count == max || !changes.has_more));
        for id in &changes.destroyed {
            client.emails.remove(id);
        }
        for row in rows {
            client.emails.insert(row.id, (row.mailbox, row.uid, row.flags, row.thread));
        }
        client.threads.extend(threads.created.iter().chain(&threads.updated));
        client.threads.retain(|id| !threads.destroyed.contains(id));
        client.since = changes.upto;
        client.is_behind = changes.has_more;
    }

    /// Every message, as its rows say.
    async fn truth(&self) -> HashMap<EmailId, (MailboxId, Uid, FlagSet, ThreadId)> {
        let account = self.account;
        let found = self.agency.db.read(move |s| {
            s.query(
                "SELECT p.email_id, p.mailbox_id, p.uid, p.flags, e.thread_id FROM placement p
                 JOIN email e ON e.account_id = p.account_id AND e.id = p.email_id WHERE p.account_id = ?1",
                &params![account.get()],
                |r| {
                    let place = (MailboxId::new(r.i64(1)?), Uid(r.u32(2)?));
                    let marks = (FlagSet(r.u64(3)?), ThreadId::new(r.i64(4)?));
                    Ok((EmailId::new(r.i64(0)?), (place.0, place.1, marks.0, marks.1)))
                },
            )
        });
        found.await.unwrap().into_iter().collect()
    }

    /// Counters equal a recount of the rows.
    async fn recount(&self) {
        let account = self.account;
        let found = self.agency.db.read(move |s| {
            let key = params![account.get()];
            let counted = s.query(
                "SELECT m.total - (SELECT COUNT(*) FROM placement p WHERE p.account_id = m.account_id AND p.mailbox_id = m.id),
                    m.unseen - (SELECT COUNT(*) FROM placement p WHERE p.account_id = m.account_id AND p.mailbox_id = m.id
                        AND p.flags % 2 = 0),
                    m.size - (SELECT CAST(COALESCE(SUM(e.size), 0) AS BIGINT) FROM placement p JOIN email e
                        ON e.account_id = p.account_id AND e.id = p.email_id
                        WHERE p.account_id = m.account_id AND p.mailbox_id = m.id)
                 FROM mailbox m WHERE m.account_id = ?1",
                &key,
                |r| Ok((r.i64(0)?, r.i64(1)?, r.i64(2)?)),
            )?;
            let (messages, bytes) = s.query_one(
                "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM email WHERE account_id = ?1",
                &key,
                |r| Ok((r.u64(0)?, r.u64(1)?)),
            )?;
            Ok((counted, usage(s, account)?, messages, bytes))
        });
        let (counted, usage, messages, bytes) = found.await.unwrap();
        assert!(counted.iter().all(|c| *c == (0, 0, 0)), "{counted:?}");
        assert_eq!((usage.messages, usage.bytes), (messages, bytes));
        let truth = self.truth().await;
        let rows = self.agency.db.read(move |s| congvu_mail::mailboxes(s, account)).await.unwrap();
        for row in rows {
            let here = truth.values().filter(|(mailbox, ..)| *mailbox == row.id);
            let threads: BTreeSet<_> = here.clone().map(|(.., thread)| *thread).collect();
            let unread: BTreeSet<_> =
                here.filter(|(_, _, flags, _)| flags.0 & 1 == 0).map(|(.., thread)| *thread).collect();
            assert_eq!((row.threads, row.unread_threads), (threads.len() as u64, unread.len() as u64));
        }
    }
}

/// What a client of the changes knows.
struct Client {
    since: Since,
    is_behind: bool,
    emails: HashMap<EmailId, (MailboxId, Uid, FlagSet, ThreadId)>,
    threads: BTreeSet<ThreadId>,
}

fn entries(view: &View) -> Vec<(u32, congvu_mail::Entry)> {
    view.range(1, view.len()).map(|(seq, entry)| (seq, *entry)).collect()
}

/// The old list with the changes applied is the new list.
fn apply(old: &View, new: &View) {
    let changes = new.changes_since(old);
    let mut list: Vec<_> = entries(old).into_iter().map(|(_, e)| e).collect();
    for seq in changes.expunged.iter().rev() {
        list.remove(*seq as usize - 1);
    }
    for changed in &changes.changed {
        *list.iter_mut().find(|e| e.uid == changed.uid).unwrap() = *changed;
    }
    let now: Vec<_> = entries(new).into_iter().map(|(_, e)| e).collect();
    assert_eq!(list, now[..list.len()], "{changes:?}");
    assert_eq!(changes.has_new, now.len() > list.len());
}

#[tokio::test]
async fn uids_only_grow_and_views_equal_fresh_loads() {
    each_agency(|agency| async move {
        let work = Work::new(agency).await;
        let views = work.agency.views.clone();
        let mut runner = TestRunner::deterministic();
        let steps = proptest::collection::vec(step(), 150).new_tree(&mut runner).unwrap().current();
        let mut seen: BTreeSet<u32> = BTreeSet::new();
        let mut old = views.current(work.account, work.inbox, None).await.unwrap();
        let since = Since { base: 0, modseq: 0, within: None };
        let mut client = Client { since, is_behind: false, emails: HashMap::new(), threads: BTreeSet::new() };
        for step in &steps {
            let before = work.uids(work.inbox).await;
            work.carry_out(step).await;
            for uid in work.uids(work.inbox).await.into_iter().filter(|uid| !before.contains(uid)) {
                assert!(seen.last().is_none_or(|last| uid > *last), "UID {uid} after {seen:?} ({step:?})");
                seen.insert(uid);
            }
            let now = views.current(work.account, work.inbox, None).await.unwrap();
            let fresh =
                Views::new(work.agency.db.clone()).current(work.account, work.inbox, None).await.unwrap();
            assert_eq!(entries(&now), entries(&fresh), "{step:?}");
            assert_eq!((now.modseq, now.uidnext, now.unseen), (fresh.modseq, fresh.uidnext, fresh.unseen));
            apply(&old, &now);
            old = now;
            // Now and then, a few at a time.
            let pick = seen.len() + before.len();
            if pick.is_multiple_of(3) {
                work.follow(&mut client, 1 + pick % 5).await;
            }
        }
        client.is_behind = true;
        while client.is_behind {
            work.follow(&mut client, 3).await;
        }
        let truth = work.truth().await;
        assert_eq!(client.emails, truth);
        assert_eq!(client.threads, truth.values().map(|(.., thread)| *thread).collect());
        assert!(seen.len() > 20);
        work.recount().await;
    })
    .await;
}
