//! The regulation of an agency, parsed once.

use congvu_regulation::Regulation;
use congvu_storage::{Snapshot, params};
use congvu_types::{AgencyId, Error, Result};
use lru::LruCache;
use parking_lot::Mutex;
use std::{
    num::NonZeroUsize,
    sync::{Arc, LazyLock},
};

/// Parsed texts by the text itself: a changed file is a different key.
static PARSED: LazyLock<Mutex<LruCache<String, Arc<Regulation>>>> =
    LazyLock::new(|| Mutex::new(LruCache::new(NonZeroUsize::MIN.saturating_add(255))));

/// Returns the regulation in force for an agency; the empty one when it has none.
pub fn regulation_of(snapshot: &Snapshot, agency: AgencyId) -> Result<Arc<Regulation>> {
    let text =
        snapshot.query_one("SELECT regulation FROM agency WHERE id = ?1", &params![agency.get()], |r| {
            r.text(0)
        })?;
    if let Some(known) = PARSED.lock().get(&text) {
        return Ok(known.clone());
    }
    let parsed = if text.is_empty() {
        Regulation::default()
    } else {
        Regulation::parse(&text).map_err(|faults| {
            Error::fault(
                "reading the stored regulation",
                faults.first().map(ToString::to_string).unwrap_or_default(),
            )
        })?
    };
    let parsed = Arc::new(parsed);
    PARSED.lock().put(text, parsed.clone());
    Ok(parsed)
}
