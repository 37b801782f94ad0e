//! Lists of messages by filter and order, and what changed of mailboxes.

use congvu_directory::{SignedIn, act_for, right};
use congvu_mail::{
    DeliverOptions, EmailFilter, EmailQuery, EmailResults, EmailSort, FlagSet, Role, Since, SortKey, Target,
    Window, create_mailbox, delete_mailbox, deliver, destroy, email_changes, email_places, mailbox,
    mailbox_by_role, mailbox_changes, move_messages, prepare, query_emails, remove_outdated, rename_mailbox,
    state, thread_emails,
};
use congvu_storage::{Actor, params};
use congvu_types::{AccountId, EmailId, Flags, MailboxId, Timestamp, Uid};
use std::{collections::HashSet, sync::Arc};
use testkit::agency::{Agency, DIRECTOR, each_agency};

const TEST: Actor = Actor::System("test");

struct Lists<'a> {
    agency: &'a Agency,
    who: SignedIn,
    account: AccountId,
    inbox: MailboxId,
    archive: MailboxId,
}

impl<'a> Lists<'a> {
    async fn new(agency: &'a Agency) -> Self {
        let (account, who) = (agency.account(DIRECTOR).await, agency.person("hung").await);
        let made = agency.db.write(TEST, move |tx| {
            congvu_mail::ensure_account(tx, account)?;
            let id = |role| mailbox_by_role(tx, account, role).map(|m| m.unwrap().id);
            Ok((id(Role::Inbox)?, id(Role::Archive)?))
        });
        let (inbox, archive) = made.await.unwrap();
        Self { agency, who, account, inbox, archive }
    }

    /// Message `n` answers message `parent` and came at second `at`.
    async fn deliver(&self, n: u32, parent: Option<u32>, at: i64, flags: Flags) -> EmailId {
        let references = parent.map_or_else(String::new, |p| format!("References: <{p}@x>\r\n"));
        let raw = format!(
            "Message-ID: <{n}@x>\r\n{references}Subject: Re: so {n}\r\n\r\n{}\r\n",
            "x".repeat(n as usize)
        );
        let message = prepare(raw.as_bytes()).unwrap();
        let (account, inbox) = (self.account, self.inbox);
        let options =
            DeliverOptions { flags, received_at: Some(Timestamp::from_seconds(at)), ..Default::default() };
        let delivered = self
            .agency
            .db
            .write(TEST, move |tx| deliver(tx, account, Target::Mailbox(inbox), &message, &options));
        delivered.await.unwrap().email
    }

    async fn list(&self, query: EmailQuery) -> Option<EmailResults> {
        let (who, account) = (self.who.clone(), self.account);
        let read =
            self.agency.db.read(move |s| query_emails(s, &act_for::<right::Read>(s, &who, account)?, &query));
        read.await.unwrap()
    }

    async fn ids(&self, filter: EmailFilter, sort: &[EmailSort], collapse_threads: bool) -> Vec<EmailId> {
        let window = Window::Position(0);
        let query = EmailQuery {
            filter,
            sort: sort.to_vec(),
            collapse_threads,
            window,
            limit: 500,
            wants_total: true,
        };
        let found = self.list(query).await.unwrap();
        assert_eq!(found.total, Some(found.hits.len() as u64));
        found.hits.iter().map(|hit| hit.email).collect()
    }
}

#[tokio::test]
async fn a_list_shows_each_conversation_once_the_newest_first() {
    each_agency(|agency| async move {
        let lists = Lists::new(&agency).await;
        let (none, seen) = (Flags::default(), Flags::SEEN);
        let first = lists.deliver(1, None, 100, seen).await;
        let second = lists.deliver(2, None, 300, none).await;
        let answer = lists.deliver(3, Some(1), 200, none).await;
        // It came last, with an older date.
        let old = lists.deliver(4, None, 50, Flags::FLAGGED).await;
        let inbox = || EmailFilter::InMailbox(lists.inbox);
        assert_eq!(lists.ids(inbox(), &[], false).await, [second, answer, first, old]);
        assert_eq!(lists.ids(inbox(), &[], true).await, [second, answer, old]);
        let ascending = [EmailSort { key: SortKey::ReceivedAt, ascending: true }];
        assert_eq!(lists.ids(inbox(), &ascending, true).await, [old, first, second]);
        let by_size = [EmailSort { key: SortKey::Size, ascending: false }];
        assert_eq!(lists.ids(inbox(), &by_size, false).await, [answer, old, second, first]);
        let is_seen = EmailFilter::HasKeyword(FlagSet(u64::from(seen.bits())));
        let unread = EmailFilter::And(vec![inbox(), EmailFilter::Not(vec![is_seen.clone()])]);
        assert_eq!(lists.ids(unread, &[], true).await, [second, answer, old]);
        let flag = FlagSet(u64::from(seen.bits()));
        assert_eq!(lists.ids(EmailFilter::SomeInThreadHave(flag), &[], false).await, [answer, first]);
        assert_eq!(lists.ids(EmailFilter::AllInThreadHave(flag), &[], false).await, [] as [EmailId; 0]);
        let some = EmailFilter::OneOf(Arc::new(HashSet::from([old, second, EmailId::new(7)])));
        assert_eq!(lists.ids(some, &[], false).await, [second, old]);
        let between = vec![
            EmailFilter::After(Timestamp::from_seconds(100)),
            EmailFilter::Before(Timestamp::from_seconds(300)),
        ];
        assert_eq!(lists.ids(EmailFilter::And(between), &[], false).await, [answer, first]);
        assert_eq!(
            lists.ids(EmailFilter::InMailbox(MailboxId::new(7)), &[], false).await,
            [] as [EmailId; 0]
        );
        let elsewhere = EmailFilter::InMailboxOtherThan(vec![lists.inbox]);
        assert_eq!(lists.ids(elsewhere, &[], false).await, [] as [EmailId; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_window_is_found_by_place_and_by_message() {
    each_agency(|agency| async move {
        let lists = Lists::new(&agency).await;
        let mut all = Vec::new();
        for n in 0..300_u32 {
            all.insert(0, lists.deliver(n, None, i64::from(n), Flags::default()).await);
        }
        // Half of them elsewhere: a list of everything is one of two mailboxes.
        let (who, account) = (lists.who.clone(), lists.account);
        let (inbox, archive) = (lists.inbox, lists.archive);
        let moved = agency.db.write(TEST, move |tx| {
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            let odd: Vec<Uid> = (1..=300).step_by(2).map(Uid).collect();
            move_messages(tx, &acting, inbox, archive, &odd)
        });
        moved.await.unwrap();
        for wants_total in [false, true] {
            for (window, from) in [
                (Window::Position(0), Some(0)),
                (Window::Position(140), Some(140)),
                (Window::Position(-5), Some(295)),
                (Window::Position(-1000), Some(0)),
                (Window::Anchor(all[150], 0), Some(150)),
                (Window::Anchor(all[150], -10), Some(140)),
                (Window::Anchor(all[150], 10), Some(160)),
                (Window::Anchor(all[3], -10), Some(0)),
                (Window::Anchor(EmailId::new(7), 0), None),
                (Window::Position(1000), Some(1000)),
            ] {
                let query = EmailQuery {
                    filter: EmailFilter::And(Vec::new()),
                    sort: Vec::new(),
                    collapse_threads: true,
                    window,
                    limit: 20,
                    wants_total,
                };
                let found = lists.list(query).await;
                assert_eq!(found.as_ref().map(|f| f.position), from, "{window:?}");
                if let (Some(found), Some(from)) = (found, from) {
                    let shown: Vec<_> = found.hits.iter().map(|hit| hit.email).collect();
                    let wanted: Vec<_> = all.iter().skip(from).take(20).copied().collect();
                    assert_eq!(shown, wanted, "{window:?}");
                    assert_eq!(found.total, wants_total.then_some(300));
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_conversation_lists_its_messages_wherever_they_lie() {
    each_agency(|agency| async move {
        let lists = Lists::new(&agency).await;
        let late = lists.deliver(1, None, 200, Flags::default()).await;
        let early = lists.deliver(2, Some(1), 100, Flags::default()).await;
        let (who, account, inbox, archive) = (lists.who.clone(), lists.account, lists.inbox, lists.archive);
        let done = agency.db.write(TEST, move |tx| {
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            move_messages(tx, &acting, inbox, archive, &[Uid(1)])?;
            let reading = act_for::<right::Read>(tx, &who, account)?;
            let rows = congvu_mail::emails(tx, &reading, &[late, EmailId::new(9), early])?;
            assert_eq!(
                rows.iter().map(|r| (r.id, r.mailbox)).collect::<Vec<_>>(),
                [(late, archive), (early, inbox)]
            );
            let told = thread_emails(tx, &reading, rows[0].thread)?;
            assert_eq!(destroy(tx, &acting, archive, &[Uid(1)])?, [Uid(1)]);
            let left = email_places(tx, account, &[late, early])?;
            Ok((told, left.iter().map(|p| p.id).collect::<Vec<_>>()))
        });
        assert_eq!(done.await.unwrap(), (vec![early, late], vec![early]));
    })
    .await;
}

#[tokio::test]
async fn what_changed_of_mailboxes_is_told_until_it_is_forgotten() {
    each_agency(|agency| async move {
        let lists = Lists::new(&agency).await;
        let (who, account, inbox, archive) = (lists.who.clone(), lists.account, lists.inbox, lists.archive);
        let start = agency.db.read(move |s| state(s, account)).await.unwrap();
        let step = |name: &'static str| {
            let who = who.clone();
            agency.db.write(TEST, move |tx| {
                let acting = act_for::<right::Draft>(tx, &who, account)?;
                create_mailbox(tx, &acting, name)
            })
        };
        let (kept, gone) = (step("Du an").await.unwrap(), step("Tam").await.unwrap());
        let made = agency.db.read(move |s| state(s, account)).await.unwrap();
        lists.deliver(1, None, 1, Flags::default()).await;
        let counted = agency.db.read(move |s| state(s, account)).await.unwrap();
        let acted = who.clone();
        let changed = agency.db.write(TEST, move |tx| {
            let acting = act_for::<right::Draft>(tx, &acted, account)?;
            rename_mailbox(tx, &acting, kept, "Du an 2026")?;
            move_messages(tx, &acting, inbox, gone, &[Uid(1)])?;
            delete_mailbox(tx, &acting, gone)
        });
        changed.await.unwrap();
        let told = |since| {
            let who = who.clone();
            agency.db.read(move |s| {
                let acting = act_for::<right::Read>(s, &who, account)?;
                let emails = email_changes(s, &acting, Since::all_of(since), 50)?;
                Ok((mailbox_changes(s, &acting, since, 50)?, emails.is_some()))
            })
        };
        let (since_start, _) = told(start).await.unwrap();
        let ids = since_start.unwrap().ids;
        assert_eq!((ids.created, ids.updated, ids.destroyed), (vec![kept], vec![inbox], vec![gone]));
        let (since_made, emails_known) = told(made).await.unwrap();
        let since_made = since_made.unwrap();
        assert_eq!((since_made.ids.updated.len(), since_made.only_counts), (2, false));
        assert!(!emails_known, "its message went with the mailbox, unnamed");
        let (since_counted, _) = told(counted).await.unwrap();
        assert_eq!(since_counted.unwrap().ids.updated, [inbox, kept]);
        let seven = agency.db.read(move |s| mailbox(s, account, archive)).await.unwrap();
        assert_eq!((seven.threads, seven.unread_threads), (0, 0));
        let aged = agency.db.write(TEST, |tx| {
            tx.execute("UPDATE mailbox_gone SET at = at - ?1", &params![31 * 86_400_000_i64])
        });
        aged.await.unwrap();
        assert!(remove_outdated(&agency.db).await.unwrap() >= 1);
        assert_eq!(told(start).await.unwrap(), (None, false));
    })
    .await;
}
