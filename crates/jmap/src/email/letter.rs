//! An email as clients describe a new one, made a message (RFC 8621 §4.6).

use super::header::{Asked, Form};
use crate::{
    blob_id::BlobId,
    blobs::{self, Shown},
    dispatch::{Caller, Outcome},
    error::SetError,
};
use congvu_message::{FieldValue, Letter, LetterPart, Mailbox, PartBody, write_letter};
use congvu_storage::Snapshot;
use congvu_types::AccountId;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// Fields with a property of their own, in the order in which they are written.
const FIELDS: [(&str, &str, Form); 11] = [
    ("sentAt", "Date", Form::Date),
    ("from", "From", Form::Addresses),
    ("sender", "Sender", Form::Addresses),
    ("replyTo", "Reply-To", Form::Addresses),
    ("to", "To", Form::Addresses),
    ("cc", "Cc", Form::Addresses),
    ("bcc", "Bcc", Form::Addresses),
    ("messageId", "Message-ID", Form::MessageIds),
    ("inReplyTo", "In-Reply-To", Form::MessageIds),
    ("references", "References", Form::MessageIds),
    ("subject", "Subject", Form::Text),
];
/// Fields that one part or message may have.
const MOST_FIELDS: usize = 200;
/// Parts that one message may have.
const MOST_PARTS: usize = 500;
/// Levels of parts.
const DEEPEST: usize = 16;

type Read<T> = Result<T, SetError>;

fn wrong(name: &str) -> SetError {
    SetError::properties([name], format!("{name} is not what it must be"))
}

/// A part that is described; its bytes may still be a blob's.
#[derive(Debug)]
struct Plan {
    part: LetterPart,
    blob: Option<String>,
    children: Vec<Self>,
}

/// A message that is described.
#[derive(Debug)]
pub(crate) struct Described {
    fields: Vec<(String, FieldValue)>,
    body: Option<Plan>,
}

impl Described {
    /// Reads a description; what says where the email is filed was taken out before.
    pub(crate) fn read(mut object: Map<String, Value>) -> Read<Self> {
        let body = body(&mut object)?;
        let fields = fields(object)?;
        Ok(Self { fields, body })
    }

    /// Fetches the blobs and writes the message; says too which messages of the account it takes from.
    pub(crate) fn write(
        self,
        snapshot: &Snapshot,
        caller: &Caller,
        (account, most): (AccountId, usize),
        host: &str,
        unique: &str,
    ) -> Outcome<Read<(Vec<u8>, Shown)>> {
        let mut fetch = Fetch { snapshot, caller, account, missing: Vec::new(), shown: Vec::new(), bytes: 0 };
        let body = match self.body {
            Some(plan) => Some(fetch.part(plan)?),
            None => None,
        };
        if !fetch.missing.is_empty() {
            return Ok(Err(SetError::new("blobNotFound").with("notFound", fetch.missing)));
        }
        if fetch.bytes > most {
            return Ok(Err(SetError::new("tooLarge").with("maxSize", most)));
        }
        let letter = Letter { fields: self.fields, body };
        Ok(match write_letter(letter, snapshot.now(), unique, host) {
            Ok(raw) if raw.len() > most => Err(SetError::new("tooLarge").with("maxSize", most)),
            Ok(raw) => Ok((raw, fetch.shown)),
            Err(error) => Err(SetError::properties([property_of(&error.0).as_str()], error.to_string())),
        })
    }
}

/// The property of a field.
fn property_of(field: &str) -> String {
    let known = FIELDS.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(field));
    match known {
        Some((property, ..)) => (*property).to_owned(),
        None if ["type", "disposition", "cid", "language", "location", "subParts"].contains(&field) => {
            "bodyStructure".to_owned()
        }
        None => format!("header:{field}"),
    }
}

/// Fetches the bytes of parts.
struct Fetch<'a> {
    snapshot: &'a Snapshot,
    caller: &'a Caller,
    account: AccountId,
    missing: Vec<String>,
    shown: Shown,
    bytes: usize,
}

impl Fetch<'_> {
    fn part(&mut self, plan: Plan) -> Outcome<LetterPart> {
        let mut part = plan.part;
        if let Some(text) = plan.blob {
            let found = match BlobId::read(&text) {
                Some(id) => blobs::find(self.snapshot, self.caller, self.account, &id)?.map(|f| (id, f)),
                None => None,
            };
            match found.as_ref().and_then(|(id, f)| Some((id.cut(&f.raw)?.into_owned(), f.shown(id)))) {
                Some((bytes, shown)) => {
                    self.bytes = self.bytes.saturating_add(bytes.len());
                    self.shown.extend(shown);
                    part.body = PartBody::Bytes(bytes);
                }
                None => self.missing.push(text),
            }
        } else if let PartBody::Parts(children) = &mut part.body {
            for child in plan.children {
                children.push(self.part(child)?);
            }
        }
        Ok(part)
    }
}

/// The header: no field by two properties, none that is a part's.
fn fields(object: Map<String, Value>) -> Read<Vec<(String, FieldValue)>> {
    let mut fields: Vec<(usize, String, FieldValue)> = Vec::new();
    let mut seen = HashSet::new();
    for (property, given) in object {
        if let Some(place) = FIELDS.iter().position(|(name, ..)| *name == property) {
            let Some((_, field, form)) = FIELDS.get(place) else { continue };
            if !seen.insert(field.to_ascii_lowercase()) {
                return Err(wrong(&property));
            }
            fields.extend(value(&property, *form, &given)?.map(|v| (place, (*field).to_owned(), v)));
            continue;
        }
        let asked = Asked::read(&property).ok_or_else(|| wrong(&property))?;
        if asked.name().to_ascii_lowercase().starts_with("content-") {
            return Err(wrong(&property));
        }
        if !seen.insert(asked.name().to_ascii_lowercase()) {
            return Err(wrong(&property));
        }
        let known = FIELDS.iter().position(|(_, name, _)| name.eq_ignore_ascii_case(asked.name()));
        let place = known.unwrap_or(FIELDS.len());
        fields.extend(asked_fields(&asked, &given)?.into_iter().map(|(name, value)| (place, name, value)));
    }
    if fields.len() > MOST_FIELDS {
        return Err(SetError::properties(["headers"], "too many fields"));
    }
    fields.sort_by_key(|(place, ..)| *place);
    Ok(fields.into_iter().map(|(_, name, value)| (name, value)).collect())
}

/// The fields of a property `header:…`: several when it says `:all`.
fn asked_fields(asked: &Asked, given: &Value) -> Read<Vec<(String, FieldValue)>> {
    let property = asked.property.as_str();
    let one = |given: &Value| -> Read<Option<(String, FieldValue)>> {
        Ok(value(property, asked.form(), given)?.map(|value| (asked.name().to_owned(), value)))
    };
    if !asked.is_all() {
        return Ok(one(given)?.into_iter().collect());
    }
    let items = given.as_array().filter(|items| items.len() <= MOST_FIELDS).ok_or_else(|| wrong(property))?;
    let mut found = Vec::new();
    for item in items {
        found.extend(one(item)?);
    }
    Ok(found)
}

/// A field's value from the form of its property; `null` is no field.
fn value(property: &str, form: Form, given: &Value) -> Read<Option<FieldValue>> {
    if given.is_null() {
        return Ok(None);
    }
    let text = || given.as_str().map(str::to_owned).ok_or_else(|| wrong(property));
    Ok(Some(match form {
        Form::Raw => FieldValue::Raw(text()?),
        Form::Text => FieldValue::Text(text()?),
        Form::Date => FieldValue::Date(text()?),
        Form::MessageIds => match texts(property, given)? {
            ids if ids.is_empty() => return Ok(None),
            ids => FieldValue::MessageIds(ids),
        },
        Form::Urls => FieldValue::Urls(texts(property, given)?),
        Form::Addresses => match mailboxes(property, given)? {
            list if list.is_empty() => return Ok(None),
            list => FieldValue::Addresses(list),
        },
        Form::GroupedAddresses => {
            let groups = given.as_array().ok_or_else(|| wrong(property))?;
            let read = groups.iter().map(|group| {
                let name = match group.get("name") {
                    None | Some(Value::Null) => None,
                    Some(Value::String(name)) => Some(name.clone()),
                    Some(_) => return Err(wrong(property)),
                };
                Ok((name, mailboxes(property, group.get("addresses").unwrap_or(&Value::Null))?))
            });
            FieldValue::Groups(read.collect::<Read<_>>()?)
        }
    }))
}

fn texts(property: &str, given: &Value) -> Read<Vec<String>> {
    let items = given.as_array().ok_or_else(|| wrong(property))?;
    items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong(property))).collect()
}

/// `EmailAddress[]` (RFC 8621 §4.1.2.3).
fn mailboxes(property: &str, given: &Value) -> Read<Vec<Mailbox>> {
    let items = given.as_array().ok_or_else(|| wrong(property))?;
    items
        .iter()
        .map(|item| {
            let name = match item.get("name") {
                None | Some(Value::Null) => None,
                Some(Value::String(name)) => Some(name.clone()).filter(|n| !n.trim().is_empty()),
                Some(_) => return Err(wrong(property)),
            };
            let email = item.get("email").and_then(Value::as_str).ok_or_else(|| wrong(property))?;
            Ok((name, email.to_owned()))
        })
        .collect()
}

/// The body: from its structure, or from text, HTML and attachments.
fn body(object: &mut Map<String, Value>) -> Read<Option<Plan>> {
    let values = body_values(object.remove("bodyValues"))?;
    let mut take = |name: &str| object.remove(name).filter(|v| !v.is_null());
    let (structure, text, html) = (take("bodyStructure"), take("textBody"), take("htmlBody"));
    let attachments = take("attachments");
    let mut parts = Parts { values, left: MOST_PARTS };
    if let Some(structure) = structure {
        if text.is_some() || html.is_some() || attachments.is_some() {
            return Err(SetError::properties(["bodyStructure"], "it stands alone"));
        }
        return parts.read("bodyStructure", &structure, None, DEEPEST).map(Some);
    }
    let text = text.map(|t| parts.only("textBody", &t, "text/plain")).transpose()?;
    let html = html.map(|h| parts.only("htmlBody", &h, "text/html")).transpose()?;
    let mut attached = Vec::new();
    for part in attachments
        .as_ref()
        .map_or(Ok([].as_slice()), |a| a.as_array().map(Vec::as_slice).ok_or(()))
        .map_err(|()| wrong("attachments"))?
    {
        attached.push(parts.read("attachments", part, Some("attachment"), DEEPEST)?);
    }
    Ok(arranged(text, html, attached))
}

/// Text and HTML are alternatives; what the HTML shows is related to it; the rest is attached (RFC 2046 §5.1, RFC 2387).
fn arranged(text: Option<Plan>, html: Option<Plan>, attached: Vec<Plan>) -> Option<Plan> {
    let is_shown = |plan: &Plan| {
        plan.part.id.is_some() && plan.part.disposition.as_deref().is_none_or(|d| d == "inline")
    };
    let (shown, attached): (Vec<Plan>, Vec<Plan>) =
        attached.into_iter().partition(|plan| html.is_some() && is_shown(plan));
    let html =
        html.map(|html| if shown.is_empty() { html } else { multipart("related", prepend(html, shown)) });
    let words = match (text, html) {
        (Some(text), Some(html)) => Some(multipart("alternative", vec![text, html])),
        (text, html) => text.or(html),
    };
    match (words, attached.is_empty()) {
        (words, true) => words,
        (Some(words), false) => Some(multipart("mixed", prepend(words, attached))),
        (None, false) => Some(multipart("mixed", attached)),
    }
}

fn prepend(first: Plan, mut rest: Vec<Plan>) -> Vec<Plan> {
    rest.insert(0, first);
    rest
}

fn multipart(subtype: &str, children: Vec<Plan>) -> Plan {
    let mut part = plain(&format!("multipart/{subtype}"));
    part.body = PartBody::Parts(Vec::new());
    Plan { part, blob: None, children }
}

fn plain(media_type: &str) -> LetterPart {
    LetterPart {
        media_type: media_type.to_owned(),
        charset: None,
        name: None,
        disposition: None,
        id: None,
        language: Vec::new(),
        location: None,
        fields: Vec::new(),
        body: PartBody::Text(String::new()),
    }
}

/// The texts of parts, by their ids.
fn body_values(given: Option<Value>) -> Read<HashMap<String, String>> {
    let given = match given {
        None | Some(Value::Null) => return Ok(HashMap::new()),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(wrong("bodyValues")),
    };
    given
        .into_iter()
        .map(|(id, value)| {
            let marked = |name: &str| !matches!(value.get(name), None | Some(Value::Bool(false)));
            let text = value.get("value").and_then(Value::as_str);
            match text {
                Some(text) if !marked("isEncodingProblem") && !marked("isTruncated") => {
                    Ok((id, text.to_owned()))
                }
                _ => Err(SetError::properties(["bodyValues"], "a value is a text, whole and readable")),
            }
        })
        .collect()
}

/// Reads parts.
struct Parts {
    values: HashMap<String, String>,
    left: usize,
}

impl Parts {
    /// The one part of a list.
    fn only(&mut self, property: &str, given: &Value, media_type: &str) -> Read<Plan> {
        let one = match given.as_array().map(Vec::as_slice) {
            Some([one]) => one,
            _ => return Err(SetError::properties([property], format!("{property} is one part"))),
        };
        let mut plan = self.read(property, one, None, DEEPEST)?;
        if one.get("type").is_none() {
            plan.part.media_type = media_type.to_owned();
        }
        if plan.part.media_type.eq_ignore_ascii_case(media_type) {
            Ok(plan)
        } else {
            Err(SetError::properties([property], format!("{property} is of type {media_type}")))
        }
    }

    fn read(&mut self, property: &str, given: &Value, disposition: Option<&str>, depth: usize) -> Read<Plan> {
        let bad = |what: &str| SetError::properties([property], what.to_owned());
        let given = given.as_object().ok_or_else(|| bad("a part is an object"))?;
        self.left = self.left.checked_sub(1).ok_or_else(|| bad("too many parts"))?;
        let depth = depth.checked_sub(1).ok_or_else(|| bad("too many levels"))?;
        let text = |name: &str| match given.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(bad(&format!("{name} is a string"))),
        };
        let (id, blob, kind) = (text("partId")?, text("blobId")?, text("type")?);
        let mut part = plain(kind.as_deref().unwrap_or_default());
        part.charset = text("charset")?;
        part.name = text("name")?;
        part.disposition = text("disposition")?.or_else(|| disposition.map(str::to_owned));
        part.id = text("cid")?;
        part.location = text("location")?;
        part.language = match given.get("language") {
            None | Some(Value::Null) => Vec::new(),
            Some(tags) => texts(property, tags)?,
        };
        part.fields = part_fields(property, given)?;
        let mut children = Vec::new();
        match (id, blob.is_some(), given.get("subParts")) {
            (None, false, Some(Value::Array(parts))) if part.media_type.starts_with("multipart/") => {
                part.body = PartBody::Parts(Vec::new());
                for child in parts {
                    children.push(self.read(property, child, None, depth)?);
                }
            }
            (Some(id), false, None | Some(Value::Null)) => {
                if part.charset.is_some() || given.contains_key("size") {
                    return Err(bad("a part with a value has no charset and no size of its own"));
                }
                let value = self.values.get(&id).cloned().ok_or_else(|| bad("a part has no value"))?;
                if part.media_type.is_empty() {
                    part.media_type = "text/plain".to_owned();
                }
                part.body = match part.media_type.starts_with("text/") {
                    true => PartBody::Text(value),
                    false => PartBody::Bytes(value.into_bytes()),
                };
            }
            (None, true, None | Some(Value::Null)) => {
                if part.media_type.is_empty() {
                    part.media_type = "application/octet-stream".to_owned();
                }
            }
            _ => return Err(bad("a part has a partId, a blobId or, when it is a multipart, subParts")),
        }
        Ok(Plan { part, blob, children })
    }
}

/// Further fields of a part: none that its properties say, nor the encoding, which is ours.
fn part_fields(property: &str, given: &Map<String, Value>) -> Read<Vec<(String, FieldValue)>> {
    const OWN: [&str; 10] =
        ["partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location"];
    const SAID: [&str; 6] = [
        "content-type",
        "content-disposition",
        "content-id",
        "content-language",
        "content-location",
        "content-transfer-encoding",
    ];
    let mut fields = Vec::new();
    for (name, value) in given {
        if OWN.contains(&name.as_str()) || name == "subParts" {
            continue;
        }
        let asked = Asked::read(name).filter(|a| !SAID.contains(&a.name().to_ascii_lowercase().as_str()));
        let asked = asked.ok_or_else(|| {
            SetError::properties([property], format!("a part has no {:.100} to be set", name))
        })?;
        fields.extend(asked_fields(&asked, value)?);
    }
    Ok(fields)
}
