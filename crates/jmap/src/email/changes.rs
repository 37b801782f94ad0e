//! `Email/changes` (RFC 8621 §4.3).

use crate::{
    arguments::Arguments,
    changes::{asked, told},
    dispatch::{Caller, Outcome},
};
use congvu_directory::right;
use congvu_storage::Snapshot;
use serde_json::Value;

/// `Email/changes`
pub(crate) fn changes(snapshot: &Snapshot, caller: &Caller, mut arguments: Arguments) -> Outcome {
    let acting = caller.account::<right::Read>(snapshot, &mut arguments)?;
    let asked = asked(&mut arguments)?;
    let changes = congvu_mail::email_changes(snapshot, &acting, asked.since, asked.most)?;
    let changes = changes.ok_or("cannotCalculateChanges")?;
    Ok(Value::Object(told(acting.account(), &asked, &changes)))
}
