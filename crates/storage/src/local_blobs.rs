//! Blobs as files, in a directory that several nodes may share.
//!
//! Nothing is removed in one step. What no row names is renamed into `trash` and lies there for the grace period; whoever
//! wants it meanwhile takes it back, and whoever stores it again writes it anew. So no two nodes need a lock between them:
//! a file may be set aside under a commit that names it, and is found all the same.

use crate::blob::{BlobHash, BlobStore};
use congvu_types::{Error, Result};
use std::{
    fs,
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

const TRASH: &str = "trash";

/// Blobs as files under a directory, in 256 folders by their first byte.
#[derive(Debug)]
pub struct LocalBlobs {
    root: PathBuf,
    /// Tells this process's unfinished files from those of other nodes.
    origin: u64,
    serial: AtomicU64,
}

impl LocalBlobs {
    /// Opens the directory, making it and its folders when they are not there.
    pub fn open(root: &Path) -> Result<Self> {
        let folders = (0..=255_u8).map(folder_name).chain([TRASH.to_owned()]);
        for folder in folders {
            let folder = root.join(folder);
            fs::create_dir_all(&folder)
                .map_err(|e| Error::fault(format!("making {}", folder.display()), e))?;
        }
        sync_dir(root)?;
        Ok(Self { root: root.to_owned(), origin: crate::ids::random(), serial: AtomicU64::new(0) })
    }

    fn path(&self, hash: BlobHash) -> PathBuf {
        let hex = hash.to_hex();
        self.root.join(&hex[..2]).join(hex)
    }

    fn trash(&self) -> PathBuf {
        self.root.join(TRASH)
    }

    fn trash_path(&self, hash: BlobHash) -> PathBuf {
        self.trash().join(hash.to_hex())
    }

    /// Lists the blobs of a folder last written more than `seconds` ago; removes unfinished files of that age. What else
    /// lies there is not ours.
    fn list(&self, folder: &Path, seconds: u64) -> std::io::Result<Vec<BlobHash>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let Some(age) = present(age(&path))? else { continue };
            if age < seconds {
                continue;
            }
            let name = entry.file_name();
            match name.to_str().and_then(|n| blake3::Hash::from_hex(n).ok()) {
                Some(hash) => found.push(BlobHash::from_bytes(*hash.as_bytes())),
                None if path.extension().is_some_and(|e| e == "tmp") => {
                    present(fs::remove_file(&path))?;
                }
                None => {}
            }
        }
        Ok(found)
    }
}

fn folder_name(byte: u8) -> String {
    format!("{byte:02x}")
}

/// Seconds since the last writing.
fn age(path: &Path) -> std::io::Result<u64> {
    Ok(fs::metadata(path)?.modified()?.elapsed().map_or(0, |age| age.as_secs()))
}

/// Makes an existing file young again: the sweep leaves it alone for the grace period.
fn renew(path: &Path) -> std::io::Result<()> {
    let file = fs::File::options().append(true).open(path)?;
    file.set_modified(SystemTime::now())?;
    file.sync_all()
}

/// What another node has taken away meanwhile is no error.
fn present<T>(done: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn sync_dir(path: &Path) -> Result<()> {
    fs::File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|e| Error::fault(format!("syncing {}", path.display()), e))
}

fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    fs::File::open(path)?.read_to_end(&mut packed)?;
    Ok(packed)
}

impl BlobStore for LocalBlobs {
    fn put(&self, hash: BlobHash, packed: &[u8]) -> Result<()> {
        let path = self.path(hash);
        let fail = |e: std::io::Error| Error::fault(format!("writing blob {hash:?}"), e);
        if present(renew(&path)).map_err(fail)?.is_some() {
            return Ok(());
        }
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("{:016x}-{serial}.tmp", self.origin));
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
        let fail = |e: std::io::Error| Error::fault(format!("reading blob {hash:?}"), e);
        let path = self.path(hash);
        if let Some(packed) = present(read_file(&path)).map_err(fail)? {
            return Ok(packed);
        }
        // Set aside under a commit that named it; or put back by somebody else this very moment.
        self.restore(hash)?;
        read_file(&path).map_err(fail)
    }

    fn set_aside(&self, hash: BlobHash, seconds: u64) -> Result<bool> {
        let path = self.path(hash);
        let set_aside = || -> std::io::Result<bool> {
            match present(age(&path))? {
                Some(age) if age < seconds => return Ok(false),
                Some(_) => {}
                None => return Ok(true),
            }
            // The grace period begins here, before the rename: cut off between the two, the file is merely young.
            present(renew(&path))?;
            present(fs::rename(&path, self.trash_path(hash)))?;
            Ok(true)
        };
        set_aside().map_err(|e| Error::fault(format!("setting blob {hash:?} aside"), e))
    }

    fn older_than(&self, shelf: u8, seconds: u64) -> Result<Vec<BlobHash>> {
        let folder = self.root.join(folder_name(shelf));
        self.list(&folder, seconds).map_err(|e| Error::fault(format!("listing {}", folder.display()), e))
    }

    fn set_aside_before(&self, seconds: u64) -> Result<Vec<BlobHash>> {
        self.list(&self.trash(), seconds).map_err(|e| Error::fault("listing what was set aside", e))
    }

    fn remove(&self, hash: BlobHash) -> Result<()> {
        present(fs::remove_file(self.trash_path(hash)))
            .map(drop)
            .map_err(|e| Error::fault(format!("removing blob {hash:?}"), e))
    }

    fn restore(&self, hash: BlobHash) -> Result<()> {
        let path = self.path(hash);
        let restored = present(fs::rename(self.trash_path(hash), &path))
            .map_err(|e| Error::fault(format!("putting blob {hash:?} back"), e))?;
        match (restored, path.parent()) {
            (Some(()), Some(folder)) => sync_dir(folder),
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<()> {
        let probe = self.root.join(format!(".check-{:016x}", self.origin));
        fs::write(&probe, b"ok")
            .and_then(|()| present(fs::remove_file(&probe)))
            .map(drop)
            .map_err(|e| Error::fault(format!("writing to {}", self.root.display()), e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_aside_is_found_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (LocalBlobs::open(dir.path()).unwrap(), LocalBlobs::open(dir.path()).unwrap());
        let hash = BlobHash::of(b"x");
        let shelf = hash.as_bytes()[0];
        one.put(hash, b"packed").unwrap();
        assert!(!other.set_aside(hash, 60).unwrap());
        assert_eq!(other.older_than(shelf, 0).unwrap(), [hash]);
        assert!(other.set_aside(hash, 0).unwrap());
        // One node had it staged: it is there.
        assert_eq!(one.get(hash).unwrap(), b"packed");
        assert!(other.set_aside(hash, 0).unwrap());
        assert_eq!(other.set_aside_before(60).unwrap(), []);
        assert_eq!(other.set_aside_before(0).unwrap(), [hash]);
        // Stored again, it does not need what was set aside.
        one.put(hash, b"packed").unwrap();
        other.remove(hash).unwrap();
        assert_eq!(one.get(hash).unwrap(), b"packed");
        assert!(other.set_aside(hash, 0).unwrap());
        other.remove(hash).unwrap();
        other.remove(hash).unwrap();
        assert!(one.get(hash).is_err());
    }

    #[test]
    fn what_is_not_ours_stays() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = LocalBlobs::open(dir.path()).unwrap();
        fs::create_dir(dir.path().join("lost+found")).unwrap();
        fs::create_dir(dir.path().join("00").join("folder")).unwrap();
        fs::write(dir.path().join("00").join("note"), b"x").unwrap();
        fs::write(dir.path().join("00").join("cut.off.tmp"), b"x").unwrap();
        for shelf in 0..=255 {
            assert_eq!(blobs.older_than(shelf, 0).unwrap(), []);
        }
        assert!(dir.path().join("00").join("note").exists());
        assert!(!dir.path().join("00").join("cut.off.tmp").exists());
        blobs.check().unwrap();
    }
}
