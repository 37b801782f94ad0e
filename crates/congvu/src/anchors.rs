//! The file of anchors of the audit log: a line each, `INSTANT POSITION HASH`. A copy of it elsewhere is what makes a
//! rewritten log show.

use congvu_storage::Anchor;
use congvu_types::Timestamp;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Where the anchors are kept: beside the blobs, outside the database.
pub(crate) fn file(blobs: &Path) -> PathBuf {
    blobs.with_file_name("audit.anchors")
}

/// A hash in hexadecimal digits.
pub(crate) fn digits(hash: &[u8]) -> String {
    hash.iter().map(|b| format!("{b:02x}")).collect()
}

/// Adds an anchor.
pub(crate) fn append(file: &Path, at: Timestamp, anchor: &Anchor) -> io::Result<()> {
    let mut file = fs::File::options().create(true).append(true).open(file)?;
    file.write_all(format!("{} {} {}\n", at.rfc3339(), anchor.seq, digits(&anchor.hash)).as_bytes())?;
    file.sync_data()
}

/// Reads the hashes of a file. A last line that was cut off is passed over.
pub(crate) fn read(file: &Path) -> io::Result<Vec<String>> {
    let text = fs::read_to_string(file)?;
    let hash = |line: &str| line.split(' ').nth(2).filter(|h| h.len() == 64).map(str::to_owned);
    Ok(text.lines().filter_map(hash).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_read_as_they_were_written() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(&directory.path().join("blobs"));
        for seq in 1..=2_u8 {
            append(&file, Timestamp(0), &Anchor { seq: seq.into(), hash: vec![seq; 32] }).unwrap();
        }
        fs::File::options()
            .append(true)
            .open(&file)
            .unwrap()
            .write_all(b"2026-11-24T00:00:00Z 3 0f0f")
            .unwrap();
        assert_eq!(read(&file).unwrap(), [digits(&[1; 32]), digits(&[2; 32])]);
    }
}
