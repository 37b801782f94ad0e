//! Tests (RFC 5228 §5) and those of extensions.

use super::{
    Checked, Checker,
    arguments::{Arguments, Tags, once},
};
use crate::{
    ast::{BodyOf, DatePart, Test, Zone},
    fault::Fault,
    parser::Node,
};

impl Checker {
    pub(super) fn test(&mut self, node: &Node) -> Checked<Test> {
        let takes_tests = matches!(node.name.as_str(), "allof" | "anyof" | "not");
        if !takes_tests && let Some(test) = node.tests.first() {
            return self.fault(test.place, Fault::Expected("no further test"));
        }
        let mut arguments = Arguments::of(node);
        let test = match node.name.as_str() {
            "true" => Test::Always(true),
            "false" => Test::Always(false),
            "not" => match node.tests.as_slice() {
                [test] if !node.is_list => Test::Not(Box::new(self.test(test)?)),
                _ => return self.fault(node.place, Fault::Expected("one test")),
            },
            "allof" => Test::All(self.tests(node)?),
            "anyof" => Test::Any(self.tests(node)?),
            "exists" => Test::Exists(arguments.strings(self, "names of headers")?),
            "size" => self.size(&mut arguments)?,
            "header" => self.header(&mut arguments)?,
            "address" => self.address(&mut arguments)?,
            "envelope" => self.envelope(&mut arguments)?,
            "body" => self.body(&mut arguments)?,
            "string" => self.strings_test(&mut arguments)?,
            "hasflag" => self.has_flag(&mut arguments)?,
            "date" => self.date(&mut arguments, true)?,
            "currentdate" => self.date(&mut arguments, false)?,
            "mailboxexists" => {
                self.needs("mailbox", node.place)?;
                Test::MailboxExists(arguments.strings(self, "names of mailboxes")?)
            }
            "specialuse_exists" => {
                self.needs("special-use", node.place)?;
                let mut mailbox = None;
                if arguments.has_two() {
                    mailbox = Some(arguments.string(self, "the name of a mailbox")?.1);
                }
                Test::SpecialUseExists { mailbox, uses: arguments.strings(self, "uses")? }
            }
            "attachment" => {
                self.needs("vnd.congvu.attachment", node.place)?;
                Test::HasAttachment
            }
            other => return self.fault(node.place, Fault::UnknownTest(other.to_owned())),
        };
        arguments.end(self)?;
        Ok(test)
    }

    fn tests(&mut self, node: &Node) -> Checked<Vec<Test>> {
        if !node.is_list {
            return self.fault(node.place, Fault::Expected("tests in parentheses"));
        }
        // Each is read, for its own faults.
        let tests: Vec<Checked<Test>> = node.tests.iter().map(|test| self.test(test)).collect();
        tests.into_iter().collect()
    }

    /// `size <":over" / ":under"> <limit: number>` (RFC 5228 §5.9)
    fn size(&mut self, arguments: &mut Arguments<'_>) -> Checked<Test> {
        let is_over = match arguments.tag() {
            Some((_, "over")) => true,
            Some((_, "under")) => false,
            Some((place, tag)) => return self.fault(place, Fault::UnknownTag(tag.to_owned())),
            None => return self.fault(arguments.place, Fault::Expected(":over or :under")),
        };
        let (_, bytes) = arguments.number(self, "a number of bytes")?;
        Ok(Test::Size { is_over, bytes })
    }

    /// `header [COMPARATOR] [MATCH-TYPE] <header-names: string-list> <key-list: string-list>` (RFC 5228 §5.7)
    fn header(&mut self, arguments: &mut Arguments<'_>) -> Checked<Test> {
        let mut tags = Tags::default();
        while let Some(tag) = arguments.tag() {
            if !(tags.matching(self, arguments, tag)? || tags.index(self, arguments, tag)?) {
                return self.fault(tag.0, Fault::UnknownTag(tag.1.to_owned()));
            }
        }
        let matcher = tags.matcher(self, arguments.place)?;
        let index = tags.which(self, arguments.place)?;
        let headers = arguments.strings(self, "names of headers")?;
        let keys = arguments.strings(self, "what to compare with")?;
        Ok(Test::Header { headers, index, matcher, keys })
    }

    /// `address [COMPARATOR] [ADDRESS-PART] [MATCH-TYPE] <header-list> <key-list>` (RFC 5228 §5.1)
    fn address(&mut self, arguments: &mut Arguments<'_>) -> Checked<Test> {
        let mut tags = Tags::default();
        while let Some(tag) = arguments.tag() {
            let known = tags.matching(self, arguments, tag)?
                || tags.part(self, tag)?
                || tags.index(self, arguments, tag)?;
            if !known {
                return self.fault(tag.0, Fault::UnknownTag(tag.1.to_owned()));
            }
        }
        let matcher = tags.matcher(self, arguments.place)?;
        let (index, part) = (tags.which(self, arguments.place)?, tags.address_part());
        let headers = arguments.strings(self, "names of headers")?;
        let keys = arguments.strings(self, "what to compare with")?;
        Ok(Test::Address { headers, index, part, matcher, keys })
    }

    /// `envelope [COMPARATOR] [ADDRESS-PART] [MATCH-TYPE] <envelope-part> <key-list>` (RFC 5228 §5.4)
    fn envelope(&mut self, arguments: &mut Arguments<'_>) -> Checked<Test> {
        self.needs("envelope", arguments.place)?;
        let mut tags = Tags::default();
        while let Some(tag) = arguments.tag() {
            if !(tags.matching(self, arguments, tag)? || tags.part(self, tag)?) {
                return self.fault(tag.0, Fault::UnknownTag(tag.1.to_owned()));
            }
        }
        let matcher = tags.matcher(self, arguments.place)?;
        let parts = arguments.strings(self, "from or to")?;
        for part in parts.iter().filter_map(|part| part.constant()) {
            if !part.eq_ignore_ascii_case("from") && !part.eq_ignore_ascii_case("to") {
                return self.fault(arguments.place, Fault::BadValue(part.to_owned()));
            }
        }
        let keys = arguments.strings(self, "what to compare with")?;
        Ok(Test::Envelope { parts, part: tags.address_part(), matcher, keys })
    }

    /// `body [COMPARATOR] [MATCH-TYPE] [BODY-TRANSFORM] <key-list>` (RFC 5173 §4)
    fn body(&mut self, arguments: &mut Arguments<'_>) -> Checked<Test> {
        self.needs("body", arguments.place)?;
        let (mut tags, mut of) = (Tags::default(), None);
        while let Some(tag) = arguments.tag() {
            if tags.matching(self, arguments, tag)? {
                continue;
            }
            let found = match tag.1 {
                "raw" => BodyOf::Raw,
                "text" => BodyOf::Text,
                "content" => BodyOf::Content(arguments.strings(self, "content types")?),
                other => return self.fault(tag.0, Fault::UnknownTag(other.to_owned())),
            };
            once(self, &mut of, found, tag.0, tag.1)?;
        }
        let matcher = tags.matcher(self, arguments.place)?;
        let keys = arguments.strings(self, "what to compare with")?;
        Ok(Test::Body { of: of.unwrap_or(BodyOf::Text), matcher, keys })
    }

    /// `string [MATCH-TYPE] [COMPARATOR] <source: string-list> <key-list: string-list>` (RFC 5229 §5)
    fn strings_test(&mut self, arguments: &mut Arguments<'_>) -> Checked<Test> {
        self.needs("variables", arguments.place)?;
        let mut tags = Tags::default();
        while let Some(tag) = arguments.tag() {
            if !tags.matching(self, arguments, tag)? {
                return self.fault(tag.0, Fault::UnknownTag(tag.1.to_owned()));
            }
        }
        let matcher = tags.matcher(self, arguments.place)?;
        let sources = arguments.strings(self, "strings")?;
        let keys = arguments.strings(self, "what to compare with")?;
        Ok(Test::Strings { sources, matcher, keys })
    }

    /// `hasflag [MATCH-TYPE] [COMPARATOR] [<variable-list: string-list>] <list-of-flags: string-list>` (RFC 5232 §4)
    fn has_flag(&mut self, arguments: &mut Arguments<'_>) -> Checked<Test> {
        self.needs("imap4flags", arguments.place)?;
        let mut tags = Tags::default();
        while let Some(tag) = arguments.tag() {
            if !tags.matching(self, arguments, tag)? {
                return self.fault(tag.0, Fault::UnknownTag(tag.1.to_owned()));
            }
        }
        let matcher = tags.matcher(self, arguments.place)?;
        let mut variables = Vec::new();
        if arguments.has_two() {
            self.needs("variables", arguments.place)?;
            variables = arguments.strings(self, "names of variables")?;
        }
        let keys = arguments.strings(self, "flags")?;
        Ok(Test::HasFlag { variables, matcher, keys })
    }

    /// `date [":zone" <time-zone: string> / ":originalzone"] [COMPARATOR] [MATCH-TYPE] <header-name: string>
    /// <date-part: string> <key-list: string-list>` (RFC 5260 §4); `currentdate` has no header (§5)
    fn date(&mut self, arguments: &mut Arguments<'_>, of_header: bool) -> Checked<Test> {
        self.needs("date", arguments.place)?;
        let (mut tags, mut zone) = (Tags::default(), None);
        while let Some(tag) = arguments.tag() {
            if tags.matching(self, arguments, tag)? || (of_header && tags.index(self, arguments, tag)?) {
                continue;
            }
            let found = match tag.1 {
                "zone" => {
                    let (place, text) = arguments.word(self, "a zone such as +0700")?;
                    match crate::date::zone(text) {
                        Some(minutes) => Zone::Minutes(minutes),
                        None => return self.fault(place, Fault::BadValue(text.to_owned())),
                    }
                }
                "originalzone" if of_header => Zone::Original,
                other => return self.fault(tag.0, Fault::UnknownTag(other.to_owned())),
            };
            once(self, &mut zone, found, tag.0, tag.1)?;
        }
        let matcher = tags.matcher(self, arguments.place)?;
        let index = tags.which(self, arguments.place)?;
        let header = if of_header { Some(arguments.string(self, "the name of a header")?.1) } else { None };
        let (place, name) = arguments.word(self, "a part of a date")?;
        let Some(part) = DatePart::by_name(name) else {
            return self.fault(place, Fault::BadValue(name.to_owned()));
        };
        let keys = arguments.strings(self, "what to compare with")?;
        Ok(Test::Date { header, index, zone: zone.unwrap_or(Zone::Local), part, matcher, keys })
    }
}
