//! The commands, a noun a file.

mod account;
mod audit;
mod check;
mod person;
mod queue;
mod review;

use crate::{
    cli::{Cli, Command},
    config::Config,
    demo, dkim_keys,
    output::{Failure, Printer},
    serve, site,
};
use congvu_directory::fixture::{self, Applied};
use congvu_storage::{Actor, Db};
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The regulation that the program brings along, by the name that fixtures use.
fn bundled(name: &str) -> Option<&'static str> {
    (name == "regulations/bqlctgt.toml").then_some(include_str!("../../../regulations/bqlctgt.toml"))
}

/// Runs a command to its end.
pub(crate) async fn run(cli: Cli) -> Result<(), Failure> {
    let printer = Printer { json: cli.json };
    let at = Place { config: cli.config, printer, opened: OnceLock::new() };
    let outcome = carry_out(&at, cli.command).await;
    if let Some(db) = at.opened.get() {
        db.tell_others().await;
        if let Err(error) = db.give_number_back().await {
            // Its lease ends by itself.
            tracing::warn!(%error, "giving the command's number back");
        }
    }
    outcome
}

async fn carry_out(at: &Place, command: Command) -> Result<(), Failure> {
    let printer = at.printer;
    match command {
        Command::Serve => serve::run(&Config::load(&at.config)?).await,
        Command::Demo(options) => demo::run(&options).await,
        Command::Apply { file, allow_fixed_passwords, replace_passwords } => {
            let passwords = Passwords { may_be_fixed: allow_fixed_passwords, replace: replace_passwords };
            apply(at, &file, passwords).await
        }
        Command::Config(crate::cli::CheckVerb::Check { file }) => check::config(printer, &file),
        Command::Regulation(crate::cli::CheckVerb::Check { file }) => check::regulation(printer, &file),
        Command::Review(verb) => review::run(at, verb).await,
        Command::Audit(verb) => audit::run(at, verb).await,
        Command::Queue(verb) => queue::run(at, verb).await,
        Command::Person(verb) => person::run(at, verb).await,
        Command::Account(verb) => account::run(at, verb).await,
    }
}

/// Where a command works, and how it answers.
pub(crate) struct Place {
    config: PathBuf,
    printer: Printer,
    /// What was opened: the server's watchers are told of its commits before the command ends.
    opened: OnceLock<Db>,
}

impl Place {
    /// Opens the database that the configuration names.
    async fn open(&self) -> Result<(Config, Db), Failure> {
        let config = Config::load(&self.config)?;
        let db = site::open_for_command(&config).await?;
        Ok((config, self.opened.get_or_init(|| db).clone()))
    }
}

/// Who an operator is in the audit log: their name on this machine.
fn operator() -> Actor {
    let name = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|key| std::env::var(key).ok());
    Actor::Operator(name.filter(|n| !n.is_empty()).unwrap_or_else(|| "root".to_owned()))
}

/// Reads a fixture file; returns its text and the directory that its paths are seen from.
pub(crate) fn read_fixture(file: &Path) -> Result<(String, PathBuf), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| Failure(format!("{} cannot be read: {e}", file.display())))?;
    Ok((text, file.parent().unwrap_or(Path::new(".")).to_owned()))
}

/// How the passwords of a fixture are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passwords {
    /// Fixed ones, which need not be changed.
    pub(crate) may_be_fixed: bool,
    /// Fixed ones for people too who have a password already.
    pub(crate) replace: bool,
}

/// Applies a fixture; its faults are told with their lines.
pub(crate) async fn apply_text(
    db: &Db,
    text: &str,
    beside: &Path,
    passwords: Passwords,
) -> Result<Applied, Failure> {
    let told = |problems: Vec<fixture::Problem>| {
        Failure(problems.iter().map(|p| format!("line {p}")).collect::<Vec<_>>().join("\n"))
    };
    let parsed = fixture::parse(text, beside, bundled, passwords.may_be_fixed).map_err(told)?;
    let parsed = parsed.replacing_passwords(passwords.replace);
    let (asked, hashed) = (parsed.clone(), parsed.clone());
    let problems = db.read(move |s| fixture::problems(s, &asked)).await?;
    if !problems.is_empty() {
        return Err(told(problems));
    }
    let prepared = db.read(move |s| fixture::prepare(s, &hashed)).await?;
    db.write(operator(), move |tx| fixture::apply(tx, &parsed, &prepared)).await.map_err(|error| {
        let line = error.refusal().and_then(|r| r.params.iter().find(|(key, _)| *key == "line").cloned());
        let Failure(reason) = Failure::from(error);
        Failure(line.map_or(reason.clone(), |(_, line)| format!("line {line}: {reason}")))
    })
}

async fn apply(at: &Place, file: &Path, passwords: Passwords) -> Result<(), Failure> {
    let (text, beside) = read_fixture(file)?;
    let (_, db) = at.open().await?;
    let applied = apply_text(&db, &text, &beside, passwords)
        .await
        .map_err(|Failure(reason)| Failure(format!("{}: {reason}", file.display())))?;
    dkim_keys::ensure(&db).await?;
    at.printer.print(&applied, |a| {
        format!("{} created, {} updated, {} unchanged", a.created, a.updated, a.unchanged)
    })
}
