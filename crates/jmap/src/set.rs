//! What every `/set` has in common (RFC 8620 §5.3): its arguments, its bounds, its response.

use crate::{
    arguments::Arguments,
    capabilities::MAX_SET,
    dispatch::{Failure, Outcome, created},
    error::{MethodError, SetError},
    ids::Id,
    state,
};
use congvu_directory::{Acting, right};
use congvu_storage::Tx;
use congvu_types::{AccountId, Error, Language, RefusalKind};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Objects by the client's ids, or patches by the ids of what they change.
pub(crate) type Objects = Vec<(String, Map<String, Value>)>;

/// What a client wants changed.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    pub(crate) if_in_state: Option<String>,
    /// New objects by the client's ids.
    pub(crate) create: Objects,
    /// Patches by ids as given.
    pub(crate) update: Objects,
    /// Ids as given.
    pub(crate) destroy: Vec<String>,
}

impl Changes {
    /// Takes the arguments; more than [`MAX_SET`] objects are `requestTooLarge`.
    pub(crate) fn take(arguments: &mut Arguments) -> Result<Self, MethodError> {
        let changes = Self {
            if_in_state: arguments.state("ifInState")?,
            create: objects(arguments, "create")?,
            update: objects(arguments, "update")?,
            destroy: arguments.texts("destroy")?.unwrap_or_default(),
        };
        if changes.create.len() + changes.update.len() + changes.destroy.len() > MAX_SET {
            return Err(MethodError::new("requestTooLarge"));
        }
        Ok(changes)
    }
}

/// Takes an object of objects.
pub(crate) fn objects(arguments: &mut Arguments, name: &str) -> Result<Objects, MethodError> {
    let given = arguments.object(name)?.unwrap_or_default();
    given
        .into_iter()
        .map(|(id, value)| match value {
            Value::Object(object) => Ok((id, object)),
            _ => Err(MethodError::arguments(format!("{name} is an object of objects"))),
        })
        .collect()
}

/// What became of the changes.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) old_state: String,
    pub(crate) new_state: String,
    pub(crate) created: Map<String, Value>,
    pub(crate) updated: Map<String, Value>,
    pub(crate) destroyed: Vec<Value>,
    pub(crate) not_created: Map<String, Value>,
    pub(crate) not_updated: Map<String, Value>,
    pub(crate) not_destroyed: Map<String, Value>,
}

impl Done {
    /// Says why an object was not made.
    pub(crate) fn refuse_creation(&mut self, id: &str, error: &SetError) {
        self.not_created.insert(id.to_owned(), error.to_value());
    }

    /// Says why an object was not changed.
    pub(crate) fn refuse_update(&mut self, id: &str, error: &SetError) {
        self.not_updated.insert(id.to_owned(), error.to_value());
    }

    /// Says why an object was not destroyed.
    pub(crate) fn refuse_destruction(&mut self, id: &str, error: &SetError) {
        self.not_destroyed.insert(id.to_owned(), error.to_value());
    }

    /// The ids of what was made, by the client's ids.
    pub(crate) fn new_ids(&self) -> impl Iterator<Item = (&String, &str)> {
        self.created.iter().filter_map(|(name, made)| Some((name, made.get("id")?.as_str()?)))
    }

    /// Returns the response.
    pub(crate) fn response(self, account: AccountId) -> Value {
        let map = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { Value::Object(map) };
        let destroyed = if self.destroyed.is_empty() { Value::Null } else { self.destroyed.into() };
        json!({
            "accountId": account.text(),
            "oldState": self.old_state,
            "newState": self.new_state,
            "created": map(self.created),
            "updated": map(self.updated),
            "destroyed": destroyed,
            "notCreated": map(self.not_created),
            "notUpdated": map(self.not_updated),
            "notDestroyed": map(self.not_destroyed),
        })
    }
}

/// Takes the account's turn and asks whether its mail is in the state that the client has seen: until the transaction ends
/// nobody else changes it (RFC 8620 §5.3 `ifInState`). Returns that state.
pub(crate) fn begin(
    tx: &mut Tx,
    acting: &Acting<right::Draft>,
    if_in_state: Option<&String>,
) -> Outcome<String> {
    let state = state::emails(congvu_mail::hold(tx, acting.account())?);
    match if_in_state {
        Some(seen) if *seen != state => Err("stateMismatch".into()),
        _ => Ok(state),
    }
}

/// Makes the refusal of one object its error. What is left half done by the store, and every fault, ends the whole method.
pub(crate) fn refused<T>(
    outcome: congvu_types::Result<T>,
    ordinary: &[RefusalKind],
    language: Language,
) -> Outcome<Result<T, SetError>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Refused(refusal)) if ordinary.contains(&refusal.kind) => {
            Ok(Err(SetError::of(&refusal, language)))
        }
        Err(other) => Err(Failure::Core(other)),
    }
}

/// Reads the id of an object that exists or was made in this request; `None` names nothing.
pub(crate) fn known<T: Id>(text: &str, made: &HashMap<String, String>) -> Option<T> {
    created(text, made).and_then(T::read)
}

/// Splits the path of a patch (RFC 8620 §5.3) into its steps.
pub(crate) fn path(pointer: &str) -> Vec<String> {
    pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}
