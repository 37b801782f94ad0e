//! Who wrote a message: From, Sender and their Resent- kin, read so that no two programs can read them differently.
//!
//! [`mailbox_list`] is for what people submit: the grammar of RFC 5322 §3.4 and nothing beside it. [`read_authors`] is for
//! what comes from elsewhere, which is shown by the tolerant reading of [`parse_addresses`]: it says when another reading
//! could find another author.

use crate::{AddressItem, headers, parse_addresses};
use congvu_types::{Domain, EmailAddress};

/// No field of authors has more addresses than this.
const MOST: usize = 100;

/// Reads a mailbox-list (RFC 5322 §3.4) strictly: one address a mailbox, nothing but comments after it, everything closed,
/// no group, no empty entry, no comment within an address. `None` when it is anything else.
#[must_use]
pub fn mailbox_list(value: &[u8]) -> Option<Vec<EmailAddress>> {
    let text = String::from_utf8(unfold(value)?).ok()?;
    let mut rest = Rest(&text);
    let mut list = Vec::new();
    loop {
        list.push(rest.mailbox()?);
        match rest.next() {
            None => return Some(list),
            Some(',') if list.len() < MOST => {}
            Some(_) => return None,
        }
    }
}

/// Takes the folds out (RFC 5322 §2.2.3); a line end that is no fold, or another control character, has no place.
fn unfold(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&b'\n') => {}
            b'\n' if matches!(bytes.peek(), Some(b' ' | b'\t')) => {}
            b'\t' => out.push(b' '),
            byte if byte.is_ascii_control() => return None,
            byte => out.push(byte),
        }
    }
    Some(out)
}

/// What is left to read.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    fn peek(&self) -> Option<char> {
        self.0.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.0.chars();
        let next = chars.next();
        self.0 = chars.as_str();
        next
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn spaces(&mut self) {
        self.0 = self.0.trim_start_matches(' ');
    }

    /// `CFWS`: spaces and comments, each closed.
    fn cfws(&mut self) -> Option<()> {
        loop {
            self.spaces();
            if self.peek() != Some('(') {
                return Some(());
            }
            let mut depth = 0_u32;
            loop {
                match self.next()? {
                    '\\' => drop(self.next()?),
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
    }

    /// An atom, dots included (`dot-atom`, and the `obs-phrase` of "J. Smith"), or a quoted string with its quotes.
    fn word(&mut self) -> Option<&'t str> {
        let start = self.0;
        if self.peek() == Some('"') {
            self.next();
            while self.next_quoted()? {}
        } else {
            self.0 = self.0.trim_start_matches(|c| is_atext(c) || c == '.');
        }
        let length = start.len() - self.0.len();
        start.get(..length).filter(|word| !word.is_empty())
    }

    /// Passes a character of a quoted string; false at its end.
    fn next_quoted(&mut self) -> Option<bool> {
        match self.next()? {
            '\\' => self.next().map(|_| true),
            c => Some(c != '"'),
        }
    }

    /// `mailbox = [display-name] "<" addr-spec ">" / addr-spec`, with CFWS around it.
    fn mailbox(&mut self) -> Option<EmailAddress> {
        self.cfws()?;
        let mut words = 0_u32;
        let mut last = "";
        loop {
            match self.peek()? {
                '<' => {
                    let address = self.angle()?;
                    self.cfws()?;
                    return Some(address);
                }
                '@' if words == 1 => {
                    let address = self.after_local(last)?;
                    self.cfws()?;
                    return Some(address);
                }
                _ => {}
            }
            last = self.word()?;
            words += 1;
            if self.peek() != Some('@') {
                self.cfws()?;
                // What follows a space is no part of an address.
                words += 1;
            }
        }
    }

    fn angle(&mut self) -> Option<EmailAddress> {
        self.take('<')?;
        self.spaces();
        let local = self.word()?;
        let address = self.after_local(local)?;
        self.spaces();
        self.take('>')?;
        Some(address)
    }

    fn after_local(&mut self, local: &str) -> Option<EmailAddress> {
        self.take('@')?;
        let domain = self.word()?;
        format!("{local}@{domain}").parse().ok()
    }
}

/// RFC 5322 §3.2.3 with RFC 6532 §3.2.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_control())
}

/// Why it cannot be said who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorFault {
    /// There is no From field.
    NoFrom,
    /// There are several From fields (RFC 5322 §3.6: exactly one).
    SeveralFrom,
    /// From has no address, or one that is none.
    NoAddress,
    /// From has addresses of several domains, or can be read so.
    SeveralDomains,
    /// The header has a line that is no field: programs differ in what they take it for.
    Malformed,
}

impl AuthorFault {
    /// Returns the words of a reason in Authentication-Results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoFrom => "no From field",
            Self::SeveralFrom => "several From fields",
            Self::NoAddress => "no author's address in From",
            Self::SeveralDomains => "authors of several domains in From",
            Self::Malformed => "a header line that is no field",
        }
    }
}

/// Who a message says it is from, in the reading by which it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authors {
    /// Every address of every From field.
    pub addresses: Vec<EmailAddress>,
    /// Why that is not to be relied on.
    pub fault: Option<AuthorFault>,
}

impl Authors {
    /// Returns the one domain of the authors.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        self.addresses.first().filter(|_| self.fault.is_none()).map(EmailAddress::domain)
    }
}

/// Reads who a message is from: sound is one From field, of one domain in every reading, in a header of fields alone.
#[must_use]
pub fn read_authors(raw: &[u8]) -> Authors {
    let from: Vec<_> = headers::fields(raw).filter(|f| f.is("From")).take(MOST).collect();
    let items: Vec<AddressItem> = from.iter().flat_map(|f| parse_addresses(f.value)).collect();
    let addresses: Vec<EmailAddress> = items.iter().filter_map(AddressItem::address).collect();
    let fault = match &from[..] {
        [] => Some(AuthorFault::NoFrom),
        [only] => fault(only.value, &items, &addresses),
        [..] => Some(AuthorFault::SeveralFrom),
    };
    let fault = fault.or_else(|| (!headers::is_well_formed(raw)).then_some(AuthorFault::Malformed));
    Authors { addresses, fault }
}

fn fault(value: &[u8], items: &[AddressItem], addresses: &[EmailAddress]) -> Option<AuthorFault> {
    let Some(first) = addresses.first() else { return Some(AuthorFault::NoAddress) };
    let mailboxes = items.iter().filter(|item| matches!(item, AddressItem::Mailbox { .. })).count();
    if mailboxes != addresses.len() {
        return Some(AuthorFault::NoAddress);
    }
    let is_one = addresses.iter().all(|a| a.domain() == first.domain());
    // What is not of the grammar may be read in more than one way: no reading may find another domain.
    let is_sure = mailbox_list(value).is_some_and(|strict| strict == addresses)
        || domains_within(value).all(|domain| domain.is_some_and(|d| d == *first.domain()));
    (!is_one || !is_sure).then_some(AuthorFault::SeveralDomains)
}

/// Whatever could be a domain after an `@`, wherever that is; `None` for what cannot be told. A word without a dot is a word:
/// "Support @ Work".
fn domains_within(value: &[u8]) -> impl Iterator<Item = Option<Domain>> {
    value.split(|b| *b == b'@').skip(1).map(<[u8]>::trim_ascii_start).filter_map(|after| {
        let ends = |b: &u8| !(b.is_ascii_alphanumeric() || b"-._".contains(b) || !b.is_ascii());
        let end = after.iter().position(ends).unwrap_or(after.len());
        let (word, rest) = after.split_at_checked(end)?;
        // A comment, a quoted string or a literal may still bring a domain, or divide it.
        let goes_on = matches!(rest.trim_ascii_start().first(), Some(b'(' | b'"' | b'['));
        let is_domain = word.contains(&b'.') || goes_on;
        is_domain.then(|| std::str::from_utf8(word).ok().filter(|_| !goes_on)?.parse().ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(value: &str) -> Option<Vec<String>> {
        Some(mailbox_list(value.as_bytes())?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn mailboxes_are_read_as_the_grammar_has_them() {
        for (value, expected) in [
            ("mai@x.example", vec!["mai@x.example"]),
            (" Mai <mai@x.example>", vec!["mai@x.example"]),
            ("\"Le, Mai\" (x) <mai@x.example> (a (b\\)) c)", vec!["mai@x.example"]),
            ("J. Smith\r\n <j@x.example>, (c) k@y.example (K)", vec!["j@x.example", "k@y.example"]),
            ("Lê Thị Mai <mai@x.example>", vec!["mai@x.example"]),
            ("=?utf-8?B?TMOqIE1haQ==?= < \"a b\"@x.example >", vec!["\"a b\"@x.example"]),
            ("<mai@x.example>", vec!["mai@x.example"]),
        ] {
            assert_eq!(read(value), Some(expected.into_iter().map(Into::into).collect()), "{value}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        for bad in [
            "",
            ",",
            "mai",
            "a@x.example,",
            "<bqlctgt@x.example> <mai@x.example>",
            "<mai@x.example> mai",
            "<mai@x.example> \"x\"",
            "mai@x.example <a@y.example>",
            "a b@x.example",
            "a@x.example b@x.example",
            "\"Mai <mai@x.example>",
            "(Mai <mai@x.example>",
            "<mai@x.example",
            "mai@x.example>",
            "<@y.example:mai@x.example>",
            "<mai@(c)x.example>",
            "mai @x.example",
            "Phong: mai@x.example;",
            "a@x.example; b@x.example",
            "mai@[192.0.2.1]",
            "mai@x.example\0",
            "a@x.example\rb",
            "a@x.example\nb@y.example",
            "a@@x.example",
            "<>",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let many = |count: usize| vec!["a@x.example"; count].join(",");
        assert_eq!(read(&many(MOST)).map(|l| l.len()), Some(MOST));
        assert_eq!(read(&many(MOST + 1)), None);
    }

    #[test]
    fn an_author_is_sure_or_has_a_fault() {
        let fault = |header: &str| read_authors(format!("{header}\r\n\r\n").as_bytes()).fault;
        for sound in [
            "From: a@x.example",
            "From: A <a@x.example>, b@X.example",
            "From: mai@x.example <mai@x.example>",
            "From: \"chu@bank.example\" <a@x.example>",
            "From: Support @ Work <a@x.example>",
            "From: a@x.example\r\nSubject : old style",
        ] {
            assert_eq!(fault(sound), None, "{sound}");
        }
        for (header, expected) in [
            ("Subject: x", AuthorFault::NoFrom),
            ("From: a@x.example\r\nFROM: b@x.example", AuthorFault::SeveralFrom),
            ("From: nobody", AuthorFault::NoAddress),
            ("From: a@x.example, nobody", AuthorFault::NoAddress),
            ("From: a@x.example, b@y.example", AuthorFault::SeveralDomains),
            ("From: <chu@bank.example> <a@x.example>", AuthorFault::SeveralDomains),
            ("From: chu@bank.example <a@x.example>", AuthorFault::SeveralDomains),
            ("From: chu @ bank.example <a@x.example>", AuthorFault::SeveralDomains),
            ("From: chu@(c)bank.example <a@x.example>", AuthorFault::SeveralDomains),
            ("From : a@x.example", AuthorFault::Malformed),
            ("No colon\r\nFrom: a@x.example", AuthorFault::Malformed),
            ("Fr om: b@y.example\r\nFrom: a@x.example", AuthorFault::Malformed),
            (" folded\r\nFrom: a@x.example", AuthorFault::Malformed),
        ] {
            assert_eq!(fault(header), Some(expected), "{header}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_from_an_address_is_read_back(local in "[a-z.\" \\\\@<>,()]{1,12}", name in "[A-Za-z ]{0,10}") {
            let quoted = local.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(address) = format!("\"{quoted}\"@x.example").parse::<EmailAddress>() {
                prop_assert_eq!(mailbox_list(address.to_string().as_bytes()), Some(vec![address.clone()]));
                prop_assert_eq!(mailbox_list(format!("{name} <{address}>").as_bytes()), Some(vec![address]));
            }
        }

        #[test]
        fn no_field_brings_it_down(value in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = mailbox_list(&value);
            let _ = read_authors(&[b"From: ", &value[..], b"\r\n\r\n"].concat());
        }
    }
}
