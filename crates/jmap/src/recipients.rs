//! Before somebody sends: `Recipients/complete` and `Recipients/check`, which are ours (docs/jmap.md).

use crate::{
    arguments::Arguments,
    dispatch::{Acts, Answer, Caller, Context, Outcome},
    error::MethodError,
    ids::Id,
    submission::citation,
};
use congvu_directory::right;
use congvu_storage::Snapshot;
use congvu_transport::{
    MAX_RECIPIENTS,
    recipients::{self, Candidate, Checked, Place, Ruling, Source},
    submission::will_be_reviewed,
};
use congvu_types::{AccountId, EmailAddress};
use serde_json::{Value, json};

/// Candidates of one answer.
const MOST_OFFERED: usize = 50;
/// Candidates when no number is asked for.
const USUALLY_OFFERED: usize = 10;

/// `Recipients/complete`: who could be meant by what was typed.
pub(crate) fn complete(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let text = arguments.needed_text("text")?;
    let limit = arguments.unsigned("limit")?.and_then(|limit| usize::try_from(limit).ok());
    let most = limit.unwrap_or(USUALLY_OFFERED).min(MOST_OFFERED);
    let found = recipients::complete(snapshot, &acting, &text, most)?;
    let list: Vec<Value> = found.iter().map(show).collect();
    Ok(json!({ "accountId": acting.account().text(), "list": list }))
}

fn show(candidate: &Candidate) -> Value {
    let source = match candidate.source {
        Source::Directory => "directory",
        Source::Past => "past",
    };
    json!({ "name": candidate.name, "email": candidate.address, "detail": candidate.detail, "source": source })
}

/// `Recipients/check`: what is to be known of recipients before a message is sent to them. It changes nothing.
pub(crate) fn check(context: &mut Context, arguments: Arguments) -> Acts<'_> {
    Box::pin(run(context, arguments))
}

async fn run(context: &mut Context, mut arguments: Arguments) -> Outcome<Answer> {
    let account: AccountId = arguments.account_id("accountId")?;
    let given = arguments.texts("addresses")?.ok_or_else(|| MethodError::arguments("addresses is needed"))?;
    if given.len() > MAX_RECIPIENTS {
        return Err("requestTooLarge".into());
    }
    let (caller, site) = (context.caller.clone(), context.app.options.site.clone());
    let answer = context.read(move |snapshot| {
        let acting = caller.acting::<right::Read>(snapshot, account)?;
        let read: Vec<Option<EmailAddress>> = given.iter().map(|text| text.parse().ok()).collect();
        let addresses: Vec<EmailAddress> = read.iter().flatten().cloned().collect();
        let mut checked = recipients::check(snapshot, &site, &acting, &addresses)?.into_iter();
        let list = given.iter().zip(read).map(|(text, address)| {
            let checked = address.and_then(|_| checked.next());
            tell(text, checked.as_ref())
        });
        let list: Vec<Value> = list.collect();
        let rule = will_be_reviewed(snapshot, &acting)?;
        Ok(json!({
            "accountId": acting.account().text(),
            "willBeReviewed": rule.is_some(),
            "citation": rule.as_ref().map(citation),
            "list": list,
        }))
    });
    Ok(answer.await?.into())
}

fn tell(text: &str, checked: Option<&Checked>) -> Value {
    let place = checked.map(|checked| match checked.place {
        Place::Here => "here",
        Place::Unknown => "unknown",
        Place::Elsewhere => "elsewhere",
    });
    let rule = checked.and_then(|checked| checked.ruling.as_ref()).map(|ruling| match ruling {
        Ruling::Warned(found) => json!({ "effect": "warn", "citation": citation(found) }),
        Ruling::Refused(found) => json!({ "effect": "refuse", "citation": citation(found) }),
    });
    json!({
        "address": text,
        "isValid": checked.is_some(),
        "place": place,
        "isOfficial": checked.and_then(|checked| checked.is_official),
        "rule": rule,
        "wroteBefore": checked.is_some_and(|checked| checked.is_known),
    })
}
