//! A method's arguments, taken one by one; what is missing or of another type is `invalidArguments` (RFC 8620 §3.6.2).

use crate::{error::MethodError, ids::Id};
use serde_json::{Map, Value};

/// The arguments of one call, references resolved.
#[derive(Debug)]
pub(crate) struct Arguments(Map<String, Value>);

type Taken<T> = Result<T, MethodError>;

impl Arguments {
    pub(crate) const fn new(all: Map<String, Value>) -> Self {
        Self(all)
    }

    /// Returns all that is left.
    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// Takes a value; `null` is as good as none.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &str) -> Taken<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(MethodError::arguments(format!("{name} is a string"))),
        }
    }

    /// Takes a text that must be there.
    pub(crate) fn needed_text(&mut self, name: &str) -> Taken<String> {
        self.text(name)?.ok_or_else(|| MethodError::arguments(format!("{name} is needed")))
    }

    /// Takes a truth value.
    pub(crate) fn flag(&mut self, name: &str) -> Taken<bool> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(MethodError::arguments(format!("{name} is true or false"))),
        }
    }

    /// Takes a number of RFC 8620 §1.3 that is not negative.
    pub(crate) fn unsigned(&mut self, name: &str) -> Taken<Option<u64>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_u64().filter(|n| *n < 1 << 53) {
                Some(number) => Ok(Some(number)),
                None => Err(MethodError::arguments(format!("{name} is a number, not negative"))),
            },
        }
    }

    /// Takes a number of RFC 8620 §1.3.
    pub(crate) fn integer(&mut self, name: &str) -> Taken<Option<i64>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_i64().filter(|n| n.unsigned_abs() < 1 << 53) {
                Some(number) => Ok(Some(number)),
                None => Err(MethodError::arguments(format!("{name} is a number"))),
            },
        }
    }

    /// Takes a list of texts.
    pub(crate) fn texts(&mut self, name: &str) -> Taken<Option<Vec<String>>> {
        let wrong = || MethodError::arguments(format!("{name} is a list of strings"));
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text),
                    _ => Err(wrong()),
                })
                .collect::<Taken<Vec<_>>>()
                .map(Some),
            Some(_) => Err(wrong()),
        }
    }

    /// Takes an object.
    pub(crate) fn object(&mut self, name: &str) -> Taken<Option<Map<String, Value>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(MethodError::arguments(format!("{name} is an object"))),
        }
    }

    /// Takes the ids of a `/get`; more than it may have are `requestTooLarge` (RFC 8620 §5.1).
    pub(crate) fn ids(&mut self, most: usize) -> Taken<Option<Vec<String>>> {
        let ids = self.texts("ids")?;
        match ids {
            Some(ids) if ids.len() > most => Err(MethodError::new("requestTooLarge")),
            Some(mut ids) => {
                let mut seen = std::collections::HashSet::with_capacity(ids.len());
                ids.retain(|id| seen.insert(id.clone()));
                Ok(Some(ids))
            }
            None => Ok(None),
        }
    }

    /// Takes the `properties` of a `/get`; one that is not known is `invalidArguments` (RFC 8620 §5.1).
    pub(crate) fn properties(&mut self, known: &[&str]) -> Taken<Option<Vec<String>>> {
        let asked = self.texts("properties")?;
        match asked.iter().flatten().find(|name| *name != "id" && !known.contains(&name.as_str())) {
            Some(unknown) => {
                let unknown: String = unknown.chars().take(100).collect();
                Err(MethodError::arguments(format!("there is no property {unknown:?}")))
            }
            None => Ok(asked),
        }
    }

    /// Takes the state that a client has seen.
    pub(crate) fn state(&mut self, name: &str) -> Taken<Option<String>> {
        self.text(name)
    }

    /// Takes an account's id; what is none leads to no account.
    pub(crate) fn account_id<T: Id>(&mut self, name: &str) -> Taken<T> {
        let text = self.needed_text(name)?;
        T::read(&text).ok_or_else(|| MethodError::new("accountNotFound"))
    }
}

/// Keeps of an object what was asked for; its id always.
pub(crate) fn pick(mut object: Map<String, Value>, properties: Option<&[String]>) -> Value {
    if let Some(wanted) = properties {
        object.retain(|name, _| name == "id" || wanted.iter().any(|w| w == name));
    }
    Value::Object(object)
}
