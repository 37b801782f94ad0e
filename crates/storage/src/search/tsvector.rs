//! The index in PostgreSQL: a tsvector for each message, under GIN, with a word of the account in each.
//!
//! A tsvector knows positions up to 16,383 and 255 of them for a word (PostgreSQL, "Text Search Types, limitations"): a document
//! beyond that says so, and a phrase is looked for by its words there. The tables are made when the index is first used, since
//! an SQLite database has none of them.

use super::{
    Answer, Ask, Batch, Document, Hit, Place,
    expression::{LONG, PEOPLE, WEIGHTS, marks, tsquery},
};
use crate::{MigrationSet, Row, Snapshot, Tx, db::Actor, migrate, params, postgres::Postgres};
use congvu_types::{AccountId, EmailId, ModSeq, Result, Timestamp};
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

/// The tables of the index: search_account, search_document, search_lease.
const TABLES: MigrationSet = MigrationSet {
    owner: "search",
    steps: &["
        CREATE TABLE search_account (account_id BIGINT NOT NULL PRIMARY KEY, modseq BIGINT NOT NULL);
        CREATE TABLE search_document (account_id BIGINT NOT NULL, email_id BIGINT NOT NULL, received_at BIGINT NOT NULL,
            note BYTEA NOT NULL, words TSVECTOR NOT NULL, PRIMARY KEY (account_id, email_id));
        CREATE INDEX search_document_newest ON search_document (account_id, received_at, email_id);
        CREATE INDEX search_document_words ON search_document USING GIN (words);
        CREATE TABLE search_lease (one BIGINT NOT NULL PRIMARY KEY, owner BIGINT NOT NULL, until BIGINT NOT NULL)
    "],
};

const LAST_POSITION: u32 = 16_383;
const MOST_POSITIONS: usize = 255;
/// Words between two fields: no phrase goes over from one into the next.
const GAP: u32 = 8;

async fn make(postgres: &Postgres) -> Result<()> {
    postgres
        .search_made
        .get_or_try_init(|| async {
            let step = |tx: &mut Tx| migrate::apply(tx, &[TABLES]).map(drop);
            postgres.write(Actor::System("search"), step).await
        })
        .await
        .map(drop)
}

async fn reading<R: Send + 'static>(
    postgres: &Postgres,
    f: impl FnOnce(&Snapshot) -> Result<R> + Send + 'static,
) -> Result<R> {
    make(postgres).await?;
    postgres.read(f).await
}

pub(super) async fn write(postgres: &Postgres, batch: Batch) -> Result<()> {
    make(postgres).await?;
    let rows: Vec<(EmailId, Timestamp, Vec<u8>, String)> = batch
        .add
        .into_iter()
        .map(|(email, at, document)| (email, at, document.note.clone(), vector(batch.account, &document)))
        .collect();
    let (account, remove, upto) = (batch.account, batch.remove, batch.upto);
    postgres
        .write(Actor::System("search"), move |tx| {
            for email in &remove {
                tx.execute(
                    "DELETE FROM search_document WHERE account_id = ?1 AND email_id = ?2",
                    &params![account.get(), email.get()],
                )?;
            }
            for (email, at, note, words) in &rows {
                tx.execute(
                    "INSERT INTO search_document (account_id, email_id, received_at, note, words)
                     VALUES (?1, ?2, ?3, ?4, CAST(CAST(?5 AS TEXT) AS TSVECTOR))
                     ON CONFLICT (account_id, email_id) DO UPDATE SET received_at = excluded.received_at,
                        note = excluded.note, words = excluded.words",
                    &params![account.get(), email.get(), *at, note, words],
                )?;
            }
            if let Some(upto) = upto {
                tx.execute(
                    "INSERT INTO search_account (account_id, modseq) VALUES (?1, ?2)
                     ON CONFLICT (account_id) DO UPDATE SET modseq = excluded.modseq",
                    &params![account.get(), upto.0],
                )?;
            }
            Ok(())
        })
        .await
}

/// Larger answers are not looked for among the newest thousand.
const WORTH_WALKING: usize = 200;

/// What many documents hold is soon found among the newest. PostgreSQL does not see which words those are (the query is a
/// parameter), and would walk a whole account for a rare one: so it is told.
const AMONG_THE_NEWEST: &str = "SELECT email_id, received_at, note FROM
        (SELECT email_id, received_at, note, words FROM search_document WHERE account_id = ?1
            AND (received_at, email_id) < (?3, ?4) AND received_at >= ?5 AND received_at < ?6
         ORDER BY received_at DESC, email_id DESC LIMIT 1000) newest
    WHERE words @@ CAST(CAST(?2 AS TEXT) AS TSQUERY) ORDER BY received_at DESC, email_id DESC LIMIT ?7";
/// What few hold is found by its words, and then sorted.
const BY_WORDS: &str = "WITH found AS MATERIALIZED (SELECT email_id, received_at, note FROM search_document
        WHERE account_id = ?1 AND words @@ CAST(CAST(?2 AS TEXT) AS TSQUERY)
            AND (received_at, email_id) < (?3, ?4) AND received_at >= ?5 AND received_at < ?6)
    SELECT email_id, received_at, note FROM found ORDER BY received_at DESC, email_id DESC LIMIT ?7";

pub(super) async fn find(postgres: &Postgres, ask: Ask) -> Result<Answer> {
    reading(postgres, move |snapshot| {
        let behind = ask.behind.unwrap_or(Place(i64::MAX, i64::MAX));
        let values = params![
            ask.account.get(),
            of_account(&ask),
            behind.0,
            behind.1,
            ask.since.map_or(i64::MIN, Timestamp::millis),
            ask.before.map_or(i64::MAX, Timestamp::millis),
            ask.limit
        ];
        let hit = |r: &Row<'_>| {
            let (email, at) = (r.i64(0)?, r.i64(1)?);
            let (email_id, received_at) = (EmailId::new(email), Timestamp(at));
            Ok(Hit { email: email_id, received_at, place: Place(at, email), note: r.bytes(2)? })
        };
        let mut hits = Vec::new();
        if ask.limit <= WORTH_WALKING {
            hits = snapshot.query(AMONG_THE_NEWEST, &values, hit)?;
        }
        if hits.len() < ask.limit {
            hits = snapshot.query(BY_WORDS, &values, hit)?;
        }
        Ok(Answer { hits, upto: upto(snapshot, ask.account)? })
    })
    .await
}

pub(super) async fn count(postgres: &Postgres, ask: Ask) -> Result<u64> {
    reading(postgres, move |snapshot| {
        snapshot.query_one(
            "SELECT COUNT(*) FROM (SELECT 1 FROM search_document WHERE account_id = ?1
                AND words @@ CAST(CAST(?2 AS TEXT) AS TSQUERY) LIMIT ?3) capped",
            &params![ask.account.get(), of_account(&ask), ask.limit],
            |r| r.u64(0),
        )
    })
    .await
}

pub(super) async fn watermark(postgres: &Postgres, account: AccountId) -> Result<ModSeq> {
    reading(postgres, move |snapshot| upto(snapshot, account)).await
}

pub(super) async fn watermarks(
    postgres: &Postgres,
    after: AccountId,
    limit: usize,
) -> Result<Vec<(AccountId, ModSeq)>> {
    reading(postgres, move |snapshot| {
        snapshot.query(
            "SELECT account_id, modseq FROM search_account WHERE account_id > ?1 ORDER BY account_id LIMIT ?2",
            &params![after.get(), limit],
            |r| Ok((AccountId::new(r.i64(0)?), ModSeq(r.u64(1)?))),
        )
    })
    .await
}

/// By the database's clock, which all processes share.
pub(super) async fn lease(postgres: &Postgres, owner: i64, lasts: Duration) -> Result<bool> {
    make(postgres).await?;
    let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
    postgres
        .write(Actor::System("search"), move |tx| {
            tx.execute(
                "INSERT INTO search_lease (one, owner, until)
                 VALUES (1, ?1, CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT) + ?2)
                 ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, until = excluded.until
                 WHERE search_lease.owner = excluded.owner
                    OR search_lease.until < CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT)",
                &params![owner, lasts],
            )
            .map(|changed| changed == 1)
        })
        .await
}

fn upto(snapshot: &Snapshot, account: AccountId) -> Result<ModSeq> {
    let found = snapshot.query_opt(
        "SELECT modseq FROM search_account WHERE account_id = ?1",
        &params![account.get()],
        |r| r.u64(0),
    )?;
    Ok(ModSeq(found.unwrap_or(0)))
}

/// A word that GIN narrows to one account by.
fn account_word(account: AccountId) -> String {
    format!("_ac{account}")
}

fn of_account(ask: &Ask) -> String {
    format!("'{}' & ({})", account_word(ask.account), tsquery(&ask.query))
}

/// Writes a document as the text of a tsvector: `'khanh':3A 'hoa':4A,17C`.
fn vector(account: AccountId, document: &Document) -> String {
    let mut words: BTreeMap<(&str, &str), Vec<(u32, char)>> = BTreeMap::new();
    let (mut position, mut is_long) = (0_u32, false);
    for (place, text) in document.fields.iter().enumerate() {
        let weight = WEIGHTS.get(place).copied().unwrap_or('D');
        let kind = PEOPLE.iter().find(|(of, _)| *of == place).map(|(_, before)| *before);
        for word in text.split(' ').filter(|w| !w.is_empty()) {
            position += 1;
            is_long |= position > LAST_POSITION;
            for before in [Some(""), kind].into_iter().flatten() {
                let places = words.entry((before, word)).or_default();
                is_long |= places.len() >= MOST_POSITIONS;
                if places.len() < MOST_POSITIONS {
                    places.push((position.min(LAST_POSITION), weight));
                }
            }
        }
        position += GAP;
    }
    let mut out = format!("'{}'", account_word(account));
    for mark in marks(document).chain(is_long.then_some(LONG)) {
        let _ = write!(out, " '{mark}'");
    }
    for ((before, word), places) in words {
        let _ = write!(out, " '{before}{}'", word.replace(['\'', '\\'], ""));
        for (at, (position, weight)) in places.into_iter().enumerate() {
            let _ = write!(out, "{}{position}{weight}", if at == 0 { ':' } else { ',' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_written_as_a_tsvector() {
        let mut document = Document { has_attachment: true, ..Document::default() };
        document.fields[0] = "ho so ho".to_owned();
        document.fields[1] = "hung".to_owned();
        assert_eq!(
            vector(AccountId::new(7), &document),
            "'_ac7' '_all' '_att' 'ho':1A,3A 'hung':12B 'so':2A '_fhung':12B"
        );
        document.fields[5] = "x ".repeat(300);
        assert!(vector(AccountId::new(7), &document).starts_with("'_ac7' '_all' '_att' '_long' "));
    }
}
