//! The envelope of a submission (RFC 8621 §7), with the parameters of MAIL and RCPT that are heard: RFC 3461, RFC 4865.

use congvu_transport::{
    Envelope, EnvelopeRecipient, Notify, Ret,
    submission::{Hold, Submission},
};
use congvu_types::{EmailAddress, Timestamp};
use serde_json::{Map, Value, json};

/// What a client says of envelope and time.
pub(crate) struct Asked {
    pub(crate) envelope: Envelope,
    pub(crate) hold: Hold,
}

/// Why it cannot be understood, in words; or which recipients are none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Shape(String),
    Recipients(Vec<String>),
}

fn shape<T>(text: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Shape(text.into()))
}

/// Recipients of an envelope that are read; more are too many anyhow.
const MOST_READ: usize = 10_000;
/// Parameters of one address.
const MOST_PARAMETERS: usize = 20;

/// Reads an envelope.
pub(crate) fn read(given: &Value) -> Result<Asked, Wrong> {
    let Some(given) = given.as_object() else { return shape("the envelope is an object") };
    if let Some(name) = given.keys().find(|name| !["mailFrom", "rcptTo"].contains(&name.as_str())) {
        let name: String = name.chars().take(100).collect();
        return shape(format!("an envelope has no {name:?}"));
    }
    let Some(from) = given.get("mailFrom") else { return shape("an envelope has mailFrom") };
    let (email, parameters) = address(from)?;
    let mut asked = Asked { envelope: Envelope::new(None, []), hold: Hold::None };
    if !email.is_empty() {
        let Ok(from) = email.parse::<EmailAddress>() else { return shape("mailFrom is no address") };
        asked.envelope.mail_from = Some(from);
    }
    mail_parameters(&mut asked, parameters)?;
    let Some(Value::Array(to)) = given.get("rcptTo") else { return shape("rcptTo is a list") };
    if to.len() > MOST_READ {
        return shape("too many recipients");
    }
    let mut invalid = Vec::new();
    for one in to {
        let (email, parameters) = address(one)?;
        match email.parse::<EmailAddress>() {
            Ok(address) => {
                let recipient = recipient(address, parameters)?;
                asked.envelope.recipients.push(recipient);
            }
            Err(_) => invalid.push(email.chars().take(320).collect()),
        }
    }
    if invalid.is_empty() { Ok(asked) } else { Err(Wrong::Recipients(invalid)) }
}

type Parameters<'v> = Vec<(String, Option<&'v str>)>;

fn address(given: &Value) -> Result<(&str, Parameters<'_>), Wrong> {
    let Some(email) = given.get("email").and_then(Value::as_str) else {
        return shape("an address has an email");
    };
    let given = match given.get("parameters") {
        None | Some(Value::Null) => return Ok((email, Vec::new())),
        Some(Value::Object(given)) if given.len() <= MOST_PARAMETERS => given,
        Some(_) => return shape("parameters is an object"),
    };
    let mut parameters = Vec::with_capacity(given.len());
    for (name, value) in given {
        match value {
            Value::Null => parameters.push((name.to_ascii_uppercase(), None)),
            Value::String(text) => parameters.push((name.to_ascii_uppercase(), Some(text.as_str()))),
            _ => return shape("a parameter is a string or null"),
        }
    }
    Ok((email, parameters))
}

fn mail_parameters(asked: &mut Asked, parameters: Parameters<'_>) -> Result<(), Wrong> {
    for (name, value) in parameters {
        match (name.as_str(), value) {
            // RFC 4865 §4.1: one of them.
            ("HOLDFOR" | "HOLDUNTIL", _) if asked.hold != Hold::None => {
                return shape("HOLDFOR and HOLDUNTIL exclude each other");
            }
            ("HOLDFOR", Some(text)) => match text.parse() {
                Ok(seconds) if text.bytes().all(|b| b.is_ascii_digit()) => asked.hold = Hold::For(seconds),
                _ => return shape("HOLDFOR is a number of seconds"),
            },
            ("HOLDUNTIL", Some(text)) => match text.parse::<jiff::Timestamp>() {
                Ok(at) => asked.hold = Hold::Until(Timestamp(at.as_millisecond())),
                Err(_) => return shape("HOLDUNTIL is a date"),
            },
            ("RET", Some("FULL")) => asked.envelope.ret = Ret::Full,
            ("RET", Some("HDRS")) => asked.envelope.ret = Ret::Hdrs,
            // RFC 3461 §4.4: at most 100 characters.
            ("ENVID", Some(text)) if is_clean(text, 100) => asked.envelope.envid = Some(text.to_owned()),
            // What the bytes say by themselves.
            ("SIZE" | "BODY", Some(_)) | ("SMTPUTF8", None) => {}
            _ => return shape(format!("parameter {:.100} is not known, or its value is not valid", name)),
        }
    }
    Ok(())
}

fn recipient(address: EmailAddress, parameters: Parameters<'_>) -> Result<EnvelopeRecipient, Wrong> {
    let mut recipient = EnvelopeRecipient::new(address);
    for (name, value) in parameters {
        match (name.as_str(), value) {
            ("NOTIFY", Some(text)) => match notify(text) {
                Some(notify) => recipient.notify = notify,
                None => return shape("NOTIFY is NEVER or of SUCCESS, FAILURE, DELAY"),
            },
            // RFC 3461 §4.2: at most 500 characters.
            ("ORCPT", Some(text)) if text.contains(';') && is_clean(text, 500) => {
                recipient.orcpt = Some(text.to_owned());
            }
            _ => return shape(format!("parameter {:.100} is not known, or its value is not valid", name)),
        }
    }
    Ok(recipient)
}

fn is_clean(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && !text.chars().any(char::is_control)
}

/// RFC 3461 §4.1
fn notify(text: &str) -> Option<Notify> {
    if text.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::NEVER);
    }
    let mut notify = Notify::NEVER;
    for word in text.split(',') {
        match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => notify.success = true,
            "FAILURE" => notify.failure = true,
            "DELAY" => notify.delay = true,
            _ => return None,
        }
    }
    Some(notify)
}

/// Shows the envelope of a submission.
pub(crate) fn show(found: &Submission) -> Value {
    let Envelope { mail_from, ret, envid, recipients } = &found.envelope;
    let mut parameters = Map::new();
    match found.hold {
        Hold::None => {}
        Hold::For(seconds) => drop(parameters.insert("HOLDFOR".to_owned(), seconds.to_string().into())),
        Hold::Until(at) => drop(parameters.insert("HOLDUNTIL".to_owned(), at.rfc3339().into())),
    }
    if *ret == Ret::Full {
        parameters.insert("RET".to_owned(), "FULL".into());
    }
    if let Some(envid) = envid {
        parameters.insert("ENVID".to_owned(), envid.clone().into());
    }
    let from = mail_from.as_ref().map(ToString::to_string).unwrap_or_default();
    let to: Vec<Value> = recipients.iter().map(show_recipient).collect();
    json!({ "mailFrom": { "email": from, "parameters": or_null(parameters) }, "rcptTo": to })
}

fn show_recipient(recipient: &EnvelopeRecipient) -> Value {
    let mut parameters = Map::new();
    let Notify { success, failure, delay } = recipient.notify;
    if recipient.notify == Notify::NEVER {
        parameters.insert("NOTIFY".to_owned(), "NEVER".into());
    } else if recipient.notify != Notify::default() {
        let words = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
        let words: Vec<&str> =
            words.iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, word)| *word).collect();
        parameters.insert("NOTIFY".to_owned(), words.join(",").into());
    }
    if let Some(orcpt) = &recipient.orcpt {
        parameters.insert("ORCPT".to_owned(), orcpt.clone().into());
    }
    json!({ "email": recipient.address.to_string(), "parameters": or_null(parameters) })
}

fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(from: Value, to: Value) -> Result<Asked, Wrong> {
        read(&json!({ "mailFrom": from, "rcptTo": to }))
    }

    #[test]
    fn parameters_are_read_in_any_case() {
        let from = json!({ "email": "a@x.example", "parameters": { "holdfor": "10", "RET": "FULL", "ENVID": "e 1" } });
        let to = json!([{ "email": "b@x.example", "parameters": { "NOTIFY": "success,DELAY", "ORCPT": "rfc822;c@x" } }]);
        let asked = of(from, to).unwrap();
        assert_eq!((asked.hold, asked.envelope.ret), (Hold::For(10), Ret::Full));
        let notify = asked.envelope.recipients[0].notify;
        assert!(notify.success && notify.delay && !notify.failure);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let to = json!([{ "email": "b@x.example" }]);
        for parameters in [
            json!({ "HOLDFOR": "10", "HOLDUNTIL": "2026-11-23T00:00:00Z" }),
            json!({ "HOLDFOR": "-1" }),
            json!({ "HOLDFOR": 10 }),
            json!({ "HOLDFOR": null }),
            json!({ "HOLDUNTIL": "tomorrow" }),
            json!({ "ENVID": "a\r\nb" }),
            json!({ "SOLICIT": "x" }),
            json!([]),
        ] {
            let from = json!({ "email": "a@x.example", "parameters": parameters });
            assert!(of(from, to.clone()).is_err(), "{parameters}");
        }
        let from = json!({ "email": "a@x.example" });
        let bad = json!([{ "email": "b" }, { "email": "c@x.example" }, { "email": "" }]);
        assert_eq!(of(from.clone(), bad).err(), Some(Wrong::Recipients(vec!["b".into(), String::new()])));
        for bad in
            [json!(null), json!([1]), json!([{ "email": "b@x.example", "parameters": { "NOTIFY": "x" } }])]
        {
            assert!(of(from.clone(), bad).is_err());
        }
    }
}
