//! What is needed for a time only goes when its time is over.

use congvu_directory::{act_for, right};
use congvu_mail::{
    DeliverOptions, FlagChange, FlagOperation, Role, Target, deliver, expunge, mailbox, mailbox_by_role,
    prepare, remove_outdated, store_flags,
};
use congvu_storage::{Actor, Db, params};
use congvu_types::{Flags, Uid};
use testkit::agency::{DIRECTOR, each_agency};

const TEST: Actor = Actor::System("test");
const TABLES: [&str; 3] =
    ["SELECT COUNT(*) FROM delivery_key", "SELECT COUNT(*) FROM thread_key", "SELECT COUNT(*) FROM expunged"];

async fn counts(db: &Db) -> Vec<i64> {
    let read = db.read(|s| TABLES.iter().map(|sql| s.query_one(sql, &[], |r| r.i64(0))).collect());
    read.await.unwrap()
}

async fn age(db: &Db, days: i64) {
    const AGE: [&str; 3] = [
        "UPDATE delivery_key SET at = at - ?1",
        "UPDATE thread_key SET at = at - ?1",
        "UPDATE expunged SET at = at - ?1",
    ];
    let ms = days * 86_400_000;
    db.write(TEST, move |tx| AGE.iter().try_for_each(|sql| tx.execute(sql, &params![ms]).map(drop)))
        .await
        .unwrap();
}

#[tokio::test]
async fn keys_and_tombstones_go_when_their_time_is_over() {
    each_agency(|agency| async move {
        let (db, account, who) = (&agency.db, agency.account(DIRECTOR).await, agency.person("hung").await);
        let filled = db.write(TEST, move |tx| {
            for n in 0..600 {
                let raw = format!("Message-ID: <{n}@x>\r\nSubject: x\r\n\r\n");
                let options = DeliverOptions { delivery_key: Some(n.to_string()), ..Default::default() };
                deliver(tx, account, Target::Role(Role::Inbox), &prepare(raw.as_bytes())?, &options)?;
            }
            Ok(mailbox_by_role(tx, account, Role::Inbox)?.unwrap().id)
        });
        let inbox = filled.await.unwrap();
        let before = agency.views.current(account, inbox, None).await.unwrap();
        let uids: Vec<Uid> = (1..=400).map(Uid).collect();
        let cut = uids.clone();
        let emptied = db.write(TEST, move |tx| {
            let acting = act_for::<right::Draft>(tx, &who, account)?;
            let (operation, flags) = (FlagOperation::Add, Flags::DELETED);
            let change = FlagChange { operation, flags, keywords: Vec::new(), unchanged_since: None };
            store_flags(tx, &acting, inbox, &cut, &change)?;
            expunge(tx, &acting, inbox, &cut)
        });
        assert_eq!(emptied.await.unwrap(), uids);
        assert_eq!(remove_outdated(db).await.unwrap(), 0);
        assert_eq!(counts(db).await, [600, 600, 400]);
        age(db, 8).await;
        assert_eq!(remove_outdated(db).await.unwrap(), 600);
        age(db, 30).await;
        assert_eq!(remove_outdated(db).await.unwrap(), 400);
        assert_eq!(counts(db).await, [0, 600, 0]);
        let row = db.read(move |s| mailbox(s, account, inbox)).await.unwrap();
        assert!(before.modseq < row.min_modseq && row.min_modseq <= row.highest_modseq);
        // Who was away so long is not shown what is gone.
        let now = agency.views.current(account, inbox, None).await.unwrap();
        assert_eq!((now.len(), now.changes_since(&before).expunged.len()), (200, 400));
        age(db, 400).await;
        assert_eq!(remove_outdated(db).await.unwrap(), 600);
    })
    .await;
}
