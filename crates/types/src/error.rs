//! The workspace's one error: a refusal or a fault, never mixed (docs/adr/0003).

use crate::Refusal;
use std::fmt;

/// The result of every core function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Either a refusal (an ordinary "no", worded by the door) or a fault (we or the disk failed).
#[derive(Debug)]
pub enum Error {
    /// A right, a limit or a rule says no.
    Refused(Refusal),
    /// Something broke; the peer is told to try again and nothing else.
    Fault(Fault),
}

/// Something broke: the whole chain of causes, for the log alone.
#[derive(Debug)]
pub struct Fault {
    /// What was being done.
    context: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Fault {
    /// Makes a fault from what was being done.
    #[must_use]
    pub fn new(context: impl Into<String>) -> Self {
        Self { context: context.into(), source: None }
    }

    /// Makes a fault from what was being done and what went wrong.
    #[must_use]
    pub fn because(
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { context: context.into(), source: Some(source.into()) }
    }

    /// Returns the whole chain on one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.context.clone();
        let mut next: Option<&dyn std::error::Error> = self.source.as_ref().map(|s| &**s as _);
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.to_string());
            next = error.source();
        }
        text
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

impl std::error::Error for Fault {}

impl Error {
    /// Makes a fault from what was being done and what went wrong.
    #[must_use]
    pub fn fault(
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Fault(Fault::because(context, source))
    }

    /// Returns the refusal, when it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Fault(_) => None,
        }
    }

    /// Returns whether it is a refusal of this kind.
    #[must_use]
    pub fn is(&self, kind: crate::RefusalKind) -> bool {
        self.refusal().is_some_and(|refusal| refusal.kind == kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => f.write_str(&refusal.sentence(crate::Language::English)),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<crate::RefusalKind> for Error {
    fn from(kind: crate::RefusalKind) -> Self {
        Self::Refused(Refusal::new(kind))
    }
}
