//! SCRAM-SHA-256 keys (RFC 5802 §3, RFC 7677): derived when a password is set, never the password itself.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// RFC 7677 §4 asks for 4096 at least, of 2015; whoever steals the keys shall not guess much faster than at Argon2id.
pub(crate) const ITERATIONS: u32 = 100_000;

/// What a server needs to check a SCRAM proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// The salt.
    pub salt: Vec<u8>,
    /// The iteration count.
    pub iterations: u32,
    pub(crate) stored_key: [u8; 32],
    pub(crate) server_key: [u8; 32],
}

pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Derives the keys of a password.
pub(crate) fn derive(password: &str, salt: &[u8], iterations: u32) -> ScramKeys {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, iterations, &mut salted);
    let client_key = hmac(&salted, b"Client Key");
    ScramKeys {
        salt: salt.to_vec(),
        iterations,
        stored_key: Sha256::digest(client_key).into(),
        server_key: hmac(&salted, b"Server Key"),
    }
}

impl ScramKeys {
    /// Returns keys that nothing fits, with a salt that looks like anybody's and is always the same for a login.
    pub(crate) fn of_nobody(salt_key: &[u8], login: String) -> Self {
        let salt = hmac(salt_key, login.as_bytes());
        let nothing = hmac(&salt, b"nobody");
        Self { salt: salt[..16].to_vec(), iterations: ITERATIONS, stored_key: nothing, server_key: nothing }
    }

    /// Checks a client's proof over `auth_message`; returns the server's signature when it fits (RFC 5802 §3).
    pub(crate) fn check(&self, auth_message: &[u8], proof: &[u8]) -> Option<[u8; 32]> {
        let signature = hmac(&self.stored_key, auth_message);
        let proof: &[u8; 32] = proof.try_into().ok()?;
        let client_key: Vec<u8> = proof.iter().zip(signature).map(|(p, s)| p ^ s).collect();
        let fits: bool = Sha256::digest(client_key).as_slice().ct_eq(&self.stored_key).into();
        fits.then(|| hmac(&self.server_key, auth_message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7677_holds() {
        // RFC 7677 §3, user "user", password "pencil"; base64 decoded by hand.
        let salt =
            [0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81];
        let keys = derive("pencil", &salt, 4096);
        let message = b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let salted = {
            let mut out = [0; 32];
            pbkdf2::pbkdf2_hmac::<Sha256>(b"pencil", &salt, 4096, &mut out);
            out
        };
        let client_key = hmac(&salted, b"Client Key");
        let signature = hmac(&keys.stored_key, message);
        let own: Vec<u8> = client_key.iter().zip(signature).map(|(k, s)| k ^ s).collect();
        assert!(keys.check(message, &own).is_some());
        assert!(keys.check(message, &[0; 32]).is_none());
        // v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=
        let server = keys.check(message, &own).unwrap();
        assert_eq!(server[..4], [0xea, 0xba, 0xe2, 0x4d]);
    }
}
