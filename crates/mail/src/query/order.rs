//! The order of a list (RFC 8621 §4.4.2).

use super::{EmailSort, SortKey, cursor::Candidate, scan::has};
use congvu_types::ThreadId;
use std::{cmp::Ordering, collections::HashMap};

/// Sorts messages. Of equals the newer id comes first, or the older when the first criterion ascends. What `threads` says of a
/// conversation are the flags that all of it have, and those that some have.
pub(super) fn sort(all: &mut [Candidate], by: &[EmailSort], threads: &HashMap<ThreadId, (u64, u64)>) {
    let ids_ascend = by.first().is_some_and(|first| first.ascending);
    all.sort_by(|a, b| {
        let by_keys = by.iter().map(|sort| {
            let order = compare(sort.key, a, b, threads);
            if sort.ascending { order } else { order.reverse() }
        });
        let by_ids = if ids_ascend { a.email.cmp(&b.email) } else { b.email.cmp(&a.email) };
        by_keys.fold(Ordering::Equal, Ordering::then).then(by_ids)
    });
}

fn compare(key: SortKey, a: &Candidate, b: &Candidate, threads: &HashMap<ThreadId, (u64, u64)>) -> Ordering {
    let thread = |found: &Candidate| threads.get(&found.thread).copied().unwrap_or_default();
    match key {
        SortKey::ReceivedAt => a.received_at.cmp(&b.received_at),
        SortKey::SentAt => a.sent_at.unwrap_or(a.received_at).cmp(&b.sent_at.unwrap_or(b.received_at)),
        SortKey::Size => a.size.cmp(&b.size),
        SortKey::From => congvu_types::fold(&a.sender).cmp(&congvu_types::fold(&b.sender)),
        SortKey::Subject => base_subject(&a.subject).cmp(&base_subject(&b.subject)),
        SortKey::HasKeyword(bits) => has(a.flags.0, bits).cmp(&has(b.flags.0, bits)),
        SortKey::AllInThreadHave(bits) => has(thread(a).0, bits).cmp(&has(thread(b).0, bits)),
        SortKey::SomeInThreadHave(bits) => has(thread(a).1, bits).cmp(&has(thread(b).1, bits)),
    }
}

/// The subject without what answering and forwarding put before it.
fn base_subject(subject: &str) -> String {
    let folded = congvu_types::fold(subject);
    let mut rest = folded.trim();
    while let Some((before, after)) = rest.split_once(':') {
        if !matches!(before.trim(), "re" | "fw" | "fwd" | "tl" | "tra loi" | "chuyen tiep") {
            break;
        }
        rest = after.trim_start();
    }
    rest.to_owned()
}
