//! The audit chain finds every change, removal and reordering (Điều 10).

use crate::{TEST, THINGS};
use congvu_storage::{Actor, Chain, Db, Event, audit_rows, verify_audit};
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
    db.read(verify_audit).await.unwrap().faults
}

#[tokio::test]
async fn entries_are_chained_and_name_their_actor() {
    each_engine(&[&THINGS], |store| async move {
        for n in 0..10 {
            record(&store.db, n).await;
        }
        let verdict = store.db.read(verify_audit).await.unwrap();
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
