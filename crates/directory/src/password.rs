//! Passwords: Argon2id at rest, SCRAM-SHA-256 keys beside it where mail clients may use the password, and what a good one is (S4.2d, Điều 4).

use crate::scram::{self, ScramKeys};
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use congvu_types::{Error, Fault, Result};

/// The program's own minimum, when the regulation names none.
pub(crate) const MIN_LENGTH: usize = 12;
/// Nothing longer is hashed: a bound on work.
pub(crate) const MAX_LENGTH: usize = 256;

/// What is stored for a password.
#[derive(Debug, Clone)]
pub(crate) struct Hashed {
    pub(crate) phc: String,
    /// For SCRAM, where mail clients may use the password.
    pub(crate) scram: Option<ScramKeys>,
}

impl Hashed {
    /// Adds the SCRAM keys. Slow too.
    pub(crate) fn with_scram(self, password: &str) -> Result<Self> {
        Ok(Self { scram: Some(scram_keys(password)?), ..self })
    }
}

/// Derives SCRAM keys with a salt of their own.
pub(crate) fn scram_keys(password: &str) -> Result<ScramKeys> {
    Ok(scram::derive(password, &random::<16>()?, scram::ITERATIONS))
}

fn hasher() -> Result<Argon2<'static>> {
    // 19 MiB, two passes, one lane: the OWASP minimum for Argon2id.
    let params =
        Params::new(19_456, 2, 1, None).map_err(|e| Fault::because("Argon2 parameters", e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password. Slow by intent: never inside a transaction.
pub(crate) fn hash(password: &str) -> Result<Hashed> {
    Ok(Hashed { phc: phc(password.as_bytes())?, scram: None })
}

/// Returns the hash of 32 random bytes that are forgotten at once: comparing with it costs what any hash costs.
pub(crate) fn unknown() -> Result<String> {
    phc(&random::<32>()?)
}

fn phc(secret: &[u8]) -> Result<String> {
    let salt = random::<16>()?;
    let phc = hasher()?.hash_password_with_salt(secret, &salt);
    Ok(phc.map_err(|e| Fault::because("hashing a password", e.to_string()))?.to_string())
}

/// Compares a password with a stored hash, in constant time for a given hash.
pub(crate) fn verify(password: &str, phc: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(phc) else { return false };
    hasher().is_ok_and(|hasher| hasher.verify_password(password.as_bytes(), &parsed).is_ok())
}

/// Returns random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::fault("asking for random bytes", e.to_string()))?;
    Ok(bytes)
}

/// Passwords that everybody tries first, lower case; compared after taking digits and signs off the end.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "matkhau",
    "mat-khau",
    "khanhhoa",
    "congvu",
    "vietnam",
    "hanoi",
    "nhatrang",
    "saigon",
    "qwerty",
    "qwertyuiop",
    "asdfghjkl",
    "abcdef",
    "abcd",
    "abc",
    "admin",
    "administrator",
    "welcome",
    "letmein",
    "iloveyou",
    "anhyeuem",
    "emyeuanh",
    "123456789",
    "1234567890",
    "123456789012",
    "111111111111",
    "000000000000",
    "xinchao",
    "thudientu",
    "hopthu",
    "giaothong",
    "banquanly",
    "default",
    "changeme",
    "p@ssw0rd",
    "p@ssword",
];

/// Returns whether a password is good enough: long, not common, without the user's own name.
pub(crate) fn is_strong(password: &str, username: &str, min_length: usize) -> bool {
    let lower = password.to_lowercase();
    let length = password.chars().count();
    let stem = lower.trim_end_matches(|c: char| !c.is_alphabetic());
    let distinct = lower.chars().collect::<std::collections::HashSet<_>>().len();
    length >= min_length.max(8)
        && password.len() <= MAX_LENGTH
        && distinct >= 5
        && !COMMON.contains(&lower.as_str())
        && !COMMON.contains(&stem)
        && (username.len() < 3 || !lower.contains(&username.to_lowercase()))
}

/// Makes an initial password that can be read out over the telephone.
pub(crate) fn generate() -> Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789x";
    let bytes = random::<16>()?;
    let text: String = bytes.iter().map(|b| char::from(LETTERS[usize::from(b & 31)])).collect();
    Ok([&text[..4], &text[4..8], &text[8..12], &text[12..]].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_known() {
        for weak in
            ["short", "123456789012", "Password2026!", "matkhau-2026", "aaaaaaaaaaaaaa", "ltmai-ltmai-ltmai"]
        {
            assert!(!is_strong(weak, "ltmai", 12), "{weak}");
        }
        assert!(is_strong("Cau-Xom-Bong-2026", "ltmai", 12));
        assert!(is_strong(&generate().unwrap(), "ltmai", 12));
    }

    #[test]
    fn a_hash_fits_its_password_only() {
        let hashed = hash("Cau-Xom-Bong-2026").unwrap();
        assert!(verify("Cau-Xom-Bong-2026", &hashed.phc));
        assert!(!verify("Cau-Xom-Bong-2027", &hashed.phc));
        assert!(!verify("x", "no hash"));
    }
}
