//! LOGIN and AUTHENTICATE (RFC 9051 §6.2).

use super::{
    input::STRANGER_PATIENCE,
    reply::{Answer, Failed},
    session::Session,
};
use congvu_directory::{Door, SignedIn};
use congvu_net::sasl;
use congvu_types::{Error, RefusalKind};
use std::{sync::Arc, time::Duration};

const LONGEST_LINE: usize = 12 * 1024;
/// A wrong secret is answered after this long.
const PAUSE: Duration = Duration::from_millis(500);

impl Session {
    pub(super) async fn login(&mut self, user: &str, password: &str) -> Answer {
        self.must_be_safe()?;
        let peer = self.connection.peer().ip();
        let signed_in = self.server.options.authenticator.sign_in(user, password, Door::Imap, peer).await;
        self.admit(signed_in).await
    }

    fn must_be_safe(&self) -> Result<(), Failed> {
        if self.who.is_some() {
            return Err(Failed::bad("You are signed in already."));
        }
        if !self.can_sign_in() {
            return Err(Failed::no("[PRIVACYREQUIRED] Use TLS first."));
        }
        Ok(())
    }

    async fn admit(&mut self, signed_in: Result<SignedIn, Error>) -> Answer {
        match signed_in {
            Ok(who) => {
                tracing::debug!(person = %who.login(), peer = %self.connection.peer(), "signed in to IMAP");
                let person = who.person();
                let (purse, answers) = (self.server.memory.of(person), self.server.answers.of(person));
                let who = Arc::new(who);
                // Only who finds everything ready is signed in.
                self.prepare_accounts(&who).await?;
                (self.who, self.purse, self.answers) = (Some(who), Some(purse), Some(answers));
                Ok(format!("[CAPABILITY {}] Signed in.", self.capabilities()))
            }
            Err(error) => {
                self.failed_sign_ins += 1;
                tokio::time::sleep(PAUSE).await;
                Err(error.into())
            }
        }
    }

    pub(super) async fn authenticate(&mut self, mechanism: &str, initial: Option<Vec<u8>>) -> Answer {
        self.must_be_safe()?;
        let signed_in = match mechanism {
            "PLAIN" => self.plain(initial).await?,
            "LOGIN" => self.sasl_login(initial).await?,
            "SCRAM-SHA-256" if self.server.options.authenticator.offers_scram() => {
                self.scram(initial).await?
            }
            _ => return Err(Failed::no("Use a mechanism that is offered.")),
        };
        self.admit(signed_in).await
    }

    async fn ask(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failed> {
        self.connection.write(format!("+ {}\r\n", sasl::encode(challenge)).as_bytes());
        self.connection.flush().await?;
        let line = self.connection.read_line(LONGEST_LINE, STRANGER_PATIENCE).await?;
        if line == b"*" {
            return Err(Failed::bad("Broken off."));
        }
        sasl::decode(&line).ok_or_else(malformed)
    }

    async fn first(&mut self, initial: Option<Vec<u8>>) -> Result<Vec<u8>, Failed> {
        match initial {
            Some(text) => sasl::decode(&text).ok_or_else(malformed),
            None => self.ask(b"").await,
        }
    }

    async fn sign_in(&self, login: &str, secret: &str) -> Result<SignedIn, Error> {
        let peer = self.connection.peer().ip();
        self.server.options.authenticator.sign_in(login, secret, Door::Imap, peer).await
    }

    async fn plain(&mut self, initial: Option<Vec<u8>>) -> Result<Result<SignedIn, Error>, Failed> {
        let message = self.first(initial).await?;
        let plain = sasl::plain(&message).ok_or_else(malformed)?;
        if !plain.authzid.is_empty() && plain.authzid != plain.authcid {
            return Ok(Err(RefusalKind::SignInFailed.into()));
        }
        Ok(self.sign_in(&plain.authcid, &plain.password).await)
    }

    async fn sasl_login(&mut self, initial: Option<Vec<u8>>) -> Result<Result<SignedIn, Error>, Failed> {
        let login = match initial {
            Some(text) => sasl::decode(&text).ok_or_else(malformed)?,
            None => self.ask(b"Username:").await?,
        };
        let secret = self.ask(b"Password:").await?;
        let text = |bytes| String::from_utf8(bytes).map_err(|_| malformed());
        Ok(self.sign_in(&text(login)?, &text(secret)?).await)
    }

    /// RFC 5802 §3, RFC 7677.
    async fn scram(&mut self, initial: Option<Vec<u8>>) -> Result<Result<SignedIn, Error>, Failed> {
        let first = sasl::scram_first(&self.first(initial).await?).ok_or_else(malformed)?;
        let authenticator = self.server.options.authenticator.clone();
        let keys = authenticator.scram_keys(&first.username, Door::Imap, self.connection.peer().ip()).await?;
        let challenge = first
            .challenge(&keys.salt, keys.iterations)
            .ok_or_else(|| Failed::no("[UNAVAILABLE] Try again."))?;
        let last = self.ask(challenge.message.as_bytes()).await?;
        let proof = challenge.finish(&last).ok_or_else(malformed)?;
        let peer = self.connection.peer().ip();
        let checked = authenticator
            .sign_in_scram(challenge.username(), &proof.auth_message, &proof.proof, Door::Imap, peer)
            .await;
        match checked {
            Ok((who, signature)) => {
                self.ask(sasl::scram_final(&signature).as_bytes()).await?;
                Ok(Ok(who))
            }
            Err(error) => Ok(Err(error)),
        }
    }
}

fn malformed() -> Failed {
    Failed::bad("The sign-in message cannot be understood.")
}
