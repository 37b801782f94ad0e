//! Views are shared: who holds one, and what a look at the database costs.

use congvu_mail::{DeliverOptions, Delivered, Role, Target, Views, count_deleted, deliver, prepare};
use congvu_storage::Actor;
use congvu_types::{AccountId, Flags, ModSeq};
use std::sync::Arc;
use testkit::agency::{Agency, DIRECTOR, each_agency};

/// Delivers a message that is marked as deleted.
async fn arrive(agency: &Agency, account: AccountId) -> Delivered {
    let prepared = prepare(b"Subject: x\r\n\r\ntext\r\n").unwrap();
    let options = DeliverOptions { flags: Flags::DELETED, ..DeliverOptions::default() };
    let delivered = agency.db.write(Actor::System("test"), move |tx| {
        deliver(tx, account, Target::Role(Role::Inbox), &prepared, &options)
    });
    delivered.await.unwrap()
}

#[tokio::test]
async fn who_was_told_of_a_change_shares_the_look_at_it() {
    each_agency(|agency| async move {
        let account = agency.account(DIRECTOR).await;
        let inbox = arrive(&agency, account).await.mailbox;
        let views = Views::new(agency.db.clone());
        let first = views.current(account, inbox, None).await.unwrap();
        assert_eq!(first.len(), 1);
        arrive(&agency, account).await;
        // Told of nothing newer: the view that is there will do, although the database has more.
        assert!(Arc::ptr_eq(&first, &views.since(&first, ModSeq(first.modseq)).await.unwrap()));
        let second = views.since(&first, ModSeq(first.modseq + 1)).await.unwrap();
        assert_eq!(second.len(), 2);
        // The next watcher, and one who holds an older view, get the same.
        assert!(Arc::ptr_eq(&second, &views.since(&first, ModSeq(second.modseq)).await.unwrap()));
        assert!(Arc::ptr_eq(&second, &views.current(account, inbox, Some(&first)).await.unwrap()));
        assert_eq!(agency.db.read(move |s| count_deleted(s, account, inbox)).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_held_view_is_brought_forward_when_nothing_else_is_known() {
    each_agency(|agency| async move {
        let account = agency.account(DIRECTOR).await;
        let inbox = arrive(&agency, account).await.mailbox;
        let held = Views::new(agency.db.clone()).current(account, inbox, None).await.unwrap();
        let uid = arrive(&agency, account).await.uid;
        // A cache that has forgotten everything goes on from what the caller has.
        let now = Views::new(agency.db.clone()).since(&held, ModSeq(held.modseq + 1)).await.unwrap();
        assert_eq!(now.by_uid(uid).map(|(seq, _)| seq), Some(2));
        assert!(now.changes_since(&held).has_new);
    })
    .await;
}
