//! What this door offers, with its limits (RFC 8620 §2): the one place where capabilities are named.

use crate::{app::JmapOptions, ids::Id};
use congvu_directory::{AccountAccess, RightKind};
use serde_json::{Map, Value, json};

/// RFC 8620 §2
pub(crate) const CORE: &str = "urn:ietf:params:jmap:core";
/// RFC 8621 §1.3.1
pub(crate) const MAIL: &str = "urn:ietf:params:jmap:mail";

/// The largest request.
pub(crate) const MAX_REQUEST: usize = 10_000_000;
/// Calls of a request.
pub(crate) const MAX_CALLS: usize = 32;
/// Requests of one person at once.
pub(crate) const MAX_CONCURRENT_REQUESTS: usize = 8;
/// Uploads of one person at once.
pub(crate) const MAX_CONCURRENT_UPLOADS: usize = 4;
/// Objects of a `/get`.
pub(crate) const MAX_GET: usize = 500;
/// Objects of a `/set`.
pub(crate) const MAX_SET: usize = 500;

/// The capabilities of the whole server.
pub(crate) fn of_server(options: &JmapOptions) -> Map<String, Value> {
    let core = json!({
        "maxSizeUpload": options.max_message_bytes,
        "maxConcurrentUpload": MAX_CONCURRENT_UPLOADS,
        "maxSizeRequest": MAX_REQUEST,
        "maxConcurrentRequests": MAX_CONCURRENT_REQUESTS,
        "maxCallsInRequest": MAX_CALLS,
        "maxObjectsInGet": MAX_GET,
        "maxObjectsInSet": MAX_SET,
        "collationAlgorithms": ["i;ascii-casemap", "i;unicode-casemap"],
    });
    Map::from_iter([(CORE.to_owned(), core), (MAIL.to_owned(), json!({}))])
}

/// Whether there is such a capability.
pub(crate) fn is_known(name: &str, options: &JmapOptions) -> bool {
    of_server(options).contains_key(name)
}

/// An account as the session shows it, by the person's rights.
pub(crate) fn account(access: &AccountAccess, options: &JmapOptions) -> (String, Value) {
    let rights = access.rights;
    let mut capabilities = Map::<String, Value>::from_iter([(CORE.to_owned(), json!({}))]);
    if rights.has(RightKind::Read) {
        capabilities.insert(MAIL.to_owned(), mail(access, options));
    }
    let shown = json!({
        "name": access.account.address.to_string(),
        "isPersonal": access.is_own,
        "isReadOnly": !rights.has(RightKind::Draft),
        "accountCapabilities": capabilities,
    });
    (access.account.id.text(), shown)
}

/// RFC 8621 §1.3.1. A message lies in one mailbox (docs/adr/0018).
fn mail(access: &AccountAccess, options: &JmapOptions) -> Value {
    json!({
        "maxMailboxesPerEmail": 1,
        "maxMailboxDepth": 20,
        "maxSizeMailboxName": 490,
        "maxSizeAttachmentsPerEmail": options.max_message_bytes,
        "emailQuerySortOptions": [
            "receivedAt", "sentAt", "size", "from", "subject", "hasKeyword", "allInThreadHaveKeyword",
            "someInThreadHaveKeyword",
        ],
        "mayCreateTopLevelMailbox": access.rights.has(RightKind::Draft),
    })
}

/// Adds the addresses that capabilities have.
pub(crate) fn at(capabilities: &mut Map<String, Value>, base: &str) {
    let _ = (capabilities, base);
}
