//! The web door: sign-in, the REST interface of `/api/v1`, server-sent events, health, metrics, and the web application.
//!
//! INVARIANT: an unsafe request without the session's own CSRF token does nothing (test:
//! `what_changes_something_needs_the_token`).
//! INVARIANT: no password is taken in clear unless the configuration says so (test: `no_password_goes_in_clear`).
//! INVARIANT: while a password must be changed nothing but its change is open (S4.2d, Điều 4; test:
//! `an_initial_password_opens_only_its_change`).
//! INVARIANT: what a message brings is shown without scripts, in a sandbox, under a policy of its own (test:
//! `hostile_html_is_served_harmless`).

mod admit;
mod app_passwords;
mod assets;
mod autoconfig;
mod clients;
mod events;
mod health;
mod me;
mod openapi;
mod outbox;
mod patience;
mod problem;
mod review_view;
mod reviews;
mod serve;
mod session;
mod state;
mod work;
mod work_view;

pub use app_passwords::ClientSettings;
pub use openapi::openapi;
pub use serve::{Peer, ServeOptions, serve};
pub use state::{WebOptions, router};
