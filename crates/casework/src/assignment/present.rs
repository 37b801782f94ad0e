//! Who has a conversation open at this moment. Kept in the database, so that several nodes tell the same; a row is true for
//! some seconds, and whoever stays says so again.

use congvu_directory::{Acting, right};
use congvu_storage::{Tx, params};
use congvu_types::{PersonId, Result, ThreadId};
use std::time::Duration;

/// So long is true what somebody said; they say it again every 20 s.
const TRUE_FOR: Duration = Duration::from_secs(45);
/// At most this many are told.
const MOST: usize = 50;

/// What somebody does with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Has it open.
    Reading,
    /// Writes an answer.
    Replying,
    /// Has left it.
    Gone,
}

impl Activity {
    /// Reads the word of the API.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "reading" => Some(Self::Reading),
            "replying" => Some(Self::Replying),
            "gone" => Some(Self::Gone),
            _ => None,
        }
    }

    /// Returns the word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Replying => "replying",
            Self::Gone => "gone",
        }
    }
}

/// Somebody else who has it open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Whether they write an answer.
    pub is_replying: bool,
}

/// Notes what a person does with a conversation, and returns who else has it open: those who answer first.
pub fn present(
    tx: &mut Tx,
    acting: &Acting<right::Read>,
    thread: ThreadId,
    activity: Activity,
) -> Result<Vec<Present>> {
    let key = params![acting.account().get(), thread.get(), acting.person().get()];
    if activity != Activity::Gone {
        super::read::subject(tx, acting, thread)?;
    }
    if activity == Activity::Gone {
        let sql = "DELETE FROM presence WHERE account_id = ?1 AND thread_id = ?2 AND person_id = ?3";
        tx.execute(sql, &key)?;
    } else {
        tx.execute(
            "INSERT INTO presence (account_id, thread_id, person_id, name, replying, until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (account_id, thread_id, person_id) DO UPDATE SET name = ?4, replying = ?5, until = ?6",
            &params![
                acting.account().get(),
                thread.get(),
                acting.person().get(),
                acting.person_name(),
                activity == Activity::Replying,
                tx.now().after(TRUE_FOR)
            ],
        )?;
    }
    tx.query(
        "SELECT person_id, name, replying FROM presence
         WHERE account_id = ?1 AND thread_id = ?2 AND person_id <> ?3 AND until > ?4
         ORDER BY replying DESC, person_id LIMIT ?5",
        &params![acting.account().get(), thread.get(), acting.person().get(), tx.now(), MOST],
        |r| {
            let (person, name) = (PersonId::new(r.i64(0)?), r.text(1)?);
            Ok(Present { person, name, is_replying: r.i64(2)? != 0 })
        },
    )
}

/// Forgets up to `most` of those who left without a word. Returns how many.
pub fn forget_absent(tx: &mut Tx, most: usize) -> Result<usize> {
    let now = tx.now();
    let absent = tx.query(
        "SELECT account_id, thread_id, person_id FROM presence WHERE until <= ?1 LIMIT ?2",
        &params![now, most],
        |r| Ok([r.i64(0)?, r.i64(1)?, r.i64(2)?]),
    )?;
    for [account, thread, person] in &absent {
        let sql = "DELETE FROM presence WHERE account_id = ?1 AND thread_id = ?2 AND person_id = ?3 AND until <= ?4";
        tx.execute(sql, &params![*account, *thread, *person, now])?;
    }
    Ok(absent.len())
}
