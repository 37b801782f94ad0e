//! What transport must know of the place it runs at.

use congvu_types::{Domain, EmailAddress, Error, Result};
use std::{net::IpAddr, sync::Arc};

/// What happens to mail for other domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outbound {
    /// It is queued, to be sent.
    #[default]
    Send,
    /// It is kept and shown, never sent: the demo.
    Capture,
}

/// The place: its name, its addresses, and where its outside mail goes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Site {
    host: String,
    outbound: Outbound,
    addresses: Arc<[IpAddr]>,
    postmaster: Option<EmailAddress>,
}

impl Site {
    /// Makes a site. `host` is the fully qualified name in reports, trace fields and EHLO.
    #[must_use]
    pub fn new(host: impl Into<String>, outbound: Outbound) -> Self {
        Self { host: host.into(), outbound, addresses: Arc::default(), postmaster: None }
    }

    /// Says at which addresses mail for this place is taken.
    #[must_use]
    pub fn at(mut self, addresses: &[IpAddr]) -> Self {
        self.addresses = addresses.into();
        self
    }

    /// Says whose account the postmaster's mail goes to.
    #[must_use]
    pub fn with_postmaster(mut self, address: Option<EmailAddress>) -> Self {
        self.postmaster = address;
        self
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

    /// Returns whether a domain is this host's own name.
    #[must_use]
    pub fn is_host(&self, domain: &Domain) -> bool {
        self.host.parse::<Domain>().is_ok_and(|host| host == *domain)
    }

    /// Returns whether a server of this name or at one of these addresses is this one (RFC 5321 §5.1).
    #[must_use]
    pub fn is_here(&self, name: &str, addresses: &[IpAddr]) -> bool {
        let is_host = name.parse().is_ok_and(|name| self.is_host(&name));
        is_host || addresses.iter().any(|a| self.addresses.contains(&a.to_canonical()))
    }

    /// Returns whose account the postmaster's mail goes to, when that is said.
    #[must_use]
    pub const fn postmaster(&self) -> Option<&EmailAddress> {
        self.postmaster.as_ref()
    }

    /// Returns the address that reports are from.
    pub(crate) fn reporter(&self) -> Result<EmailAddress> {
        format!("postmaster@{}", self.host)
            .parse()
            .map_err(|e| Error::fault("making the postmaster's address", e))
    }
}
