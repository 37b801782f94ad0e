//! What an operator does to people: new initial passwords, closing and opening sign-in.

use crate::{
    password::{self, Hashed},
    people::person_by_login,
};
use congvu_storage::{Chain, Db, Event, Tx, params};
use congvu_types::{Error, PersonId, RefusalKind, Result};

/// Stores a password's hashes; ends every session and every remembered secret.
pub(crate) fn store_password(
    tx: &mut Tx,
    person: PersonId,
    hashed: &Hashed,
    must_change: bool,
) -> Result<()> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO credential (person_id, phc, scram_salt, scram_iterations, stored_key, server_key, must_change, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (person_id) DO UPDATE SET phc = excluded.phc, scram_salt = excluded.scram_salt,
            scram_iterations = excluded.scram_iterations, stored_key = excluded.stored_key,
            server_key = excluded.server_key, must_change = excluded.must_change, changed_at = excluded.changed_at",
        &params![
            person.get(),
            &hashed.phc,
            hashed.scram.as_ref().map(|keys| keys.salt.clone()),
            hashed.scram.as_ref().map(|keys| keys.iterations),
            hashed.scram.as_ref().map(|keys| keys.stored_key.as_slice()),
            hashed.scram.as_ref().map(|keys| keys.server_key.as_slice()),
            must_change,
            now
        ],
    )?;
    bump(tx, person)
}

fn bump(tx: &mut Tx, person: PersonId) -> Result<()> {
    tx.execute("UPDATE person SET version = version + 1 WHERE id = ?1", &params![person.get()])?;
    tx.execute("DELETE FROM session WHERE person_id = ?1", &params![person.get()])?;
    Ok(())
}

/// Gives a new initial password, which must be changed at the next sign-in (S4.2d, Điều 4); returns it once. Whoever had the
/// old secrets is out: app passwords end too.
pub async fn reset_password(db: &Db, actor: congvu_storage::Actor, login: &str) -> Result<String> {
    let initial = password::generate()?;
    let text = initial.clone();
    let hashed = tokio::task::spawn_blocking(move || password::hash(&text))
        .await
        .map_err(|e| Error::fault("hashing a password", e))??;
    let login = login.to_owned();
    db.write(actor, move |tx| {
        let person = person_by_login(tx, &login)?.ok_or(Error::from(RefusalKind::NotFound))?;
        store_password(tx, person.id, &hashed, true)?;
        crate::app_passwords::revoke_all(tx, person.id)?;
        tx.record(
            Chain::Agency(person.agency),
            &Event {
                name: "person.password_reset",
                subject: person.login(),
                citation: None,
                details: serde_json::json!({}),
            },
        )
    })
    .await?;
    Ok(initial)
}

/// Closes a person's sign-in at once (`active = false`), or opens it again.
pub fn disable_person(tx: &mut Tx, login: &str, active: bool) -> Result<()> {
    let person = person_by_login(tx, login)?.ok_or(Error::from(RefusalKind::NotFound))?;
    tx.execute("UPDATE person SET active = ?2 WHERE id = ?1", &params![person.id.get(), active])?;
    bump(tx, person.id)?;
    tx.record(
        Chain::Agency(person.agency),
        &Event {
            name: if active { "person.enabled" } else { "person.disabled" },
            subject: person.login(),
            citation: None,
            details: serde_json::json!({}),
        },
    )
}
