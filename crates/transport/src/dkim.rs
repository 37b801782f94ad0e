//! DKIM (RFC 6376): the keys of our domains, and signing at release.

use congvu_message::{headers, sender_fields};
use congvu_storage::{Snapshot, Tx, params};
use congvu_types::{Domain, Error, RefusalKind, Result};
use mail_auth::{
    common::{
        crypto::{Ed25519Key, RsaKey, Sha256, SigningKey},
        headers::HeaderWriter,
    },
    dkim::{Canonicalization, DkimSigner, generate::DkimKeyPair},
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer};
use std::borrow::Cow;

/// What a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA of 2048 bits, understood by all.
    Rsa2048,
    /// Ed25519 (RFC 8463), understood by many.
    Ed25519,
}

impl Algorithm {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// A new key, not stored yet.
#[derive(Clone)]
pub struct NewKey {
    algorithm: Algorithm,
    private: Vec<u8>,
    public: Vec<u8>,
}

impl std::fmt::Debug for NewKey {
    /// Leaves the private key out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// A key of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The domain.
    pub domain: String,
    /// The selector.
    pub selector: String,
    /// Whether new signatures are made with it.
    pub is_active: bool,
    /// The name of its DNS record.
    pub record_name: String,
    /// The text of its DNS record (RFC 6376 §3.6.1).
    pub record: String,
}

/// Makes a key. CPU only, for RSA up to seconds: never within a transaction.
pub fn generate(algorithm: Algorithm) -> Result<NewKey> {
    let pair = match algorithm {
        Algorithm::Rsa2048 => DkimKeyPair::generate_rsa(2048),
        Algorithm::Ed25519 => DkimKeyPair::generate_ed25519(),
    };
    let pair = pair.map_err(|e| Error::fault("making a DKIM key", e))?;
    Ok(NewKey { algorithm, private: pair.private_key().to_vec(), public: pair.public_key().to_vec() })
}

/// Stores a key; from now on what the domain sends is signed with it. Other keys of the same algorithm rest, so that
/// their records can stay published until what they signed has arrived.
pub fn create_key(tx: &mut Tx, domain: &Domain, selector: &str, key: &NewKey) -> Result<KeyRow> {
    if selector.parse::<Domain>().is_err() {
        return Err(RefusalKind::InvalidName.into());
    }
    let algorithm = key.algorithm.as_str();
    tx.execute(
        "UPDATE dkim_key SET active = 0 WHERE domain = ?1 AND algorithm = ?2",
        &params![domain.as_str(), algorithm],
    )?;
    let now = tx.now();
    let made = tx.execute(
        "INSERT INTO dkim_key (domain, selector, algorithm, private_key, public_key, created_at, active)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1) ON CONFLICT (domain, selector) DO NOTHING",
        &params![domain.as_str(), selector, algorithm, &key.private, &key.public, now],
    )?;
    if made == 0 {
        return Err(RefusalKind::AlreadyExists.into());
    }
    let rows = keys(tx)?;
    let found = rows.into_iter().find(|k| k.domain == domain.as_str() && k.selector == selector);
    found.ok_or_else(|| Error::fault("storing a DKIM key", "it is not there"))
}

/// Returns every key by domain.
pub fn keys(snapshot: &Snapshot) -> Result<Vec<KeyRow>> {
    snapshot.query(
        "SELECT domain, selector, algorithm, public_key, active FROM dkim_key ORDER BY domain, selector LIMIT 10000",
        &[],
        |r| {
            let (domain, selector, algorithm) = (r.text(0)?, r.text(1)?, r.text(2)?);
            Ok(KeyRow {
                record_name: format!("{selector}._domainkey.{domain}"),
                record: record(&algorithm, &r.bytes(3)?),
                is_active: r.i64(4)? != 0,
                domain,
                selector,
            })
        },
    )
}

/// The DNS record. An RSA key stands as SubjectPublicKeyInfo (RFC 6376 §3.6.1, erratum 3017).
fn record(algorithm: &str, public: &[u8]) -> String {
    const RSA_2048_INFO: [u8; 24] = [
        0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
        0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
    ];
    let bytes = match algorithm {
        "rsa" if public.len() == 270 => [&RSA_2048_INFO[..], public].concat(),
        _ => public.to_vec(),
    };
    format!("v=DKIM1; k={algorithm}; p={}", base64(&bytes))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, b| word << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            match place <= chunk.len() {
                true => text.push(char::from(ALPHABET[(word >> (18 - 6 * place) & 63) as usize])),
                false => text.push('='),
            }
        }
    }
    text
}

struct Key {
    domain: String,
    selector: String,
    algorithm: String,
    private: Vec<u8>,
}

/// The fields that are signed; `From` twice, so that none can be added (RFC 6376 §8.15).
const SIGNED: &[&str] = &[
    "From",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
    "List-Id",
    "List-Unsubscribe",
];

/// Returns the message as it goes over the wire: with a signature of each active key of the author's domain, or of the
/// domain above that has one. The bytes that were approved follow it untouched but for lines of spaces at the very end of
/// the body, which the library counts wrongly (RFC 6376 §3.4.4): relaxed verifiers do not see them at all.
pub(crate) fn sign(snapshot: &Snapshot, raw: Vec<u8>) -> Result<Vec<u8>> {
    let author = sender_fields(&raw).ok().and_then(|f| f.from.into_iter().next());
    let keys = match author {
        Some(author) => keys_for(snapshot, author.domain().as_str())?,
        None => Vec::new(),
    };
    if keys.is_empty() {
        return Ok(raw);
    }
    let body = headers::split(&raw).1;
    let body = trim_blank_lines(&raw, body);
    let mut signed = Vec::with_capacity(body.len() + 1024);
    for key in &keys {
        signed.extend_from_slice(signature(key, &body)?.as_bytes());
    }
    signed.extend_from_slice(&body);
    Ok(signed)
}

fn keys_for(snapshot: &Snapshot, domain: &str) -> Result<Vec<Key>> {
    let mut name = domain;
    loop {
        let found = snapshot.query(
            "SELECT domain, selector, algorithm, private_key FROM dkim_key WHERE domain = ?1 AND active = 1 ORDER BY selector",
            &params![name],
            |r| Ok(Key { domain: r.text(0)?, selector: r.text(1)?, algorithm: r.text(2)?, private: r.bytes(3)? }),
        )?;
        match name.split_once('.') {
            Some((_, above)) if found.is_empty() && above.contains('.') => name = above,
            _ => return Ok(found),
        }
    }
}

fn signature(key: &Key, message: &[u8]) -> Result<String> {
    let fault = |e: mail_auth::Error| Error::fault("signing with DKIM", e);
    if key.algorithm == Algorithm::Ed25519.as_str() {
        return sign_with(Ed25519Key::from_pkcs8_der(&key.private).map_err(fault)?, key, message);
    }
    let der = PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(key.private.as_slice()));
    sign_with(RsaKey::<Sha256>::from_key_der(der).map_err(fault)?, key, message)
}

fn sign_with<K: SigningKey>(with: K, key: &Key, message: &[u8]) -> Result<String> {
    let signer = DkimSigner::from_key(with)
        .domain(&key.domain)
        .selector(&key.selector)
        .headers(SIGNED.iter().copied())
        .header_canonicalization(Canonicalization::Relaxed)
        .body_canonicalization(Canonicalization::Relaxed);
    Ok(signer.sign(message).map_err(|e| Error::fault("signing with DKIM", e))?.to_header())
}

/// Returns the message without lines of spaces and tabs alone at the end of its body; empty lines stay.
pub(crate) fn trim_blank_lines(raw: &[u8], body: usize) -> Cow<'_, [u8]> {
    let mut end = raw.len();
    let mut has_spaces = false;
    while let Some(before) = raw.get(body..end).and_then(|b| b.strip_suffix(b"\r\n")) {
        let line = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        if before[line..].iter().any(|b| !matches!(b, b' ' | b'\t')) {
            break;
        }
        has_spaces |= line < before.len();
        end = body + line;
    }
    if has_spaces { Cow::Owned(raw[..end].to_vec()) } else { Cow::Borrowed(raw) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|t| base64(t.as_bytes()));
        assert_eq!(texts, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }

    #[test]
    fn only_lines_of_spaces_at_the_end_are_trimmed() {
        let trim = |body: &[u8]| {
            let raw = [b"A: b\r\n\r\n", body].concat();
            trim_blank_lines(&raw, 8)[8..].to_vec()
        };
        assert_eq!(trim(b"hello\r\n \t\r\n \r\n"), b"hello\r\n");
        assert_eq!(trim(b"hello\r\n\r\n"), b"hello\r\n\r\n");
        assert_eq!(trim(b"hello \r\n"), b"hello \r\n");
        assert_eq!(trim(b" \r\n"), b"");
        assert_eq!(trim(b""), b"");
    }
}
