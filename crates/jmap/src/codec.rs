//! A request's bytes (RFC 8620 §3.3) as values; pure, and fuzzed. What cannot be read is an error of the whole request
//! (§3.6.1), worded by `problem`.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::{cell::Cell, fmt};

/// Values of a request, nested ones too: what a small body could be blown up to.
const MOST_VALUES: usize = 400_000;
/// Characters of a method's name and of a call's id.
const LONGEST_NAME: usize = 255;

/// Why a request is not heard at all (RFC 8620 §3.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestError {
    /// Not I-JSON.
    NotJson(String),
    /// JSON, but no request.
    NotRequest(&'static str),
    /// It uses a capability that we do not have.
    UnknownCapability(String),
    /// It is beyond this limit, named as in the capability.
    Limit(&'static str),
}

/// One method call (RFC 8620 §3.2).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// The method.
    pub(crate) name: String,
    /// Its arguments.
    pub(crate) arguments: Map<String, Value>,
    /// The client's id for the call.
    pub(crate) id: String,
}

/// A request (RFC 8620 §3.3).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// Capabilities that the client means to use.
    pub(crate) using: Vec<String>,
    /// The calls, in order.
    pub(crate) calls: Vec<Call>,
    /// Ids of what the client created, by its own ids.
    pub(crate) created_ids: Option<Map<String, Value>>,
}

/// Reads a request of at most `most_calls` calls.
pub(crate) fn parse(bytes: &[u8], most_calls: usize) -> Result<Request, RequestError> {
    match read_json(bytes)? {
        Value::Object(body) => request(body, most_calls),
        _ => Err(RequestError::NotRequest("a request is an object")),
    }
}

/// Reads I-JSON (RFC 7493 §2): UTF-8, no name twice in an object.
pub(crate) fn read_json(bytes: &[u8]) -> Result<Value, RequestError> {
    let left = Cell::new(MOST_VALUES);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict(&left).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(value) => Ok(value),
        Err(_) if left.get() == 0 => Err(RequestError::Limit("maxSizeRequest")),
        Err(error) => Err(RequestError::NotJson(error.to_string())),
    }
}

/// Reads a request from its object.
pub(crate) fn request(mut body: Map<String, Value>, most_calls: usize) -> Result<Request, RequestError> {
    use RequestError::NotRequest;
    let using = match body.remove("using") {
        Some(Value::Array(names)) => names.into_iter().map(text).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let using = using.ok_or(NotRequest("using is a list of capabilities"))?;
    let Some(Value::Array(calls)) = body.remove("methodCalls") else {
        return Err(NotRequest("methodCalls is a list of calls"));
    };
    if calls.len() > most_calls {
        return Err(RequestError::Limit("maxCallsInRequest"));
    }
    let calls = calls.into_iter().map(call).collect::<Option<Vec<_>>>();
    let calls = calls.ok_or(NotRequest("a call is its name, an object of arguments and an id"))?;
    let created_ids = match body.remove("createdIds") {
        None => None,
        Some(Value::Object(ids)) if ids.values().all(Value::is_string) => Some(ids),
        Some(_) => return Err(NotRequest("createdIds is an object of ids")),
    };
    Ok(Request { using, calls, created_ids })
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn call(value: Value) -> Option<Call> {
    let Value::Array(parts) = value else { return None };
    let [Value::String(name), Value::Object(arguments), Value::String(id)] =
        <[Value; 3]>::try_from(parts).ok()?
    else {
        return None;
    };
    (name.len() <= LONGEST_NAME && id.len() <= LONGEST_NAME).then_some(Call { name, arguments, id })
}

/// Makes a value of what comes, counting values down to none.
struct Strict<'c>(&'c Cell<usize>);

impl Strict<'_> {
    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        match self.0.get() {
            0 => Err(E::custom("too many values")),
            left => {
                self.0.set(left - 1);
                if left == 1 { Err(E::custom("too many values")) } else { Ok(()) }
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of I-JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict(self.0))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Strict(self.0))?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice in an object"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request, RequestError> {
        parse(text.as_bytes(), 3)
    }

    #[test]
    fn a_request_is_read_and_nothing_else_is() {
        let good =
            r#"{"using":["a"],"methodCalls":[["Core/echo",{"x":1},"c0"]],"createdIds":{"k":"e1"},"more":1}"#;
        let request = read(good).unwrap();
        assert_eq!(request.using, ["a"]);
        assert_eq!(request.calls[0].name, "Core/echo");
        assert!(request.created_ids.is_some());
        for bad in [
            "[]",
            "{}",
            r#"{"using":[],"methodCalls":{}}"#,
            r#"{"using":[1],"methodCalls":[]}"#,
            r#"{"using":[],"methodCalls":[["a",{}]]}"#,
            r#"{"using":[],"methodCalls":[["a",[],"c"]]}"#,
            r#"{"using":[],"methodCalls":[],"createdIds":{"k":1}}"#,
        ] {
            assert!(matches!(read(bad), Err(RequestError::NotRequest(_))), "{bad}");
        }
        let calls = [r#"["a",{},"c"]"#; 4].join(",");
        let many = format!(r#"{{"using":[],"methodCalls":[{calls}]}}"#);
        assert_eq!(read(&many), Err(RequestError::Limit("maxCallsInRequest")));
    }

    #[test]
    fn what_is_not_i_json_is_refused() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for bad in ["", "{", r#"{"a":1,"a":2}"#, "{}{}", "\u{feff}{}", r#"{"a":"\ud800"}"#, &deep] {
            assert!(matches!(read(bad), Err(RequestError::NotJson(_))), "{bad:.40}");
        }
        assert!(matches!(parse(b"{\"a\":\"\xff\"}", 3), Err(RequestError::NotJson(_))));
        let wide = format!("[{}1]", "1,".repeat(MOST_VALUES));
        assert_eq!(read(&wide), Err(RequestError::Limit("maxSizeRequest")));
    }
}
