//! How envelopes stand in columns.

use congvu_casework::review::{Notify, Ret};
use congvu_types::{EmailAddress, Error, Result};

/// A reverse-path; empty is the null one.
pub(crate) fn path(path: Option<&EmailAddress>) -> String {
    path.map(ToString::to_string).unwrap_or_default()
}

/// Reads a reverse-path.
pub(crate) fn read_path(text: &str) -> Result<Option<EmailAddress>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|e| Error::fault("reading a reverse-path", e))
}

/// RET.
pub(crate) const fn ret(ret: Ret) -> &'static str {
    match ret {
        Ret::Hdrs => "hdrs",
        Ret::Full => "full",
    }
}

/// Reads RET.
pub(crate) fn read_ret(text: &str) -> Ret {
    if text == "full" { Ret::Full } else { Ret::Hdrs }
}

/// NOTIFY as bits: 1 success, 2 failure, 4 delay.
pub(crate) const fn notify(notify: Notify) -> i64 {
    notify.success as i64 | (notify.failure as i64) << 1 | (notify.delay as i64) << 2
}

/// Reads NOTIFY.
pub(crate) const fn read_notify(bits: i64) -> Notify {
    Notify { success: bits & 1 != 0, failure: bits & 2 != 0, delay: bits & 4 != 0 }
}
