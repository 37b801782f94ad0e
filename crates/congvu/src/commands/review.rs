//! `congvu review`: outgoing mail that waits for a decision (S9.1, Điều 9).

use super::{Place, operator};
use crate::{
    cli::{DecisionOptions, ReviewVerb},
    config::Config,
    output::Failure,
    site,
};
use congvu_casework::review::{Review, Step, history, operator_list, operator_open};
use congvu_directory::{Door, account_by_address};
use congvu_storage::{Actor, Db};
use congvu_transport::{Decision, DecisionKind, Seen, decide};
use congvu_types::{EmailAddress, ReviewId};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr};

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
    }
}

fn id(text: &str) -> Result<ReviewId, Failure> {
    text.parse().map_err(|e| Failure(format!("{text:?}: {e}; `congvu review list` shows the ids")))
}

pub(super) async fn run(at: &Place, verb: ReviewVerb) -> Result<(), Failure> {
    let (config, db) = at.open().await?;
    match verb {
        ReviewVerb::List { account, all } => list(at, &db, account, all).await,
        ReviewVerb::Show { id: text } => show(at, &db, id(&text)?).await,
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

async fn show(at: &Place, db: &Db, id: ReviewId) -> Result<(), Failure> {
    let found = db
        .read(move |s| {
            let review = operator_open(s, id)?;
            let address = congvu_directory::account(s, review.account)?.address.to_string();
            let steps = history(s, &review)?;
            Ok(shown(review, address, steps))
        })
        .await?;
    at.printer.print(&found, |r| {
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
            text.push_str(&format!(
                "  {}  {}  {}  {}\n",
                step.at,
                step.step,
                step.actor,
                step.comment.as_deref().unwrap_or_default()
            ));
        }
        text
    })
}

/// Decides as a person with the right to: their password is asked for, an operator alone decides nothing.
async fn carry_out(
    at: &Place,
    (config, db): (&Config, &Db),
    kind: DecisionKind,
    options: DecisionOptions,
) -> Result<(), Failure> {
    let id = id(&options.id)?;
    let password = password(&options.person)?;
    let who = site::authenticator(db, config)?
        .sign_in(&options.person, &password, Door::Web, IpAddr::V4(Ipv4Addr::LOCALHOST))
        .await?;
    let site = site::site(config);
    tracing::debug!(operator = %operator(), "deciding by the command line");
    let decided = db
        .write(Actor::Person(who.person()), move |tx| {
            let digest = match &options.digest {
                Some(digest) => digest.clone(),
                None => operator_open(tx, id)?.digest.whole,
            };
            let decision = Decision { kind, comment: options.comment.clone(), seen: Seen::Digest(digest) };
            let (review, _) = decide(tx, &site, &who, id, &decision)?;
            let address = congvu_directory::account(tx, review.account)?.address.to_string();
            Ok(shown_of(address, review))
        })
        .await?;
    at.printer.print(&decided, |r| format!("{} is {}", r.id, r.state))
}

/// The password from `CONGVU_PASSWORD`, else the first line of standard input.
fn password(person: &str) -> Result<String, Failure> {
    if let Ok(password) = std::env::var("CONGVU_PASSWORD") {
        return Ok(password);
    }
    eprint!("Password of {person}: ");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
