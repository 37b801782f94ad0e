//! Reads `regulation.toml`. Every entry names its article; an unknown key, a missing article or a bad value is told
//! with its line.

use crate::{AccountKind, OfficialDomains, OutgoingReview, Passwords, PersonalAccounts, Regulation};
use congvu_types::{Citation, Domain};
use serde::Deserialize;
use std::{fmt, ops::Range, time::Duration};
use toml::Spanned;

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    instrument: Instrument,
    personal_accounts: Option<PersonalTable>,
    outgoing_review: Option<OutgoingTable>,
    official_domains: Option<DomainsTable>,
    passwords: Option<PasswordsTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Instrument {
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Article {
    rule: String,
    article: Spanned<u16>,
    clause: Option<u16>,
    point: Option<String>,
    #[serde(rename = "text")]
    _text: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonalTable {
    positions: Vec<String>,
    by: Article,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OutgoingTable {
    accounts: Vec<Spanned<String>>,
    decide_within: Option<Spanned<String>>,
    by: Article,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainsTable {
    suffixes: Vec<Spanned<String>>,
    by: Article,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PasswordsTable {
    min_length: Spanned<usize>,
    by: Article,
}

pub(crate) fn parse(text: &str) -> Result<Regulation, Vec<Finding>> {
    let mut reader = Reader { text, findings: Vec::new(), title: String::new() };
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            reader.note(error.span().unwrap_or(0..0), error.message());
            return Err(reader.findings);
        }
    };
    reader.title.clone_from(&file.instrument.title);
    let regulation = Regulation {
        personal_accounts: file
            .personal_accounts
            .map(|t| PersonalAccounts { positions: t.positions, citation: reader.citation(t.by) }),
        outgoing_review: file.outgoing_review.map(|t| reader.outgoing(t)),
        official_domains: file.official_domains.map(|t| reader.domains(t)),
        passwords: file.passwords.map(|t| reader.passwords(t)),
        title: file.instrument.title,
    };
    if reader.findings.is_empty() { Ok(regulation) } else { Err(reader.findings) }
}

struct Reader<'t> {
    text: &'t str,
    title: String,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn note(&mut self, span: Range<usize>, message: impl Into<String>) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        self.findings.push(Finding { line, message: message.into() });
    }

    fn citation(&mut self, by: Article) -> Citation {
        if *by.article.get_ref() == 0 {
            self.note(by.article.span(), "an article is numbered from 1");
        }
        Citation {
            rule: by.rule,
            instrument: self.title.clone(),
            article: by.article.into_inner(),
            clause: by.clause,
            point: by.point,
        }
    }

    fn outgoing(&mut self, table: OutgoingTable) -> OutgoingReview {
        let mut accounts = Vec::new();
        for name in table.accounts {
            match AccountKind::by_name(name.get_ref()) {
                Some(kind) => accounts.push(kind),
                None => self.note(
                    name.span(),
                    format!("{:?} is none of agency, unit, position, personal", name.get_ref()),
                ),
            }
        }
        let decide_within = table.decide_within.and_then(|text| {
            let parsed = duration(text.get_ref());
            if parsed.is_none() {
                self.note(
                    text.span(),
                    format!("{:?} is no duration such as \"4h\", \"30m\" or \"2d\"", text.get_ref()),
                );
            }
            parsed
        });
        OutgoingReview { accounts, decide_within, citation: self.citation(table.by) }
    }

    fn domains(&mut self, table: DomainsTable) -> OfficialDomains {
        let mut suffixes = Vec::new();
        for name in table.suffixes {
            match name.get_ref().parse::<Domain>() {
                Ok(domain) => suffixes.push(domain),
                Err(_) => self.note(name.span(), format!("{:?} is not a domain", name.get_ref())),
            }
        }
        OfficialDomains { suffixes, citation: self.citation(table.by) }
    }

    fn passwords(&mut self, table: PasswordsTable) -> Passwords {
        if !(8..=64).contains(table.min_length.get_ref()) {
            self.note(table.min_length.span(), "min-length is 8 to 64");
        }
        Passwords { min_length: table.min_length.into_inner(), citation: self.citation(table.by) }
    }
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
