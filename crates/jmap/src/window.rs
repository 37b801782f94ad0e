//! Which part of a list a `/query` wants (RFC 8620 §5.5).

use crate::{arguments::Arguments, dispatch::Outcome, error::MethodError};

/// Ids that one `/query` gives.
pub(crate) const MOST_IDS: usize = 1_000;

/// The part that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) position: i64,
    pub(crate) anchor: Option<String>,
    pub(crate) anchor_offset: i64,
    pub(crate) limit: usize,
    /// Whether we set the limit, and not the client.
    pub(crate) is_limit_ours: bool,
    pub(crate) wants_total: bool,
}

impl Window {
    /// Takes the arguments.
    pub(crate) fn take(arguments: &mut Arguments) -> Outcome<Self> {
        let asked = match arguments.take("limit") {
            None => None,
            Some(limit) => match limit.as_u64() {
                Some(limit) => Some(usize::try_from(limit).unwrap_or(usize::MAX)),
                None => return Err(MethodError::arguments("limit is a number, not negative").into()),
            },
        };
        Ok(Self {
            position: arguments.integer("position")?.unwrap_or(0),
            anchor: arguments.text("anchor")?,
            anchor_offset: arguments.integer("anchorOffset")?.unwrap_or(0),
            limit: asked.unwrap_or(MOST_IDS).min(MOST_IDS),
            is_limit_ours: asked.is_none_or(|asked| asked > MOST_IDS),
            wants_total: arguments.flag("calculateTotal")?,
        })
    }

    /// Cuts the part out of a whole list; returns where it begins.
    pub(crate) fn cut(&self, all: &[String]) -> Outcome<(usize, Vec<String>)> {
        let start = match &self.anchor {
            Some(anchor) => {
                let at = all.iter().position(|id| id == anchor).ok_or("anchorNotFound")?;
                i64::try_from(at).unwrap_or(i64::MAX).saturating_add(self.anchor_offset).max(0)
            }
            None if self.position < 0 => {
                i64::try_from(all.len()).unwrap_or(i64::MAX).saturating_add(self.position).max(0)
            }
            None => self.position,
        };
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        Ok((start, all.iter().skip(start).take(self.limit).cloned().collect()))
    }
}
