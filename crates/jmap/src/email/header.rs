//! Header fields in the forms that clients ask for (RFC 8621 §4.1.2, §4.1.3).

use congvu_message::{
    AddressItem, headers,
    headers::{Field, decode, unfold},
    local_date_time, parse_addresses,
};
use serde_json::{Map, Value, json};

/// A form that a field's value is given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Raw,
    Text,
    Addresses,
    GroupedAddresses,
    MessageIds,
    Date,
    Urls,
}

/// A property `header:Name:asForm:all`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The property as the client wrote it.
    pub(crate) property: String,
    name: String,
    form: Form,
    all: bool,
}

/// Items of a list that are given.
const MOST_ITEMS: usize = 2_000;

/// Fields of RFC 5322 and RFC 2369, each with the forms that it has besides `Raw`. Every other field has all of them.
const KNOWN: [(&str, &[Form]); 31] = {
    use Form::{Addresses, Date, GroupedAddresses, MessageIds, Text, Urls};
    const PEOPLE: &[Form] = &[Addresses, GroupedAddresses];
    [
        ("from", PEOPLE),
        ("sender", PEOPLE),
        ("reply-to", PEOPLE),
        ("to", PEOPLE),
        ("cc", PEOPLE),
        ("bcc", PEOPLE),
        ("resent-from", PEOPLE),
        ("resent-sender", PEOPLE),
        ("resent-reply-to", PEOPLE),
        ("resent-to", PEOPLE),
        ("resent-cc", PEOPLE),
        ("resent-bcc", PEOPLE),
        ("message-id", &[MessageIds]),
        ("in-reply-to", &[MessageIds]),
        ("references", &[MessageIds]),
        ("resent-message-id", &[MessageIds]),
        ("date", &[Date]),
        ("resent-date", &[Date]),
        ("subject", &[Text]),
        ("comments", &[Text]),
        ("keywords", &[Text]),
        ("list-id", &[Text]),
        ("list-help", &[Urls]),
        ("list-unsubscribe", &[Urls]),
        ("list-subscribe", &[Urls]),
        ("list-post", &[Urls]),
        ("list-owner", &[Urls]),
        ("list-archive", &[Urls]),
        ("return-path", &[]),
        ("received", &[]),
        ("mime-version", &[Text]),
    ]
};

impl Asked {
    /// Reads `header:Name[:asForm][:all]`; `None` when it is none, or the field has no such form.
    pub(crate) fn read(property: &str) -> Option<Self> {
        let mut pieces = property.strip_prefix("header:")?.split(':');
        let name = pieces.next().filter(|n| is_field_name(n))?;
        let (mut form, mut all) = (Form::Raw, false);
        let mut piece = pieces.next();
        if let Some(named) = piece.and_then(form_of) {
            form = named;
            piece = pieces.next();
        }
        if piece == Some("all") {
            all = true;
            piece = pieces.next();
        }
        let is_known = |known: &str| name.eq_ignore_ascii_case(known);
        let forms = KNOWN.iter().find(|(known, _)| is_known(known)).map(|(_, forms)| *forms);
        let has_form = form == Form::Raw || forms.is_none_or(|forms| forms.contains(&form));
        let asked = Self { property: property.to_owned(), name: name.to_owned(), form, all };
        (piece.is_none() && has_form).then_some(asked)
    }

    /// The field.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The form.
    pub(crate) const fn form(&self) -> Form {
        self.form
    }

    /// Whether every field of the name is meant.
    pub(crate) const fn is_all(&self) -> bool {
        self.all
    }

    /// Returns the value from a header.
    pub(crate) fn value(&self, header: &[u8]) -> Value {
        let found = headers::fields(header).filter(|field| field.is(&self.name));
        if self.all {
            return found.take(MOST_ITEMS).map(|field| in_form(&field, self.form)).collect();
        }
        found.last().map_or(Value::Null, |field| in_form(&field, self.form))
    }
}

fn form_of(text: &str) -> Option<Form> {
    Some(match text {
        "asRaw" => Form::Raw,
        "asText" => Form::Text,
        "asAddresses" => Form::Addresses,
        "asGroupedAddresses" => Form::GroupedAddresses,
        "asMessageIds" => Form::MessageIds,
        "asDate" => Form::Date,
        "asURLs" => Form::Urls,
        _ => return None,
    })
}

/// RFC 5322 §2.2: printable ASCII without the colon.
pub(crate) fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 100 && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

/// A field's value in a form.
pub(crate) fn in_form(field: &Field<'_>, form: Form) -> Value {
    match form {
        // The field as it stands, lines folded.
        Form::Raw => String::from_utf8_lossy(field.value).replace('\0', "\u{fffd}").into(),
        Form::Text => decode(field.value).trim_start().into(),
        Form::Addresses => addresses(&parse_addresses(field.value)),
        Form::GroupedAddresses => grouped(&parse_addresses(field.value)),
        Form::MessageIds => message_ids(&String::from_utf8_lossy(&unfold(field.value))),
        Form::Date => local_date_time(&String::from_utf8_lossy(&unfold(field.value))).into(),
        Form::Urls => urls(&String::from_utf8_lossy(&unfold(field.value))),
    }
}

fn address(item: &AddressItem) -> Option<Value> {
    let AddressItem::Mailbox { local, domain, .. } = item else { return None };
    let email = if domain.is_empty() { local.clone() } else { format!("{local}@{domain}") };
    Some(json!({ "name": item.display_name(), "email": email }))
}

/// RFC 8621 §4.1.2.3: every address, whatever its group; `null` when there is none.
pub(crate) fn addresses(items: &[AddressItem]) -> Value {
    items.iter().filter_map(address).take(MOST_ITEMS).collect()
}

/// RFC 8621 §4.1.2.4
fn grouped(items: &[AddressItem]) -> Value {
    let mut groups: Vec<Map<String, Value>> = Vec::new();
    let mut members: Vec<Value> = Vec::new();
    let mut name = Value::Null;
    let mut close = |name: &mut Value, members: &mut Vec<Value>| {
        if !name.is_null() || !members.is_empty() {
            let group = [("name", name.take()), ("addresses", std::mem::take(members).into())];
            groups.push(group.into_iter().map(|(n, v)| (n.to_owned(), v)).collect());
        }
    };
    for item in items.iter().take(MOST_ITEMS) {
        match item {
            AddressItem::Mailbox { .. } => members.extend(address(item)),
            AddressItem::GroupStart(group) => {
                close(&mut name, &mut members);
                name = decode(group.as_bytes()).into();
            }
            AddressItem::GroupEnd => close(&mut name, &mut members),
        }
    }
    close(&mut name, &mut members);
    groups.into()
}

/// RFC 8621 §4.1.2.5: the ids without their brackets; `null` when there is none.
pub(crate) fn message_ids(text: &str) -> Value {
    let ids = text.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(id, _)| id.trim());
    let ids: Vec<&str> =
        ids.filter(|id| !id.is_empty() && !id.contains(char::is_control)).take(MOST_ITEMS).collect();
    if ids.is_empty() { Value::Null } else { ids.into() }
}

/// RFC 8621 §4.1.2.7
fn urls(text: &str) -> Value {
    let urls = text.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(url, _)| url);
    let urls: Vec<String> = urls
        .map(|url| url.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>())
        .filter(|url| !url.is_empty())
        .take(MOST_ITEMS)
        .collect();
    if urls.is_empty() { Value::Null } else { urls.into() }
}

/// Every field as it stands (RFC 8621 §4.1.3 `headers`).
pub(crate) fn all(header: &[u8]) -> Value {
    headers::fields(header)
        .take(MOST_ITEMS)
        .map(|field| {
            json!({ "name": String::from_utf8_lossy(field.name), "value": in_form(&field, Form::Raw) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &[u8] = b"From: =?utf-8?Q?L=C3=AA_Mai?= <mai@x.example>\r\nTo: Phong: a@x.example, B <b@x.example>;, c@x.example\r\n\
        Subject: one\r\n two\r\nMessage-ID: <1@x>\r\nReferences: <a@x>\r\n <b@x>\r\nDate: Mon, 23 Nov 2026 08:00:00 +0700\r\n\
        X-A: 1\r\nX-A: =?utf-8?Q?=C3=A1?=\r\nList-Unsubscribe: <https://x.example/u>, (c) <mailto:u@x.example>\r\n\r\n";

    fn value(property: &str) -> Value {
        Asked::read(property).unwrap_or_else(|| panic!("{property}")).value(RAW)
    }

    #[test]
    fn every_form_is_given() {
        assert_eq!(value("header:subject"), json!(" one\r\n two"));
        assert_eq!(value("header:subject:asText"), json!("one two"));
        assert_eq!(value("header:From:asAddresses"), json!([{ "name": "Lê Mai", "email": "mai@x.example" }]));
        assert_eq!(
            value("header:To:asGroupedAddresses"),
            json!([
                { "name": "Phong", "addresses": [{ "name": null, "email": "a@x.example" }, { "name": "B", "email": "b@x.example" }] },
                { "name": null, "addresses": [{ "name": null, "email": "c@x.example" }] },
            ])
        );
        assert_eq!(value("header:References:asMessageIds"), json!(["a@x", "b@x"]));
        assert_eq!(value("header:Date:asDate"), json!("2026-11-23T08:00:00+07:00"));
        assert_eq!(
            value("header:List-Unsubscribe:asURLs"),
            json!(["https://x.example/u", "mailto:u@x.example"])
        );
        assert_eq!(value("header:X-A"), json!(" =?utf-8?Q?=C3=A1?="));
        assert_eq!(value("header:X-A:asText:all"), json!(["1", "á"]));
        assert_eq!(value("header:None"), Value::Null);
        assert_eq!(value("header:None:all"), json!([]));
    }

    #[test]
    fn forms_that_a_field_has_not_are_refused() {
        for bad in [
            "header:",
            "header:From:asText",
            "header:Subject:asAddresses",
            "header:Date:asMessageIds",
            "header:A:all:asText",
            "header:A:asNothing",
            "header:a b",
            "header:A:all:all",
            "headers",
        ] {
            assert_eq!(Asked::read(bad), None, "{bad}");
        }
        assert!(Asked::read("header:X-Own:asURLs:all").is_some());
    }
}
