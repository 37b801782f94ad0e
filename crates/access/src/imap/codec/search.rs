//! What SEARCH asks for (RFC 9051 §6.4.4; RFC 4731 ESEARCH; RFC 7162 MODSEQ).

use super::{
    date,
    scan::{Bad, Scanned, Scanner},
    set::{self, Set},
};
use congvu_types::{Flags, Keyword};

/// Keys within keys no deeper than this.
const DEEPEST: u32 = 20;
/// No more keys in one search.
const MOST_KEYS: usize = 500;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    All,
    And(Vec<Key>),
    Or(Box<Key>, Box<Key>),
    Not(Box<Key>),
    Sequence(Set),
    Uid(Set),
    /// A system flag is set.
    Flag(Flags),
    Keyword(Keyword),
    ModSeq(u64),
    Larger(u64),
    Smaller(u64),
    /// Days since 1970-01-01.
    Before(i64),
    On(i64),
    Since(i64),
    SentBefore(i64),
    SentOn(i64),
    SentSince(i64),
    From(String),
    To(String),
    Cc(String),
    Bcc(String),
    Subject(String),
    Header(String, String),
    Body(String),
    Text(String),
    /// Nothing has this: RECENT and NEW in a server without \Recent.
    Nothing,
}

/// What RETURN asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Return {
    pub(crate) min: bool,
    pub(crate) max: bool,
    pub(crate) all: bool,
    pub(crate) count: bool,
    pub(crate) save: bool,
}

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    /// `None`: the answer of RFC 3501.
    pub(crate) returns: Option<Return>,
    pub(crate) key: Key,
}

/// Why a search cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SearchError {
    Bad(Bad),
    /// RFC 9051 §6.4.4: `NO [BADCHARSET]`; whether the result was to be saved.
    Charset {
        saves: bool,
    },
}

impl From<Bad> for SearchError {
    fn from(bad: Bad) -> Self {
        Self::Bad(bad)
    }
}

pub(crate) fn search(scanner: &mut Scanner<'_>) -> Result<Search, SearchError> {
    let mut returns = None;
    if scanner.word("RETURN ") {
        returns = Some(return_options(scanner)?);
        scanner.space()?;
    }
    if scanner.word("CHARSET ") {
        let charset = scanner.text()?;
        if !["UTF-8", "US-ASCII"].iter().any(|known| charset.eq_ignore_ascii_case(known)) {
            return Err(SearchError::Charset { saves: returns.is_some_and(|r: Return| r.save) });
        }
        scanner.space()?;
    }
    let mut count = 0;
    let key = keys(scanner, 0, &mut count)?;
    scanner.end()?;
    Ok(Search { returns, key })
}

fn return_options(scanner: &mut Scanner<'_>) -> Scanned<Return> {
    let mut returns = Return::default();
    let words = scanner.parenthesized(10, |s| s.atom().map(str::to_ascii_uppercase))?;
    for word in &words {
        match word.as_str() {
            "MIN" => returns.min = true,
            "MAX" => returns.max = true,
            "ALL" => returns.all = true,
            "COUNT" => returns.count = true,
            "SAVE" => returns.save = true,
            _ => return Err(Bad("MIN, MAX, ALL, COUNT or SAVE")),
        }
    }
    // RFC 4731 §3.1: nothing asked for is ALL.
    returns.all |= words.is_empty();
    Ok(returns)
}

fn keys(scanner: &mut Scanner<'_>, depth: u32, count: &mut usize) -> Scanned<Key> {
    let mut all = vec![key(scanner, depth, count)?];
    while scanner.peek() == Some(b' ') {
        scanner.space()?;
        all.push(key(scanner, depth, count)?);
    }
    Ok(match all.len() {
        1 => all.swap_remove(0),
        _ => Key::And(all),
    })
}

fn key(scanner: &mut Scanner<'_>, depth: u32, count: &mut usize) -> Scanned<Key> {
    *count += 1;
    if depth > DEEPEST || *count > MOST_KEYS {
        return Err(Bad("a simpler search"));
    }
    if scanner.eat(b'(') {
        let inner = keys(scanner, depth + 1, count)?;
        scanner.expect(b')', "a closing parenthesis")?;
        return Ok(inner);
    }
    if scanner.peek().is_some_and(|b| b.is_ascii_digit() || matches!(b, b'*' | b'$')) {
        return Ok(Key::Sequence(set::set(scanner)?));
    }
    let name = scanner.atom()?.to_ascii_uppercase();
    if let Some(simple) = simple(&name) {
        return Ok(simple);
    }
    scanner.space()?;
    match name.as_str() {
        "NOT" => Ok(Key::Not(Box::new(key(scanner, depth + 1, count)?))),
        "OR" => {
            let first = key(scanner, depth + 1, count)?;
            scanner.space()?;
            Ok(Key::Or(Box::new(first), Box::new(key(scanner, depth + 1, count)?)))
        }
        _ => with_value(scanner, &name),
    }
}

fn simple(name: &str) -> Option<Key> {
    let not = |flag| Key::Not(Box::new(Key::Flag(flag)));
    Some(match name {
        "ALL" | "OLD" => Key::All,
        "ANSWERED" => Key::Flag(Flags::ANSWERED),
        "DELETED" => Key::Flag(Flags::DELETED),
        "DRAFT" => Key::Flag(Flags::DRAFT),
        "FLAGGED" => Key::Flag(Flags::FLAGGED),
        "SEEN" => Key::Flag(Flags::SEEN),
        "UNANSWERED" => not(Flags::ANSWERED),
        "UNDELETED" => not(Flags::DELETED),
        "UNDRAFT" => not(Flags::DRAFT),
        "UNFLAGGED" => not(Flags::FLAGGED),
        "UNSEEN" => not(Flags::SEEN),
        "NEW" | "RECENT" => Key::Nothing,
        _ => return None,
    })
}

fn with_value(scanner: &mut Scanner<'_>, name: &str) -> Scanned<Key> {
    Ok(match name {
        "UID" => Key::Uid(set::set(scanner)?),
        "KEYWORD" => keyword(scanner)?,
        "UNKEYWORD" => Key::Not(Box::new(keyword(scanner)?)),
        "LARGER" => Key::Larger(scanner.number()?),
        "SMALLER" => Key::Smaller(scanner.number()?),
        "BEFORE" => Key::Before(date::search_date(scanner)?),
        "ON" => Key::On(date::search_date(scanner)?),
        "SINCE" => Key::Since(date::search_date(scanner)?),
        "SENTBEFORE" => Key::SentBefore(date::search_date(scanner)?),
        "SENTON" => Key::SentOn(date::search_date(scanner)?),
        "SENTSINCE" => Key::SentSince(date::search_date(scanner)?),
        "FROM" => Key::From(scanner.text()?),
        "TO" => Key::To(scanner.text()?),
        "CC" => Key::Cc(scanner.text()?),
        "BCC" => Key::Bcc(scanner.text()?),
        "SUBJECT" => Key::Subject(scanner.text()?),
        "BODY" => Key::Body(scanner.text()?),
        "TEXT" => Key::Text(scanner.text()?),
        "HEADER" => {
            let field = scanner.text()?;
            scanner.space()?;
            Key::Header(field, scanner.text()?)
        }
        "MODSEQ" => {
            // RFC 7162 §3.1.5: an entry name and type may stand before the number; flags share one modseq here.
            if scanner.peek() == Some(b'"') {
                scanner.string()?;
                scanner.space()?;
                scanner.atom()?;
                scanner.space()?;
            }
            Key::ModSeq(scanner.number()?)
        }
        _ => return Err(Bad("a search key")),
    })
}

/// A keyword that nobody can have set is set nowhere.
fn keyword(scanner: &mut Scanner<'_>) -> Scanned<Key> {
    Ok(scanner.flag()?.parse().map_or(Key::Nothing, Key::Keyword))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Search, SearchError> {
        search(&mut Scanner::new(text.as_bytes()))
    }

    #[test]
    fn searches_are_read() {
        let plain = read("UNSEEN FROM \"mai\" (OR 1:3 NOT LARGER 5)").unwrap();
        assert!(matches!(plain.key, Key::And(ref keys) if keys.len() == 3) && plain.returns.is_none());
        let returning = read("RETURN (MIN COUNT) CHARSET UTF-8 SINCE 1-Jan-2026").unwrap();
        assert!(returning.returns.is_some_and(|r| r.min && r.count && !r.all));
        assert_eq!(read("RETURN () ALL").unwrap().returns.map(|r| r.all), Some(true));
        assert_eq!(read("CHARSET KOI8-R ALL"), Err(SearchError::Charset { saves: false }));
        for bad in ["", "FOO", "OR SEEN", "(SEEN", "SINCE yesterday", "SEEN "] {
            assert!(matches!(read(bad), Err(SearchError::Bad(_))), "{bad}");
        }
        assert!(read(&"(".repeat(1000)).is_err());
    }
}
