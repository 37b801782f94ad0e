//! The full-text index, on both engines.

use congvu_storage::{
    Ask, Batch, DatabaseUrl, Db, Document, Fields, Hit, Node, OpenOptions, Query, SearchIndex,
};
use congvu_types::{AccountId, EmailId, ModSeq, SystemClock, Timestamp};
use std::{sync::Arc, time::Duration};
use testkit::store::{TestStore, each_engine};

const ONE: AccountId = AccountId::new(4_000_000_000_000_001);
const TWO: AccountId = AccountId::new(4_000_000_000_000_002);

fn document(subject: &str, from: &str, body: &str) -> Document {
    let mut document = Document::default();
    document.fields[0] = subject.to_owned();
    document.fields[1] = from.to_owned();
    document.fields[5] = body.to_owned();
    document
}

fn batch(account: AccountId, add: Vec<(i64, i64, Document)>) -> Batch {
    let add = add.into_iter().map(|(id, at, d)| (EmailId::new(id), Timestamp::from_seconds(at), d)).collect();
    Batch { account, add, remove: Vec::new(), upto: None }
}

fn words(fields: Fields, text: &str) -> Query {
    let (text, is_prefix) = text.strip_suffix('*').map_or((text, false), |t| (t, true));
    Query::Words { fields, words: text.split(' ').map(str::to_owned).collect(), is_prefix }
}

fn ask(account: AccountId, query: Query) -> Ask {
    Ask { account, query, behind: None, since: None, before: None, limit: 100 }
}

fn ids(hits: &[Hit]) -> Vec<i64> {
    hits.iter().map(|hit| hit.email.get()).collect()
}

async fn found(index: &SearchIndex, account: AccountId, query: Query) -> Vec<i64> {
    ids(&index.find(ask(account, query)).await.unwrap().hits)
}

async fn filled(store: &TestStore) -> SearchIndex {
    let index = store.db.search_index();
    let mut third = document("bao cao", "tran van hung hung gov vn", "khanh hoa tuan nay");
    third.has_attachment = true;
    let documents = vec![
        (11, 1000, document("ke hoach", "le thi mai mai gov vn", "khanh hoa")),
        (12, 3000, document("khanh", "nguyen an", "hoa khanh vinh")),
        (13, 2000, third),
    ];
    index.write(batch(ONE, documents)).await.unwrap();
    index.write(batch(TWO, vec![(21, 1000, document("khanh hoa", "ai", "khanh hoa"))])).await.unwrap();
    index
}

#[tokio::test]
async fn words_phrases_and_fields_are_found_newest_first() {
    each_engine(&[], |store| async move {
        let index = filled(&store).await;
        let all = |text: &str| words(Fields::ALL, text);
        let not = |query: Query| Query::Not(Box::new(query));
        for (query, expected) in [
            (Query::All, &[12, 13, 11][..]),
            (all("khanh"), &[12, 13, 11]),
            (all("khanh hoa"), &[13, 11]),
            (all("hoa khanh"), &[12]),
            // No phrase goes over from one field into the next.
            (all("hoach le"), &[]),
            (all("kha*"), &[12, 13, 11]),
            (all("khanh h*"), &[13, 11]),
            (all("han*"), &[]),
            (words(Fields::SUBJECT, "khanh"), &[12]),
            (words(Fields::FROM, "van hung"), &[13]),
            (words(Fields::TO, "hung"), &[]),
            (words(Fields::FROM.with(Fields::SUBJECT), "gov vn"), &[13, 11]),
            (words(Fields::BODY.with(Fields::ATTACHMENT), "khanh"), &[12, 13, 11]),
            (Query::HasAttachment, &[13]),
            (not(Query::HasAttachment), &[12, 11]),
            (Query::And(vec![all("khanh"), not(all("tuan")), not(all("vinh"))]), &[11]),
            (Query::And(vec![not(all("tuan"))]), &[12, 11]),
            (Query::And(vec![]), &[12, 13, 11]),
            (Query::Or(vec![all("vinh"), not(all("khanh hoa")), all("tuan")]), &[12, 13]),
            (Query::Or(vec![]), &[]),
            (all("nothing"), &[]),
        ] {
            assert_eq!(found(&index, ONE, query.clone()).await, expected, "{query:?}");
            let counted = index.count(ask(ONE, query)).await.unwrap();
            assert_eq!(counted, expected.len() as u64);
        }
        let capped = Ask { limit: 2, ..ask(ONE, Query::All) };
        assert_eq!(index.count(capped).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_account_never_sees_the_words_of_another() {
    each_engine(&[], |store| async move {
        let index = filled(&store).await;
        assert_eq!(found(&index, TWO, words(Fields::ALL, "khanh hoa")).await, [21]);
        assert_eq!(found(&index, TWO, Query::All).await, [21]);
        assert_eq!(found(&index, TWO, Query::Not(Box::new(words(Fields::ALL, "x")))).await, [21]);
        assert_eq!(found(&index, TWO, words(Fields::ALL, "_ac4000000000000001")).await, [0_i64; 0]);
        assert_eq!(found(&index, AccountId::new(9), Query::All).await, [0_i64; 0]);
    })
    .await;
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    each_engine(&[], |store| async move {
        let index = store.db.search_index();
        // Many of one second, one of another age, in two batches.
        let same =
            |from: i64| (from..from + 40).map(|n| (n, 5000, document("x", "", ""))).collect::<Vec<_>>();
        index.write(batch(ONE, same(100))).await.unwrap();
        index.write(batch(ONE, [same(200), vec![(1, 5010, document("x", "", ""))]].concat())).await.unwrap();
        let mut behind = None;
        let mut seen = Vec::new();
        loop {
            let page = Ask { behind, limit: 7, ..ask(ONE, words(Fields::ALL, "x")) };
            let hits = index.find(page).await.unwrap().hits;
            let Some(last) = hits.last() else { break };
            behind = Some(last.place);
            seen.extend(ids(&hits));
        }
        assert_eq!(seen.len(), 81);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 81);
        let between = Ask {
            since: Some(Timestamp::from_seconds(5001)),
            before: Some(Timestamp::from_seconds(5011)),
            ..ask(ONE, Query::All)
        };
        assert_eq!(ids(&index.find(between).await.unwrap().hits), [1]);
        let before = Ask { before: Some(Timestamp::from_seconds(5001)), ..ask(ONE, Query::All) };
        assert_eq!(index.find(before).await.unwrap().hits.len(), 80);
    })
    .await;
}

#[tokio::test]
async fn what_is_removed_or_replaced_is_found_no_more() {
    each_engine(&[], |store| async move {
        let index = filled(&store).await;
        let mut change = batch(ONE, vec![(11, 1000, document("moi", "", ""))]);
        change.remove = vec![EmailId::new(12), EmailId::new(99)];
        change.upto = Some(ModSeq(7));
        index.write(change).await.unwrap();
        assert_eq!(found(&index, ONE, words(Fields::ALL, "khanh")).await, [13]);
        assert_eq!(found(&index, ONE, words(Fields::ALL, "moi")).await, [11]);
        assert_eq!(index.watermark(ONE).await.unwrap(), ModSeq(7));
        assert_eq!(index.find(ask(ONE, Query::All)).await.unwrap().upto, ModSeq(7));
        let marks = index.watermarks(AccountId::new(0), 10).await.unwrap();
        assert!(marks.contains(&(ONE, ModSeq(7))));
        assert_eq!(index.watermarks(TWO, 10).await.unwrap(), []);
    })
    .await;
}

/// A text with more words than PostgreSQL keeps positions for.
#[tokio::test]
async fn a_phrase_far_inside_a_long_text_is_found() {
    each_engine(&[], |store| async move {
        let index = store.db.search_index();
        let long = format!("{}ket luan", "cua cac ".repeat(20_000));
        index.write(batch(ONE, vec![(1, 1, document("a", "b", &long))])).await.unwrap();
        assert_eq!(found(&index, ONE, words(Fields::ALL, "cac ket luan")).await, [1]);
        assert_eq!(found(&index, ONE, words(Fields::ALL, "cac khong")).await, [0_i64; 0]);
    })
    .await;
}

#[tokio::test]
async fn one_process_at_a_time_writes_to_the_index() {
    each_engine(&[], |store| async move {
        let options = OpenOptions {
            database: store.url.clone(),
            blobs: store.dir.join("blobs"),
            node: Node::Server(2),
            clock: Arc::new(SystemClock),
        };
        let other = Db::open(options).unwrap();
        let lasts = Duration::from_secs(60);
        assert!(store.db.search_index().lease(lasts).await.unwrap());
        assert!(!other.search_index().lease(lasts).await.unwrap());
        assert!(store.db.search_index().lease(Duration::ZERO).await.unwrap());
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(other.search_index().lease(lasts).await.unwrap());
        assert!(!store.db.search_index().lease(lasts).await.unwrap());
    })
    .await;
}

/// The file holds nothing that cannot be had again: a damaged one is made anew.
#[tokio::test]
async fn a_damaged_index_is_made_anew() {
    let store = testkit::store::sqlite(Arc::new(SystemClock));
    let DatabaseUrl::Sqlite(main) = &store.url else { panic!("not SQLite") };
    let file = main.with_file_name("search.db");
    std::fs::write(&file, "no database at all, although there are bytes ".repeat(1000)).unwrap();
    let index = store.db.search_index();
    assert!(index.find(ask(ONE, Query::All)).await.is_err());
    let index = filled(&store).await.clone();
    assert_eq!(found(&index, ONE, words(Fields::ALL, "khanh hoa")).await, [13, 11]);
}
