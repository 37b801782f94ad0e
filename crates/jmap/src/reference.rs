//! Result references (RFC 8620 §3.7): an argument taken from what an earlier call of the request came to.

use serde_json::{Map, Value};

/// Values that references may bring into one request: an answer that refers to answers doubles at every call.
pub(crate) const MOST_VALUES: usize = 400_000;

/// What an earlier call came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// The response's name.
    pub(crate) name: String,
    /// Its arguments.
    pub(crate) arguments: Value,
    /// The call's id.
    pub(crate) id: String,
}

/// Why arguments cannot be made out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReferenceError {
    /// `#name` beside `name`.
    Twice,
    /// It refers to nothing, or is none.
    Invalid,
    /// More would be brought in than a request may have.
    TooLarge,
}

/// Puts what is referred to in the place of the references; `left` counts down what may be brought in.
pub(crate) fn resolve(
    arguments: Map<String, Value>,
    done: &[Done],
    left: &mut usize,
) -> Result<Map<String, Value>, ReferenceError> {
    if !arguments.keys().any(|name| name.starts_with('#')) {
        return Ok(arguments);
    }
    let mut resolved = Map::new();
    for (name, value) in arguments {
        let (name, value) = match name.strip_prefix('#') {
            Some(plain) => (plain.to_owned(), look_up(&value, done, left)?),
            None => (name, value),
        };
        if resolved.insert(name, value).is_some() {
            return Err(ReferenceError::Twice);
        }
    }
    Ok(resolved)
}

fn look_up(reference: &Value, done: &[Done], left: &mut usize) -> Result<Value, ReferenceError> {
    let field = |name: &str| reference.get(name).and_then(Value::as_str).ok_or(ReferenceError::Invalid);
    let (result_of, name, path) = (field("resultOf")?, field("name")?, field("path")?);
    // The first response with this id counts; it must be of this name.
    let found = done.iter().find(|d| d.id == result_of).filter(|d| d.name == name);
    let found = found.ok_or(ReferenceError::Invalid)?;
    let pieces: Vec<String> = match path.strip_prefix('/') {
        Some(rest) => rest.split('/').map(|piece| piece.replace("~1", "/").replace("~0", "~")).collect(),
        None if path.is_empty() => Vec::new(),
        None => return Err(ReferenceError::Invalid),
    };
    let mut places = Vec::new();
    let is_list = walk(&found.arguments, &pieces, left, &mut places)?;
    let mut take = |value: &Value| {
        *left = left.checked_sub(count(value)).ok_or(ReferenceError::TooLarge)?;
        Ok(value.clone())
    };
    match (is_list, places.as_slice()) {
        (false, [one]) => take(one),
        (false, _) => Err(ReferenceError::Invalid),
        (true, all) => all.iter().map(|value| take(value)).collect::<Result<Vec<_>, _>>().map(Value::Array),
    }
}

/// Follows a JSON pointer (RFC 6901) in which `*` stands for every item of a list, lists of lists made flat. Returns
/// whether what was found is a list.
fn walk<'v>(
    value: &'v Value,
    path: &[String],
    left: &mut usize,
    found: &mut Vec<&'v Value>,
) -> Result<bool, ReferenceError> {
    *left = left.checked_sub(1).ok_or(ReferenceError::TooLarge)?;
    let Some((piece, rest)) = path.split_first() else {
        found.push(value);
        return Ok(false);
    };
    match value {
        Value::Array(items) if piece == "*" => {
            for item in items {
                let mut inner = Vec::new();
                let is_list = walk(item, rest, left, &mut inner)?;
                match (is_list, inner.as_slice()) {
                    // "If the result of applying the rest of the pointer is an array, its contents are added."
                    (false, [Value::Array(contents)]) => found.extend(contents),
                    _ => found.append(&mut inner),
                }
            }
            Ok(true)
        }
        Value::Array(items) => {
            let is_index =
                piece == "0" || !piece.starts_with('0') && piece.bytes().all(|b| b.is_ascii_digit());
            let item = piece.parse::<usize>().ok().filter(|_| is_index).and_then(|n| items.get(n));
            walk(item.ok_or(ReferenceError::Invalid)?, rest, left, found)
        }
        Value::Object(map) => walk(map.get(piece).ok_or(ReferenceError::Invalid)?, rest, left, found),
        _ => Err(ReferenceError::Invalid),
    }
}

/// How many values this is. Depth is bounded by what was read and what we answer.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 64,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn done() -> Vec<Done> {
        let arguments = json!({
            "ids": ["e1", "e2"],
            "list": [{ "threadId": "t1", "emailIds": ["e1", "e2"] }, { "threadId": "t2", "emailIds": [] }],
            "a/b": { "m~n": 7 },
        });
        vec![Done { name: "X/get".into(), arguments, id: "c0".into() }]
    }

    fn get(path: &str) -> Result<Value, ReferenceError> {
        let reference = json!({ "#x": { "resultOf": "c0", "name": "X/get", "path": path } });
        let Value::Object(arguments) = reference else { unreachable!() };
        let mut left = 1000;
        resolve(arguments, &done(), &mut left).map(|mut map| map.remove("x").unwrap())
    }

    #[test]
    fn paths_lead_where_the_rfc_says() {
        assert_eq!(get("/ids"), Ok(json!(["e1", "e2"])));
        assert_eq!(get("/ids/1"), Ok(json!("e2")));
        assert_eq!(get("/list/*/threadId"), Ok(json!(["t1", "t2"])));
        assert_eq!(get("/list/*/emailIds"), Ok(json!(["e1", "e2"])));
        assert_eq!(get("/list/*/emailIds/*"), Ok(json!(["e1", "e2"])));
        assert_eq!(get("/a~1b/m~0n"), Ok(json!(7)));
        for bad in ["ids", "/none", "/ids/2", "/ids/01", "/ids/-", "/ids/0/x", "/list/*/none"] {
            assert_eq!(get(bad), Err(ReferenceError::Invalid), "{bad}");
        }
    }

    #[test]
    fn other_calls_and_other_names_are_not_found() {
        for (of, name) in [("c1", "X/get"), ("c0", "Y/get")] {
            let Value::Object(arguments) = json!({ "#x": { "resultOf": of, "name": name, "path": "/ids" } })
            else {
                unreachable!()
            };
            assert_eq!(resolve(arguments, &done(), &mut 1000), Err(ReferenceError::Invalid));
        }
        let Value::Object(both) =
            json!({ "x": 1, "#x": { "resultOf": "c0", "name": "X/get", "path": "/ids" } })
        else {
            unreachable!()
        };
        assert_eq!(resolve(both, &done(), &mut 1000), Err(ReferenceError::Twice));
    }

    #[test]
    fn what_references_bring_in_is_bounded() {
        let mut all = done();
        let mut left = 10_000;
        for number in 0..64 {
            let id = format!("c{number}");
            let again = json!({ "resultOf": id, "name": "X/get", "path": "" });
            let Value::Object(arguments) = json!({ "#a": again, "#b": again }) else { unreachable!() };
            match resolve(arguments, &all, &mut left) {
                Ok(map) => {
                    let id = format!("c{}", number + 1);
                    all.push(Done { name: "X/get".into(), arguments: map.into(), id });
                }
                Err(error) => return assert_eq!(error, ReferenceError::TooLarge),
            }
        }
        panic!("nothing stopped it");
    }
}
