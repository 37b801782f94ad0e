//! Every method of this door: its name, the capability it belongs to, and what runs it.

use crate::{
    arguments::Arguments,
    blob_methods,
    capabilities::{BLOB, CORE, MAIL, QUOTA, RECIPIENTS, SUBMISSION, VACATION, VIEW},
    core,
    dispatch::{Acts, Caller, Context, Outcome},
    email, email_view, identity, mailbox, quota, recipients, submission, thread, vacation,
};
use congvu_storage::Snapshot;

/// How a method runs.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// It only reads, in one look at the database.
    Reads(fn(&Snapshot, &Caller, Arguments) -> Outcome),
    /// It does something, and may wait.
    Acts(for<'a> fn(&'a mut Context, Arguments) -> Acts<'a>),
}

/// A method.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) capability: &'static str,
    pub(crate) run: Run,
}

const fn reads(
    name: &'static str,
    capability: &'static str,
    f: fn(&Snapshot, &Caller, Arguments) -> Outcome,
) -> Method {
    Method { name, capability, run: Run::Reads(f) }
}

const fn acts(
    name: &'static str,
    capability: &'static str,
    f: for<'a> fn(&'a mut Context, Arguments) -> Acts<'a>,
) -> Method {
    Method { name, capability, run: Run::Acts(f) }
}

/// The table. A method that is not here is unknown.
pub(crate) const ALL: &[Method] = &[
    reads("Core/echo", CORE, core::echo),
    acts("Blob/copy", CORE, core::copy_blobs),
    reads("Mailbox/get", MAIL, mailbox::get),
    reads("Mailbox/changes", MAIL, mailbox::changes),
    reads("Mailbox/query", MAIL, mailbox::query),
    reads("Mailbox/queryChanges", MAIL, mailbox::query_changes),
    acts("Mailbox/set", MAIL, mailbox::set),
    reads("Thread/get", MAIL, thread::get),
    reads("Thread/changes", MAIL, thread::changes),
    acts("Email/get", MAIL, email::get),
    reads("Email/changes", MAIL, email::changes),
    acts("Email/query", MAIL, email::query),
    reads("Email/queryChanges", MAIL, email::query_changes),
    acts("Email/set", MAIL, email::set),
    acts("Email/copy", MAIL, email::copy),
    acts("Email/import", MAIL, email::import),
    acts("Email/parse", MAIL, email::parse),
    reads("SearchSnippet/get", MAIL, email::snippets),
    reads("Identity/get", SUBMISSION, identity::get),
    reads("Identity/changes", SUBMISSION, identity::changes),
    acts("Identity/set", SUBMISSION, identity::set),
    reads("EmailSubmission/get", SUBMISSION, submission::get),
    reads("EmailSubmission/changes", SUBMISSION, submission::changes),
    reads("EmailSubmission/query", SUBMISSION, submission::query),
    reads("EmailSubmission/queryChanges", SUBMISSION, submission::query_changes),
    acts("EmailSubmission/set", SUBMISSION, submission::set),
    reads("VacationResponse/get", VACATION, vacation::get),
    acts("VacationResponse/set", VACATION, vacation::set),
    reads("Recipients/complete", RECIPIENTS, recipients::complete),
    acts("Recipients/check", RECIPIENTS, recipients::check),
    acts("EmailView/get", VIEW, email_view::get),
    reads("Quota/get", QUOTA, quota::get),
    reads("Quota/changes", QUOTA, quota::changes),
    reads("Quota/query", QUOTA, quota::query),
    acts("Blob/upload", BLOB, blob_methods::upload),
    acts("Blob/get", BLOB, blob_methods::get),
    reads("Blob/lookup", BLOB, blob_methods::lookup),
];
