//! Where a new email lies and how it is marked, as clients say it (RFC 8621 §4.6, §4.7, §4.8).

use super::{
    condition,
    render::{self, FLAG_KEYWORDS},
};
use crate::error::SetError;
use congvu_mail::{FlagSet, MAX_KEYWORDS};
use congvu_types::{Flags, Keyword, Timestamp};
use serde_json::{Map, Value};

/// Flags and keywords.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) flags: Flags,
    pub(crate) keywords: Vec<Keyword>,
}

impl Marks {
    /// Adds a flag or keyword by name; `None` when it is no name of one.
    pub(crate) fn add(&mut self, name: &str) -> Option<()> {
        match FLAG_KEYWORDS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)) {
            Some((flag, _)) => self.flags = self.flags.with(*flag),
            None => {
                let keyword: Keyword = name.to_ascii_lowercase().parse().ok()?;
                if !self.keywords.contains(&keyword) {
                    self.keywords.push(keyword);
                }
            }
        }
        Some(())
    }

    /// Those of a stored email; `names` are the keywords of its account.
    pub(crate) fn of(flags: FlagSet, names: &[String]) -> Self {
        let mut marks = Self::default();
        for name in render::keywords(flags, names).keys() {
            // What is stored is a name of one.
            let _ = marks.add(name);
        }
        marks
    }

    /// Reads `{ "name": true }`.
    pub(crate) fn read(value: &Value) -> Result<Self, SetError> {
        let wrong = || SetError::properties(["keywords"], "keywords is an object of keywords that are true");
        let given = value.as_object().ok_or_else(wrong)?;
        if given.len() > MAX_KEYWORDS + FLAG_KEYWORDS.len() {
            return Err(SetError::new("tooManyKeywords"));
        }
        let mut marks = Self::default();
        for (name, value) in given {
            (*value == Value::Bool(true)).then_some(()).and_then(|()| marks.add(name)).ok_or_else(wrong)?;
        }
        Ok(marks)
    }
}

/// Where an email is filed.
#[derive(Debug, Clone)]
pub(crate) struct Filing {
    /// The mailbox, by its id or `#creation`.
    pub(crate) mailbox: String,
    pub(crate) marks: Marks,
    pub(crate) received_at: Option<Timestamp>,
}

/// Reads `mailboxIds`: one, since a message lies in one mailbox.
pub(crate) fn one_mailbox(value: &Value) -> Result<String, SetError> {
    let wrong = || SetError::properties(["mailboxIds"], "an email lies in a mailbox");
    let given =
        value.as_object().filter(|ids| ids.values().all(|v| *v == Value::Bool(true))).ok_or_else(wrong)?;
    match given.len() {
        0 => Err(wrong()),
        1 => given.keys().next().cloned().ok_or_else(wrong),
        _ => Err(SetError::new("tooManyMailboxes")),
    }
}

impl Filing {
    /// Takes what says where an email is filed.
    pub(crate) fn take(object: &mut Map<String, Value>) -> Result<Self, SetError> {
        let mailbox = one_mailbox(&object.remove("mailboxIds").unwrap_or_default())?;
        let marks = match object.remove("keywords") {
            None | Some(Value::Null) => Marks::default(),
            Some(given) => Marks::read(&given)?,
        };
        let received_at = match object.remove("receivedAt") {
            None | Some(Value::Null) => None,
            Some(given) => Some(
                given
                    .as_str()
                    .and_then(condition::date)
                    .ok_or_else(|| SetError::properties(["receivedAt"], "receivedAt is a UTC date"))?,
            ),
        };
        Ok(Self { mailbox, marks, received_at })
    }
}
