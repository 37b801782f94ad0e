//! The arguments of one command or test, taken one by one: tags first, then what has its place (RFC 5228 §2.6).

use super::{Checked, Checker};
use crate::{
    ast::{AddressPart, Comparator, Index, MatchKind, Matcher, Relation},
    fault::Fault,
    lexer::Place,
    parser::{Argument, Node, Value},
    text::Text,
};

/// What was not taken yet.
pub(super) struct Arguments<'n> {
    rest: &'n [Argument],
    /// Where the command or test stands, for what is missing.
    pub(super) place: Place,
}

impl<'n> Arguments<'n> {
    pub(super) const fn of(node: &'n Node) -> Self {
        Self { rest: node.arguments.as_slice(), place: node.place }
    }

    /// The next argument, when it is a tag.
    pub(super) fn tag(&mut self) -> Option<(Place, &'n str)> {
        let (first, rest) = self.rest.split_first()?;
        let Value::Tag(name) = &first.value else { return None };
        self.rest = rest;
        Some((first.place, name))
    }

    fn take(&mut self) -> Option<&'n Argument> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    pub(super) fn number(&mut self, checker: &mut Checker, what: &'static str) -> Checked<(Place, u64)> {
        let place = self.rest.first().map_or(self.place, |next| next.place);
        match self.take().map(|argument| &argument.value) {
            Some(Value::Number(number)) => Ok((place, *number)),
            _ => checker.fault(place, Fault::Expected(what)),
        }
    }

    fn raw_strings(&mut self, checker: &mut Checker, what: &'static str) -> Checked<(Place, &'n [String])> {
        let place = self.rest.first().map_or(self.place, |next| next.place);
        match self.take().map(|argument| &argument.value) {
            Some(Value::Strings(strings)) => Ok((place, strings)),
            _ => checker.fault(place, Fault::Expected(what)),
        }
    }

    /// A string or a list of them.
    pub(super) fn strings(&mut self, checker: &mut Checker, what: &'static str) -> Checked<Vec<Text>> {
        let (place, strings) = self.raw_strings(checker, what)?;
        strings.iter().map(|text| checker.text(place, text)).collect()
    }

    /// One string.
    pub(super) fn string(&mut self, checker: &mut Checker, what: &'static str) -> Checked<(Place, Text)> {
        let (place, text) = self.word(checker, what)?;
        Ok((place, checker.text(place, text)?))
    }

    /// One string, as it is written.
    pub(super) fn word(&mut self, checker: &mut Checker, what: &'static str) -> Checked<(Place, &'n str)> {
        match self.raw_strings(checker, what)? {
            (place, [one]) => Ok((place, one)),
            (place, _) => checker.fault(place, Fault::Expected(what)),
        }
    }

    /// Whether another string or list follows this one.
    pub(super) const fn has_two(&self) -> bool {
        self.rest.len() >= 2
    }

    /// Notes what is left as a fault.
    pub(super) fn end(&self, checker: &mut Checker) -> Checked<()> {
        match self.rest.first() {
            None => Ok(()),
            Some(Argument { place, value: Value::Tag(name) }) => {
                checker.fault(*place, Fault::UnknownTag(name.clone()))
            }
            Some(argument) => checker.fault(argument.place, Fault::Expected("no further argument")),
        }
    }
}

/// Notes a second value for what can have one.
pub(super) fn once<T>(
    checker: &mut Checker,
    slot: &mut Option<T>,
    value: T,
    place: Place,
    tag: &str,
) -> Checked<()> {
    if slot.replace(value).is_some() {
        return checker.fault(place, Fault::SecondTag(tag.to_owned()));
    }
    Ok(())
}

/// The tags that tests share: comparator, match type, address part, index.
#[derive(Default)]
pub(super) struct Tags {
    comparator: Option<Comparator>,
    kind: Option<MatchKind>,
    part: Option<AddressPart>,
    number: Option<u64>,
    from_last: Option<()>,
    last_place: Place,
}

impl Tags {
    /// Takes a tag of matching; returns whether it was one.
    pub(super) fn matching(
        &mut self,
        checker: &mut Checker,
        arguments: &mut Arguments<'_>,
        (place, tag): (Place, &str),
    ) -> Checked<bool> {
        let kind = match tag {
            "comparator" => {
                let (at, name) = arguments.word(checker, "the name of a comparator")?;
                let comparator = comparator(checker, at, name)?;
                once(checker, &mut self.comparator, comparator, place, tag)?;
                return Ok(true);
            }
            "is" => MatchKind::Is,
            "contains" => MatchKind::Contains,
            "matches" => MatchKind::Matches,
            "value" | "count" => {
                checker.needs("relational", place)?;
                let (at, name) = arguments.word(checker, "a relation")?;
                let relation = relation(checker, at, name)?;
                if tag == "value" { MatchKind::Value(relation) } else { MatchKind::Count(relation) }
            }
            _ => return Ok(false),
        };
        self.last_place = place;
        once(checker, &mut self.kind, kind, place, tag)?;
        Ok(true)
    }

    /// Takes a tag of address parts.
    pub(super) fn part(&mut self, checker: &mut Checker, (place, tag): (Place, &str)) -> Checked<bool> {
        let part = match tag {
            "all" => AddressPart::All,
            "localpart" => AddressPart::LocalPart,
            "domain" => AddressPart::Domain,
            "user" => AddressPart::User,
            "detail" => AddressPart::Detail,
            _ => return Ok(false),
        };
        if matches!(part, AddressPart::User | AddressPart::Detail) {
            checker.needs("subaddress", place)?;
        }
        once(checker, &mut self.part, part, place, tag)?;
        Ok(true)
    }

    /// Takes a tag of RFC 5260 §6.
    pub(super) fn index(
        &mut self,
        checker: &mut Checker,
        arguments: &mut Arguments<'_>,
        (place, tag): (Place, &str),
    ) -> Checked<bool> {
        match tag {
            "index" => {
                checker.needs("index", place)?;
                let (at, number) = arguments.number(checker, "a number from 1")?;
                if number == 0 {
                    return checker.fault(at, Fault::Expected("a number from 1"));
                }
                once(checker, &mut self.number, number, place, tag)?;
            }
            "last" => {
                checker.needs("index", place)?;
                once(checker, &mut self.from_last, (), place, tag)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// How to compare, when that is possible.
    pub(super) fn matcher(&self, checker: &mut Checker, place: Place) -> Checked<Matcher> {
        let kind = self.kind.unwrap_or_default();
        let comparator = self.comparator.unwrap_or_default();
        // RFC 4790 §9.1.1: numbers have an order and equality, no parts.
        let is_numeric = comparator == Comparator::AsciiNumeric;
        if is_numeric && matches!(kind, MatchKind::Contains | MatchKind::Matches) {
            let place = if self.last_place.line == 0 { place } else { self.last_place };
            return checker.fault(place, Fault::UnfitComparator);
        }
        Ok(Matcher { comparator, kind })
    }

    pub(super) fn address_part(&self) -> AddressPart {
        self.part.unwrap_or_default()
    }

    pub(super) fn which(&self, checker: &mut Checker, place: Place) -> Checked<Index> {
        if self.from_last.is_some() && self.number.is_none() {
            return checker.fault(place, Fault::Expected(":index with :last"));
        }
        Ok(Index { number: self.number, from_last: self.from_last.is_some() })
    }
}

fn comparator(checker: &mut Checker, place: Place, name: &str) -> Checked<Comparator> {
    match name {
        "i;octet" => Ok(Comparator::Octet),
        "i;ascii-casemap" => Ok(Comparator::AsciiCasemap),
        "i;ascii-numeric" => {
            checker.needs("comparator-i;ascii-numeric", place)?;
            Ok(Comparator::AsciiNumeric)
        }
        "i;unicode-casemap" => {
            checker.needs("comparator-i;unicode-casemap", place)?;
            Ok(Comparator::UnicodeCasemap)
        }
        other => checker.fault(place, Fault::UnknownComparator(other.to_owned())),
    }
}

fn relation(checker: &mut Checker, place: Place, name: &str) -> Checked<Relation> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "gt" => Relation::Gt,
        "ge" => Relation::Ge,
        "lt" => Relation::Lt,
        "le" => Relation::Le,
        "eq" => Relation::Eq,
        "ne" => Relation::Ne,
        _ => return checker.fault(place, Fault::UnknownRelation(name.to_owned())),
    })
}
