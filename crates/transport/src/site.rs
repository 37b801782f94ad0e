//! What transport must know of the place it runs at.

use congvu_types::{EmailAddress, Error, Result};

/// What happens to mail for other domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outbound {
    /// It is queued, to be sent.
    #[default]
    Send,
    /// It is kept and shown, never sent: the demo.
    Capture,
}

/// The place: its name, and where its outside mail goes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Site {
    host: String,
    outbound: Outbound,
}

impl Site {
    /// Makes a site. `host` is the fully qualified name in reports, trace fields and EHLO.
    #[must_use]
    pub fn new(host: impl Into<String>, outbound: Outbound) -> Self {
        Self { host: host.into(), outbound }
    }

    /// Returns the host name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns where outside mail goes.
    #[must_use]
    pub const fn outbound(&self) -> Outbound {
        self.outbound
    }

    /// Returns the address that reports are from.
    pub(crate) fn postmaster(&self) -> Result<EmailAddress> {
        format!("postmaster@{}", self.host)
            .parse()
            .map_err(|e| Error::fault("making the postmaster's address", e))
    }
}
