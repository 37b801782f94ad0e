//! Content-addressed bytes: BLAKE3 names, zstd inside, verified on read.
//!
//! Small blobs ride in the transaction; large ones are written and synced to the [`BlobStore`] before the row
//! that names them commits. There are no reference counters: rows name blobs, and the collector asks them.

use congvu_types::{Error, Result};
use std::{
    cell::RefCell,
    fmt, fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
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
    pub(crate) packed: Arc<[u8]>,
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
        Ok(Self { hash: BlobHash::of(bytes), plain_len: bytes.len(), packed: packed.into() })
    }

    /// Names a blob that is stored already, without its bytes: putting it again only keeps it.
    #[must_use]
    pub fn stored(hash: BlobHash, plain_len: usize) -> Self {
        Self { hash, plain_len, packed: Arc::from([]) }
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

    pub(crate) fn is_inline(&self) -> bool {
        self.packed.len() <= MAX_INLINE_BYTES
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
    /// Removes a blob unless it was put again within the last `seconds`: a transaction may be about to name
    /// it. One that is not there is no error. Returns whether it is gone.
    fn remove_older(&self, hash: BlobHash, seconds: u64) -> Result<bool>;
    /// Lists the names of blobs last written more than `seconds` ago.
    fn older_than(&self, seconds: u64) -> Result<Vec<BlobHash>>;
    /// Returns whether the store can be reached and written.
    fn check(&self) -> Result<()>;
}

/// Blobs as files under a directory, in 256 folders by their first byte.
#[derive(Debug)]
pub struct LocalBlobs {
    root: PathBuf,
    /// Orders a repeated put (which renews the file's age) and a removal (which looks at it).
    ages: parking_lot::Mutex<()>,
}

impl LocalBlobs {
    /// Opens the directory, making it and its folders when they are not there.
    pub fn open(root: &Path) -> Result<Self> {
        for byte in 0..=255_u8 {
            let folder = root.join(format!("{byte:02x}"));
            fs::create_dir_all(&folder)
                .map_err(|e| Error::fault(format!("making {}", folder.display()), e))?;
        }
        sync_dir(root)?;
        Ok(Self { root: root.to_owned(), ages: parking_lot::Mutex::new(()) })
    }

    /// Makes an existing file young again, so that the sweep leaves it to the row that is about to name it.
    fn renew(&self, path: &Path) -> std::io::Result<bool> {
        let _ordered = self.ages.lock();
        match fs::File::options().append(true).open(path) {
            Ok(file) => {
                file.set_modified(std::time::SystemTime::now())?;
                file.sync_all().map(|()| true)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn path(&self, hash: BlobHash) -> PathBuf {
        let hex = hash.to_hex();
        self.root.join(&hex[..2]).join(hex)
    }
}

fn sync_dir(path: &Path) -> Result<()> {
    fs::File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|e| Error::fault(format!("syncing {}", path.display()), e))
}

impl BlobStore for LocalBlobs {
    fn put(&self, hash: BlobHash, packed: &[u8]) -> Result<()> {
        let path = self.path(hash);
        let fail = |e: std::io::Error| Error::fault(format!("writing blob {hash:?}"), e);
        if self.renew(&path).map_err(fail)? {
            return Ok(());
        }
        static SERIAL: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let temporary = path.with_extension(format!("{}-{serial}.tmp", std::process::id()));
        let write = || {
            let mut file = fs::File::create(&temporary)?;
            file.write_all(packed)?;
            file.sync_data()?;
            fs::rename(&temporary, &path)
        };
        if let Err(error) = write() {
            // The first failure is what is reported; a leftover .tmp is swept later.
            let _ = fs::remove_file(&temporary);
            return Err(fail(error));
        }
        path.parent().map_or(Ok(()), sync_dir)
    }

    fn get(&self, hash: BlobHash) -> Result<Vec<u8>> {
        let mut packed = Vec::new();
        fs::File::open(self.path(hash))
            .and_then(|mut file| file.read_to_end(&mut packed))
            .map_err(|e| Error::fault(format!("reading blob {hash:?}"), e))?;
        Ok(packed)
    }

    fn remove_older(&self, hash: BlobHash, seconds: u64) -> Result<bool> {
        let path = self.path(hash);
        let _ordered = self.ages.lock();
        let age = |path: &Path| -> std::io::Result<u64> {
            Ok(fs::metadata(path)?.modified()?.elapsed().map_or(0, |age| age.as_secs()))
        };
        let removed = match age(&path) {
            Ok(age) if age < seconds => return Ok(false),
            Ok(_) => fs::remove_file(&path),
            Err(e) => Err(e),
        };
        match removed {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::fault(format!("removing blob {hash:?}"), e))
            }
            _ => Ok(true),
        }
    }

    fn older_than(&self, seconds: u64) -> Result<Vec<BlobHash>> {
        let fail = |e: std::io::Error| Error::fault("listing blobs", e);
        let mut found = Vec::new();
        for folder in fs::read_dir(&self.root).map_err(fail)? {
            for entry in fs::read_dir(folder.map_err(fail)?.path()).map_err(fail)? {
                let entry = entry.map_err(fail)?;
                let modified = entry.metadata().and_then(|m| m.modified()).map_err(fail)?;
                let age = modified.elapsed().map_or(0, |age| age.as_secs());
                if age < seconds {
                    continue;
                }
                match entry.file_name().to_str().and_then(|n| blake3::Hash::from_hex(n).ok()) {
                    Some(hash) => found.push(BlobHash(*hash.as_bytes())),
                    None => fs::remove_file(entry.path()).map_err(fail)?,
                }
            }
        }
        Ok(found)
    }

    fn check(&self) -> Result<()> {
        let probe = self.root.join(".check");
        fs::write(&probe, b"ok")
            .and_then(|()| fs::remove_file(&probe))
            .map_err(|e| Error::fault(format!("writing to {}", self.root.display()), e))
    }
}
