//! The client's end of SMTP: one message to one server (RFC 5321 §3, §4.5.3.2). Each reply has one deadline, however many
//! lines it has; the conversation as a whole has that of the worker.

use crate::{body::stuff, params::to_xtext};
use congvu_net::{Connection, ReadError};
use congvu_transport::{
    Notify, Ret,
    queue::{Attempt, AttemptOutcome, Lease, LeasedRecipient, Wire},
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{collections::VecDeque, fmt::Write as _, sync::Arc, time::Duration};

/// RFC 5321 §4.5.3.2.1 to .3: greeting, MAIL, RCPT.
const PATIENCE: Duration = Duration::from_secs(300);
/// RFC 5321 §4.5.3.2.4: the answer to DATA.
const DATA_PATIENCE: Duration = Duration::from_secs(120);
/// RFC 5321 §4.5.3.2.6: the answer to the end of the message.
const END_PATIENCE: Duration = Duration::from_secs(600);
const LONGEST_LINE: usize = 4096;
const MOST_LINES: usize = 200;
/// RFC 5321 §4.5.3.1.8: a server takes at least 100 recipients in one transaction, and need not take more.
const MOST_RECIPIENTS: usize = 100;

/// A reply of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    /// Its lines without codes, joined.
    pub(crate) text: String,
    lines: Vec<String>,
}

impl Answer {
    fn is(&self, class: u16) -> bool {
        self.code / 100 == class
    }

    /// The enhanced status code: the server's own if it fits its class, else a general one (RFC 3463).
    fn status(&self) -> String {
        let class = self.code / 100;
        let word = self.text.split(' ').next().unwrap_or_default();
        let parts: Vec<&str> = word.split('.').collect();
        let digits = |p: &&str| !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit());
        if parts.len() == 3 && parts.iter().all(digits) && parts[0] == class.to_string() {
            return word.to_owned();
        }
        format!("{class}.0.0")
    }

    /// What an answer to MAIL, DATA or the end of the text means.
    fn outcome(&self) -> AttemptOutcome {
        if self.is(5) {
            AttemptOutcome::Failed { status: self.status() }
        } else {
            AttemptOutcome::Later { status: if self.is(4) { self.status() } else { "4.5.0".to_owned() } }
        }
    }

    /// What an answer to RCPT means. RFC 5321 §4.5.3.1.10: 552 was once "too many recipients", and is for later.
    fn rcpt_outcome(&self) -> AttemptOutcome {
        match self.code {
            552 => AttemptOutcome::Later {
                status: match self.status().strip_prefix("5.") {
                    Some("0.0") | None => "4.5.3".to_owned(),
                    Some(rest) => format!("4.{rest}"),
                },
            },
            _ => self.outcome(),
        }
    }

    /// Whether RCPT was refused for the number of recipients alone (RFC 5321 §4.5.3.1.10), not for a full mailbox
    /// (RFC 3463 §3.3: X.2.2).
    fn wants_fewer(&self) -> bool {
        matches!(self.code, 452 | 552) && !self.status().ends_with(".2.2")
    }

    fn shown(&self) -> String {
        format!("{} {}", self.code, self.text)
    }
}

/// Why a conversation ended before its answer: another host may do better.
#[derive(Debug)]
pub(crate) enum Broken {
    /// TLS failed: the same host is tried without (RFC 7435 §3).
    Tls(String),
    /// The connection failed, or the server does not speak SMTP or gives no service.
    Connection(String),
    /// The server lacks what the message needs: the status code, and a word about it.
    Unfit(&'static str, &'static str),
    /// The whole text was sent and the answer never came: it may have been taken, so no other host is tried now.
    InDoubt(String),
}

/// What was heard about each recipient: the last word counts.
#[derive(Debug, Default)]
pub(crate) struct Heard(Vec<Attempt>);

impl Heard {
    pub(crate) fn note(&mut self, attempt: Attempt) {
        match self.0.iter_mut().find(|a| a.recipient == attempt.recipient) {
            Some(before) => *before = attempt,
            None => self.0.push(attempt),
        }
    }

    /// Whether a server decided on anybody: no other host is asked then.
    pub(crate) fn is_settled(&self) -> bool {
        self.0.iter().any(|a| !matches!(a.outcome, AttemptOutcome::Later { .. }))
    }

    /// Gives those of whom nothing was heard this outcome.
    pub(crate) fn fill(
        mut self,
        lease: &Lease,
        outcome: &AttemptOutcome,
        server: &str,
        said: &str,
    ) -> Vec<Attempt> {
        for recipient in &lease.recipients {
            if self.0.iter().all(|a| a.recipient != recipient.id) {
                self.0.push(attempt(recipient, outcome.clone(), server, said.to_owned()));
            }
        }
        self.0
    }
}

/// Who we are and how we encrypt.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) host: String,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

#[derive(Debug, Default)]
struct Extensions {
    starttls: bool,
    pipelining: bool,
    size: bool,
    eightbit: bool,
    smtputf8: bool,
    dsn: bool,
}

impl Extensions {
    fn read(answer: &Answer) -> Self {
        let mut found = Self::default();
        for line in answer.lines.iter().skip(1) {
            match line.split(' ').next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "STARTTLS" => found.starttls = true,
                "PIPELINING" => found.pipelining = true,
                "SIZE" => found.size = true,
                "8BITMIME" => found.eightbit = true,
                "SMTPUTF8" => found.smtputf8 = true,
                "DSN" => found.dsn = true,
                _ => {}
            }
        }
        found
    }
}

struct Talk<'c> {
    connection: &'c mut Connection,
}

fn broken(error: &ReadError) -> Broken {
    Broken::Connection(match error {
        ReadError::Closed => "the server closed the connection".to_owned(),
        ReadError::TimedOut => "the server did not answer in time".to_owned(),
        ReadError::TooLong | ReadError::BareLineEnd => "the server does not speak SMTP".to_owned(),
        ReadError::Io(error) => error.to_string(),
    })
}

impl Talk<'_> {
    /// Reads a whole reply within one deadline: a line now and then is not patience's due.
    async fn answer(&mut self, patience: Duration) -> Result<Answer, Broken> {
        let reply = async {
            let mut lines = Vec::new();
            while lines.len() < MOST_LINES {
                let line = self.connection.read_line(LONGEST_LINE, patience).await.map_err(|e| broken(&e))?;
                let (code, more, text) = split(&line).ok_or_else(|| broken(&ReadError::BareLineEnd))?;
                lines.push(text);
                if !more {
                    return Ok(Answer { code, text: lines.join(" "), lines });
                }
            }
            Err(broken(&ReadError::TooLong))
        };
        tokio::time::timeout(patience, reply).await.unwrap_or_else(|_| Err(broken(&ReadError::TimedOut)))
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.connection.send(bytes).await.map_err(|e| Broken::Connection(e.to_string()))
    }

    async fn ask(&mut self, line: &str, patience: Duration) -> Result<Answer, Broken> {
        self.send(format!("{line}\r\n").as_bytes()).await?;
        self.answer(patience).await
    }

    /// RFC 5321 §3.2: EHLO, and HELO for servers that do not know it.
    async fn hello(&mut self, host: &str) -> Result<Extensions, Broken> {
        let answer = self.ask(&format!("EHLO {host}"), PATIENCE).await?;
        if answer.is(2) {
            return Ok(Extensions::read(&answer));
        }
        if !answer.is(5) {
            return Err(Broken::Connection(answer.shown()));
        }
        let answer = self.ask(&format!("HELO {host}"), PATIENCE).await?;
        if answer.is(2) { Ok(Extensions::default()) } else { Err(Broken::Connection(answer.shown())) }
    }
}

fn split(line: &[u8]) -> Option<(u16, bool, String)> {
    let text = String::from_utf8_lossy(line);
    let code: u16 = text.get(..3)?.parse().ok()?;
    let sign = text.as_bytes().get(3).copied().unwrap_or(b' ');
    if !(200..600).contains(&code) || !matches!(sign, b' ' | b'-') {
        return None;
    }
    Some((code, sign == b'-', text.get(4..).unwrap_or_default().trim().to_owned()))
}

/// Sends a leased message over a fresh connection, and notes what becomes of each recipient as it is known.
pub(crate) async fn send(
    connection: &mut Connection,
    caller: &Caller,
    server: &str,
    (lease, wire): (&Lease, &Wire),
    heard: &mut Heard,
) -> Result<(), Broken> {
    let mut talk = Talk { connection };
    let sent = converse(&mut talk, caller, server, (lease, wire), heard).await;
    if !matches!(sent, Err(Broken::Tls(_) | Broken::InDoubt(_))) {
        // Whatever the server says to QUIT, what it said before stands.
        let _ = tokio::time::timeout(Duration::from_secs(5), talk.ask("QUIT", PATIENCE)).await;
    }
    sent
}

async fn converse(
    talk: &mut Talk<'_>,
    caller: &Caller,
    server: &str,
    (lease, wire): (&Lease, &Wire),
    heard: &mut Heard,
) -> Result<(), Broken> {
    let greeting = talk.answer(PATIENCE).await?;
    // RFC 5321 §3.1: 554 says that there is no service at this host, nothing about the recipients.
    if !greeting.is(2) {
        return Err(Broken::Connection(greeting.shown()));
    }
    let mut extensions = talk.hello(&caller.host).await?;
    if let Some(config) = caller.tls.as_ref().filter(|_| extensions.starttls) {
        start_tls(talk, config, server).await?;
        extensions = talk.hello(&caller.host).await?;
    }
    if wire.needs_smtputf8 && !extensions.smtputf8 {
        // RFC 6531 §3.5: never sent to a server that would not understand it.
        return Err(Broken::Unfit("5.6.7", "the server does not take internationalized mail (SMTPUTF8)"));
    }
    if wire.is_8bit && !extensions.eightbit {
        // RFC 6152 §3: never sent as it is; and signed as it is, it is not converted.
        return Err(Broken::Unfit("5.6.3", "the server does not take 8-bit text (8BITMIME)"));
    }
    transfer(talk, &extensions, server, (lease, wire), heard).await
}

async fn start_tls(talk: &mut Talk<'_>, config: &Arc<ClientConfig>, server: &str) -> Result<(), Broken> {
    let answer = talk.ask("STARTTLS", PATIENCE).await?;
    if !answer.is(2) {
        return Err(Broken::Tls(answer.shown()));
    }
    let name = ServerName::try_from(server.to_owned())
        .or_else(|_| ServerName::try_from("unnamed.invalid".to_owned()))
        .map_err(|e| Broken::Tls(e.to_string()))?;
    talk.connection.connect_tls(config, name).await.map_err(|e| Broken::Tls(e.to_string()))
}

fn attempt(recipient: &LeasedRecipient, outcome: AttemptOutcome, server: &str, answer: String) -> Attempt {
    Attempt { recipient: recipient.id, outcome, remote: server.to_owned(), answer }
}

/// One transaction after the other, until every recipient has an answer.
async fn transfer(
    talk: &mut Talk<'_>,
    extensions: &Extensions,
    server: &str,
    (lease, wire): (&Lease, &Wire),
    heard: &mut Heard,
) -> Result<(), Broken> {
    let mut left: VecDeque<&LeasedRecipient> = lease.recipients.iter().collect();
    let mut at_once = MOST_RECIPIENTS;
    while !left.is_empty() {
        let now: Vec<&LeasedRecipient> = left.drain(..left.len().min(at_once)).collect();
        let (mail, answers) = envelope(talk, extensions, (lease, wire), &now).await?;
        if !mail.is(2) {
            for recipient in now.into_iter().chain(left) {
                heard.note(attempt(recipient, mail.outcome(), server, mail.shown()));
            }
            return Ok(());
        }
        let accepted = answers.iter().filter(|a| a.is(2)).count();
        let end = if accepted == 0 { None } else { Some(text(talk, wire).await?) };
        let was_taken = end.as_ref().is_some_and(|end| end.is(2));
        for (recipient, answer) in now.into_iter().zip(&answers) {
            match &end {
                Some(end) if answer.is(2) && end.is(2) => {
                    let outcome = AttemptOutcome::Delivered { reports: extensions.dsn };
                    heard.note(attempt(recipient, outcome, server, end.shown()));
                }
                Some(end) if answer.is(2) => {
                    heard.note(attempt(recipient, end.outcome(), server, end.shown()));
                }
                // RFC 5321 §4.5.3.1.10: those beyond the server's limit follow at once, now that some were taken.
                Some(_) if was_taken && answer.wants_fewer() => {
                    at_once = accepted;
                    left.push_back(recipient);
                }
                _ => heard.note(attempt(recipient, answer.rcpt_outcome(), server, answer.shown())),
            }
        }
        if !was_taken && !left.is_empty() {
            talk.ask("RSET", PATIENCE).await?;
        }
    }
    Ok(())
}

/// MAIL and every RCPT, in one packet where the server takes that (RFC 2920).
async fn envelope(
    talk: &mut Talk<'_>,
    extensions: &Extensions,
    (lease, wire): (&Lease, &Wire),
    recipients: &[&LeasedRecipient],
) -> Result<(Answer, Vec<Answer>), Broken> {
    let mut lines = vec![mail_line(extensions, lease, wire)];
    lines.extend(recipients.iter().map(|r| rcpt_line(extensions, r)));
    let mut answers = Vec::with_capacity(lines.len());
    if extensions.pipelining {
        talk.send(lines.concat().as_bytes()).await?;
        for _ in &lines {
            answers.push(talk.answer(PATIENCE).await?);
        }
    } else {
        for line in &lines {
            talk.send(line.as_bytes()).await?;
            answers.push(talk.answer(PATIENCE).await?);
        }
    }
    let mail = answers.remove(0);
    Ok((mail, answers))
}

fn mail_line(extensions: &Extensions, lease: &Lease, wire: &Wire) -> String {
    let from = lease.mail_from.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut line = format!("MAIL FROM:<{from}>");
    if extensions.size {
        let _ = write!(line, " SIZE={}", wire.bytes.len());
    }
    if wire.is_8bit {
        line.push_str(" BODY=8BITMIME");
    }
    if wire.needs_smtputf8 {
        line.push_str(" SMTPUTF8");
    }
    if extensions.dsn {
        line.push_str(if lease.ret == Ret::Full { " RET=FULL" } else { " RET=HDRS" });
        if let Some(id) = &lease.envid {
            let _ = write!(line, " ENVID={}", to_xtext(id));
        }
    }
    line.push_str("\r\n");
    line
}

fn rcpt_line(extensions: &Extensions, recipient: &LeasedRecipient) -> String {
    let mut line = format!("RCPT TO:<{}>", recipient.address);
    if extensions.dsn {
        let _ = write!(line, " NOTIFY={}", notify_words(recipient.notify));
        if let Some(orcpt) = &recipient.orcpt {
            let _ = write!(line, " ORCPT={}", to_xtext(orcpt));
        }
    }
    line.push_str("\r\n");
    line
}

fn notify_words(notify: Notify) -> String {
    let words = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    let wanted: Vec<&str> = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
    if wanted.is_empty() { "NEVER".to_owned() } else { wanted.join(",") }
}

async fn text(talk: &mut Talk<'_>, wire: &Wire) -> Result<Answer, Broken> {
    let go = talk.ask("DATA", DATA_PATIENCE).await?;
    match go.code / 100 {
        3 => {}
        // Taken before it was sent: this server means something else by DATA.
        2 => return Err(Broken::Connection(format!("{} in answer to DATA", go.shown()))),
        _ => return Ok(go),
    }
    talk.send(&stuff(&wire.bytes)).await?;
    match talk.answer(END_PATIENCE).await {
        Err(Broken::Connection(reason)) => Err(Broken::InDoubt(reason)),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tarpit sends a line now and then, for ever.
    #[tokio::test]
    async fn a_reply_has_one_deadline_however_many_lines_it_has() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            while tokio::io::AsyncWriteExt::write_all(&mut socket, b"220-wait\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let mut connection = Connection::plain(socket, address);
        let mut talk = Talk { connection: &mut connection };
        let answer = talk.answer(Duration::from_millis(200)).await;
        assert!(matches!(&answer, Err(Broken::Connection(said)) if said.contains("in time")), "{answer:?}");
    }

    #[test]
    fn an_answer_has_a_status_of_its_class() {
        let answer = |code, text: &str| Answer { code, text: text.into(), lines: Vec::new() };
        assert_eq!(answer(550, "5.1.1 no such user").status(), "5.1.1");
        assert_eq!(answer(550, "4.1.1 confused").status(), "5.0.0");
        assert_eq!(answer(450, "greylisted").status(), "4.0.0");
        assert_eq!(split(b"250-SIZE 10"), Some((250, true, "SIZE 10".into())));
        assert_eq!(split(b"2x0 hello"), None);
    }
}
