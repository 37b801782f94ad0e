//! The JMAP door: mail for the web application and for every standard client (RFC 8620, RFC 8621).
//!
//! The `web` crate says who asks: it puts [`congvu_directory::SignedIn`], the language and the scheme into
//! the request's extensions. A request is read by `codec`, its calls run one after another by `dispatch`, each
//! method in a file of its own, which asks for its rights anew.
//!
//! INVARIANT: an answer that says "changed" is written after the commit.
//! INVARIANT: the body of a message of a shared account is shown only after its reading was recorded (S3.1b, Điều 3; test:
//! `who_reads_a_shared_body_is_recorded`).
//! INVARIANT: what one request may bring into memory is bounded, result references included (test:
//! `what_references_bring_in_is_bounded`).

mod app;
mod arguments;
mod blob_id;
mod blob_methods;
mod blobs;
mod capabilities;
mod changes;
mod codec;
mod core;
mod dispatch;
mod email;
mod email_view;
mod error;
mod eventsource;
mod filter;
mod http;
mod identity;
mod ids;
mod mailbox;
mod methods;
mod outgoing;
mod problem;
mod push;
mod quota;
mod recipients;
mod reference;
mod session;
mod set;
mod state;
mod submission;
mod thread;
mod transfer;
mod unique;
mod vacation;
mod websocket;
mod window;

pub use app::JmapOptions;
pub use http::router;

/// What fuzzing reaches.
pub mod fuzzing {
    /// Reads a whole request, resolving references as far as there is anything to refer to; never panics.
    pub fn jmap_request(bytes: &[u8]) {
        let Ok(request) = crate::codec::parse(bytes, crate::capabilities::MAX_CALLS) else { return };
        let mut done = Vec::new();
        let mut left = crate::reference::MOST_VALUES;
        for call in request.calls {
            if let Ok(arguments) = crate::reference::resolve(call.arguments, &done, &mut left) {
                done.push(crate::reference::Done {
                    name: call.name,
                    arguments: arguments.into(),
                    id: call.id,
                });
            }
        }
    }
}
