//! Messages and markup that others collected because they break readers (`tests/vectors`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

#[path = "all/attachments.rs"]
mod attachments;
#[path = "all/hostile.rs"]
mod hostile;
#[path = "all/mime.rs"]
mod mime;

use std::path::{Path, PathBuf};

/// A folder of the vectors.
fn vectors(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(folder)
}
