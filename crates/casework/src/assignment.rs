//! Who handles a conversation of a shared account (giao việc xử lý thư): S7.2b (Điều 7).
//!
//! A conversation is new until somebody takes it or it is given to a person or a unit, with an instruction and a deadline;
//! then it is assigned, under way, done. Beside that stand notes that stay within the account, who has read which message,
//! and who has the conversation open at this moment, so that nobody answers twice.

mod notes;
mod order;
mod present;
mod read;

pub use notes::{Note, add_note};
pub use order::{Assignee, Order, assign, candidates, set_progress};
pub use present::{Activity, Present, forget_absent, present};
pub use read::{Assignment, AssignmentStep, Standing, WorkFilter, open_count, opened, standings, work};

use serde::Serialize;

/// How far the handling of a conversation has come. One without a row is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Progress {
    /// Given to somebody (đã giao).
    Assigned,
    /// Under way (đang xử lý).
    InProgress,
    /// Handled (đã xong).
    Done,
}

impl Progress {
    const ALL: [Self; 3] = [Self::Assigned, Self::InProgress, Self::Done];

    /// Returns the word of the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::InProgress => "inProgress",
            Self::Done => "done",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == name)
    }
}
