//! Blobs: one instance, verified on read, collected when nothing names them.

use crate::{TEST, THINGS};
use congvu_storage::{BlobReference, Db, PreparedBlob, params};
use testkit::store::each_engine;

const NAMED_BY_THING: &[BlobReference] = &[BlobReference("SELECT 1 FROM thing WHERE body = ?1 LIMIT 1")];

/// Bytes that do not compress, so that size decides where they live.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 7_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(len)
    .collect()
}

async fn store_named(db: &Db, id: i64, bytes: &[u8]) -> PreparedBlob {
    let blob = PreparedBlob::new(bytes).unwrap();
    db.stage_blob(&blob).await.unwrap();
    let put = blob.clone();
    db.write(TEST, move |tx| {
        tx.put_blob(&put)?;
        tx.execute(
            "INSERT INTO thing (id, name, body) VALUES (?1, 'x', ?2)",
            &params![id, put.hash().as_bytes()],
        )
    })
    .await
    .unwrap();
    blob
}

#[tokio::test]
async fn bytes_of_any_size_come_back_and_are_stored_once() {
    each_engine(&[&THINGS], |store| async move {
        for (n, len) in [0, 1, 5_000, 300_000].into_iter().enumerate() {
            let bytes = noise(len);
            let id = n as i64 * 2;
            let blob = store_named(&store.db, id, &bytes).await;
            store_named(&store.db, id + 1, &bytes).await;
            assert_eq!(store.db.read_blob(&blob.hash()).await.unwrap(), bytes);
        }
        let rows =
            store.db.read(|s| s.query_one("SELECT COUNT(*) FROM blob", &[], |r| r.i64(0))).await.unwrap();
        assert_eq!(rows, 4);
    })
    .await;
}

#[tokio::test]
async fn a_damaged_blob_is_never_content() {
    each_engine(&[&THINGS], |store| async move {
        let blob = store_named(&store.db, 1, b"the words as they were").await;
        let other = PreparedBlob::new(b"the words as they were not").unwrap();
        store_named(&store.db, 2, b"the words as they were not").await;
        let (victim, forged) = (blob.hash(), other.hash());
        store
            .db
            .write(TEST, move |tx| {
                tx.execute(
                    "UPDATE blob SET packed = (SELECT packed FROM blob WHERE hash = ?2), size = 26 WHERE hash = ?1",
                    &params![victim.as_bytes(), forged.as_bytes()],
                )
            })
            .await
            .unwrap();
        let error = store.db.read_blob(&victim).await.unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn only_what_nothing_names_is_collected() {
    each_engine(&[&THINGS], |store| async move {
        let kept = store_named(&store.db, 1, &noise(200_000)).await;
        let small = store_named(&store.db, 2, b"small and kept").await;
        let gone = store_named(&store.db, 3, &noise(190_000)).await;
        let lost = PreparedBlob::new(&noise(180_000)).unwrap();
        store.db.stage_blob(&lost).await.unwrap();
        store.db.write(TEST, |tx| tx.execute("DELETE FROM thing WHERE id = 3", &[])).await.unwrap();
        // Young blobs are left alone: a transaction may be about to name them.
        let young = store.db.collect_blobs(NAMED_BY_THING, 3600).await.unwrap();
        assert_eq!((young.removed, young.swept_files), (0, 0));
        let collected = store.db.collect_blobs(NAMED_BY_THING, 0).await.unwrap();
        assert_eq!((collected.removed, collected.swept_files), (1, 2));
        assert!(store.db.read_blob(&kept.hash()).await.is_ok());
        assert!(store.db.read_blob(&small.hash()).await.is_ok());
        assert!(store.db.read_blob(&gone.hash()).await.is_err());
        // What was collected can be stored again.
        store_named(&store.db, 4, &noise(190_000)).await;
        assert!(store.db.read_blob(&gone.hash()).await.is_ok());
    })
    .await;
}

/// A delivery names a blob that was old and unnamed, while the collector is about to remove it.
#[tokio::test]
async fn the_collector_spares_what_a_commit_is_about_to_name() {
    each_engine(&[&THINGS], |store| async move {
        let db = &store.db;
        let blob = store_named(db, 1, b"said again later").await;
        let age = "UPDATE blob SET created_at = 0";
        db.write(TEST, move |tx| {
            tx.execute("DELETE FROM thing", &[])?;
            tx.execute(age, &[])
        })
        .await
        .unwrap();
        let (touched, wait_touched) = std::sync::mpsc::channel();
        let (go, wait_go) = std::sync::mpsc::channel::<()>();
        let naming = tokio::spawn({
            let (db, again) = (db.clone(), PreparedBlob::new(b"said again later").unwrap());
            async move {
                db.write(TEST, move |tx| {
                    tx.put_blob(&again)?;
                    touched.send(()).unwrap();
                    wait_go.recv().unwrap();
                    tx.execute(
                        "INSERT INTO thing (id, name, body) VALUES (2, 'x', ?1)",
                        &params![again.hash().as_bytes()],
                    )
                })
                .await
            }
        });
        tokio::task::spawn_blocking(move || wait_touched.recv().unwrap()).await.unwrap();
        let collecting = tokio::spawn({
            let db = db.clone();
            async move { db.collect_blobs(NAMED_BY_THING, 3600).await }
        });
        // The collector has looked, and waits for the row.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        go.send(()).unwrap();
        naming.await.unwrap().unwrap();
        let collected = collecting.await.unwrap().unwrap();
        assert_eq!((collected.examined, collected.removed), (1, 0));
        assert_eq!(db.read_blob(&blob.hash()).await.unwrap(), b"said again later");
    })
    .await;
}

#[tokio::test]
async fn a_row_that_names_a_blob_without_putting_it_keeps_it() {
    each_engine(&[&THINGS], |store| async move {
        let blob = store_named(&store.db, 1, b"copied").await;
        let hash = blob.hash();
        store.db.write(TEST, |tx| tx.execute("UPDATE blob SET created_at = 0", &[])).await.unwrap();
        store.db.write(TEST, move |tx| tx.keep_blob(&hash)).await.unwrap();
        store.db.write(TEST, |tx| tx.execute("DELETE FROM thing", &[])).await.unwrap();
        assert_eq!(store.db.collect_blobs(NAMED_BY_THING, 3600).await.unwrap().removed, 0);
        store.db.write(TEST, |tx| tx.execute("UPDATE blob SET created_at = 0", &[])).await.unwrap();
        assert_eq!(store.db.collect_blobs(NAMED_BY_THING, 3600).await.unwrap().removed, 1);
        assert!(store.db.write(TEST, move |tx| tx.keep_blob(&hash)).await.is_err());
    })
    .await;
}

/// The collector's walk reads the index alone: not a page of the table that holds the bytes.
#[tokio::test]
async fn looking_for_what_nothing_names_does_not_read_the_bytes() {
    let store = testkit::store::sqlite(std::sync::Arc::new(congvu_types::SystemClock));
    store.db.migrate(&[&THINGS]).await.unwrap();
    let plan = store.db.read(|s| {
        let sql = "EXPLAIN QUERY PLAN SELECT hash FROM blob WHERE hash > ?1 ORDER BY hash LIMIT ?2";
        s.query_one(sql, &params![Vec::new(), 1], |r| r.text(3))
    });
    let plan = plan.await.unwrap();
    assert!(plan.contains("USING COVERING INDEX"), "{plan}");
}

#[tokio::test]
async fn what_nobody_staged_is_stored_with_its_row_however_large() {
    each_engine(&[&THINGS], |store| async move {
        let bytes = noise(300_000);
        let blob = PreparedBlob::new(&bytes).unwrap();
        let put = blob.clone();
        store.db.write(TEST, move |tx| tx.put_blob(&put)).await.unwrap();
        assert_eq!(store.db.read_blob(&blob.hash()).await.unwrap(), bytes);
    })
    .await;
}

#[tokio::test]
async fn what_is_staged_is_not_stored_twice() {
    each_engine(&[&THINGS], |store| async move {
        let blob = PreparedBlob::new(&noise(300_000)).unwrap();
        // A clone made before is the same blob.
        let put = blob.clone();
        store.db.stage_blob(&blob).await.unwrap();
        store.db.write(TEST, move |tx| tx.put_blob(&put)).await.unwrap();
        let inline = |r: &congvu_storage::Row<'_>| r.i64(0);
        let count = "SELECT COUNT(*) FROM blob WHERE packed IS NOT NULL";
        assert_eq!(store.db.read(move |s| s.query_one(count, &[], inline)).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_stored_blob_that_was_collected_meanwhile_is_a_fault_and_leaves_no_row() {
    each_engine(&[&THINGS], |store| async move {
        let known = store_named(&store.db, 1, b"stored before").await;
        let again = PreparedBlob::stored(known.hash(), known.len());
        store.db.write(TEST, move |tx| tx.put_blob(&again)).await.unwrap();
        assert_eq!(store.db.read_blob(&known.hash()).await.unwrap(), b"stored before");
        let gone = PreparedBlob::stored(PreparedBlob::new(b"collected").unwrap().hash(), 9);
        let hash = gone.hash();
        assert!(store.db.write(TEST, move |tx| tx.put_blob(&gone)).await.is_err());
        let error = store.db.read_blob(&hash).await.unwrap_err();
        assert!(error.to_string().contains("there is no blob"), "{error}");
    })
    .await;
}
