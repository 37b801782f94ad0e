//! What FETCH asks for (RFC 9051 §6.4.5; RFC 3501's RFC822 names; RFC 3516 BINARY; RFC 7162 MODSEQ).

use super::scan::{Bad, Scanned, Scanner};
use congvu_message::{SectionSpec, SectionText};

/// No command asks for more.
const MOST_ITEMS: usize = 100;

/// Bytes of a message or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BodyItem {
    pub(crate) section: SectionSpec,
    /// From which byte, and how many at most.
    pub(crate) partial: Option<(u32, u32)>,
    /// Does not set `\Seen`.
    pub(crate) peek: bool,
    pub(crate) form: BodyForm,
}

/// How such bytes are named and coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyForm {
    /// `BODY[…]`
    Body,
    /// `BINARY[…]`: the transfer encoding undone.
    Binary,
    /// `BINARY.SIZE[…]`
    BinarySize,
    /// `RFC822`
    Rfc822,
    /// `RFC822.HEADER`
    Rfc822Header,
    /// `RFC822.TEXT`
    Rfc822Text,
}

/// One thing asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Flags,
    Uid,
    ModSeq,
    InternalDate,
    Size,
    Envelope,
    Body,
    BodyStructure,
    Bytes(BodyItem),
}

impl Item {
    /// Whether both are answered by the same bytes.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(a), Self::Bytes(b)) => {
                (&a.section, a.partial, a.form) == (&b.section, b.partial, b.form)
            }
            _ => self == other,
        }
    }
}

/// Reads one item, a macro, or a list of items.
pub(crate) fn items(scanner: &mut Scanner<'_>) -> Scanned<Vec<Item>> {
    if scanner.peek() == Some(b'(') {
        return scanner.parenthesized(MOST_ITEMS, item).map(once);
    }
    let fast = [Item::Flags, Item::InternalDate, Item::Size];
    for (name, more) in [("ALL", Some(Item::Envelope)), ("FAST", None)] {
        if scanner.rest().eq_ignore_ascii_case(name.as_bytes()) || starts_macro(scanner, name) {
            scanner.word(name);
            return Ok(fast.into_iter().chain(more).collect());
        }
    }
    if scanner.rest().eq_ignore_ascii_case(b"FULL") || starts_macro(scanner, "FULL") {
        scanner.word("FULL");
        return Ok(fast.into_iter().chain([Item::Envelope, Item::Body]).collect());
    }
    Ok(vec![item(scanner)?])
}

/// What is asked for twice is told once; it sets `\Seen` if it did once.
fn once(asked: Vec<Item>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::with_capacity(asked.len());
    for item in asked {
        match items.iter_mut().find(|known| known.is_same(&item)) {
            Some(Item::Bytes(known)) => known.peek &= matches!(&item, Item::Bytes(b) if b.peek),
            Some(_) => {}
            None => items.push(item),
        }
    }
    items
}

fn starts_macro(scanner: &Scanner<'_>, name: &str) -> bool {
    let rest = scanner.rest();
    rest.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
        && rest.get(name.len()) == Some(&b' ')
}

fn item(scanner: &mut Scanner<'_>) -> Scanned<Item> {
    // The longest names first: one may begin another.
    for (name, form, peek) in [
        ("BODY.PEEK[", BodyForm::Body, true),
        ("BODY[", BodyForm::Body, false),
        ("BINARY.PEEK[", BodyForm::Binary, true),
        ("BINARY.SIZE[", BodyForm::BinarySize, true),
        ("BINARY[", BodyForm::Binary, false),
    ] {
        if scanner.word(name) {
            return bytes(scanner, form, peek);
        }
    }
    let whole = |text: Option<SectionText>, peek, form| {
        let section = SectionSpec { path: Vec::new(), text };
        Item::Bytes(BodyItem { section, partial: None, peek, form })
    };
    let known = [
        ("BODYSTRUCTURE", Item::BodyStructure),
        ("BODY", Item::Body),
        ("ENVELOPE", Item::Envelope),
        ("FLAGS", Item::Flags),
        ("INTERNALDATE", Item::InternalDate),
        ("MODSEQ", Item::ModSeq),
        ("RFC822.SIZE", Item::Size),
        ("RFC822.HEADER", whole(Some(SectionText::Header), true, BodyForm::Rfc822Header)),
        ("RFC822.TEXT", whole(Some(SectionText::Text), false, BodyForm::Rfc822Text)),
        ("RFC822", whole(None, false, BodyForm::Rfc822)),
        ("UID", Item::Uid),
    ];
    let found = known.into_iter().find(|(name, _)| scanner.word(name)).map(|(_, item)| item);
    found
        .filter(|_| matches!(scanner.peek(), None | Some(b' ' | b')')))
        .ok_or(Bad("something that FETCH knows"))
}

/// The section behind the bracket, and the partial range.
fn bytes(scanner: &mut Scanner<'_>, form: BodyForm, peek: bool) -> Scanned<Item> {
    let section = section(scanner)?;
    scanner.expect(b']', "a closing bracket")?;
    if form != BodyForm::Body && section.text.is_some() {
        return Err(Bad("part numbers alone"));
    }
    let partial = if form != BodyForm::BinarySize && scanner.eat(b'<') {
        let from = scanner.number32()?;
        scanner.expect(b'.', "a partial range")?;
        let count = scanner.number32()?;
        scanner.expect(b'>', "a partial range")?;
        Some((from, count))
    } else {
        None
    };
    Ok(Item::Bytes(BodyItem { section, partial, peek, form }))
}

fn section(scanner: &mut Scanner<'_>) -> Scanned<SectionSpec> {
    let mut path = Vec::new();
    while scanner.peek().is_some_and(|b| b.is_ascii_digit()) {
        match scanner.number32()? {
            0 => return Err(Bad("part numbers from 1")),
            number => path.push(number),
        }
        if path.len() > 64 {
            return Err(Bad("fewer part numbers"));
        }
        if !scanner.eat(b'.') {
            return Ok(SectionSpec { path, text: None });
        }
    }
    if scanner.peek() == Some(b']') && path.is_empty() {
        return Ok(SectionSpec::default());
    }
    let text = if scanner.word("HEADER.FIELDS.NOT") {
        SectionText::HeaderFieldsNot(names(scanner)?)
    } else if scanner.word("HEADER.FIELDS") {
        SectionText::HeaderFields(names(scanner)?)
    } else if scanner.word("HEADER") {
        SectionText::Header
    } else if scanner.word("TEXT") {
        SectionText::Text
    } else if !path.is_empty() && scanner.word("MIME") {
        SectionText::Mime
    } else {
        return Err(Bad("a section"));
    };
    Ok(SectionSpec { path, text: Some(text) })
}

fn names(scanner: &mut Scanner<'_>) -> Scanned<Vec<String>> {
    scanner.space()?;
    scanner.parenthesized(MOST_ITEMS, Scanner::text)
}

impl BodyItem {
    /// Whether this is more than headers and sizes: whoever gets it has read in the message (S3.1b).
    pub(crate) fn is_reading(&self) -> bool {
        self.form != BodyForm::BinarySize
            && self.partial.is_none_or(|(_, count)| count > 0)
            && matches!(self.section.text, None | Some(SectionText::Text))
    }

    /// The name of this item in the answer.
    pub(crate) fn label(&self) -> String {
        let name = match self.form {
            BodyForm::Rfc822 => return "RFC822".to_owned(),
            BodyForm::Rfc822Header => return "RFC822.HEADER".to_owned(),
            BodyForm::Rfc822Text => return "RFC822.TEXT".to_owned(),
            BodyForm::Body => "BODY",
            BodyForm::Binary => "BINARY",
            BodyForm::BinarySize => "BINARY.SIZE",
        };
        let mut section: String =
            self.section.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        if let Some(text) = &self.section.text {
            if !section.is_empty() {
                section.push('.');
            }
            section.push_str(&match text {
                SectionText::Header => "HEADER".to_owned(),
                SectionText::Text => "TEXT".to_owned(),
                SectionText::Mime => "MIME".to_owned(),
                SectionText::HeaderFields(names) => format!("HEADER.FIELDS ({})", listed(names)),
                SectionText::HeaderFieldsNot(names) => format!("HEADER.FIELDS.NOT ({})", listed(names)),
            });
        }
        let origin = self.partial.map_or_else(String::new, |(from, _)| format!("<{from}>"));
        format!("{name}[{section}]{origin}")
    }
}

/// Header names as they were asked for, made safe for one line.
fn listed(names: &[String]) -> String {
    let safe =
        |name: &String| name.chars().filter(|c| c.is_ascii_graphic() && !"(){}\"\\]".contains(*c)).collect();
    names.iter().map(safe).collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Scanned<Vec<Item>> {
        let mut scanner = Scanner::new(text.as_bytes());
        let read = items(&mut scanner)?;
        scanner.end()?;
        Ok(read)
    }

    #[test]
    fn items_are_read_and_named_again() {
        assert_eq!(read("FAST").unwrap(), [Item::Flags, Item::InternalDate, Item::Size]);
        assert_eq!(read("(UID FLAGS)").unwrap(), [Item::Uid, Item::Flags]);
        let twice = read("(BODY.PEEK[] UID BODY[] BODY[]<0.5> UID)").unwrap();
        assert!(matches!(&twice[..], [Item::Bytes(whole), Item::Uid, Item::Bytes(_)] if !whole.peek));
        for (asked, label) in [
            ("BODY.PEEK[1.2.MIME]<0.100>", "BODY[1.2.MIME]<0>"),
            ("BODY[HEADER.FIELDS (From To)]", "BODY[HEADER.FIELDS (From To)]"),
            ("BODY[]", "BODY[]"),
            ("BINARY[1]", "BINARY[1]"),
            ("RFC822.HEADER", "RFC822.HEADER"),
        ] {
            let items = read(asked).unwrap();
            let [Item::Bytes(item)] = &items[..] else { panic!("{asked}") };
            assert_eq!(item.label(), label);
        }
        for bad in
            ["", "FOO", "BODY[", "BODY[0]", "BODY[MIME]", "BODY[1]<5>", "(UID", "UIDX", "BINARY[HEADER]"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
