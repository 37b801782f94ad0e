//! The client's end of SMTP: one message to one server (RFC 5321 §3, §4.5.3.2).

use crate::{body::stuff, params::to_xtext};
use congvu_net::{Connection, ReadError};
use congvu_transport::{
    Notify, Ret,
    queue::{Attempt, AttemptOutcome, Lease, LeasedRecipient, Wire},
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{fmt::Write as _, sync::Arc, time::Duration};

/// RFC 5321 §4.5.3.2.1 to .3: greeting, MAIL, RCPT.
const PATIENCE: Duration = Duration::from_secs(300);
/// RFC 5321 §4.5.3.2.4: the answer to DATA.
const DATA_PATIENCE: Duration = Duration::from_secs(120);
/// RFC 5321 §4.5.3.2.6: the answer to the end of the message.
const END_PATIENCE: Duration = Duration::from_secs(600);
const LONGEST_LINE: usize = 4096;
const MOST_LINES: usize = 200;

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

    fn outcome(&self) -> AttemptOutcome {
        // RFC 5321 §4.5.3.1.10: 552 to RCPT was once "too many recipients", which is for later.
        if self.is(5) {
            AttemptOutcome::Failed { status: self.status() }
        } else {
            AttemptOutcome::Later { status: if self.is(4) { self.status() } else { "4.5.0".to_owned() } }
        }
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
    /// The connection failed or the server does not speak SMTP.
    Connection(String),
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
    async fn answer(&mut self, patience: Duration) -> Result<Answer, Broken> {
        let mut lines = Vec::new();
        loop {
            let line = self.connection.read_line(LONGEST_LINE, patience).await.map_err(|e| broken(&e))?;
            let (code, more, text) = split(&line)
                .ok_or_else(|| Broken::Connection("the server does not speak SMTP".to_owned()))?;
            lines.push(text);
            if !more || lines.len() >= MOST_LINES {
                return Ok(Answer { code, text: lines.join(" "), lines });
            }
        }
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

/// Sends a leased message over a fresh connection; one attempt for each recipient.
pub(crate) async fn send(
    connection: &mut Connection,
    caller: &Caller,
    server: &str,
    lease: &Lease,
    wire: &Wire,
) -> Result<Vec<Attempt>, Broken> {
    let mut talk = Talk { connection };
    let greeting = talk.answer(PATIENCE).await?;
    if !greeting.is(2) {
        return Ok(same(lease, server, &greeting));
    }
    let mut extensions = talk.hello(&caller.host).await?;
    if let Some(config) = caller.tls.as_ref().filter(|_| extensions.starttls) {
        start_tls(&mut talk, config, server).await?;
        extensions = talk.hello(&caller.host).await?;
    }
    let attempts = transfer(&mut talk, &extensions, server, lease, wire).await?;
    // Whatever the server says to QUIT, what it said before stands.
    let _ = tokio::time::timeout(Duration::from_secs(5), talk.ask("QUIT", PATIENCE)).await;
    Ok(attempts)
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

/// The same answer for every recipient.
fn same(lease: &Lease, server: &str, answer: &Answer) -> Vec<Attempt> {
    lease.recipients.iter().map(|r| attempt(r, answer.outcome(), server, answer.shown())).collect()
}

async fn transfer(
    talk: &mut Talk<'_>,
    extensions: &Extensions,
    server: &str,
    lease: &Lease,
    wire: &Wire,
) -> Result<Vec<Attempt>, Broken> {
    if wire.needs_smtputf8 && !extensions.smtputf8 {
        // RFC 6531 §3.5: never sent to a server that would not understand it.
        let outcome = AttemptOutcome::Failed { status: "5.6.7".to_owned() };
        let said = "the server does not take internationalized mail (SMTPUTF8)";
        let each = lease.recipients.iter();
        return Ok(each.map(|r| attempt(r, outcome.clone(), server, said.to_owned())).collect());
    }
    let (mail, answers) = envelope(talk, extensions, lease, wire).await?;
    if !mail.is(2) {
        return Ok(same(lease, server, &mail));
    }
    let accepted = answers.iter().filter(|a| a.is(2)).count();
    let end = if accepted == 0 { None } else { Some(text(talk, wire).await?) };
    let pairs = lease.recipients.iter().zip(&answers);
    Ok(pairs
        .map(|(recipient, answer)| match &end {
            Some(end) if answer.is(2) && end.is(2) => {
                let outcome = AttemptOutcome::Delivered { reports: extensions.dsn };
                attempt(recipient, outcome, server, end.shown())
            }
            Some(end) if answer.is(2) => attempt(recipient, end.outcome(), server, end.shown()),
            _ => attempt(recipient, answer.outcome(), server, answer.shown()),
        })
        .collect())
}

/// MAIL and every RCPT, in one packet where the server takes that (RFC 2920).
async fn envelope(
    talk: &mut Talk<'_>,
    extensions: &Extensions,
    lease: &Lease,
    wire: &Wire,
) -> Result<(Answer, Vec<Answer>), Broken> {
    let mut lines = vec![mail_line(extensions, lease, wire)];
    lines.extend(lease.recipients.iter().map(|r| rcpt_line(extensions, r)));
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
    if wire.is_8bit && extensions.eightbit {
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
    if !go.is(3) {
        return Ok(go);
    }
    talk.send(&stuff(&wire.bytes)).await?;
    talk.answer(END_PATIENCE).await
}

#[cfg(test)]
mod tests {
    use super::*;

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
