//! What the disk said last: a failure that any connection met, for the writer to act upon.

use rusqlite::ErrorCode;
use std::sync::atomic::{AtomicU8, Ordering};

/// How the disk or the file failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    /// Reading, writing or syncing did not work.
    Disk = 1,
    /// What was read is no database.
    Damage = 2,
}

#[derive(Debug, Default)]
pub(crate) struct Health(AtomicU8);

impl Health {
    /// Looks at an error of SQLite. A full disk is no failure: what is there is whole.
    pub(crate) fn note(&self, error: &rusqlite::Error) {
        let failure = match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => Failure::Disk,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Failure::Damage,
            _ => return,
        };
        self.0.fetch_max(failure as u8, Ordering::SeqCst);
    }

    /// Returns the worst failure that was noted since the last call.
    pub(crate) fn take(&self) -> Option<Failure> {
        match self.0.swap(0, Ordering::SeqCst) {
            0 => None,
            1 => Some(Failure::Disk),
            _ => Some(Failure::Damage),
        }
    }
}
