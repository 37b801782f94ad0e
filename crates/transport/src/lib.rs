//! A message in motion: facts, judgement, routing, local delivery, submission, the queue, reports.
//!
//! In: a door gathers [`facts`] (async), asks [`judge()`] (pure), stamps the message and calls [`receive()`] in one
//! transaction. Out: a door calls [`submit()`]; the gate of `casework::review` says whether the message is queued or held;
//! [`decide`] and [`move_messages`] release what was held.
//!
//! INVARIANT: the queue takes nothing but a `Cleared` (`casework::review`), so nothing leaves a reviewed account
//! without a decision (S9.1, Điều 9; test: `what_the_agency_sends_is_held_and_what_a_unit_sends_is_not`).
//! INVARIANT: a person writes only from addresses they may use, in the envelope and in the header
//! (test: `both_senders_must_be_the_persons_own`).

mod captured;
mod claims;
pub mod dkim;
mod dsn;
pub mod facts;
pub mod fanout;
pub mod identity;
mod judge;
mod local;
mod outgoing;
pub mod queue;
mod receive;
pub mod recipients;
mod release;
mod results;
mod schema;
mod site;
pub mod submission;
mod submit;
pub mod vacation;

pub use captured::{Captured, captured, captured_message};
pub use claims::{Claim, claims};
pub use congvu_casework::review::{
    Decision, DecisionKind, Draft, Envelope, EnvelopeRecipient, Notify, Ret, Seen, Via,
};
pub use judge::{Action, Reason, Rules, Verdict, judge};
pub use local::recipient;
pub use outgoing::{Changed, OutgoingStates, outgoing_states, topic};
pub use receive::{Arrival, Receipt, receive};
pub use release::{decide, move_messages, pass_overdue_on, withdraw};
pub use results::{Trace, authentication_results, stamp};
pub use schema::{BLOB_REFERENCES, MIGRATIONS};
pub use site::{Outbound, Site};
pub use submit::{MAX_RECIPIENTS, Sent, Submitted, submit};
