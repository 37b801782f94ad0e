//! `congvu person`: people and their sign-in.

use super::{Place, operator};
use crate::{cli::PersonVerb, output::Failure};
use congvu_directory::{disable_person, people, reset_password};
use serde::Serialize;

#[derive(Serialize)]
struct Person {
    login: String,
    name: String,
    unit: Option<String>,
    position: Option<String>,
    active: bool,
}

#[derive(Serialize)]
struct Reset {
    login: String,
    initial_password: String,
}

#[derive(Serialize)]
struct Switched {
    login: String,
    active: bool,
}

pub(super) async fn run(at: &Place, verb: PersonVerb) -> Result<(), Failure> {
    let (_, db) = at.open().await?;
    match verb {
        PersonVerb::List => {
            let rows = db.read(people).await?;
            let shown: Vec<Person> = rows
                .into_iter()
                .map(|p| Person {
                    login: p.login(),
                    name: p.name,
                    unit: p.unit,
                    position: p.position,
                    active: p.is_active,
                })
                .collect();
            at.printer.print(&shown, |all| all.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        PersonVerb::ResetPassword { person } => {
            let initial_password = reset_password(&db, operator(), &person).await?;
            at.printer.print(&Reset { login: person, initial_password }, |r| {
                format!(
                    "{}: {}\nIt is shown this once and must be changed at the next sign-in on the web.",
                    r.login, r.initial_password
                )
            })
        }
        PersonVerb::Disable { person } => switch(at, &db, person, false).await,
        PersonVerb::Enable { person } => switch(at, &db, person, true).await,
    }
}

async fn switch(at: &Place, db: &congvu_storage::Db, login: String, active: bool) -> Result<(), Failure> {
    let person = login.clone();
    db.write(operator(), move |tx| disable_person(tx, &person, active)).await?;
    at.printer.print(&Switched { login, active }, |s| {
        format!("{} {}", s.login, if s.active { "may sign in" } else { "may not sign in any more" })
    })
}

fn line(p: &Person) -> String {
    let off = if p.active { "" } else { "  (closed)" };
    format!("{}  {}  {}{off}", p.login, p.name, p.position.as_deref().unwrap_or_default())
}
