//! What the `/changes` of what an account sends have in common (RFC 8620 §5.2): submissions and identities.

use crate::{arguments::Arguments, dispatch::Outcome, error::MethodError, ids::Id};
use congvu_transport::Changed;
use congvu_types::{AccountId, ModSeq};
use serde_json::json;

/// Changes that are told at once.
const MOST_CHANGES: usize = 500;

/// What a client asks.
pub(crate) struct Asked {
    pub(crate) since: ModSeq,
    pub(crate) most: usize,
}

/// Reads a state that we gave out.
pub(crate) fn state(text: &str) -> Option<ModSeq> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain).map(ModSeq)
}

/// Takes `sinceState` and `maxChanges`.
pub(crate) fn asked(arguments: &mut Arguments) -> Outcome<Asked> {
    let text = arguments.needed_text("sinceState")?;
    let most = match arguments.unsigned("maxChanges")? {
        Some(0) => return Err(MethodError::arguments("maxChanges is more than 0").into()),
        Some(most) => usize::try_from(most).unwrap_or(MOST_CHANGES).min(MOST_CHANGES),
        None => MOST_CHANGES,
    };
    let since = state(&text).ok_or_else(|| MethodError::new("cannotCalculateChanges"))?;
    Ok(Asked { since, most })
}

/// Words what changed; `None` is not known any more.
pub(crate) fn told<T: Id>(account: AccountId, asked: &Asked, changes: Option<Changed<T>>) -> Outcome {
    let changes = changes.ok_or("cannotCalculateChanges")?;
    let texts = |ids: &[T]| ids.iter().map(|id| id.text()).collect::<Vec<_>>();
    Ok(json!({
        "accountId": account.text(),
        "oldState": asked.since.to_string(),
        "newState": changes.state.to_string(),
        "hasMoreChanges": changes.has_more,
        "created": texts(&changes.created),
        "updated": texts(&changes.updated),
        "destroyed": texts(&changes.destroyed),
    }))
}
