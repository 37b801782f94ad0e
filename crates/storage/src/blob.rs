//! Content-addressed bytes: BLAKE3 names, zstd inside, verified on read.
//!
//! Small blobs ride in the transaction; large ones are written and synced to the [`BlobStore`] before the row
//! that names them commits, and ride in the transaction too when nobody staged them. There are no reference counters:
//! rows name blobs, and the collector asks them.

use congvu_types::{Error, Result};
use std::{
    cell::RefCell,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Compressed blobs up to this many bytes are stored in the database (dependencies measured: files win above).
pub const MAX_INLINE_BYTES: usize = 64 * 1024;

/// zstd's fastest ordinary level: mail is mostly base64 and short text, higher levels cost more than they save.
const ZSTD_LEVEL: i32 = 1;

/// A blob's name: the BLAKE3 hash of its plain bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash([u8; 32]);

impl BlobHash {
    /// Hashes plain bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 32 bytes; anything else is a fault, since only we write them.
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        bytes.try_into().map(Self).map_err(|e| Error::fault("reading a blob's hash", e))
    }

    /// Returns 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// A blob hashed and compressed, ready to be stored. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PreparedBlob {
    pub(crate) hash: BlobHash,
    pub(crate) plain_len: usize,
    pub(crate) bytes: Bytes,
}

/// Where the bytes of a prepared blob are.
#[derive(Debug, Clone)]
pub(crate) enum Bytes {
    /// Here, compressed.
    Here { packed: Arc<[u8]>, staged: Staged },
    /// In the database already.
    Stored,
}

/// Whether a blob's bytes are in the blob store, synced. Only staging says so, to every clone of the blob; a row without
/// its bytes is written for nothing less.
#[derive(Debug, Clone, Default)]
pub(crate) struct Staged(Arc<AtomicBool>);

impl Staged {
    pub(crate) fn done(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl PreparedBlob {
    /// Hashes and compresses `bytes`. CPU only: call it before the transaction, on the caller's task.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        thread_local! {
            static PACKER: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
        }
        let packed = PACKER.with_borrow_mut(|slot| {
            let packer = match slot {
                Some(packer) => packer,
                None => slot.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
            };
            packer.compress(bytes)
        });
        let packed = packed.map_err(|e| Error::fault("compressing a blob", e))?;
        let bytes_here = Bytes::Here { packed: packed.into(), staged: Staged::default() };
        Ok(Self { hash: BlobHash::of(bytes), plain_len: bytes.len(), bytes: bytes_here })
    }

    /// Names a blob that is stored already, without its bytes: putting it again only keeps it, and is a fault when it is
    /// not there any more.
    #[must_use]
    pub const fn stored(hash: BlobHash, plain_len: usize) -> Self {
        Self { hash, plain_len, bytes: Bytes::Stored }
    }

    /// Returns the blob's name.
    #[must_use]
    pub const fn hash(&self) -> BlobHash {
        self.hash
    }

    /// Returns the plain size in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.plain_len
    }

    /// Returns whether there are no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.plain_len == 0
    }

    /// Returns the bytes to be staged, and where that is noted; `None` when there is nothing to stage.
    pub(crate) fn to_stage(&self) -> Option<(&Arc<[u8]>, &Staged)> {
        match &self.bytes {
            Bytes::Here { packed, staged } if packed.len() > MAX_INLINE_BYTES => Some((packed, staged)),
            _ => None,
        }
    }

    /// Returns the bytes that go into the row: those of a small blob, and of every blob that was not staged, such as a
    /// report composed within the transaction.
    pub(crate) fn inline(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Here { packed, staged } => {
                (packed.len() <= MAX_INLINE_BYTES || !staged.is_done()).then_some(&packed[..])
            }
            Bytes::Stored => None,
        }
    }
}

/// Unpacks and verifies: a mismatch is a fault and an alarm, never content.
pub(crate) fn unpack(hash: BlobHash, plain_len: usize, packed: &[u8]) -> Result<Vec<u8>> {
    thread_local! {
        static UNPACKER: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    }
    let plain = UNPACKER.with_borrow_mut(|slot| {
        let unpacker = match slot {
            Some(unpacker) => unpacker,
            None => slot.insert(zstd::bulk::Decompressor::new()?),
        };
        unpacker.decompress(packed, plain_len)
    });
    let plain = plain.map_err(|e| Error::fault(format!("unpacking blob {hash:?}"), e))?;
    if BlobHash::of(&plain) != hash {
        tracing::error!(blob = ?hash, "a stored blob does not match its hash");
        return Err(Error::fault("reading a blob", format!("blob {hash:?} is damaged")));
    }
    Ok(plain)
}

/// Where large blobs live: a local directory, or an object store. Sync: called on blocking threads only.
pub trait BlobStore: Send + Sync + fmt::Debug {
    /// Stores packed bytes; returns after they are on disk. Storing what is there already is no error.
    fn put(&self, hash: BlobHash, packed: &[u8]) -> Result<()>;
    /// Returns the packed bytes.
    fn get(&self, hash: BlobHash) -> Result<Vec<u8>>;
    /// Sets a blob aside unless it was put again within the last `seconds`: a transaction may be about to name it. One
    /// that is set aside can still be got. Returns whether it is away.
    fn set_aside(&self, hash: BlobHash, seconds: u64) -> Result<bool>;
    /// Lists the blobs of one of 256 shelves (by the first byte of the name) last put more than `seconds` ago.
    fn older_than(&self, shelf: u8, seconds: u64) -> Result<Vec<BlobHash>>;
    /// Lists what was set aside more than `seconds` ago.
    fn set_aside_before(&self, seconds: u64) -> Result<Vec<BlobHash>>;
    /// Removes for good what was set aside. One that is not there is no error.
    fn remove(&self, hash: BlobHash) -> Result<()>;
    /// Puts back what was set aside, when it is still there.
    fn restore(&self, hash: BlobHash) -> Result<()>;
    /// Returns whether the store can be reached and written.
    fn check(&self) -> Result<()>;
}
