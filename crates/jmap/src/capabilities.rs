//! What this door offers, with its limits (RFC 8620 §2): the one place where capabilities are named.

use crate::{app::JmapOptions, blob_methods, ids::Id, session::Shown};
use congvu_directory::{AccountAccess, RightKind};
use congvu_transport::submission::MAX_DELAY;
use congvu_types::Citation;
use serde_json::{Map, Value, json};

/// RFC 8620 §2
pub(crate) const CORE: &str = "urn:ietf:params:jmap:core";
/// RFC 8621 §1.3.1
pub(crate) const MAIL: &str = "urn:ietf:params:jmap:mail";
/// RFC 8621 §1.3.2
pub(crate) const SUBMISSION: &str = "urn:ietf:params:jmap:submission";
/// RFC 8621 §1.3.3
pub(crate) const VACATION: &str = "urn:ietf:params:jmap:vacationresponse";
/// Ours (docs/jmap.md): what becomes of what is sent from an account under review.
pub(crate) const REVIEW: &str = "https://congvu.example/jmap/review";
/// Ours (docs/jmap.md): who could be meant, and what is to be known of recipients.
pub(crate) const RECIPIENTS: &str = "https://congvu.example/jmap/recipients";
/// RFC 9425 §3
pub(crate) const QUOTA: &str = "urn:ietf:params:jmap:quota";
/// RFC 9404 §2
pub(crate) const BLOB: &str = "urn:ietf:params:jmap:blob";
/// RFC 8887 §3
pub(crate) const WEBSOCKET: &str = "urn:ietf:params:jmap:websocket";
/// Ours: emails made ready to be shown (docs/jmap.md).
pub(crate) const VIEW: &str = "https://congvu.example/jmap/view";

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
    let plain = [MAIL, SUBMISSION, VACATION, REVIEW, RECIPIENTS, QUOTA, BLOB, VIEW];
    let plain = plain.map(|name| (name.to_owned(), json!({})));
    let socket = json!({ "url": SOCKET_PATH, "supportsPush": true });
    let rest = [(CORE.to_owned(), core), (WEBSOCKET.to_owned(), socket)];
    plain.into_iter().chain(rest).collect()
}

/// Whether there is such a capability.
pub(crate) fn is_known(name: &str, options: &JmapOptions) -> bool {
    of_server(options).contains_key(name)
}

/// An account as the session shows it, by the person's rights.
pub(crate) fn account(shown: &Shown, options: &JmapOptions) -> (String, Value) {
    let Shown { access, review } = shown;
    let rights = access.rights;
    let mut capabilities = Map::<String, Value>::from_iter([(CORE.to_owned(), json!({}))]);
    if rights.has(RightKind::Read) {
        capabilities.insert(MAIL.to_owned(), mail(access, options));
        capabilities.insert(QUOTA.to_owned(), json!({}));
        capabilities.insert(BLOB.to_owned(), blob());
        capabilities.insert(VIEW.to_owned(), json!({}));
    }
    outgoing(&mut capabilities, access, review.as_ref());
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

/// What an account sends, for who may read it; that one may not send is said when one does (`forbiddenToSend`).
fn outgoing(capabilities: &mut Map<String, Value>, access: &AccountAccess, review: Option<&Citation>) {
    if !access.rights.has(RightKind::Read) {
        return;
    }
    if access.rights.has(RightKind::Submit) {
        // RFC 8621 §1.3.2; RFC 4865 and RFC 3461 by the names of their EHLO keywords.
        let submission = json!({
            "maxDelayedSend": MAX_DELAY.as_secs(),
            "submissionExtensions": { "FUTURERELEASE": [MAX_DELAY.as_secs().to_string()], "DSN": [], "SIZE": [] },
        });
        capabilities.insert(SUBMISSION.to_owned(), submission);
    }
    capabilities.insert(VACATION.to_owned(), json!({}));
    capabilities.insert(RECIPIENTS.to_owned(), json!({}));
    let told =
        json!({ "willBeReviewed": review.is_some(), "citation": review.map(crate::submission::citation) });
    capabilities.insert(REVIEW.to_owned(), told);
}

/// RFC 9404 §2
fn blob() -> Value {
    json!({
        "maxSizeBlobSet": blob_methods::MAX_DATA,
        "maxDataSources": blob_methods::MAX_SOURCES,
        "supportedTypeNames": blob_methods::TYPES,
        "supportedDigestAlgorithms": blob_methods::DIGESTS,
    })
}

/// Where web sockets are taken.
pub(crate) const SOCKET_PATH: &str = "/jmap/ws";

/// Makes the address of the web socket whole; `base` is the scheme and authority that was asked.
pub(crate) fn at(capabilities: &mut Map<String, Value>, base: &str) {
    // http becomes ws, https wss.
    let socket = base.strip_prefix("http").map(|rest| format!("ws{rest}{SOCKET_PATH}"));
    if let (Some(socket), Some(Value::Object(told))) = (socket, capabilities.get_mut(WEBSOCKET)) {
        told.insert("url".to_owned(), socket.into());
    }
}
