//! AUTH (RFC 4954): PLAIN, LOGIN, SCRAM-SHA-256.

use super::session::{COMMAND_DEADLINE, End, Session};
use crate::reply::Reply;
use congvu_directory::{Door, SignedIn};
use congvu_net::sasl;
use congvu_types::{Error, Refusal, RefusalKind};
use std::time::Duration;

/// RFC 4954 §4: a line of an exchange may have 12,288 octets.
const LONGEST_LINE: usize = 12_288;
/// After so many wrong secrets the connection ends.
const MOST_FAILURES: u32 = 3;
/// A wrong secret is answered after this long.
const PAUSE: Duration = Duration::from_millis(500);

/// Why an exchange led nowhere.
enum Failed {
    /// The core says no, or failed.
    Error(Error),
    /// The client broke the exchange off (RFC 4954 §4: `*`), or spoke badly.
    Reply(Reply),
    /// The connection is gone.
    Gone,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

fn malformed() -> Failed {
    Failed::Reply(Reply::new(501, "5.5.2", "The sign-in message cannot be understood."))
}

impl Session {
    pub(super) async fn auth(&mut self, mechanism: &str, initial: Option<Vec<u8>>) -> Result<(), End> {
        if !self.can_sign_in() || self.helo.is_none() || self.mail.is_some() {
            let reply = match self.who {
                Some(_) => Reply::new(503, "5.5.1", "You are signed in already."),
                None => Reply::new(
                    538,
                    "5.7.11",
                    "Sign-in is not available here; use TLS on the submission port.",
                ),
            };
            return self.refuse(&reply);
        }
        let signed_in = match mechanism {
            "PLAIN" => self.plain(initial).await,
            "LOGIN" => self.login(initial).await,
            "SCRAM-SHA-256" if self.server.options.authenticator.offers_scram() => self.scram(initial).await,
            _ => Err(Failed::Reply(Reply::new(504, "5.5.4", "Use a mechanism that is offered."))),
        };
        match signed_in {
            Ok(who) => {
                tracing::info!(person = %who.login(), peer = %self.connection.peer(), "signed in to send");
                self.who = Some(who);
                self.say(&Reply::new(235, "2.7.0", "Signed in."));
                Ok(())
            }
            Err(Failed::Gone) => Err(End::Gone),
            Err(Failed::Reply(reply)) => self.refuse(&reply),
            Err(Failed::Error(error)) => self.sign_in_failed(&error).await,
        }
    }

    async fn sign_in_failed(&mut self, error: &Error) -> Result<(), End> {
        tokio::time::sleep(PAUSE).await;
        self.failed_sign_ins += 1;
        if self.failed_sign_ins >= MOST_FAILURES {
            self.say(&Reply::error(error));
            return Err(End::Said);
        }
        self.refuse(&Reply::error(error))
    }

    /// Sends a challenge and reads the answer, both in base64.
    async fn ask(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failed> {
        self.connection.write(format!("334 {}\r\n", sasl::encode(challenge)).as_bytes());
        self.connection.flush().await.map_err(|_| Failed::Gone)?;
        let line =
            self.connection.read_line(LONGEST_LINE, COMMAND_DEADLINE).await.map_err(|_| Failed::Gone)?;
        if line == b"*" {
            return Err(Failed::Reply(Reply::new(501, "5.7.0", "Broken off.")));
        }
        sasl::decode(&line).ok_or_else(malformed)
    }

    async fn first(&mut self, initial: Option<Vec<u8>>) -> Result<Vec<u8>, Failed> {
        match initial {
            Some(text) => sasl::decode(&text).ok_or_else(malformed),
            None => self.ask(b"").await,
        }
    }

    async fn sign_in(&self, login: &str, secret: &str) -> Result<SignedIn, Failed> {
        let peer = self.connection.peer().ip();
        Ok(self.server.options.authenticator.sign_in(login, secret, Door::Smtp, peer).await?)
    }

    async fn plain(&mut self, initial: Option<Vec<u8>>) -> Result<SignedIn, Failed> {
        let message = self.first(initial).await?;
        let plain = sasl::plain(&message).ok_or_else(malformed)?;
        if !plain.authzid.is_empty() && plain.authzid != plain.authcid {
            // Nobody acts as somebody else; for whom one acts is said in the login itself.
            return Err(Error::from(Refusal::new(RefusalKind::SignInFailed)).into());
        }
        self.sign_in(&plain.authcid, &plain.password).await
    }

    async fn login(&mut self, initial: Option<Vec<u8>>) -> Result<SignedIn, Failed> {
        let login = match initial {
            Some(text) => sasl::decode(&text).ok_or_else(malformed)?,
            None => self.ask(b"Username:").await?,
        };
        let secret = self.ask(b"Password:").await?;
        let text = |bytes| String::from_utf8(bytes).map_err(|_| malformed());
        self.sign_in(&text(login)?, &text(secret)?).await
    }

    /// RFC 5802 §3, RFC 7677.
    async fn scram(&mut self, initial: Option<Vec<u8>>) -> Result<SignedIn, Failed> {
        let first = sasl::scram_first(&self.first(initial).await?).ok_or_else(malformed)?;
        let authenticator = self.server.options.authenticator.clone();
        let keys = authenticator.scram_keys(&first.username, Door::Smtp, self.connection.peer().ip()).await?;
        let challenge = first
            .challenge(&keys.salt, keys.iterations)
            .ok_or_else(|| Error::fault("making a nonce", "no randomness"))?;
        let last = self.ask(challenge.message.as_bytes()).await?;
        let proof = challenge.finish(&last).ok_or_else(malformed)?;
        let peer = self.connection.peer().ip();
        let (who, signature) = authenticator
            .sign_in_scram(challenge.username(), &proof.auth_message, &proof.proof, Door::Smtp, peer)
            .await?;
        self.ask(sasl::scram_final(&signature).as_bytes()).await?;
        Ok(who)
    }
}
