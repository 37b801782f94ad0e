//! Commands as values.

use super::{
    date,
    fetch::{self, Item},
    list::{self, List, StatusItem},
    scan::{Bad, Scanned, Scanner},
    search::{self, Search, SearchError},
    set::{self, Set},
    utf7,
};
use congvu_mail::{FlagOperation, FlagSet};
use congvu_types::{Flags, Keyword, Timestamp};

/// Flags and keywords of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct GivenFlags {
    pub(crate) flags: Flags,
    pub(crate) keywords: Vec<Keyword>,
}

impl GivenFlags {
    /// Returns them as one set, by the account's keywords; one that the account does not know is passed over.
    pub(crate) fn bits(&self, keywords: &[String]) -> FlagSet {
        let places = self.keywords.iter().filter_map(|k| keywords.iter().position(|known| k.is(known)));
        FlagSet(places.fold(u64::from(self.flags.bits()), |set, place| set | FlagSet::keyword(place).0))
    }
}

/// A STORE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Store {
    pub(crate) operation: FlagOperation,
    pub(crate) silent: bool,
    pub(crate) unchanged_since: Option<u64>,
    pub(crate) given: GivenFlags,
}

/// A FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetch {
    pub(crate) items: Vec<Item>,
    pub(crate) changed_since: Option<u64>,
}

/// An APPEND; the message's bytes stand in the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Append<'a> {
    pub(crate) mailbox: String,
    pub(crate) given: GivenFlags,
    pub(crate) date: Option<Timestamp>,
    pub(crate) message: &'a [u8],
}

/// A command. `by_uid` says that the command came behind `UID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Capability,
    Noop,
    Logout,
    StartTls,
    Authenticate {
        mechanism: String,
        initial: Option<Vec<u8>>,
    },
    Login {
        user: String,
        password: String,
    },
    Enable(Vec<String>),
    Id,
    Select {
        mailbox: String,
        read_only: bool,
        condstore: bool,
    },
    Create {
        mailbox: String,
        /// A special use is asked for (RFC 6154 §3).
        has_use: bool,
    },
    Delete(String),
    Rename(String, String),
    Subscribe(String),
    Unsubscribe(String),
    List(List),
    Lsub(List),
    Namespace,
    Status(String, Vec<StatusItem>),
    Append(Append<'a>),
    Idle,
    Close,
    Unselect,
    Expunge(Option<Set>),
    Search {
        by_uid: bool,
        search: Search,
    },
    Fetch {
        by_uid: bool,
        set: Set,
        fetch: Fetch,
    },
    Store {
        by_uid: bool,
        set: Set,
        store: Store,
    },
    Copy {
        by_uid: bool,
        set: Set,
        mailbox: String,
    },
    Move {
        by_uid: bool,
        set: Set,
        mailbox: String,
    },
    /// A search in a charset that we do not know.
    BadCharset {
        saves: bool,
    },
}

/// A tag, and the command if it is one.
pub(crate) type Tagged<'a> = (&'a str, Scanned<Command<'a>>);

/// Reads a whole command, literals included. Without a tag there is nobody to answer to.
pub(crate) fn command(bytes: &[u8]) -> Scanned<Tagged<'_>> {
    let mut scanner = Scanner::new(bytes);
    let tag = scanner.tag()?;
    let read = scanner.space().and_then(|()| {
        let name = scanner.atom()?.to_ascii_uppercase();
        named(&mut scanner, &name)
    });
    Ok((tag, read))
}

fn named<'a>(scanner: &mut Scanner<'a>, name: &str) -> Scanned<Command<'a>> {
    let alone = |command| scanner.end().map(|()| command);
    match name {
        "CAPABILITY" => alone(Command::Capability),
        "NOOP" | "CHECK" => alone(Command::Noop),
        "LOGOUT" => alone(Command::Logout),
        "STARTTLS" => alone(Command::StartTls),
        "NAMESPACE" => alone(Command::Namespace),
        "IDLE" => alone(Command::Idle),
        "CLOSE" => alone(Command::Close),
        "UNSELECT" => alone(Command::Unselect),
        "EXPUNGE" => alone(Command::Expunge(None)),
        "ID" => Ok(Command::Id),
        _ => {
            scanner.space()?;
            let command = match name {
                "UID" => by_uid(scanner)?,
                "LIST" => return list::list(scanner).map(Command::List),
                "LSUB" => return list::list(scanner).map(Command::Lsub),
                "SEARCH" => return searching(scanner, false),
                "FETCH" | "STORE" | "COPY" | "MOVE" => on_messages(scanner, name, false)?,
                _ => with_arguments(scanner, name)?,
            };
            scanner.end()?;
            Ok(command)
        }
    }
}

fn with_arguments<'a>(scanner: &mut Scanner<'a>, name: &str) -> Scanned<Command<'a>> {
    Ok(match name {
        "AUTHENTICATE" => {
            let mechanism = scanner.atom()?.to_ascii_uppercase();
            let initial = if scanner.eat(b' ') { Some(scanner.astring()?.into_owned()) } else { None };
            Command::Authenticate { mechanism, initial }
        }
        "LOGIN" => {
            let user = scanner.text()?;
            scanner.space()?;
            Command::Login { user, password: scanner.text()? }
        }
        "ENABLE" => {
            let mut words = vec![scanner.atom()?.to_ascii_uppercase()];
            while scanner.eat(b' ') && words.len() < 50 {
                words.push(scanner.atom()?.to_ascii_uppercase());
            }
            Command::Enable(words)
        }
        "SELECT" => select(scanner, false)?,
        "EXAMINE" => select(scanner, true)?,
        "CREATE" => {
            let mailbox = mailbox(scanner)?;
            let mut has_use = false;
            if scanner.eat(b' ') {
                scanner.parenthesized(5, |s| {
                    if !s.word("USE ") {
                        return Err(Bad("USE"));
                    }
                    has_use |= !s.parenthesized(10, |s| s.flag().map(drop))?.is_empty();
                    Ok(())
                })?;
            }
            Command::Create { mailbox, has_use }
        }
        "DELETE" => Command::Delete(mailbox(scanner)?),
        "RENAME" => {
            let from = mailbox(scanner)?;
            scanner.space()?;
            Command::Rename(from, mailbox(scanner)?)
        }
        "SUBSCRIBE" => Command::Subscribe(mailbox(scanner)?),
        "UNSUBSCRIBE" => Command::Unsubscribe(mailbox(scanner)?),
        "STATUS" => {
            let mailbox = mailbox(scanner)?;
            scanner.space()?;
            Command::Status(mailbox, list::status_items(scanner)?)
        }
        "APPEND" => append(scanner)?,
        _ => return Err(Bad("a command that this server knows")),
    })
}

fn by_uid<'a>(scanner: &mut Scanner<'a>) -> Scanned<Command<'a>> {
    let name = scanner.atom()?.to_ascii_uppercase();
    scanner.space()?;
    match name.as_str() {
        "EXPUNGE" => Ok(Command::Expunge(Some(set::set(scanner)?))),
        "SEARCH" => searching(scanner, true),
        _ => on_messages(scanner, &name, true),
    }
}

fn searching<'a>(scanner: &mut Scanner<'a>, by_uid: bool) -> Scanned<Command<'a>> {
    match search::search(scanner) {
        Ok(search) => Ok(Command::Search { by_uid, search }),
        Err(SearchError::Bad(bad)) => Err(bad),
        Err(SearchError::Charset { saves }) => {
            *scanner = Scanner::new(b"");
            Ok(Command::BadCharset { saves })
        }
    }
}

fn on_messages<'a>(scanner: &mut Scanner<'a>, name: &str, by_uid: bool) -> Scanned<Command<'a>> {
    let set = set::set(scanner)?;
    scanner.space()?;
    Ok(match name {
        "FETCH" => Command::Fetch { by_uid, set, fetch: fetching(scanner)? },
        "STORE" => Command::Store { by_uid, set, store: storing(scanner)? },
        "COPY" => Command::Copy { by_uid, set, mailbox: mailbox(scanner)? },
        "MOVE" => Command::Move { by_uid, set, mailbox: mailbox(scanner)? },
        _ => return Err(Bad("FETCH, STORE, COPY, MOVE, SEARCH or EXPUNGE")),
    })
}

/// A mailbox name; modified UTF-7 is undone, plain UTF-8 is taken as it is (RFC 9051 §5.1).
fn mailbox(scanner: &mut Scanner<'_>) -> Scanned<String> {
    let raw = scanner.text()?;
    let name = if raw.is_ascii() { utf7::decode(&raw).unwrap_or(raw) } else { raw };
    if name.len() > 2000 || name.chars().any(char::is_control) {
        return Err(Bad("a mailbox name"));
    }
    Ok(name)
}

fn select<'a>(scanner: &mut Scanner<'a>, read_only: bool) -> Scanned<Command<'a>> {
    let mailbox = mailbox(scanner)?;
    let mut condstore = false;
    if scanner.eat(b' ') {
        for word in scanner.parenthesized(5, |s| s.atom().map(str::to_ascii_uppercase))? {
            match word.as_str() {
                "CONDSTORE" => condstore = true,
                _ => return Err(Bad("CONDSTORE")),
            }
        }
    }
    Ok(Command::Select { mailbox, read_only, condstore })
}

fn given(names: &[&str]) -> GivenFlags {
    let mut given = GivenFlags::default();
    for name in names {
        if let Some(flag) = Flags::by_name(name) {
            given.flags = given.flags.with(flag);
        } else if let Ok(keyword) = name.parse() {
            // \Recent and unknown system flags are no keywords and are passed over.
            given.keywords.push(keyword);
        }
    }
    given
}

fn flag_list<'a>(scanner: &mut Scanner<'a>) -> Scanned<Vec<&'a str>> {
    scanner.parenthesized(200, Scanner::flag)
}

fn append<'a>(scanner: &mut Scanner<'a>) -> Scanned<Command<'a>> {
    let mailbox = mailbox(scanner)?;
    scanner.space()?;
    let mut flags = GivenFlags::default();
    if scanner.peek() == Some(b'(') {
        flags = given(&flag_list(scanner)?);
        scanner.space()?;
    }
    let mut date = None;
    if scanner.peek() == Some(b'"') {
        date = Some(date::date_time(scanner)?);
        scanner.space()?;
    }
    let message = if scanner.word("UTF8 (") {
        // RFC 6855 §4
        let message = scanner.literal()?;
        scanner.expect(b')', "a closing parenthesis")?;
        message
    } else {
        scanner.literal()?
    };
    Ok(Command::Append(Append { mailbox, given: flags, date, message }))
}

fn fetching(scanner: &mut Scanner<'_>) -> Scanned<Fetch> {
    let items = fetch::items(scanner)?;
    let mut changed_since = None;
    if scanner.eat(b' ') {
        scanner.expect(b'(', "a FETCH modifier")?;
        if !scanner.word("CHANGEDSINCE ") {
            return Err(Bad("CHANGEDSINCE"));
        }
        changed_since = Some(scanner.number()?);
        scanner.expect(b')', "a closing parenthesis")?;
    }
    Ok(Fetch { items, changed_since })
}

fn storing(scanner: &mut Scanner<'_>) -> Scanned<Store> {
    let mut unchanged_since = None;
    if scanner.eat(b'(') {
        if !scanner.word("UNCHANGEDSINCE ") {
            return Err(Bad("UNCHANGEDSINCE"));
        }
        unchanged_since = Some(scanner.number()?);
        scanner.expect(b')', "a closing parenthesis")?;
        scanner.space()?;
    }
    let operation = match scanner.peek() {
        Some(b'+') => FlagOperation::Add,
        Some(b'-') => FlagOperation::Remove,
        _ => FlagOperation::Replace,
    };
    let _ = scanner.eat(b'+') || scanner.eat(b'-');
    if !scanner.word("FLAGS") {
        return Err(Bad("FLAGS, +FLAGS or -FLAGS"));
    }
    let silent = scanner.word(".SILENT");
    scanner.space()?;
    let names = if scanner.peek() == Some(b'(') {
        flag_list(scanner)?
    } else {
        let mut names = vec![scanner.flag()?];
        while scanner.eat(b' ') && names.len() < 200 {
            names.push(scanner.flag()?);
        }
        names
    };
    Ok(Store { operation, silent, unchanged_since, given: given(&names) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Command<'_> {
        command(text.as_bytes()).unwrap().1.unwrap_or_else(|bad| panic!("{text}: expected {}", bad.0))
    }

    #[test]
    fn commands_are_read() {
        assert_eq!(read("a NOOP"), Command::Noop);
        assert_eq!(
            read("a1 login {3}\r\nmai \"se cret\""),
            Command::Login { user: "mai".into(), password: "se cret".into() }
        );
        assert_eq!(
            read("A EXAMINE \"Ch&Ht0- x\" (CONDSTORE)"),
            Command::Select { mailbox: "Chờ x".into(), read_only: true, condstore: true }
        );
        let Command::Append(append) =
            read("A APPEND INBOX (\\Seen $Forwarded) \"23-Nov-2026 08:00:00 +0700\" {2+}\r\nhi")
        else {
            panic!()
        };
        assert_eq!((append.message, append.given.keywords.len()), (&b"hi"[..], 1));
        let Command::Store { by_uid: true, store, .. } =
            read("A UID STORE 1:* (UNCHANGEDSINCE 7) +FLAGS.SILENT (\\Deleted)")
        else {
            panic!()
        };
        assert_eq!((store.unchanged_since, store.silent), (Some(7), true));
        assert!(matches!(
            read("A UID FETCH 1:5 (FLAGS) (CHANGEDSINCE 3)"),
            Command::Fetch { by_uid: true, .. }
        ));
        assert!(matches!(read("A MOVE 1 \"Archive\""), Command::Move { by_uid: false, .. }));
        assert!(matches!(read("A SEARCH CHARSET X ALL"), Command::BadCharset { saves: false }));
    }

    #[test]
    fn what_is_wrong_is_told_to_its_tag() {
        for bad in ["a", "a FOO", "a SELECT", "a FETCH 1", "a NOOP x", "a STORE 1 FLAG x", "a LOGIN x"] {
            let (tag, read) = command(bad.as_bytes()).unwrap();
            assert!(tag == "a" && read.is_err(), "{bad}");
        }
        assert!(command(b"+ NOOP").is_err() && command(b"").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = command(&bytes);
            for verb in ["FETCH ", "STORE ", "SEARCH ", "LIST ", "APPEND ", "UID "] {
                let _ = command(&[b"a ", verb.as_bytes(), &bytes].concat());
            }
        }
    }
}
