//! Review of outgoing mail (kiểm duyệt thư gửi đi): S9.1 (Điều 9), S7.2d (Điều 7).
//!
//! [`clear()`] is asked by every sender. What an account under review sends is held whole in "Chờ duyệt" until somebody
//! with the right to review, who is not its author, decides on exactly these bytes.
//!
//! INVARIANT: [`Cleared`] is made here alone: for an account without review, by an approval, or for a report about
//! one's own message. The queue takes nothing else (test: `what_the_agency_sends_is_held_and_what_a_unit_sends_is_not`).
//! INVARIANT: an approval is used once; one that waits for its time can be taken back until then (test:
//! `an_approval_that_waits_is_used_once_or_taken_back`).
//! INVARIANT: an author never decides on their own message (test: `an_author_cannot_decide`).
//! INVARIANT: nobody approves a message of which they have not opened every part (test:
//! `what_was_not_opened_cannot_be_approved`).
//! INVARIANT: a deadline passes the decision on; it never sends (test: `a_deadline_passes_to_the_deputy_and_never_sends`).

mod clear;
mod cleared;
mod deadline;
mod decide;
mod draft;
mod notice;
mod opened;
mod read;
mod read_ahead;
mod state;

pub use clear::{Clearance, Held, clear, clear_automatic, may_answer_by_itself, review_rule, would_hold};
pub use cleared::{Cleared, Origin};
pub use deadline::{step, step_telling};
pub use decide::{Decided, Decision, DecisionKind, Seen, decide, lapse, release, withdraw};
pub use draft::{Draft, Envelope, EnvelopeRecipient, Notify, Ret, Via};
pub use opened::{Parts, parts_opened, record_opened, record_opened_email};
pub use read::{
    Filter, Review, RuleHit, Step, can_decide, history, list, open, operator_list, operator_open,
    pending_count, review_at, review_count, review_facts, waiting_count,
};
pub use read_ahead::ReadAhead;
pub use state::ReviewState;
