//! What commands print: text for people, JSON for programs.

use congvu_types::{Error, Language};
use serde::Serialize;
use std::io::Write as _;

/// Why a command failed, in one sentence.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => Self(refusal.sentence(Language::English)),
            Error::Fault(fault) => Self(fault.chain()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

/// How answers are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    pub(crate) json: bool,
}

impl Printer {
    /// Prints a value in JSON, or as `text` words it.
    pub(crate) fn print<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let out = if self.json {
            serde_json::to_string_pretty(value).map_err(|e| Failure(format!("writing JSON: {e}")))?
        } else {
            text(value)
        };
        line(&out)
    }
}

/// Prints a line on standard output; a reader that has gone away is no error.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
