//! Every method of this door: its name, the capability it belongs to, and what runs it.

use crate::{
    arguments::Arguments,
    capabilities::CORE,
    core,
    dispatch::{Acts, Caller, Context, Outcome},
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
pub(crate) const ALL: &[Method] =
    &[reads("Core/echo", CORE, core::echo), acts("Blob/copy", CORE, core::copy_blobs)];
