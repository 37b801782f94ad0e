//! A session: its state, and one command after the other.

use super::{
    ImapServer,
    codec::command::{self, Command},
    input::Came,
    memory::Purse,
    reply::{Answer, Failed},
    selected::Selected,
};
use congvu_casework::review::Parts;
use congvu_directory::SignedIn;
use congvu_net::Connection;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// After so many lines that are no command the peer does not speak IMAP.
const MOST_ERRORS: u32 = 20;
/// Output is sent when so much of it waits.
const FLUSH_AT: usize = 64 * 1024;

/// Which extensions the client switched on (RFC 9051 §6.3.1).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Enabled {
    pub(super) condstore: bool,
    pub(super) rev2: bool,
    pub(super) utf8: bool,
}

pub(super) struct Session {
    pub(super) server: ImapServer,
    pub(super) connection: Connection,
    pub(super) stop: CancellationToken,
    pub(super) who: Option<Arc<SignedIn>>,
    /// What the person's commands may hold in memory; `None` for strangers.
    pub(super) purse: Option<Purse>,
    /// What the answers to them may.
    pub(super) answers: Option<Purse>,
    pub(super) enabled: Enabled,
    pub(super) selected: Option<Box<Selected>>,
    /// Messages of shared accounts whose reading is recorded already in this session.
    pub(super) recorded: HashSet<i64>,
    /// Which parts of messages that wait for a decision are recorded as opened already.
    pub(super) opened: HashMap<i64, Parts>,
    pub(super) failed_sign_ins: u32,
    /// The tag of the command under way, which ESEARCH repeats.
    pub(super) tag: String,
    errors: u32,
}

impl Session {
    pub(super) fn new(server: ImapServer, connection: Connection, stop: CancellationToken) -> Self {
        Self {
            server,
            connection,
            stop,
            who: None,
            purse: None,
            answers: None,
            enabled: Enabled::default(),
            selected: None,
            recorded: HashSet::new(),
            opened: HashMap::new(),
            failed_sign_ins: 0,
            tag: String::new(),
            errors: 0,
        }
    }

    /// Serves to the end. Each step is a future of its own, so that an idle session is small.
    pub(super) async fn run(mut self: Box<Self>) {
        let greeting = format!("* OK [CAPABILITY {}] Congvu is ready.\r\n", self.capabilities());
        self.connection.write(greeting.as_bytes());
        loop {
            // What is less leaves with the next wait for the client, also in the middle of its next line.
            if self.connection.relieve(FLUSH_AT).await.is_err() {
                return;
            }
            let stop = self.stop.clone();
            let came = tokio::select! {
                came = Box::pin(self.next()) => came,
                () = stop.cancelled() => {
                    self.connection.write(b"* BYE The server is stopping. Connect again in a moment.\r\n");
                    return self.connection.close().await;
                }
            };
            let on = match came {
                Ok(Came::Command(input)) => Box::pin(self.obey(&input.bytes)).await,
                Ok(Came::Refused) => Ok(()),
                Err(Failed::Gone) => return,
                Err(_) => Ok(()),
            };
            if on.is_err() {
                return self.connection.close().await;
            }
        }
    }

    /// Waits without a buffer, then reads a command.
    async fn next(&mut self) -> Result<Came, Failed> {
        self.read_command().await
    }

    /// RFC 9051 §6.1.1. What can be done depends on TLS and sign-in.
    pub(super) fn capabilities(&self) -> String {
        let mut list = String::from("IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ENABLE ID");
        if self.who.is_none() {
            if self.can_start_tls() {
                list.push_str(" STARTTLS");
            }
            list.push_str(if self.can_sign_in() { " AUTH=PLAIN AUTH=LOGIN" } else { " LOGINDISABLED" });
            if self.can_sign_in() && self.server.options.authenticator.offers_scram() {
                list.push_str(" AUTH=SCRAM-SHA-256");
            }
            return list;
        }
        list.push_str(
            " IDLE UIDPLUS MOVE UNSELECT NAMESPACE SPECIAL-USE CHILDREN LIST-EXTENDED LIST-STATUS CONDSTORE ESEARCH \
             SEARCHRES BINARY STATUS=SIZE UTF8=ACCEPT",
        );
        list
    }

    pub(super) fn can_start_tls(&self) -> bool {
        self.server.options.tls.is_some() && !self.connection.is_tls()
    }

    pub(super) fn can_sign_in(&self) -> bool {
        self.who.is_none() && (self.connection.is_tls() || self.server.options.allow_plain_sign_in)
    }

    /// Adds an untagged line.
    pub(super) fn tell(&mut self, line: &str) {
        self.connection.write(b"* ");
        self.connection.write(line.as_bytes());
        self.connection.write(b"\r\n");
    }

    /// Sends the output when it has become large.
    pub(super) async fn relieve(&mut self) -> Result<(), Failed> {
        self.connection.relieve(FLUSH_AT).await?;
        Ok(())
    }

    fn finish(&mut self, tag: &str, kind: &str, text: &str) {
        self.connection.write(format!("{tag} {kind} {text}\r\n").as_bytes());
    }

    /// Runs one command and answers it; an error ends the session.
    async fn obey(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let Ok((tag, read)) = command::command(bytes) else {
            self.tell("BAD A command begins with a tag.");
            return self.count_error();
        };
        let command = match read {
            Ok(command) => command,
            Err(bad) => {
                self.finish(tag, "BAD", &format!("Expected {}.", bad.0));
                return self.count_error();
            }
        };
        if command == Command::Logout {
            self.tell("BYE Goodbye.");
            self.finish(tag, "OK", "Done.");
            return Err(Failed::Gone);
        }
        tag.clone_into(&mut self.tag);
        let answer = match command {
            Command::StartTls => return self.start_tls(tag).await,
            Command::Idle => self.idle().await,
            // On the heap, so that a session that idles or waits does not carry the largest command's state.
            other => Box::pin(self.run_command(other)).await,
        };
        match answer {
            Ok(text) => {
                if self.who.is_some() {
                    self.errors = 0;
                }
                self.finish(tag, "OK", &text);
            }
            Err(Failed::No(text)) => self.finish(tag, "NO", &text),
            Err(Failed::Bad(text)) => {
                self.finish(tag, "BAD", &text);
                return self.count_error();
            }
            // RFC 9051 §7.1.5: said before the connection closes.
            Err(Failed::SignedOut(text)) => {
                self.tell(&format!("BYE {text}"));
                return Err(Failed::Gone);
            }
            Err(Failed::Gone) => return Err(Failed::Gone),
        }
        if self.failed_sign_ins >= 5 {
            self.tell("BYE Too many failed sign-ins.");
            return Err(Failed::Gone);
        }
        self.relieve().await
    }

    fn count_error(&mut self) -> Result<(), Failed> {
        self.errors += 1;
        if self.errors < MOST_ERRORS {
            return Ok(());
        }
        self.tell("BYE Too many errors.");
        Err(Failed::Gone)
    }

    async fn start_tls(&mut self, tag: &str) -> Result<(), Failed> {
        let Some(config) =
            self.server.options.tls.clone().filter(|_| self.can_start_tls() && self.who.is_none())
        else {
            self.finish(tag, "BAD", "TLS is not available here, or already on.");
            return self.count_error();
        };
        if self.connection.has_input() {
            self.finish(tag, "BAD", "Nothing may follow STARTTLS.");
            return Err(Failed::Gone);
        }
        self.finish(tag, "OK", "Go ahead.");
        self.connection.flush().await?;
        self.connection.start_tls(&config).await?;
        Ok(())
    }

    async fn run_command(&mut self, command: Command<'_>) -> Answer {
        match command {
            Command::Capability => {
                let line = format!("CAPABILITY {}", self.capabilities());
                self.tell(&line);
                Ok("Done.".to_owned())
            }
            Command::Id => {
                self.tell("ID (\"name\" \"Congvu\")");
                Ok("Done.".to_owned())
            }
            Command::Noop => {
                self.renew().await?;
                self.poll(true).await?;
                Ok("Done.".to_owned())
            }
            Command::Login { user, password } => self.login(&user, &password).await,
            Command::Authenticate { mechanism, initial } => self.authenticate(&mechanism, initial).await,
            other if self.who.is_none() => {
                drop(other);
                Err(Failed::bad("Sign in first."))
            }
            other => self.run_signed_in(other).await,
        }
    }

    async fn run_signed_in(&mut self, command: Command<'_>) -> Answer {
        match command {
            Command::Enable(words) => self.enable(&words),
            Command::Select { mailbox, read_only, condstore } => {
                self.select(&mailbox, read_only, condstore).await
            }
            Command::Create { mailbox, has_use } => self.create(&mailbox, has_use).await,
            Command::Delete(name) => self.delete(&name).await,
            Command::Rename(from, to) => self.rename(&from, &to).await,
            Command::Subscribe(name) => self.subscribe(&name, true).await,
            Command::Unsubscribe(name) => self.subscribe(&name, false).await,
            Command::List(list) => self.list(&list, false).await,
            Command::Lsub(list) => self.list(&list, true).await,
            Command::Namespace => {
                self.tell("NAMESPACE ((\"\" \"/\")) NIL ((\"Shared/\" \"/\"))");
                Ok("Done.".to_owned())
            }
            Command::Status(name, items) => self.status(&name, &items).await,
            Command::Append(append) => self.append(append).await,
            Command::BadCharset { saves } => {
                self.forget_saved(saves);
                Err(Failed::no("[BADCHARSET (UTF-8 US-ASCII)] This charset is not known."))
            }
            other => self.run_selected(other).await,
        }
    }

    async fn run_selected(&mut self, command: Command<'_>) -> Answer {
        if self.selected.is_none() {
            return Err(Failed::bad("Select a mailbox first."));
        }
        self.renew().await?;
        match command {
            Command::Close => self.close_mailbox().await,
            Command::Unselect => {
                self.selected = None;
                Ok("Done.".to_owned())
            }
            Command::Expunge(set) => self.expunge(set.as_ref()).await,
            Command::Search { by_uid, search } => self.search(by_uid, &search).await,
            Command::Fetch { by_uid, set, fetch } => self.fetch(by_uid, &set, fetch).await,
            Command::Store { by_uid, set, store } => self.store(by_uid, &set, store).await,
            Command::Copy { by_uid, set, mailbox } => self.copy(by_uid, &set, &mailbox).await,
            Command::Move { by_uid, set, mailbox } => self.move_to(by_uid, &set, &mailbox).await,
            _ => Err(Failed::bad("That is not possible now.")),
        }
    }

    fn enable(&mut self, words: &[String]) -> Answer {
        let mut on = String::from("ENABLED");
        for word in words {
            match word.as_str() {
                "CONDSTORE" => self.enabled.condstore = true,
                "IMAP4REV2" => self.enabled.rev2 = true,
                "UTF8=ACCEPT" => self.enabled.utf8 = true,
                _ => continue,
            }
            on.push(' ');
            on.push_str(if word == "IMAP4REV2" { "IMAP4rev2" } else { word });
        }
        self.tell(&on);
        Ok("Done.".to_owned())
    }
}
