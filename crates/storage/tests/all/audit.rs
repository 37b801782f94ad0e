//! The audit chain finds every change, removal and reordering (Điều 10).

use crate::{TEST, THINGS};
use congvu_storage::{Actor, Chain, Db, Event, anchor_audit, audit_rows, verify_audit};
use congvu_types::{AccountId, PersonId};
use testkit::store::each_engine;

async fn record(db: &Db, n: i64) {
    db.write(Actor::Person(PersonId::new(5)), move |tx| {
        let event = Event {
            name: "thing.done",
            subject: n.to_string(),
            citation: None,
            details: serde_json::json!({ "n": n }),
        };
        tx.record(Chain::Account(AccountId::new(1 + n % 2)), &event)
    })
    .await
    .unwrap();
}

async fn faults(db: &Db) -> Vec<String> {
    verify_audit(db, &[]).await.unwrap().faults
}

#[tokio::test]
async fn entries_are_chained_and_name_their_actor() {
    each_engine(&[&THINGS], |store| async move {
        for n in 0..10 {
            record(&store.db, n).await;
        }
        let verdict = verify_audit(&store.db, &[]).await.unwrap();
        assert_eq!((verdict.chains, verdict.entries, verdict.faults.len()), (2, 10, 0));
        let rows = store.db.read(|s| audit_rows(s, "account/1", 0, 100)).await.unwrap();
        assert_eq!(rows.iter().map(|r| r.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(rows[0].actor, "person/5");
    })
    .await;
}

#[tokio::test]
async fn any_change_removal_or_reordering_is_found() {
    for tampering in [
        "UPDATE audit SET details = '{}' WHERE chain = 'account/1' AND seq = 3",
        "DELETE FROM audit WHERE chain = 'account/1' AND seq = 2",
        "DELETE FROM audit WHERE chain = 'account/2' AND seq = 5",
        "UPDATE audit SET seq = CASE seq WHEN 2 THEN 99 ELSE seq END WHERE chain = 'account/2'",
        "DELETE FROM audit_head WHERE chain = 'account/2'",
    ] {
        each_engine(&[&THINGS], |store| async move {
            for n in 0..10 {
                record(&store.db, n).await;
            }
            store.db.write(TEST, move |tx| tx.execute(tampering, &[])).await.unwrap();
            assert!(!faults(&store.db).await.is_empty(), "{tampering} was not found");
        })
        .await;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

async fn tamper(db: &Db, statements: &'static [&'static str]) {
    db.write(TEST, move |tx| statements.iter().try_for_each(|sql| tx.execute(sql, &[]).map(drop)))
        .await
        .unwrap();
}

/// What a chain cannot show by itself: that it, or its end, is not there any more.
#[tokio::test]
async fn what_was_cut_or_taken_away_whole_shows_against_the_anchors() {
    const WHOLE: &[&str] =
        &["DELETE FROM audit WHERE chain = 'account/2'", "DELETE FROM audit_head WHERE chain = 'account/2'"];
    const TAIL: &[&str] = &[
        "DELETE FROM audit WHERE chain = 'account/2' AND seq = 5",
        "UPDATE audit_head SET seq = 4, anchored = 4,
            hash = (SELECT hash FROM audit WHERE chain = 'account/2' AND seq = 4) WHERE chain = 'account/2'",
    ];
    const SYSTEM: &[&str] =
        &["DELETE FROM audit WHERE chain = 'system'", "DELETE FROM audit_head WHERE chain = 'system'"];
    for (statements, told) in [(WHOLE, "taken away"), (TAIL, "the end was cut"), (SYSTEM, "is not there")] {
        each_engine(&[&THINGS], |store| async move {
            let db = &store.db;
            assert_eq!(anchor_audit(db).await.unwrap(), None);
            for n in 0..10 {
                record(db, n).await;
            }
            let anchor = anchor_audit(db).await.unwrap().unwrap();
            // Nothing grew: nothing is written.
            assert_eq!(anchor_audit(db).await.unwrap().as_ref(), Some(&anchor));
            record(db, 10).await;
            let outside = [hex(&anchor.hash)];
            let verdict = verify_audit(db, &outside).await.unwrap();
            assert_eq!((verdict.faults, verdict.chains, verdict.anchored), (Vec::new(), 3, 2));
            tamper(db, statements).await;
            let found = verify_audit(db, &outside).await.unwrap().faults;
            assert!(found.iter().any(|f| f.contains(told)), "{told}: {found:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn every_head_is_anchored_however_many() {
    each_engine(&[&THINGS], |store| async move {
        let db = &store.db;
        db.write(TEST, |tx| {
            (1..=450).try_for_each(|n| {
                let details = serde_json::Value::Null;
                let event = Event { name: "thing.done", subject: String::new(), citation: None, details };
                tx.record(Chain::Account(AccountId::new(n)), &event)
            })
        })
        .await
        .unwrap();
        assert_eq!(anchor_audit(db).await.unwrap().unwrap().seq, 3);
        let verdict = verify_audit(db, &[]).await.unwrap();
        assert_eq!((verdict.anchored, verdict.chains, verdict.faults), (450, 451, Vec::new()));
    })
    .await;
}
