//! The states of a review.

use serde::Serialize;

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReviewState {
    /// Waits for a decision (chờ duyệt).
    Awaiting,
    /// Approved and sent (đã duyệt).
    Approved,
    /// Returned to its author with a comment (trả lại).
    Returned,
    /// Rejected (từ chối).
    Rejected,
    /// Taken back by its author (đã rút).
    Withdrawn,
}

impl ReviewState {
    const ALL: [Self; 5] = [Self::Awaiting, Self::Approved, Self::Returned, Self::Rejected, Self::Withdrawn];

    /// Returns the word of the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Approved => "approved",
            Self::Returned => "returned",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}
