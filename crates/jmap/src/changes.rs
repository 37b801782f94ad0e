//! What every `/changes` has in common (RFC 8620 §5.2).

use crate::{arguments::Arguments, dispatch::Outcome, error::MethodError, ids::Id, state};
use congvu_mail::{ChangedIds, Since};
use congvu_types::AccountId;
use serde_json::{Map, Value, json};

/// Changes that are told at once.
const MOST_CHANGES: usize = 500;

/// What a client asks.
pub(crate) struct Asked {
    /// The state as it was given.
    pub(crate) text: String,
    /// The state.
    pub(crate) since: Since,
    /// At most so many changes.
    pub(crate) most: usize,
}

/// Takes `sinceState` and `maxChanges`.
pub(crate) fn asked(arguments: &mut Arguments) -> Outcome<Asked> {
    let text = arguments.needed_text("sinceState")?;
    let most = match arguments.unsigned("maxChanges")? {
        Some(0) => return Err(MethodError::arguments("maxChanges is more than 0").into()),
        Some(most) => usize::try_from(most).unwrap_or(MOST_CHANGES).min(MOST_CHANGES),
        None => MOST_CHANGES,
    };
    let since = state::read(&text).ok_or_else(|| MethodError::new("cannotCalculateChanges"))?;
    Ok(Asked { text, since, most })
}

/// Words what changed.
pub(crate) fn told<T: Id>(account: AccountId, asked: &Asked, changes: &ChangedIds<T>) -> Map<String, Value> {
    let texts = |ids: &[T]| ids.iter().map(|id| id.text()).collect::<Vec<_>>();
    let told = json!({
        "accountId": account.text(),
        "oldState": asked.text,
        "newState": state::since(changes.upto),
        "hasMoreChanges": changes.has_more,
        "created": texts(&changes.created),
        "updated": texts(&changes.updated),
        "destroyed": texts(&changes.destroyed),
    });
    if let Value::Object(told) = told { told } else { Map::new() }
}
