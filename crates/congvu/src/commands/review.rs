//! `congvu review`: outgoing mail that waits for a decision (S9.1, Điều 9).

use super::{Place, operator};
use crate::{
    cli::{DecisionOptions, ReviewVerb, ShowOptions},
    config::Config,
    output::Failure,
    site,
};
use congvu_casework::review::{
    Parts, ReadAhead, Review, Step, history, operator_list, operator_open, record_opened,
};
use congvu_directory::{Door, SignedIn, account_by_address};
use congvu_message::{InlineImages, Part, attachments, html_body, parse_structure, safe_html, text_body};
use congvu_storage::{Actor, Db};
use congvu_transport::{Decision, DecisionKind, Seen, decide};
use congvu_types::{EmailAddress, ReviewId};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde::Serialize;
use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

#[derive(Serialize)]
struct Shown {
    id: String,
    account: String,
    author: String,
    subject: String,
    state: &'static str,
    recipients: Vec<String>,
    submitted_at: String,
    due_at: Option<String>,
    decided_by: Option<String>,
    comment: Option<String>,
    citation: String,
    digest: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<Past>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    saved: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Past {
    at: String,
    actor: String,
    step: String,
    comment: Option<String>,
}

fn shown(review: Review, address: String, steps: Vec<Step>) -> Shown {
    let past = |s: Step| Past { at: s.at.rfc3339(), actor: s.actor, step: s.step, comment: s.comment };
    Shown {
        id: review.id.to_string(),
        account: address,
        author: review.author_name,
        subject: review.subject,
        state: review.state.as_str(),
        recipients: review.envelope.recipients.iter().map(|r| r.address.to_string()).collect(),
        submitted_at: review.submitted_at.rfc3339(),
        due_at: review.due_at.map(congvu_types::Timestamp::rfc3339),
        decided_by: review.decider.map(|(_, name)| name),
        comment: review.comment,
        citation: review.citation.to_string(),
        digest: review.digest.whole,
        history: steps.into_iter().map(past).collect(),
        text: None,
        saved: Vec::new(),
    }
}

fn id(text: &str) -> Result<ReviewId, Failure> {
    text.parse().map_err(|e| Failure(format!("{text:?}: {e}; `congvu review list` shows the ids")))
}

pub(super) async fn run(at: &Place, verb: ReviewVerb) -> Result<(), Failure> {
    let (config, db) = at.open().await?;
    match verb {
        ReviewVerb::List { account, all } => list(at, &db, account, all).await,
        ReviewVerb::Show(options) => show(at, (&config, &db), options).await,
        ReviewVerb::Approve(options) => carry_out(at, (&config, &db), DecisionKind::Approve, options).await,
        ReviewVerb::Return(options) => carry_out(at, (&config, &db), DecisionKind::Return, options).await,
        ReviewVerb::Reject(options) => carry_out(at, (&config, &db), DecisionKind::Reject, options).await,
    }
}

async fn list(at: &Place, db: &Db, account: Option<String>, all: bool) -> Result<(), Failure> {
    let address =
        account.map(|a| a.parse::<EmailAddress>().map_err(|e| Failure(format!("{a:?}: {e}")))).transpose()?;
    let found = db
        .read(move |s| {
            let account = match &address {
                Some(address) => {
                    Some(account_by_address(s, address)?.ok_or(congvu_types::RefusalKind::NotFound)?.id)
                }
                None => None,
            };
            let reviews = operator_list(s, account, all, 1000)?;
            reviews
                .into_iter()
                .map(|r| Ok(shown_of(congvu_directory::account(s, r.account)?.address.to_string(), r)))
                .collect::<congvu_types::Result<Vec<_>>>()
        })
        .await?;
    at.printer.print(&found, |all| match all.is_empty() {
        true => "nothing waits for review".to_owned(),
        false => all.iter().map(line).collect::<Vec<_>>().join("\n"),
    })
}

fn shown_of(address: String, review: Review) -> Shown {
    shown(review, address, Vec::new())
}

fn line(r: &Shown) -> String {
    format!(
        "{}  {}  {}  {:?}  by {}, to {}",
        r.id,
        r.state,
        r.submitted_at,
        r.subject,
        r.author,
        r.recipients.join(", ")
    )
}

async fn show(at: &Place, (config, db): (&Config, &Db), options: ShowOptions) -> Result<(), Failure> {
    let id = id(&options.id)?;
    let opened = match &options.person {
        Some(person) => {
            let who = sign_in((config, db), person).await?;
            open(db, who, id, options.full, options.save.as_deref()).await?
        }
        None => (None, Vec::new()),
    };
    let mut found = db
        .read(move |s| {
            let review = operator_open(s, id)?;
            let address = congvu_directory::account(s, review.account)?.address.to_string();
            let steps = history(s, &review)?;
            Ok(shown(review, address, steps))
        })
        .await?;
    (found.text, found.saved) = opened;
    at.printer.print(&found, whole)
}

/// Opens a message as somebody who may see it. S9.1 (Điều 9): what they are shown counts as opened by them.
async fn open(
    db: &Db,
    who: SignedIn,
    id: ReviewId,
    full: bool,
    save: Option<&Path>,
) -> Result<(Option<String>, Vec<PathBuf>), Failure> {
    let reader = who.clone();
    let raw = db.read(move |s| s.blob(&congvu_casework::review::open(s, &reader, id)?.blob)).await?;
    let root = parse_structure(&raw);
    let mut shown = if full { Parts::plain(&raw, &root) } else { Parts::default() };
    // What could not be written was not shown: the files come first.
    let saved = match save {
        Some(directory) => save_in(directory, &raw, &root, &mut shown)?,
        None => Vec::new(),
    };
    let actor = Actor::Person(who.person());
    db.write(actor, move |tx| record_opened(tx, &who, id, &shown)).await?;
    Ok((full.then(|| text_body(&raw, &root)), saved))
}

/// Writes the attachments, and the HTML form of the text made harmless, each as a file.
fn save_in(directory: &Path, raw: &[u8], root: &Part, shown: &mut Parts) -> Result<Vec<PathBuf>, Failure> {
    std::fs::create_dir_all(directory)?;
    let mut saved = Vec::new();
    let mut write = |name: String, content: &[u8]| -> Result<(), Failure> {
        let path = directory.join(name);
        std::fs::write(&path, content)?;
        saved.push(path);
        Ok(())
    };
    if let Some(html) = html_body(raw, root) {
        let safe = safe_html(&html, &InlineImages::of(raw, root));
        write(
            "0-text.html".to_owned(),
            format!("<!doctype html><meta charset=\"utf-8\">{}", safe.html).as_bytes(),
        )?;
        shown.add(&Parts::html(raw, root));
    }
    for (place, attachment) in attachments(raw, root).iter().enumerate() {
        // Two may have one name; none may leave the directory, and a name never holds a path.
        write(format!("{}-{}", place + 1, short_name(&attachment.name)), &attachment.content)?;
        shown.add(&Parts::attachments([place]));
    }
    Ok(saved)
}

/// A name that a file system takes, 255 bytes with its number: the end of the stem goes, the ending stays.
fn short_name(name: &str) -> String {
    const LONGEST: usize = 200;
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let (stem, ending) = match name.rfind('.').filter(|at| name.len() - at <= 20) {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    format!("{}{ending}", &stem[..stem.floor_char_boundary(LONGEST - ending.len())])
}

/// What a message says, for a terminal: what would steer it, or turn the order of what is read, is shown by its number.
fn for_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let text = text.replace("\r\n", "\n");
    for c in text.chars() {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if turns || (c.is_control() && !matches!(c, '\n' | '\t')) {
            out.push_str(&format!("<U+{:04X}>", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

fn whole(r: &Shown) -> String {
    let mut text = format!(
        "{}\naccount   {}\nauthor    {}\nsubject   {}\nto        {}\nstate     {} ({})\ndigest    {}\n",
        r.id,
        r.account,
        r.author,
        r.subject,
        r.recipients.join(", "),
        r.state,
        r.citation,
        r.digest
    );
    for step in &r.history {
        let comment = step.comment.as_deref().unwrap_or_default();
        text.push_str(&format!("  {}  {}  {}  {comment}\n", step.at, step.step, step.actor));
    }
    for path in &r.saved {
        text.push_str(&format!("saved     {}\n", path.display()));
    }
    if let Some(body) = &r.text {
        text.push_str(&format!("\n{body}\n"));
    }
    for_terminal(&text)
}

/// Decides as a person with the right to: their password is asked for, an operator alone decides nothing.
async fn carry_out(
    at: &Place,
    (config, db): (&Config, &Db),
    kind: DecisionKind,
    options: DecisionOptions,
) -> Result<(), Failure> {
    let id = id(&options.id)?;
    let who = sign_in((config, db), &options.person).await?;
    let site = site::site(config);
    tracing::debug!(operator = %operator(), "deciding by the command line");
    let ahead = db.read(move |s| ReadAhead::of(s, id)).await?;
    let decided = db
        .write(Actor::Person(who.person()), move |tx| {
            let digest = match &options.digest {
                Some(digest) => digest.clone(),
                None => operator_open(tx, id)?.digest.whole,
            };
            let decision = Decision { kind, comment: options.comment.clone(), seen: Seen::Digest(digest) };
            let (review, _) = decide(tx, &site, &who, id, &decision, &ahead)?;
            let address = congvu_directory::account(tx, review.account)?.address.to_string();
            Ok(shown_of(address, review))
        })
        .await?;
    at.printer.print(&decided, |r| format!("{} is {}", r.id, r.state))
}

async fn sign_in((config, db): (&Config, &Db), person: &str) -> Result<SignedIn, Failure> {
    let password = password(person)?;
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Ok(site::authenticator(db, config)?.sign_in(person, &password, Door::Web, here).await?)
}

/// The password from `CONGVU_PASSWORD`, else the first line of standard input; a terminal does not show it.
fn password(person: &str) -> Result<String, Failure> {
    if let Ok(password) = std::env::var("CONGVU_PASSWORD") {
        return Ok(password);
    }
    eprint!("Password of {person}: ");
    let silence = Silence::of_stdin();
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    if silence.is_some() {
        eprintln!();
    }
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence(Termios);

impl Silence {
    /// `None` when standard input is no terminal.
    fn of_stdin() -> Option<Self> {
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent).ok()?;
        Some(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_ending() {
        assert_eq!(short_name("báo cáo.pdf"), "báo cáo.pdf");
        let short = short_name(&format!("{}.xlsx", "ế".repeat(195)));
        assert!(short.len() <= 200 && short.ends_with("ế.xlsx"), "{short}");
        assert!(short_name(&format!("a.{}", "ế".repeat(198))).len() <= 200);
    }

    #[test]
    fn a_message_does_not_steer_the_terminal() {
        assert_eq!(
            for_terminal("a\tb\r\n\u{1b}[2Jc\u{9b}\u{202e}d\r"),
            "a\tb\n<U+001B>[2Jc<U+009B><U+202E>d<U+000D>"
        );
    }
}
