//! A session: commands in, replies out (RFC 5321 §3, §4).

use super::{Service, SmtpServer};
use crate::{
    codec::{self, Command, SyntaxError},
    params::{MailParams, RcptParams},
    reply::Reply,
};
use congvu_directory::{Recipient, SignedIn};
use congvu_net::{Connection, ReadError};
use congvu_transport::{Envelope, EnvelopeRecipient};
use congvu_types::{EmailAddress, Refusal, RefusalKind};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// RFC 5321 §4.5.3.2.7: the server waits five minutes for a command.
pub(super) const COMMAND_DEADLINE: Duration = Duration::from_secs(300);
/// RFC 5321 §4.5.3.1.4 with room for the parameters of extensions.
const LONGEST_LINE: usize = 4096;
/// After so many errors the peer does not speak SMTP, or tries names.
const MOST_ERRORS: u32 = 20;
/// So many commands that lead to no message: whoever keeps a connection open says NOOP now and then, nobody so often.
const MOST_FRUITLESS: u32 = 1000;
/// Replies to pipelined commands wait for each other up to so many bytes.
const MOST_REPLIES: usize = 16 * 1024;
/// RFC 5321 §4.5.3.1.8 asks for 100 at least.
pub(super) const MOST_RECIPIENTS: usize = 1000;

/// What ends a session.
pub(super) enum End {
    /// Politely, after a last reply.
    Said,
    /// The peer is gone, or not worth a word.
    Gone,
}

impl From<std::io::Error> for End {
    fn from(_: std::io::Error) -> Self {
        Self::Gone
    }
}

/// A message being sent.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub(super) from: Option<EmailAddress>,
    pub(super) params: MailParams,
    pub(super) recipients: Vec<EnvelopeRecipient>,
}

impl Mail {
    pub(super) fn envelope(self) -> Envelope {
        let MailParams { ret, envid, .. } = self.params;
        Envelope { mail_from: self.from, ret, envid, recipients: self.recipients }
    }
}

pub(super) struct Session {
    pub(super) server: SmtpServer,
    pub(super) connection: Connection,
    /// What the peer called itself; `None` before EHLO.
    pub(super) helo: Option<String>,
    pub(super) is_extended: bool,
    pub(super) who: Option<SignedIn>,
    pub(super) mail: Option<Mail>,
    pub(super) chunks: Option<super::data::Chunks>,
    pub(super) failed_sign_ins: u32,
    errors: u32,
    fruitless: u32,
}

impl Session {
    pub(super) const fn new(server: SmtpServer, connection: Connection) -> Self {
        Self {
            server,
            connection,
            helo: None,
            is_extended: false,
            who: None,
            mail: None,
            chunks: None,
            failed_sign_ins: 0,
            errors: 0,
            fruitless: 0,
        }
    }

    pub(super) fn service(&self) -> Service {
        self.server.options.service
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let protocol = if self.service() == Service::Lmtp { "LMTP" } else { "ESMTP" };
        let greeting = format!("{} {protocol} Congvu", self.server.options.site.host());
        self.say(&Reply::new(220, "", greeting));
        loop {
            match self.step(&stop).await {
                Ok(()) => {}
                Err(End::Said) => break self.connection.close().await,
                Err(End::Gone) => break,
            }
        }
    }

    /// One command. Replies to pipelined commands leave together (RFC 2920), before the next command is waited for.
    async fn step(&mut self, stop: &CancellationToken) -> Result<(), End> {
        self.connection.relieve(MOST_REPLIES).await?;
        let patience = self.chunks.as_ref().map_or(COMMAND_DEADLINE, |chunks| chunks.patience());
        let line = tokio::select! {
            line = self.connection.read_line(LONGEST_LINE, patience) => line,
            () = stop.cancelled() => {
                self.say(&Reply::new(421, "4.3.2", "The server is stopping. Try again in a moment."));
                return Err(End::Said);
            }
        };
        let command = match line {
            Ok(line) => codec::command(&line),
            Err(error) => return self.unreadable(&error).await,
        };
        match command {
            Ok(command) => self.obey(command).await,
            Err(error) => {
                self.say(&Reply::syntax(&error));
                if error == SyntaxError::Unknown { self.count_error(3) } else { self.count_error(1) }
            }
        }
    }

    async fn unreadable(&mut self, error: &ReadError) -> Result<(), End> {
        match error {
            ReadError::Closed | ReadError::Io(_) => Err(End::Gone),
            ReadError::TimedOut => {
                self.say(&Reply::new(421, "4.4.2", "Nothing came for too long. Goodbye."));
                Err(End::Said)
            }
            ReadError::BareLineEnd => {
                // What follows could be anybody's idea of a line: nothing of it is read.
                self.say(&Reply::new(500, "5.5.2", "Lines must end with CRLF. Goodbye."));
                Err(End::Said)
            }
            ReadError::TooLong => {
                self.say(&Reply::new(500, "5.5.2", "The line is too long."));
                self.count_error(3)?;
                self.connection.skip_line(COMMAND_DEADLINE).await.map_err(|_| End::Gone)
            }
        }
    }

    pub(super) fn say(&mut self, reply: &Reply) {
        self.connection.write(reply.line().as_bytes());
    }

    /// Says what was wrong; enough of it ends the session.
    pub(super) fn refuse(&mut self, reply: &Reply) -> Result<(), End> {
        self.say(reply);
        if reply.closes() {
            return Err(End::Said);
        }
        self.count_error(1)
    }

    /// Refuses one recipient. Only a stranger who names those whom nobody knows tries names; a person with an old list, and
    /// a relay of ours, do not.
    fn refuse_recipient(&mut self, reply: &Reply) -> Result<(), End> {
        self.say(reply);
        let is_known = self.server.options.inspector.trusts(self.connection.peer().ip());
        let is_stranger = self.service() == Service::Receive && !is_known;
        if is_stranger && reply.code >= 500 { self.count_error(1) } else { self.count_fruitless() }
    }

    fn count_error(&mut self, weight: u32) -> Result<(), End> {
        self.errors += weight;
        if self.errors < MOST_ERRORS {
            return Ok(());
        }
        self.say(&Reply::new(421, "4.7.0", "Too many errors. Goodbye."));
        Err(End::Said)
    }

    /// Counts what leads to no message; a message that was taken begins anew.
    fn count_fruitless(&mut self) -> Result<(), End> {
        self.fruitless += 1;
        if self.fruitless < MOST_FRUITLESS {
            return Ok(());
        }
        self.say(&Reply::new(421, "4.7.0", "Too many commands without a message. Goodbye."));
        Err(End::Said)
    }

    /// A message was taken: what went wrong before is forgotten.
    pub(super) const fn has_taken(&mut self) {
        self.errors = 0;
        self.fruitless = 0;
    }

    async fn obey(&mut self, command: Command) -> Result<(), End> {
        if !matches!(command, Command::Mail(..) | Command::Rcpt(..) | Command::Data | Command::Bdat { .. }) {
            self.count_fruitless()?;
        }
        if self.chunks.is_some() && matches!(command, Command::Mail(..) | Command::Rcpt(..) | Command::Data) {
            return self.refuse(&Reply::new(503, "5.5.1", "A message is under way with BDAT."));
        }
        match command {
            Command::Ehlo(name) => self.hello(name, true),
            Command::Helo(name) => self.hello(name, false),
            Command::Lhlo(name) => self.lhlo(name),
            Command::Mail(from, params) => self.mail_from(from, params).await,
            Command::Rcpt(address, params) => self.rcpt_to(address, params).await,
            Command::RcptPostmaster(params) => self.rcpt_postmaster(params).await,
            Command::Data => self.data().await,
            Command::Bdat { bytes, last } => self.bdat(bytes, last).await,
            Command::Rset => {
                self.reset();
                self.say(&Reply::new(250, "2.0.0", "Forgotten."));
                Ok(())
            }
            Command::Noop => {
                self.say(&Reply::new(250, "2.0.0", "OK"));
                Ok(())
            }
            Command::Quit => {
                self.say(&Reply::new(221, "2.0.0", "Goodbye."));
                Err(End::Said)
            }
            // RFC 5321 §7.3: who is here is not told.
            Command::Vrfy => self.refuse(&Reply::new(252, "2.5.0", "Send the message and see.")),
            Command::Help => {
                self.say(&Reply::new(214, "2.0.0", "RFC 5321. See the agency's own pages on mail clients."));
                Ok(())
            }
            Command::StartTls => self.start_tls().await,
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial).await,
        }
    }

    pub(super) fn reset(&mut self) {
        self.mail = None;
        self.chunks = None;
    }

    fn hello(&mut self, name: String, extended: bool) -> Result<(), End> {
        if self.service() == Service::Lmtp {
            return self.refuse(&Reply::new(500, "5.5.1", "This is LMTP: say LHLO."));
        }
        self.called(name, extended)
    }

    fn lhlo(&mut self, name: String) -> Result<(), End> {
        if self.service() != Service::Lmtp {
            return self.refuse(&Reply::new(500, "5.5.1", "This is SMTP: say EHLO."));
        }
        self.called(name, true)
    }

    /// A person's computer may be called anything (RFC 6409 asks for no name); a server has a name of its own.
    fn called(&mut self, name: String, extended: bool) -> Result<(), End> {
        if codec::is_host_name(&name) {
            self.greet(name, extended);
        } else if self.service() == Service::Submission {
            self.greet("unknown".to_owned(), extended);
        } else {
            return self.refuse(&Reply::syntax(&SyntaxError::Arguments(codec::HOST_NAME)));
        }
        Ok(())
    }

    fn greet(&mut self, name: String, extended: bool) {
        self.reset();
        self.helo = Some(name);
        self.is_extended = extended;
        let host = self.server.options.site.host().to_owned();
        if !extended {
            return self.say(&Reply::new(250, "", host));
        }
        let mut lines = vec![
            host,
            "PIPELINING".to_owned(),
            format!("SIZE {}", self.server.options.max_message_bytes),
            "8BITMIME".to_owned(),
            "SMTPUTF8".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
            "CHUNKING".to_owned(),
            "DSN".to_owned(),
            format!("LIMITS RCPTMAX={MOST_RECIPIENTS}"),
        ];
        if self.can_start_tls() {
            lines.push("STARTTLS".to_owned());
        }
        if self.can_sign_in() {
            let scram = if self.server.options.authenticator.offers_scram() { " SCRAM-SHA-256" } else { "" };
            lines.push(format!("AUTH PLAIN LOGIN{scram}"));
        }
        let last = lines.len() - 1;
        for (at, line) in lines.iter().enumerate() {
            let sign = if at == last { ' ' } else { '-' };
            self.connection.write(format!("250{sign}{line}\r\n").as_bytes());
        }
    }

    fn can_start_tls(&self) -> bool {
        self.server.options.tls.is_some() && !self.connection.is_tls()
    }

    /// RFC 4954 §4: sign-in is offered where the secret is safe.
    pub(super) fn can_sign_in(&self) -> bool {
        self.service() == Service::Submission
            && self.who.is_none()
            && (self.connection.is_tls() || self.server.options.allow_plain_sign_in)
    }

    /// RFC 3207: what was said before is forgotten.
    async fn start_tls(&mut self) -> Result<(), End> {
        let Some(config) = self.server.options.tls.clone().filter(|_| self.can_start_tls()) else {
            return self.refuse(&Reply::new(503, "5.5.1", "TLS is not available here, or already on."));
        };
        // Anything behind STARTTLS in the same packet was not said under TLS (RFC 3207 §4.2).
        if self.connection.has_input() {
            self.say(&Reply::new(503, "5.5.1", "Nothing may follow STARTTLS. Goodbye."));
            return Err(End::Said);
        }
        self.say(&Reply::new(220, "2.0.0", "Go ahead."));
        self.connection.flush().await?;
        if let Err(error) = self.connection.start_tls(&config).await {
            tracing::debug!(peer = %self.connection.peer(), %error, "STARTTLS");
            return Err(End::Gone);
        }
        self.helo = None;
        self.reset();
        Ok(())
    }

    async fn mail_from(&mut self, from: Option<EmailAddress>, params: MailParams) -> Result<(), End> {
        if self.helo.is_none() {
            return self.refuse(&Reply::new(503, "5.5.1", "Say EHLO first."));
        }
        if self.mail.is_some() {
            return self.refuse(&Reply::new(503, "5.5.1", "A message is under way; RSET forgets it."));
        }
        if self.service() == Service::Submission && self.who.is_none() {
            return self.refuse(&Reply::new(530, "5.7.0", "Sign in first."));
        }
        let limit = self.server.options.max_message_bytes as u64;
        if params.size.is_some_and(|size| size > limit) {
            return self.refuse(&Reply::refusal(&Refusal::new(RefusalKind::TooLarge)));
        }
        if let Some(address) = &from {
            if address.needs_smtputf8() && !params.smtputf8 {
                // RFC 6531 §3.5
                return self.refuse(&Reply::new(553, "5.6.7", "Such an address needs SMTPUTF8."));
            }
            if let Err(error) = self.check_sender(address).await {
                return self.refuse(&Reply::error(&error));
            }
        }
        self.mail = Some(Mail { from, params, recipients: Vec::new() });
        self.say(&Reply::new(250, "2.1.0", "OK"));
        Ok(())
    }

    async fn rcpt_postmaster(&mut self, params: RcptParams) -> Result<(), End> {
        let host = self.server.options.site.host();
        match format!("postmaster@{host}").parse() {
            Ok(address) => self.rcpt_to(address, params).await,
            Err(_) => self.refuse(&Reply::new(550, "5.1.1", "There is no postmaster here.")),
        }
    }

    async fn rcpt_to(&mut self, address: EmailAddress, params: RcptParams) -> Result<(), End> {
        let service = self.service();
        let Some(mail) = &self.mail else {
            return self.refuse(&Reply::new(503, "5.5.1", "Say MAIL first."));
        };
        if mail.recipients.len() >= MOST_RECIPIENTS {
            // RFC 5321 §4.5.3.1.10
            return self.refuse_recipient(&Reply::refusal(&Refusal::new(RefusalKind::TooMany)));
        }
        if address.needs_smtputf8() && !mail.params.smtputf8 {
            return self.refuse(&Reply::new(553, "5.6.7", "Such an address needs SMTPUTF8."));
        }
        let (asked, site) = (address.clone(), self.server.options.site.clone());
        let size = mail.params.size.unwrap_or(0);
        let found =
            self.server.options.db.read_quick(move |s| super::receive::look_up(s, &site, &asked, size)).await;
        let refused = match found {
            Ok((_, Some(refusal))) => Some(refusal),
            Ok((Recipient::Account(_), None)) => None,
            Ok((Recipient::Unknown, None)) => Some(Refusal::new(RefusalKind::UnknownRecipient)),
            // INVARIANT: only who signed in sends elsewhere.
            Ok((Recipient::Elsewhere, None)) if service == Service::Submission => None,
            Ok((Recipient::Elsewhere, None)) => Some(Refusal::new(RefusalKind::RelayDenied)),
            Err(error) => return self.refuse_recipient(&Reply::error(&error)),
        };
        if let Some(refusal) = refused {
            return self.refuse_recipient(&Reply::refusal(&refusal.with("address", &address)));
        }
        let recipient = EnvelopeRecipient { address, notify: params.notify, orcpt: params.orcpt };
        if let Some(mail) = &mut self.mail {
            mail.recipients.push(recipient);
        }
        self.say(&Reply::new(250, "2.1.5", "OK"));
        Ok(())
    }
}
