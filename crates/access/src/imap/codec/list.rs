//! What LIST and STATUS ask for (RFC 5258, RFC 6154, RFC 5819), and patterns.

use super::scan::{Bad, Scanned, Scanner};

/// A STATUS item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Deleted,
    Size,
    HighestModSeq,
}

pub(crate) fn status_items(scanner: &mut Scanner<'_>) -> Scanned<Vec<StatusItem>> {
    scanner.parenthesized(20, |s| {
        Ok(match s.atom()?.to_ascii_uppercase().as_str() {
            "MESSAGES" => StatusItem::Messages,
            "RECENT" => StatusItem::Recent,
            "UIDNEXT" => StatusItem::UidNext,
            "UIDVALIDITY" => StatusItem::UidValidity,
            "UNSEEN" => StatusItem::Unseen,
            "DELETED" => StatusItem::Deleted,
            "SIZE" => StatusItem::Size,
            "HIGHESTMODSEQ" => StatusItem::HighestModSeq,
            _ => return Err(Bad("a STATUS item")),
        })
    })
}

/// A LIST command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct List {
    pub(crate) only_subscribed: bool,
    pub(crate) only_special_use: bool,
    pub(crate) recursive_match: bool,
    pub(crate) reference: Vec<u8>,
    pub(crate) patterns: Vec<Vec<u8>>,
    pub(crate) return_subscribed: bool,
    pub(crate) status: Vec<StatusItem>,
}

/// LIST of every kind: the old one, and with selection and return options.
pub(crate) fn list(scanner: &mut Scanner<'_>) -> Scanned<List> {
    let mut list = List::default();
    if scanner.peek() == Some(b'(') {
        for option in scanner.parenthesized(10, |s| s.atom().map(str::to_ascii_uppercase))? {
            match option.as_str() {
                "SUBSCRIBED" => list.only_subscribed = true,
                "SPECIAL-USE" => list.only_special_use = true,
                "RECURSIVEMATCH" => list.recursive_match = true,
                "REMOTE" => {}
                _ => return Err(Bad("a selection option that LIST knows")),
            }
        }
        if list.recursive_match && !list.only_subscribed {
            return Err(Bad("RECURSIVEMATCH beside another selection option"));
        }
        scanner.space()?;
    }
    list.reference = scanner.astring()?.into_owned();
    scanner.space()?;
    list.patterns = if scanner.peek() == Some(b'(') {
        scanner.parenthesized(100, |s| s.pattern().map(std::borrow::Cow::into_owned))?
    } else {
        vec![scanner.pattern()?.into_owned()]
    };
    if scanner.word(" RETURN ") {
        return_options(scanner, &mut list)?;
    }
    scanner.end()?;
    Ok(list)
}

fn return_options(scanner: &mut Scanner<'_>, list: &mut List) -> Scanned<()> {
    scanner.expect(b'(', "return options")?;
    while !scanner.eat(b')') {
        match scanner.atom()?.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => list.return_subscribed = true,
            // Both are told in any case.
            "CHILDREN" | "SPECIAL-USE" => {}
            "STATUS" => {
                scanner.space()?;
                list.status = status_items(scanner)?;
            }
            _ => return Err(Bad("a return option that LIST knows")),
        }
        let _ = scanner.eat(b' ');
    }
    Ok(())
}

/// Whether a name fits a pattern: `*` is anything, `%` anything but `/` (RFC 9051 §6.3.9). Linear in practice: the two
/// wildcards each remember one place to go back to.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut percent: Option<(usize, usize)> = None;
    loop {
        let wanted = pattern.get(p);
        match (wanted, name.get(n)) {
            (Some('*'), _) => {
                star = Some((p + 1, n));
                percent = None;
                p += 1;
                continue;
            }
            (Some('%'), _) => {
                percent = Some((p + 1, n));
                p += 1;
                continue;
            }
            (None, None) => return true,
            (Some(a), Some(b)) if a == b => {
                p += 1;
                n += 1;
                continue;
            }
            _ => {}
        }
        // Go back: first to the last `%`, which cannot pass a separator, then to the last `*`.
        if let Some((after, from)) = percent.filter(|(_, from)| name.get(*from).is_some_and(|c| *c != '/')) {
            percent = Some((after, from + 1));
            (p, n) = (after, from + 1);
        } else if let Some((after, from)) = star.filter(|(_, from)| *from < name.len()) {
            star = Some((after, from + 1));
            percent = None;
            (p, n) = (after, from + 1);
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_the_rfc_says() {
        for (pattern, name, expected) in [
            ("*", "a/b/c", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("a/%", "a/b", true),
            ("%/%", "a/b", true),
            ("a*c", "a/b/c", true),
            ("*%x", "a/bx", true),
            ("%b*", "ab/c", true),
            ("INBOX", "INBOX", true),
            ("a%", "b", false),
            ("", "", true),
            ("%a%b%", "xaxbx", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn extended_lists_are_read() {
        let text =
            b"(SUBSCRIBED RECURSIVEMATCH) \"\" (INBOX \"Sent/%\") RETURN (CHILDREN STATUS (MESSAGES UNSEEN))";
        let read = list(&mut Scanner::new(text)).unwrap();
        assert!(read.only_subscribed && read.recursive_match && read.patterns.len() == 2);
        assert_eq!(read.status, [StatusItem::Messages, StatusItem::Unseen]);
        assert!(list(&mut Scanner::new(b"\"\" *")).is_ok());
        assert!(list(&mut Scanner::new(b"(RECURSIVEMATCH) \"\" *")).is_err());
    }
}
