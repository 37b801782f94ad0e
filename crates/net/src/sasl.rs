//! SASL messages (RFC 4422): PLAIN (RFC 4616), SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's part. Who it is and
//! whether the secret fits is decided elsewhere.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Names and secrets longer than this are nobody's.
const MAX_LENGTH: usize = 1024;

/// Decodes the base64 of a SASL exchange; `=` alone is the empty message (RFC 4954 §4).
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text == b"=" { Some(Vec::new()) } else { STANDARD.decode(text).ok() }
}

/// Encodes a message for a SASL exchange.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The message of PLAIN.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain {
    /// For whom to act; empty for oneself.
    pub authzid: String,
    /// Who it is.
    pub authcid: String,
    /// The secret.
    pub password: String,
}

impl std::fmt::Debug for Plain {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plain").field("authcid", &self.authcid).finish_non_exhaustive()
    }
}

/// Reads the message of PLAIN (RFC 4616 §2): `[authzid] NUL authcid NUL passwd`.
#[must_use]
pub fn plain(message: &[u8]) -> Option<Plain> {
    let text = std::str::from_utf8(message).ok()?;
    let mut parts = text.split('\0');
    let (authzid, authcid, password) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = [authzid, authcid, password].iter().all(|part| part.len() <= MAX_LENGTH);
    if parts.next().is_some() || authcid.is_empty() || password.is_empty() || !fits {
        return None;
    }
    Some(Plain { authzid: authzid.to_owned(), authcid: authcid.to_owned(), password: password.to_owned() })
}

/// The client's first message of SCRAM (RFC 5802 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramFirst {
    /// Who it says it is.
    pub username: String,
    gs2_header: String,
    bare: String,
    client_nonce: String,
}

/// Reads the client's first message. Channel binding is not offered: a client that demands it is refused.
#[must_use]
pub fn scram_first(message: &[u8]) -> Option<ScramFirst> {
    let text = std::str::from_utf8(message).ok().filter(|t| t.len() <= 2 * MAX_LENGTH)?;
    let (binding, rest) = text.split_once(',')?;
    let (authzid, bare) = rest.split_once(',')?;
    if !matches!(binding, "n" | "y") || !(authzid.is_empty() || authzid.starts_with("a=")) {
        return None;
    }
    let mut attributes = bare.split(',');
    let username = attributes.next()?.strip_prefix("n=")?;
    let client_nonce = attributes.next()?.strip_prefix("r=")?;
    if username.is_empty() || client_nonce.is_empty() {
        return None;
    }
    Some(ScramFirst {
        username: username.replace("=2C", ",").replace("=3D", "="),
        gs2_header: format!("{binding},{authzid},"),
        bare: bare.to_owned(),
        client_nonce: client_nonce.to_owned(),
    })
}

/// The server's first message, and what the rest is checked against.
#[derive(Debug, Clone)]
pub struct ScramChallenge {
    /// The server's first message.
    pub message: String,
    nonce: String,
    first: ScramFirst,
}

impl ScramFirst {
    /// Makes the challenge, with `nonce` for the server's part of the nonce (random, printable, without comma).
    #[must_use]
    pub fn challenge_with(self, salt: &[u8], iterations: u32, nonce: &str) -> ScramChallenge {
        let nonce = format!("{}{nonce}", self.client_nonce);
        let message = format!("r={nonce},s={},i={iterations}", encode(salt));
        ScramChallenge { message, nonce, first: self }
    }

    /// Makes the challenge with a nonce of the system's randomness; `None` when there is none.
    #[must_use]
    pub fn challenge(self, salt: &[u8], iterations: u32) -> Option<ScramChallenge> {
        let nonce = crate::random_token().ok()?;
        Some(self.challenge_with(salt, iterations, &nonce))
    }
}

/// What the client proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramProof {
    /// What was said (RFC 5802 §3: AuthMessage).
    pub auth_message: Vec<u8>,
    /// ClientProof.
    pub proof: Vec<u8>,
}

impl ScramChallenge {
    /// Returns who is to be proved.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.first.username
    }

    /// Reads the client's final message; `None` when it does not belong to this exchange.
    #[must_use]
    pub fn finish(&self, message: &[u8]) -> Option<ScramProof> {
        let text = std::str::from_utf8(message).ok().filter(|t| t.len() <= 4 * MAX_LENGTH)?;
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut attributes = without_proof.split(',');
        let binding = decode(attributes.next()?.strip_prefix("c=")?.as_bytes())?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        if binding != self.first.gs2_header.as_bytes() || nonce != self.nonce {
            return None;
        }
        let auth_message = format!("{},{},{without_proof}", self.first.bare, self.message);
        Some(ScramProof { auth_message: auth_message.into_bytes(), proof: decode(proof.as_bytes())? })
    }
}

/// Writes the server's final message, which proves that it knows the secret too.
#[must_use]
pub fn scram_final(signature: &[u8; 32]) -> String {
    format!("v={}", encode(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_has_three_parts() {
        let read = plain(b"\0mai@bqlctgt\0secret").unwrap();
        assert_eq!((read.authcid.as_str(), read.password.as_str()), ("mai@bqlctgt", "secret"));
        for bad in [&b""[..], b"mai\0secret", b"\0\0secret", b"\0mai\0", b"\0a\0b\0c", b"\0\xff\0x"] {
            assert!(plain(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn the_exchange_of_rfc_7677_is_understood() {
        let first = scram_first(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!(first.username, "user");
        let salt = decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let challenge = first.challenge_with(&salt, 4096, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        assert_eq!(
            challenge.message,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let proof = challenge.finish(last.as_bytes()).unwrap();
        assert_eq!(proof.proof.len(), 32);
        assert!(String::from_utf8(proof.auth_message).unwrap().starts_with("n=user,r=rOpr"));
        assert!(challenge.finish(last.replace("c=biws", "c=eSws").as_bytes()).is_none(), "another header");
        assert!(challenge.finish(last.replace("k0,p", "k1,p").as_bytes()).is_none(), "another nonce");
    }

    #[test]
    fn channel_binding_that_we_do_not_offer_is_refused() {
        assert!(scram_first(b"p=tls-exporter,,n=user,r=abc").is_none());
        assert!(scram_first(b"n,,r=abc").is_none());
    }
}
