//! Sessions of the web application: the token lives in the browser's cookie, only its hash here.

use crate::{SignedIn, credentials::from_session, password::random};
use congvu_storage::{Snapshot, Tx, params};
use congvu_types::{PersonId, Result, Timestamp};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, time::Duration};

/// A session ends after this long whatever happens: a working day and its evening.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub who: SignedIn,
    /// The token that every unsafe request must carry.
    pub csrf: String,
}

/// The token of the session that a request came with, for an answer that goes on: it ends with the session.
#[derive(Clone)]
pub struct SessionToken(pub String);

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Opens a session for somebody who signed in; returns the cookie's token and the CSRF token.
pub fn open_session(tx: &mut Tx, who: &SignedIn) -> Result<(String, String)> {
    let now = tx.now();
    let (token, csrf) = (hex(&random::<32>()?), hex(&random::<16>()?));
    tx.execute("DELETE FROM session WHERE expires_at < ?1", &params![now])?;
    tx.execute(
        "INSERT INTO session (token_hash, person_id, version, csrf, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &params![&hash(&token), who.person().get(), who.row().version, &csrf, now, now.after(LIFETIME)],
    )?;
    Ok((token, csrf))
}

/// Returns the session of a token; none when it ended, or the person's credentials changed since.
pub fn session(snapshot: &Snapshot, token: &str) -> Result<Option<Session>> {
    let found = snapshot.query_opt(
        "SELECT person_id, version, csrf, expires_at FROM session WHERE token_hash = ?1",
        &params![&hash(token)],
        |r| Ok((PersonId::new(r.i64(0)?), r.i64(1)?, r.text(2)?, Timestamp(r.i64(3)?))),
    )?;
    let Some((person, version, csrf, expires_at)) = found else { return Ok(None) };
    if expires_at <= snapshot.now() {
        return Ok(None);
    }
    Ok(from_session(snapshot, person, version)?.map(|who| Session { who, csrf }))
}

/// Ends a session.
pub fn end_session(tx: &mut Tx, token: &str) -> Result<()> {
    tx.execute("DELETE FROM session WHERE token_hash = ?1", &params![&hash(token)])?;
    Ok(())
}
