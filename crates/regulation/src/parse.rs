//! Reads `regulation.toml`. Every entry names its article; an unknown key, a missing article, a bad value or two
//! entries that contradict each other are told with their line, all of them at once.

use crate::{
    AccountKind, Finding, OfficialDomains, OutgoingReview, Passwords, PersonalAccounts, PrivateMail,
    Regulation, Response,
    table::{Notes, Section},
};
use congvu_types::{Citation, Domain};
use std::{collections::HashMap, ops::Range, time::Duration};
use toml::de::DeTable;

/// A regulation file is a page or two; nothing larger is looked at.
const MAX_BYTES: usize = 1 << 20;

pub(crate) fn parse(text: &str) -> Result<Regulation, Vec<Finding>> {
    let notes = Notes::new(text);
    if text.len() > MAX_BYTES {
        notes.note(0..0, "a regulation file is at most 1 MiB");
        return Err(notes.finish());
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        notes.note(error.span().unwrap_or(0..0), error.message());
    }
    if !errors.is_empty() {
        return Err(notes.finish());
    }
    let mut reader = Reader { notes: &notes, title: String::new(), rules: HashMap::new() };
    let regulation = reader.file(Section::root(&notes, root.get_ref()));
    let findings = notes.finish();
    if findings.is_empty() { Ok(regulation) } else { Err(findings) }
}

struct Reader<'a, 't> {
    notes: &'a Notes<'t>,
    title: String,
    /// Where each rule id was said to stand, to find the same rule under two articles.
    rules: HashMap<String, Citation>,
}

impl<'a, 't> Reader<'a, 't> {
    fn file(&mut self, root: Section<'a, 't>) -> Regulation {
        if let Some(instrument) = root.needed_table("instrument", "a table with the instrument's title") {
            if let Some((title, _)) = instrument.needed_text("title", "the regulation's title") {
                title.clone_into(&mut self.title);
            }
            instrument.finish();
        }
        let regulation = Regulation {
            personal_accounts: root.table("personal-accounts").and_then(|t| self.personal(t)),
            outgoing_review: root.table("outgoing-review").and_then(|t| self.outgoing(t)),
            official_domains: root.table("official-domains").and_then(|t| self.official(t)),
            private_mail: root.table("private-mail").and_then(|t| self.private(t)),
            passwords: root.table("passwords").and_then(|t| self.passwords(t)),
            title: self.title.clone(),
        };
        self.contradictions(&regulation, &root);
        root.finish();
        regulation
    }

    /// Reads `by`: the rule's id, its article and the words quoted from it.
    fn citation(&mut self, table: &Section<'a, 't>) -> Option<Citation> {
        let by = table.needed_table(
            "by",
            "every entry names its article, as in by = { rule = \"S9.1\", article = 9 }",
        )?;
        let rule = by.needed_text("rule", "the rule's id in docs/regulation.md, such as \"S9.1\"");
        let article = by.needed_number("article", 1, 999);
        let clause = by.number("clause", 1, 99).map(|(n, _)| n);
        let point = by.text("point");
        // The quotation is for who reads the file.
        by.text("text");
        if let Some((letter, span)) = point.clone().filter(|(p, _)| p.chars().count() != 1) {
            self.notes.note(span, format!("a point is one letter, not {letter:?}"));
        }
        let span = by.span.clone();
        by.finish();
        let small = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let citation = Citation {
            rule: rule?.0.to_owned(),
            instrument: self.title.clone(),
            article: small(article?),
            clause: clause.map(small),
            point: point.map(|(p, _)| p.to_owned()),
        };
        self.same_article(&citation, span);
        Some(citation)
    }

    fn same_article(&mut self, citation: &Citation, span: Range<usize>) {
        match self.rules.get(&citation.rule) {
            Some(before) if before != citation => {
                let message =
                    format!("{} is said to be {citation} here and {before} elsewhere", citation.rule);
                self.notes.note(span, message);
            }
            Some(_) => {}
            None => {
                self.rules.insert(citation.rule.clone(), citation.clone());
            }
        }
    }

    fn personal(&mut self, table: Section<'a, 't>) -> Option<PersonalAccounts> {
        let positions = names(table.needed_texts("positions", "the positions that may have one"));
        let at_most = table.number("at-most", 1, 100_000);
        if let Some((most, span)) = at_most.clone().filter(|(most, _)| *most < positions.len()) {
            let message = format!("at-most is {most}, but {} positions are named", positions.len());
            self.notes.note(span, message);
        }
        let citation = self.citation(&table);
        table.finish();
        Some(PersonalAccounts { positions, at_most: at_most.map(|(n, _)| n), citation: citation? })
    }

    fn outgoing(&mut self, table: Section<'a, 't>) -> Option<OutgoingReview> {
        let mut accounts = Vec::new();
        for (name, span) in table.needed_texts("accounts", "the kinds of account whose mail is held") {
            match AccountKind::by_name(name) {
                Some(kind) => accounts.push(kind),
                None => {
                    self.notes.note(span, format!("{name:?} is none of agency, unit, position, personal"))
                }
            }
        }
        let decide_within = table.text("decide-within").and_then(|(text, span)| {
            let parsed = duration(text);
            if parsed.is_none() {
                let message = format!("{text:?} is no duration such as \"4h\", \"30m\" or \"2d\"");
                self.notes.note(span, message);
            }
            parsed
        });
        let deputies = table.texts("deputies");
        if let (Some((_, span)), None) = (deputies.first(), table.text("decide-within")) {
            let message = "deputies without decide-within: nothing would ever pass to them";
            self.notes.note(span.clone(), message);
        }
        let citation = self.citation(&table);
        table.finish();
        Some(OutgoingReview { accounts, decide_within, deputies: names(deputies), citation: citation? })
    }

    fn domains(&self, names: Vec<(&str, Range<usize>)>) -> Vec<Domain> {
        let mut domains = Vec::new();
        for (name, span) in names {
            match name.parse::<Domain>() {
                Ok(domain) => domains.push(domain),
                Err(_) => self.notes.note(span, format!("{name:?} is not a domain such as \"gov.example\"")),
            }
        }
        domains
    }

    fn official(&mut self, table: Section<'a, 't>) -> Option<OfficialDomains> {
        let suffixes = self.domains(table.needed_texts("suffixes", "the official domains"));
        let citation = self.citation(&table);
        table.finish();
        Some(OfficialDomains { suffixes, citation: citation? })
    }

    fn private(&mut self, table: Section<'a, 't>) -> Option<PrivateMail> {
        let providers = self.domains(table.needed_texts("providers", "the domains of private providers"));
        let as_recipient = match table.text("as-recipient") {
            None | Some(("warn", _)) => Response::Warn,
            Some(("allow", _)) => Response::Allow,
            Some(("refuse", _)) => Response::Refuse,
            Some((other, span)) => {
                self.notes.note(span, format!("{other:?} is none of allow, warn, refuse"));
                Response::Warn
            }
        };
        let citation = self.citation(&table);
        table.finish();
        Some(PrivateMail { providers, as_recipient, citation: citation? })
    }

    fn passwords(&mut self, table: Section<'a, 't>) -> Option<Passwords> {
        let min_length = table.needed_number("min-length", 8, 64);
        let citation = self.citation(&table);
        table.finish();
        Some(Passwords { min_length: min_length?, citation: citation? })
    }

    /// Entries that cannot both hold.
    fn contradictions(&self, regulation: &Regulation, root: &Section<'a, 't>) {
        let (Some(private), Some(table)) = (&regulation.private_mail, root.table("private-mail")) else {
            return;
        };
        for (name, span) in table.texts("providers") {
            let Ok(domain) = name.parse::<Domain>() else { continue };
            if private.providers.contains(&domain) && regulation.is_official(&domain) == Some(true) {
                self.notes
                    .note(span, format!("{name:?} is a private provider here and an official domain above"));
            }
        }
    }
}

fn names(texts: Vec<(&str, Range<usize>)>) -> Vec<String> {
    texts.into_iter().map(|(text, _)| text.to_owned()).collect()
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u64 = number.parse().ok().filter(|n| (1..=365).contains(n))?;
    Some(Duration::from_secs(number * seconds))
}
