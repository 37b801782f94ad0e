//! What of an email is asked for (RFC 8621 §4.2).

use super::header::Asked;
use crate::{arguments::Arguments, error::MethodError};

/// What the store knows of an email.
pub(crate) const METADATA: [&str; 7] =
    ["id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt"];
/// What the envelope tells.
const ENVELOPE: [&str; 12] = [
    "messageId",
    "inReplyTo",
    "sender",
    "from",
    "to",
    "cc",
    "bcc",
    "replyTo",
    "subject",
    "sentAt",
    "hasAttachment",
    "preview",
];
/// What the whole message tells.
const CONTENT: [&str; 7] =
    ["references", "headers", "bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments"];
/// Not given unless asked for by name.
const ON_DEMAND: [&str; 2] = ["headers", "bodyStructure"];
/// RFC 8621 §4.2 `bodyProperties`
const BODY: [&str; 10] =
    ["partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location"];
/// Properties that one call may ask for.
const MOST_PROPERTIES: usize = 200;

/// What is asked of each email.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Properties by name.
    pub(crate) properties: Vec<String>,
    /// Properties `header:…`.
    pub(crate) headers: Vec<Asked>,
    /// Properties of parts.
    pub(crate) body_properties: Vec<String>,
    pub(crate) fetch_text: bool,
    pub(crate) fetch_html: bool,
    pub(crate) fetch_all: bool,
    /// The longest value of a part; 0 is without limit.
    pub(crate) max_value_bytes: usize,
}

impl Wanted {
    /// Takes the arguments; without `properties`, the default is all but what the store knows when it `is_parsed`.
    pub(crate) fn take(arguments: &mut Arguments, is_parsed: bool) -> Result<Self, MethodError> {
        let unknown = |name: &str| {
            let name: String = name.chars().take(100).collect();
            MethodError::arguments(format!("there is no property {name:?}"))
        };
        let all = METADATA.iter().chain(&ENVELOPE).chain(&CONTENT);
        let (mut properties, mut headers) = (Vec::new(), Vec::new());
        match arguments.texts("properties")? {
            None => {
                let given = all.filter(|name| !ON_DEMAND.contains(name));
                let given = given.filter(|name| !(is_parsed && METADATA.contains(name)));
                properties.extend(given.map(|name| (*name).to_owned()));
            }
            Some(asked) if asked.len() > MOST_PROPERTIES => return Err(MethodError::new("requestTooLarge")),
            Some(asked) => {
                for name in asked {
                    match Asked::read(&name) {
                        Some(header) => headers.push(header),
                        None if all.clone().any(|known| *known == name) => properties.push(name),
                        None => return Err(unknown(&name)),
                    }
                }
            }
        }
        let body_properties = match arguments.texts("bodyProperties")? {
            None => BODY.map(str::to_owned).to_vec(),
            Some(asked) if asked.len() > MOST_PROPERTIES => return Err(MethodError::new("requestTooLarge")),
            Some(asked) => asked,
        };
        let is_known = |name: &&String| {
            BODY.contains(&name.as_str())
                || ["headers", "subParts"].contains(&name.as_str())
                || Asked::read(name).is_some()
        };
        if let Some(name) = body_properties.iter().find(|name| !is_known(name)) {
            return Err(unknown(name));
        }
        let longest = arguments.unsigned("maxBodyValueBytes")?.unwrap_or(0);
        Ok(Self {
            properties,
            headers,
            body_properties,
            fetch_text: arguments.flag("fetchTextBodyValues")?,
            fetch_html: arguments.flag("fetchHTMLBodyValues")?,
            fetch_all: arguments.flag("fetchAllBodyValues")?,
            max_value_bytes: usize::try_from(longest).unwrap_or(usize::MAX),
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|p| p == name)
    }

    /// Whether the message itself must be read.
    pub(crate) fn needs_bytes(&self) -> bool {
        !self.headers.is_empty() || CONTENT.iter().any(|name| self.has(name))
    }

    /// Whether more of the message than its header is shown (S3.1b).
    pub(crate) fn shows_text(&self) -> bool {
        self.has("bodyValues") && (self.fetch_text || self.fetch_html || self.fetch_all)
    }
}
