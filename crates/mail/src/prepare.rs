//! What is computed before a transaction: hash, compression, summary.

use congvu_message::{Summary, summarize};
use congvu_storage::{BlobHash, PreparedBlob, Snapshot};
use congvu_types::Result;
use std::sync::Arc;

/// A message ready to be stored. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PreparedMessage {
    /// Its bytes, hashed and compressed; `Db::stage_blob` it before the transaction.
    pub blob: PreparedBlob,
    /// Its facts.
    pub summary: Arc<Summary>,
}

impl PreparedMessage {
    /// Returns the size in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.blob.len()
    }
}

/// Prepares a message. CPU only.
pub fn prepare(raw: &[u8]) -> Result<PreparedMessage> {
    Ok(PreparedMessage { blob: PreparedBlob::new(raw)?, summary: Arc::new(summarize(raw)) })
}

/// Prepares a message whose bytes are stored already, to deliver it once more: read and verified, not compressed again.
pub fn prepare_stored(snapshot: &Snapshot, hash: &BlobHash) -> Result<PreparedMessage> {
    let raw = snapshot.blob(hash)?;
    Ok(PreparedMessage { blob: PreparedBlob::stored(*hash, raw.len()), summary: Arc::new(summarize(&raw)) })
}
