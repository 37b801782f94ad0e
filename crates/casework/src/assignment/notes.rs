//! Notes on a conversation that stay within the account (ghi chú nội bộ).

use super::{order::text, read};
use congvu_directory::{Acting, right};
use congvu_storage::{Chain, Event, Tx, params};
use congvu_types::{NoteId, PersonId, RefusalKind, Result, ThreadId, Timestamp};

/// A conversation has no more notes than this.
const MOST: i64 = 500;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// When.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: PersonId,
    /// Their name then.
    pub author_name: String,
    /// What.
    pub text: String,
}

/// Adds a note. It is never part of the mail, and nothing of it leaves.
pub fn add_note(tx: &mut Tx, acting: &Acting<right::Draft>, thread: ThreadId, words: &str) -> Result<Note> {
    congvu_mail::touch(tx, acting.account())?;
    let reading = acting.with::<right::Read>().ok_or(RefusalKind::NoRight)?;
    read::subject(tx, &reading, thread)?;
    let words = text(words)?;
    if words.is_empty() {
        return Err(RefusalKind::ReasonNeeded.into());
    }
    let key = params![acting.account().get(), thread.get()];
    let sql = "SELECT COUNT(*) FROM note WHERE account_id = ?1 AND thread_id = ?2";
    if tx.query_one(sql, &key, |r| r.i64(0))? >= MOST {
        return Err(RefusalKind::TooMany.into());
    }
    let note = Note {
        id: NoteId::new(tx.new_id()),
        at: tx.now(),
        author: acting.person(),
        author_name: acting.person_name().to_owned(),
        text: words.to_owned(),
    };
    tx.execute(
        "INSERT INTO note (account_id, thread_id, id, at, author_id, author_name, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &params![
            acting.account().get(),
            thread.get(),
            note.id.get(),
            note.at,
            note.author.get(),
            note.author_name.as_str(),
            words
        ],
    )?;
    let details = serde_json::json!({ "note": note.id });
    let event = Event { name: "note.added", subject: thread.to_string(), citation: None, details };
    tx.record(Chain::Account(acting.account()), &event)?;
    Ok(note)
}
