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
