//! Structured logs on stderr: text for people, JSON when `CONGVU_LOG_FORMAT=json`. Level by `CONGVU_LOG`.

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Starts logging; a wrong `CONGVU_LOG` falls back to `info`.
pub(crate) fn start(default: &str) {
    let filter = EnvFilter::try_from_env("CONGVU_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let json = std::env::var("CONGVU_LOG_FORMAT").is_ok_and(|format| format == "json");
    let registry = tracing_subscriber::registry().with(filter);
    if json {
        registry.with(fmt::layer().json().with_writer(std::io::stderr)).init();
    } else {
        registry.with(fmt::layer().with_writer(std::io::stderr).with_target(false)).init();
    }
}
