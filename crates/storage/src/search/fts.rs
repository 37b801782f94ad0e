//! The index beside an SQLite database: FTS5 in a file of its own.
//!
//! A document's rowid is its account's number and, below it, the second in which its message was received, or the next that is
//! free: so an account is a range of rowids, and walking them backwards is newest first without sorting.

use super::{
    Answer, Ask, Batch, Document, Hit, Place,
    expression::{EVERY, fts, marks},
};
use crate::postgres::on_thread;
use congvu_types::{AccountId, EmailId, Error, Fault, ModSeq, Result, Timestamp};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Another number here, and the file is made anew.
const VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE account (number INTEGER PRIMARY KEY, account_id INTEGER NOT NULL UNIQUE, modseq INTEGER NOT NULL) STRICT;
    CREATE TABLE document (place INTEGER PRIMARY KEY, email_id INTEGER NOT NULL, received_at INTEGER NOT NULL,
        note BLOB NOT NULL) STRICT;
    CREATE UNIQUE INDEX document_email ON document (email_id);
    CREATE TABLE lease (one INTEGER PRIMARY KEY, owner INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
    CREATE VIRTUAL TABLE words USING fts5(subject, author, addressee, copied, blind, body, attached, mark,
        content = '', contentless_delete = 1, detail = full, tokenize = \"ascii tokenchars '_'\");
    INSERT INTO words (words, rank) VALUES ('automerge', 8);
    INSERT INTO words (words, rank) VALUES ('hashsize', 8388608);
";
/// The last second that a message is placed by; above it is room for those that share one.
const LAST_SECOND: i64 = 0xf000_0000;
const READERS_KEPT: usize = 8;
/// So many bytes of the disk are left to the mail (S8.1, Điều 8): an index that stands still is behind, a disk that is full
/// takes no message and lets nobody sign in.
const LEFT_TO_MAIL: u64 = 64 << 20;

/// The index's handle. The file is opened, or made, when it is first used.
#[derive(Debug)]
pub(crate) struct Fts {
    path: PathBuf,
    writer: Mutex<Option<Connection>>,
    readers: Mutex<Readers>,
}

#[derive(Debug, Default)]
struct Readers {
    /// Grows when the file is made anew: connections to the old one are not kept.
    generation: u64,
    idle: Vec<Connection>,
}

impl Fts {
    /// Names the file beside a database: `search.db` beside `main.db`.
    pub(crate) fn beside(database: &Path) -> Self {
        let name = match database.file_stem().and_then(|s| s.to_str()) {
            None | Some("main") => "search.db".to_owned(),
            Some(other) => format!("{other}-search.db"),
        };
        Self { path: database.with_file_name(name), writer: Mutex::default(), readers: Mutex::default() }
    }

    pub(super) async fn write(self: &Arc<Self>, batch: Batch) -> Result<()> {
        if !batch.add.is_empty() && !self.has_room() {
            return Err(Fault::new("the disk has less than 64 MiB left: the search index waits").into());
        }
        self.writing("writing to the search index", move |tx| write(tx, &batch)).await
    }

    /// Whether the disk has room for more than mail. A disk that cannot be asked is taken to have.
    fn has_room(&self) -> bool {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        rustix::fs::statvfs(folder)
            .map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= LEFT_TO_MAIL)
    }

    pub(super) async fn find(self: &Arc<Self>, ask: Ask) -> Result<Answer> {
        self.reading("searching", move |connection| find(connection, &ask)).await
    }

    pub(super) async fn count(self: &Arc<Self>, ask: Ask) -> Result<u64> {
        self.reading("counting", move |connection| count(connection, &ask)).await
    }

    pub(super) async fn watermark(self: &Arc<Self>, account: AccountId) -> Result<ModSeq> {
        self.reading("reading a watermark", move |c| {
            Ok(account_row(c, account)?.map_or(ModSeq(0), |(_, m)| m))
        })
        .await
    }

    pub(super) async fn watermarks(
        self: &Arc<Self>,
        after: AccountId,
        limit: usize,
    ) -> Result<Vec<(AccountId, ModSeq)>> {
        self.reading("reading watermarks", move |connection| {
            let sql =
                "SELECT account_id, modseq FROM account WHERE account_id > ?1 ORDER BY account_id LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = statement.query_map(params![after.get(), limit], |r| {
                Ok((AccountId::new(r.get(0)?), ModSeq(r.get::<_, i64>(1)?.unsigned_abs())))
            })?;
            rows.collect()
        })
        .await
    }

    pub(super) async fn lease(self: &Arc<Self>, owner: i64, now: Timestamp, lasts: Duration) -> Result<bool> {
        self.writing("leasing the search index", move |tx| {
            let changed = tx.execute(
                "INSERT INTO lease (one, owner, until) VALUES (1, ?1, ?3)
                 ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, until = excluded.until
                 WHERE owner = excluded.owner OR until < ?2",
                params![owner, now.millis(), now.after(lasts).millis()],
            )?;
            Ok(changed == 1)
        })
        .await
    }

    async fn writing<R: Send + 'static>(
        self: &Arc<Self>,
        what: &'static str,
        f: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R> {
        let this = self.clone();
        on_thread(move || {
            let mut writer = this.writer.lock();
            let done = this.opened(&mut writer).and_then(|connection| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let answer = f(&tx)?;
                tx.commit()?;
                Ok(answer)
            });
            done.map_err(|e| this.fault(what, e, &mut writer))
        })
        .await
    }

    async fn reading<R: Send + 'static>(
        self: &Arc<Self>,
        what: &'static str,
        f: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R> {
        let this = self.clone();
        on_thread(move || {
            let done = this.reader().and_then(|(mut connection, generation)| {
                let answer = {
                    let tx = connection.transaction()?;
                    f(&tx)?
                };
                let mut readers = this.readers.lock();
                if readers.generation == generation && readers.idle.len() < READERS_KEPT {
                    readers.idle.push(connection);
                }
                Ok(answer)
            });
            done.map_err(|e| this.fault(what, e, &mut this.writer.lock()))
        })
        .await
    }

    /// Returns the writer's connection; makes the file when there is none or when it is of another version.
    fn opened<'w>(&self, writer: &'w mut Option<Connection>) -> rusqlite::Result<&'w mut Connection> {
        if writer.is_none() {
            let mut connection = connect(&self.path)?;
            match connection.query_row("PRAGMA user_version", [], |r| r.get::<_, i64>(0))? {
                VERSION => {}
                0 => make(&mut connection)?,
                _ => {
                    drop(connection);
                    self.remove();
                    connection = connect(&self.path)?;
                    make(&mut connection)?;
                }
            }
            *writer = Some(connection);
        }
        writer.as_mut().ok_or(rusqlite::Error::InvalidQuery)
    }

    fn reader(&self) -> rusqlite::Result<(Connection, u64)> {
        {
            let mut readers = self.readers.lock();
            if let Some(connection) = readers.idle.pop() {
                return Ok((connection, readers.generation));
            }
        }
        self.opened(&mut self.writer.lock())?;
        let generation = self.readers.lock().generation;
        let connection = connect(&self.path)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok((connection, generation))
    }

    /// A file that is damaged is made anew: everything in it can be had again.
    fn fault(&self, what: &'static str, error: rusqlite::Error, writer: &mut Option<Connection>) -> Error {
        if let Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) = error.sqlite_error_code() {
            tracing::warn!(%error, file = %self.path.display(), "the search index is damaged; it is made anew");
            *writer = None;
            self.remove();
        }
        Error::fault(what, error)
    }

    fn remove(&self) {
        let mut readers = self.readers.lock();
        readers.generation += 1;
        readers.idle.clear();
        for ending in ["", "-wal", "-shm"] {
            let mut name = self.path.clone().into_os_string();
            name.push(ending);
            let _ = std::fs::remove_file(name);
        }
    }
}

/// A commit that a crash loses is work to be done again, so nothing is synced for each.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -16384;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn make(connection: &mut Connection) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    tx.execute_batch(SCHEMA)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

fn account_row(connection: &Connection, account: AccountId) -> rusqlite::Result<Option<(i64, ModSeq)>> {
    let mut statement =
        connection.prepare_cached("SELECT number, modseq FROM account WHERE account_id = ?1")?;
    statement
        .query_row([account.get()], |r| Ok((r.get(0)?, ModSeq(r.get::<_, i64>(1)?.unsigned_abs()))))
        .optional()
}

fn write(tx: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO account (account_id, modseq) VALUES (?1, 0) ON CONFLICT (account_id) DO NOTHING",
    )?
    .execute([batch.account.get()])?;
    let Some((number, _)) = account_row(tx, batch.account)? else { return Ok(()) };
    for email in batch.remove.iter().chain(batch.add.iter().map(|(email, ..)| email)) {
        remove(tx, *email)?;
    }
    // FTS5 gathers rows whose ids grow, and begins a new segment at each that does not.
    let mut add: Vec<_> = batch.add.iter().collect();
    add.sort_by_key(|(email, received_at, _)| (*received_at, *email));
    for (email, received_at, document) in add {
        insert(tx, number, (*email, *received_at), document)?;
    }
    if let Some(upto) = batch.upto {
        tx.prepare_cached("UPDATE account SET modseq = ?2 WHERE number = ?1")?
            .execute([number, i64::try_from(upto.0).unwrap_or(i64::MAX)])?;
    }
    Ok(())
}

fn remove(tx: &Transaction<'_>, email: EmailId) -> rusqlite::Result<()> {
    let place: Option<i64> = tx
        .prepare_cached("DELETE FROM document WHERE email_id = ?1 RETURNING place")?
        .query_row([email.get()], |r| r.get(0))
        .optional()?;
    if let Some(place) = place {
        tx.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([place])?;
    }
    Ok(())
}

fn insert(
    tx: &Transaction<'_>,
    number: i64,
    (email, received_at): (EmailId, Timestamp),
    document: &Document,
) -> rusqlite::Result<()> {
    let place = free_place(tx, number, received_at)?;
    tx.prepare_cached("INSERT INTO document (place, email_id, received_at, note) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![place, email.get(), received_at.millis(), document.note])?;
    let [subject, from, to, cc, bcc, body, attached] = &document.fields;
    let mark = marks(document).collect::<Vec<_>>().join(" ");
    tx.prepare_cached(
        "INSERT INTO words (rowid, subject, author, addressee, copied, blind, body, attached, mark)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![place, subject, from, to, cc, bcc, body, attached, mark])
    .map(drop)
}

/// The second of a message as the lower half of a rowid.
fn second(at: Timestamp) -> i64 {
    at.seconds().clamp(0, LAST_SECOND)
}

/// The place of a message that was received then, or one soon behind it that is free. Those that share a second lie side by side;
/// where there are very many, the step is doubled until there is room.
fn free_place(tx: &Transaction<'_>, number: i64, received_at: Timestamp) -> rusqlite::Result<i64> {
    let wanted = number << 32 | second(received_at);
    let mut last = tx.prepare_cached("SELECT MAX(place) FROM document WHERE place BETWEEN ?1 AND ?2")?;
    let mut end = wanted;
    for step in 0..28 {
        match last.query_row([wanted, end], |r| r.get::<_, Option<i64>>(0))? {
            None => return Ok(wanted),
            Some(taken) if taken < end => return Ok(taken + 1),
            Some(_) => end += 1 << step,
        }
    }
    Ok(end)
}

const HITS: &str =
    "SELECT d.place, d.email_id, d.received_at, d.note FROM words w JOIN document d ON d.place = w.rowid
    WHERE words MATCH ?1 AND w.rowid BETWEEN ?2 AND ?3 AND d.received_at >= ?4 AND d.received_at < ?5
    ORDER BY w.rowid DESC LIMIT ?6";
const EVERYTHING: &str = "SELECT d.place, d.email_id, d.received_at, d.note FROM document d
    WHERE ?1 = '_all' AND d.place BETWEEN ?2 AND ?3 AND d.received_at >= ?4 AND d.received_at < ?5
    ORDER BY d.place DESC LIMIT ?6";
const COUNT: &str =
    "SELECT COUNT(*) FROM (SELECT 1 FROM words WHERE words MATCH ?1 AND rowid BETWEEN ?2 AND ?3 LIMIT ?4)";

fn find(connection: &Connection, ask: &Ask) -> rusqlite::Result<Answer> {
    let Some((number, upto)) = account_row(connection, ask.account)? else { return Ok(Answer::default()) };
    let words = fts(&ask.query);
    let (first, last) = range(number, ask);
    let (since, before) =
        (ask.since.map_or(i64::MIN, Timestamp::millis), ask.before.map_or(i64::MAX, Timestamp::millis));
    let mut statement = connection.prepare_cached(if words == EVERY { EVERYTHING } else { HITS })?;
    let limit = i64::try_from(ask.limit).unwrap_or(i64::MAX);
    let hits = statement.query_map(params![words, first, last, since, before, limit], |r| {
        let place = Place(r.get(0)?, 0);
        let (email, received_at) = (EmailId::new(r.get(1)?), Timestamp(r.get(2)?));
        Ok(Hit { email, received_at, place, note: r.get(3)? })
    })?;
    Ok(Answer { hits: hits.collect::<rusqlite::Result<_>>()?, upto })
}

/// Nothing lies before its second, although it may lie behind it.
fn range(number: i64, ask: &Ask) -> (i64, i64) {
    let base = number << 32;
    let first = base + ask.since.map_or(0, second);
    let last = ask.behind.map_or(base + 0xffff_ffff, |place| place.0 - 1);
    (first, last)
}

fn count(connection: &Connection, ask: &Ask) -> rusqlite::Result<u64> {
    let Some((number, _)) = account_row(connection, ask.account)? else { return Ok(0) };
    let (first, last) = range(number, ask);
    let limit = i64::try_from(ask.limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(COUNT)?;
    let counted: i64 = statement.query_row(params![fts(&ask.query), first, last, limit], |r| r.get(0))?;
    Ok(counted.unsigned_abs())
}
