//! `EmailSubmission/changes` (RFC 8621 §7.2). A decision on a review is a change of its submission.

use crate::{
    arguments::Arguments,
    dispatch::{Caller, Outcome},
    outgoing,
};
use congvu_directory::right;
use congvu_storage::Snapshot;
use congvu_transport::submission;

/// `EmailSubmission/changes`
pub(crate) fn changes(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let asked = outgoing::asked(&mut arguments)?;
    let changes = submission::changes(snapshot, &acting, asked.since, asked.most)?;
    outgoing::told(acting.account(), &asked, changes)
}
