//! Commands of SMTP and LMTP as values (RFC 5321 §4.1, RFC 2033, RFC 3030, RFC 3461, RFC 4954). Pure; fuzzed.

use crate::params::{self, MailParams, RcptParams};
use congvu_types::EmailAddress;
use std::borrow::Cow;

/// Why a line is no command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SyntaxError {
    /// No such verb.
    Unknown,
    /// The verb's arguments are wrong: what was expected.
    Arguments(&'static str),
    /// The address is none.
    Address,
    /// A parameter that we do not know (RFC 5321 §4.1.1.11: 555).
    Parameter(String),
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Ehlo(String),
    Helo(String),
    Lhlo(String),
    Mail(Option<EmailAddress>, MailParams),
    Rcpt(EmailAddress, RcptParams),
    /// `RCPT TO:<postmaster>`, which every server takes (RFC 5321 §4.5.1).
    RcptPostmaster(RcptParams),
    Data,
    Bdat {
        bytes: u64,
        last: bool,
    },
    Rset,
    Noop,
    Quit,
    Vrfy,
    Help,
    StartTls,
    Auth {
        mechanism: String,
        initial: Option<Vec<u8>>,
    },
}

/// Reads a command line without its CRLF.
pub(crate) fn command(line: &[u8]) -> Result<Command, SyntaxError> {
    let text = String::from_utf8_lossy(line);
    let is_hello = line.get(..5).is_some_and(|verb| {
        [b"EHLO ", b"HELO ", b"LHLO "].iter().any(|hello| verb.eq_ignore_ascii_case(*hello))
    });
    if matches!(text, Cow::Owned(_)) && !is_hello {
        return Err(SyntaxError::Arguments("UTF-8 text"));
    }
    let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let rest = rest.trim();
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => name(rest).map(Command::Ehlo),
        "HELO" => name(rest).map(Command::Helo),
        "LHLO" => name(rest).map(Command::Lhlo),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" => alone(rest, Command::Data),
        "BDAT" => bdat(rest),
        "RSET" => alone(rest, Command::Rset),
        "NOOP" => Ok(Command::Noop),
        "QUIT" => alone(rest, Command::Quit),
        "VRFY" | "EXPN" => Ok(Command::Vrfy),
        "HELP" => Ok(Command::Help),
        "STARTTLS" => alone(rest, Command::StartTls),
        "AUTH" => auth(rest),
        _ => Err(SyntaxError::Unknown),
    }
}

fn alone(rest: &str, command: Command) -> Result<Command, SyntaxError> {
    if rest.is_empty() { Ok(command) } else { Err(SyntaxError::Arguments("no argument")) }
}

/// What the peer calls itself, whatever that is.
fn name(rest: &str) -> Result<String, SyntaxError> {
    match rest.split(' ').next().unwrap_or_default() {
        "" => Err(SyntaxError::Arguments(HOST_NAME)),
        name => Ok(name.to_owned()),
    }
}

/// What EHLO takes.
pub(crate) const HOST_NAME: &str = "a host name or an address in brackets";

/// Returns whether a name is what host names and address literals are made of (RFC 5321 §4.1.2, §4.1.3); it goes into trace
/// fields, which are of ASCII.
pub(crate) fn is_host_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    !name.is_empty() && name.len() <= 255 && name.chars().all(allowed)
}

/// Takes `PREFIX:<path>` and gives the path's inside and what follows.
fn path<'t>(rest: &'t str, prefix: &str, expected: &'static str) -> Result<(&'t str, &'t str), SyntaxError> {
    let wrong = SyntaxError::Arguments(expected);
    let found =
        rest.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix)).ok_or(wrong.clone())?;
    // Many clients put a space after the colon, against the grammar; nobody is harmed by taking it.
    let inside = rest[found.len()..].trim_start().strip_prefix('<').ok_or(wrong.clone())?;
    let end = path_end(inside).ok_or(wrong.clone())?;
    let after = &inside[end + 1..];
    if !after.is_empty() && !after.starts_with(' ') {
        return Err(wrong);
    }
    Ok((strip_route(&inside[..end]), after.trim()))
}

/// Where the `>` is that is not within a quoted local part.
fn path_end(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Source routes are accepted and ignored (RFC 5321 §4.1.1.3, appendix C).
fn strip_route(path: &str) -> &str {
    match path.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, mailbox)) => mailbox,
        None => path,
    }
}

fn mail(rest: &str) -> Result<Command, SyntaxError> {
    let (inside, after) = path(rest, "FROM:", "MAIL FROM:<address>")?;
    let params = params::mail(after)?;
    if inside.is_empty() {
        return Ok(Command::Mail(None, params));
    }
    let address = inside.parse().map_err(|_| SyntaxError::Address)?;
    Ok(Command::Mail(Some(address), params))
}

fn rcpt(rest: &str) -> Result<Command, SyntaxError> {
    let (inside, after) = path(rest, "TO:", "RCPT TO:<address>")?;
    let params = params::rcpt(after)?;
    if inside.eq_ignore_ascii_case("postmaster") {
        return Ok(Command::RcptPostmaster(params));
    }
    let address = inside.parse().map_err(|_| SyntaxError::Address)?;
    Ok(Command::Rcpt(address, params))
}

fn bdat(rest: &str) -> Result<Command, SyntaxError> {
    let wrong = SyntaxError::Arguments("BDAT size [LAST]");
    let mut words = rest.split_ascii_whitespace();
    let size = words.next().filter(|w| w.len() <= 18 && w.bytes().all(|b| b.is_ascii_digit()));
    let bytes = size.and_then(|w| w.parse().ok()).ok_or(wrong.clone())?;
    match (words.next(), words.next()) {
        (None, _) => Ok(Command::Bdat { bytes, last: false }),
        (Some(word), None) if word.eq_ignore_ascii_case("LAST") => Ok(Command::Bdat { bytes, last: true }),
        _ => Err(wrong),
    }
}

fn auth(rest: &str) -> Result<Command, SyntaxError> {
    let mut words = rest.split_ascii_whitespace();
    let wrong = SyntaxError::Arguments("AUTH mechanism [initial-response]");
    let mechanism = words.next().ok_or(wrong.clone())?.to_ascii_uppercase();
    let initial = words.next().map(|w| w.as_bytes().to_vec());
    if words.next().is_some() {
        return Err(wrong);
    }
    Ok(Command::Auth { mechanism, initial })
}

#[cfg(test)]
mod tests {
    use super::*;
    use congvu_transport::{Notify, Ret};

    #[test]
    fn commands_are_read_in_any_case() {
        assert_eq!(command(b"ehlo mail.x.example"), Ok(Command::Ehlo("mail.x.example".into())));
        assert_eq!(command(b"QUIT"), Ok(Command::Quit));
        assert_eq!(command(b"BDAT 10 last"), Ok(Command::Bdat { bytes: 10, last: true }));
        assert_eq!(command(b"XYZ"), Err(SyntaxError::Unknown));
        let auth = Command::Auth { mechanism: "PLAIN".into(), initial: Some(b"AGEAYg==".to_vec()) };
        assert_eq!(command(b"AUTH plain AGEAYg=="), Ok(auth));
    }

    #[test]
    fn paths_and_parameters_are_read() {
        let Ok(Command::Mail(from, params)) =
            command(b"MAIL FROM:<mai@x.example> SIZE=12 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb")
        else {
            panic!("no MAIL")
        };
        assert_eq!(from, Some("mai@x.example".parse().unwrap()));
        assert_eq!((params.size, params.smtputf8, params.ret), (Some(12), true, Ret::Full));
        assert_eq!(params.envid.as_deref(), Some("a+b"));
        assert!(matches!(command(b"MAIL FROM:<>"), Ok(Command::Mail(None, _))));
        let Ok(Command::Rcpt(_, params)) =
            command(b"RCPT TO:<@a.example,@b.example:mai@x.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;m+2B@x.example")
        else {
            panic!("no RCPT")
        };
        assert_eq!(params.notify, Notify { success: true, failure: true, delay: false });
        assert_eq!(params.orcpt.as_deref(), Some("rfc822;m+@x.example"));
        assert!(matches!(command(b"RCPT TO:<Postmaster>"), Ok(Command::RcptPostmaster(_))));
        assert!(matches!(command(b"RCPT TO:<\"a>b\"@x.example>"), Ok(Command::Rcpt(..))));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(command(b"MAIL FROM:mai@x.example"), Err(SyntaxError::Arguments("MAIL FROM:<address>")));
        assert_eq!(command(b"RCPT TO:<nobody>"), Err(SyntaxError::Address));
        assert_eq!(command(b"RCPT TO:<a@x.example> FOO=1"), Err(SyntaxError::Parameter("FOO".into())));
        assert_eq!(command(b"MAIL FROM:<a@x.example> SIZE=x"), Err(SyntaxError::Parameter("SIZE".into())));
        assert_eq!(
            command(b"RCPT TO:<a@x.example> NOTIFY=NEVER,DELAY"),
            Err(SyntaxError::Parameter("NOTIFY".into()))
        );
        assert_eq!(command(b"EHLO"), Err(SyntaxError::Arguments(HOST_NAME)));
        assert_eq!(command(b"MAIL FROM:<\xff@x.example>"), Err(SyntaxError::Arguments("UTF-8 text")));
    }

    #[test]
    fn a_host_may_call_itself_anything_but_not_be_written_so() {
        for (line, is_name) in [
            (&b"EHLO mail_1.x.example"[..], true),
            (b"ehlo [IPv6:::1]", true),
            ("EHLO máy-tính".as_bytes(), false),
            (b"EHLO m\xe1y", false),
            (b"EHLO a\tb", false),
        ] {
            let Ok(Command::Ehlo(name)) = command(line) else { panic!("no EHLO") };
            assert_eq!(is_host_name(&name), is_name, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_brings_it_down(line in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = command(&line);
            let _ = command(&[b"MAIL FROM:<", &line[..]].concat());
            let _ = command(&[b"RCPT TO:<a@x.example> ", &line[..]].concat());
        }
    }
}
