//! Tests (RFC 5228 §5) as they come out.

use super::{Run, RunFault, flag_names};
use crate::{
    ast::{AddressPart, BodyOf, DatePart, Index, MatchKind, Matcher, Test, Zone},
    matching::any_matches,
    text::Text,
};
use congvu_message::{AddressItem, date_and_zone, headers, parse_addresses};

impl Run<'_, '_> {
    pub(super) fn test(&mut self, test: &Test) -> Result<bool, RunFault> {
        self.budget.step(1)?;
        match test {
            Test::Always(value) => Ok(*value),
            Test::Not(test) => Ok(!self.test(test)?),
            Test::All(tests) => self.each(tests, false).map(|found| !found),
            Test::Any(tests) => self.each(tests, true),
            Test::Exists(names) => {
                let names = self.texts(names)?;
                self.step_fields(names.len())?;
                Ok(names.iter().all(|name| self.mail.has(name)))
            }
            Test::Size { is_over: true, bytes } => Ok(self.mail.size() > *bytes),
            Test::Size { is_over: false, bytes } => Ok(self.mail.size() < *bytes),
            Test::Header { headers, index, matcher, keys } => {
                let values = self.header_values(headers, *index)?;
                self.compare(*matcher, &values, keys)
            }
            Test::Address { headers, index, part, matcher, keys } => {
                let values = self.address_values(headers, *index, *part)?;
                self.compare(*matcher, &values, keys)
            }
            Test::Envelope { parts, part, matcher, keys } => {
                let values = self.envelope_values(parts, *part)?;
                self.compare(*matcher, &values, keys)
            }
            Test::Body { of, matcher, keys } => self.body(of, *matcher, keys),
            Test::Strings { sources, matcher, keys } => {
                let mut values = self.texts(sources)?;
                // RFC 5229 §5: only strings that are not empty are counted.
                if matches!(matcher.kind, MatchKind::Count(_)) {
                    values.retain(|value| !value.is_empty());
                }
                self.compare(*matcher, &values, keys)
            }
            Test::HasFlag { variables, matcher, keys } => self.has_flag(variables, *matcher, keys),
            Test::Date { header, index, zone, part, matcher, keys } => {
                let values = self.date(header.as_ref(), *index, *zone, *part)?;
                self.compare(*matcher, &values, keys)
            }
            Test::HasAttachment => {
                self.budget.step(1_000)?;
                Ok(self.mail.has_attachment())
            }
            Test::SpecialUseExists { mailbox, uses } => {
                let mailbox = mailbox.as_ref().map(|name| self.text(name)).transpose()?;
                let uses = self.texts(uses)?;
                self.budget.step(uses.len().saturating_mul(1_000))?;
                Ok(uses.iter().all(|each| (self.mail.special_use_exists)(mailbox.as_deref(), each)))
            }
            Test::MailboxExists(names) => {
                let names = self.texts(names)?;
                self.budget.step(names.len().saturating_mul(1_000))?;
                Ok(names.iter().all(|name| (self.mail.mailbox_exists)(name)))
            }
        }
    }

    /// Whether one of the tests comes out so; those behind it are not made (RFC 5228 §5.2, §5.3).
    fn each(&mut self, tests: &[Test], wanted: bool) -> Result<bool, RunFault> {
        for test in tests {
            if self.test(test)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Counts a look through the header for each name.
    fn step_fields(&mut self, names: usize) -> Result<(), RunFault> {
        self.budget.step(names.saturating_mul(100 + self.mail.header_bytes() / 1024))
    }

    fn compare(&mut self, matcher: Matcher, values: &[String], keys: &[Text]) -> Result<bool, RunFault> {
        let keys = self.texts(keys)?;
        let mut captures = None;
        let matches = any_matches(matcher, values, &keys, &mut self.budget, &mut captures)?;
        if let Some(found) = captures {
            self.captures = found;
        }
        Ok(matches)
    }

    /// The raw values of fields; with an index one of each name (RFC 5260 §6).
    fn fields(&mut self, names: &[Text], index: Index) -> Result<Vec<Vec<u8>>, RunFault> {
        let names = self.texts(names)?;
        self.step_fields(names.len())?;
        let mut found = Vec::new();
        for name in names {
            let mut fields = self.mail.fields(&name);
            if let Some(number) = index.number {
                if index.from_last {
                    fields.reverse();
                }
                let place = number.checked_sub(1).and_then(|n| usize::try_from(n).ok());
                fields = place.and_then(|place| fields.get(place)).copied().into_iter().collect();
            }
            for field in fields {
                self.budget.step(1 + field.len() / 32)?;
                found.push(field.to_vec());
            }
        }
        Ok(found)
    }

    /// Values for the eye: encoded words decoded (RFC 5228 §2.7.2), blanks around them gone.
    fn header_values(&mut self, names: &[Text], index: Index) -> Result<Vec<String>, RunFault> {
        let fields = self.fields(names, index)?;
        Ok(fields.iter().map(|value| headers::decode(value).trim().to_owned()).collect())
    }

    fn address_values(
        &mut self,
        names: &[Text],
        index: Index,
        part: AddressPart,
    ) -> Result<Vec<String>, RunFault> {
        let fields = self.fields(names, index)?;
        let mut values = Vec::new();
        for field in fields {
            for item in parse_addresses(&field) {
                let AddressItem::Mailbox { local, domain, .. } = item else { continue };
                values.extend(part_of(part, &local, &domain));
            }
        }
        self.budget.step(values.len())?;
        Ok(values)
    }

    fn envelope_values(&mut self, parts: &[Text], part: AddressPart) -> Result<Vec<String>, RunFault> {
        let mut values = Vec::new();
        for name in self.texts(parts)? {
            let address = match name.to_ascii_lowercase().as_str() {
                "from" => self.mail.envelope_from,
                "to" => self.mail.envelope_to,
                _ => None,
            };
            let Some(address) = address else { continue };
            // RFC 5228 §5.4: of the empty return path every part is empty.
            let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
            values.extend(part_of(part, local, domain));
        }
        Ok(values)
    }

    /// RFC 5173 §6: wildcards of this test set no variables.
    fn body(&mut self, of: &BodyOf, matcher: Matcher, keys: &[Text]) -> Result<bool, RunFault> {
        let keys = self.texts(keys)?;
        let values = match of {
            BodyOf::Raw => vec![self.mail.raw_body()],
            BodyOf::Text => vec![self.mail.text().to_owned()],
            BodyOf::Content(types) => {
                let types = self.texts(types)?;
                self.budget.step(self.mail.raw_bytes() / 1024)?;
                self.mail.contents(&types)
            }
        };
        self.budget.step(values.iter().map(|value| 100 + value.len() / 64).sum())?;
        any_matches(matcher, &values, &keys, &mut self.budget, &mut None)
    }

    fn has_flag(&mut self, variables: &[Text], matcher: Matcher, keys: &[Text]) -> Result<bool, RunFault> {
        let names = self.texts(variables)?;
        let values = if names.is_empty() {
            self.flags.clone()
        } else {
            let values: Vec<String> = names
                .iter()
                .filter_map(|name| self.variables.get(&name.to_ascii_lowercase()).cloned())
                .collect();
            flag_names(&values)
        };
        self.compare(matcher, &values, keys)
    }

    /// The part of a date that a field names, or of now.
    fn date(
        &mut self,
        header: Option<&Text>,
        index: Index,
        zone: Zone,
        part: DatePart,
    ) -> Result<Vec<String>, RunFault> {
        let local = self.mail.zone_minutes;
        let told = |original: i32| match zone {
            Zone::Minutes(minutes) => minutes,
            Zone::Original => original,
            Zone::Local => local,
        };
        let Some(header) = header else {
            return Ok(part.of(self.mail.now, told(local)).into_iter().collect());
        };
        // RFC 5260 §4: the first field, unless another is asked for.
        let index = Index { number: Some(index.number.unwrap_or(1)), ..index };
        let fields = self.fields(std::slice::from_ref(header), index)?;
        Ok(fields
            .iter()
            .filter_map(|value| {
                let text = headers::decode(value);
                // In trace fields the date comes last, behind a semicolon.
                let date = text.rsplit(';').next().unwrap_or_default();
                let (instant, original) = date_and_zone(date.trim())?;
                part.of(instant, told(original))
            })
            .collect())
    }
}

/// RFC 5228 §2.7.4, RFC 5233 §4: a part that an address does not have is no value.
fn part_of(part: AddressPart, local: &str, domain: &str) -> Option<String> {
    Some(match part {
        AddressPart::All if domain.is_empty() => local.to_owned(),
        AddressPart::All => format!("{local}@{domain}"),
        AddressPart::LocalPart => local.to_owned(),
        AddressPart::Domain => domain.to_owned(),
        AddressPart::User => local.split('+').next().unwrap_or_default().to_owned(),
        AddressPart::Detail => local.split_once('+')?.1.to_owned(),
    })
}
