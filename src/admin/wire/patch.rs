//! `patchOperations` (api/patch-operations): what to change, where, to what.

use std::collections::BTreeMap;

use super::error::Error;
use super::input::Input;

const OPS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `add`
    Add,
    /// `remove`
    Remove,
    /// `move`
    Move,
    /// `test`
    Test,
    /// `replace`
    Replace,
    /// `copy`
    Copy,
}

impl Op {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        OPS[match self {
            Self::Add => 0,
            Self::Remove => 1,
            Self::Replace => 2,
            Self::Move => 3,
            Self::Copy => 4,
            Self::Test => 5,
        }]
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Add, Self::Remove, Self::Move, Self::Test, Self::Replace, Self::Copy]
            .into_iter()
            .find(|op| op.as_str() == text)
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchOperation {
    /// Its kind.
    pub op: Op,
    /// Where, a JSON pointer; AWS takes its absence apart for each kind of thing.
    pub path: Option<String>,
    /// To what. Always a text.
    pub value: Option<String>,
    /// What `copy` copies.
    pub from: Option<String>,
}

impl PatchOperation {
    /// The path, `null` where there is none, as messages print it.
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("null")
    }

    /// The path's segments, unescaped: `~1` is `/`, `~0` is `~` (RFC 6901 section 4).
    pub fn segments(&self) -> Vec<String> {
        let path = self.path.as_deref().unwrap_or_default();
        path.strip_prefix('/').unwrap_or(path).split('/').map(unescape).collect()
    }

    /// The value, empty where there is none.
    pub fn text(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }

    /// The value as a flag: what is not `true` is false (recorded for API keys).
    pub fn flag(&self) -> bool {
        self.text().eq_ignore_ascii_case("true")
    }

    /// The value as a number with a fraction. None that JSON cannot say: what is kept could not be read again.
    pub fn fraction(&self) -> Option<f64> {
        self.text().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The value of a member that vanishes when it is empty.
    pub fn optional(&self) -> Option<String> {
        self.value.clone().filter(|value| !value.is_empty())
    }
}

fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// A path that this kind of thing has not, or not for this `op`. `replaceable` are those that may be replaced.
pub fn invalid_path(operation: &PatchOperation, replaceable: &[&str]) -> Error {
    let (path, op) = (operation.path(), operation.op.as_str());
    let hint = match operation.op {
        Op::Replace => format!("Must be one of: [{}]", replaceable.join(", ")),
        _ => "Please choose supported operations".to_owned(),
    };
    Error::bad_request(format!("Invalid patch path  '{path}' specified for op '{op}'. {hint}"))
}

/// # Errors
/// It does something else than replace one of `paths`.
pub fn replaces(operation: &PatchOperation, paths: &[&str]) -> Result<(), Error> {
    let may = operation.op == Op::Replace && paths.contains(&operation.path());
    if may { Ok(()) } else { Err(invalid_path(operation, paths)) }
}

/// `Invalid patch path {path}`: what methods, responses and APIs say.
pub fn invalid(operation: &PatchOperation) -> Error {
    Error::bad_request(format!("Invalid patch path {}", operation.path()))
}

/// # Errors
/// It does something else than replace.
pub fn only_replace(operation: &PatchOperation) -> Result<(), Error> {
    match operation.op {
        Op::Replace => Ok(()),
        _ => Err(Error::bad_request("Invalid patch operation specified. Must be one of: [replace]")),
    }
}

/// Changes an entry of a map that is absent while it is empty. `member` is the map's name.
///
/// # Errors
/// What is to be replaced or removed is not there, or the value is empty.
pub fn entry<V>(
    map: &mut Option<BTreeMap<String, V>>,
    (member, key): (&str, &str),
    operation: &PatchOperation,
    value: impl FnOnce(&PatchOperation) -> V,
) -> Result<(), Error> {
    let is_there = map.as_ref().is_some_and(|map| map.contains_key(key));
    let missing = || match member {
        "responseParameters" | "requestParameters" => Error::not_found("Invalid parameter name specified"),
        _ => Error::not_found("Content-Type specified was not found"),
    };
    match operation.op {
        Op::Add | Op::Replace => {
            if operation.op == Op::Replace && !is_there {
                return Err(missing());
            }
            if operation.value.is_none() {
                return Err(Error::bad_request(format!("Invalid null or empty value in {member}")));
            }
            map.get_or_insert_default().insert(key.to_owned(), value(operation));
        }
        Op::Remove if !is_there => return Err(missing()),
        Op::Remove => {
            if let Some(entries) = map {
                entries.remove(key);
            }
        }
        _ => return Err(Error::bad_request("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")),
    }
    if map.as_ref().is_some_and(BTreeMap::is_empty) {
        *map = None;
    }
    Ok(())
}

/// The `patchOperations` of a request.
///
/// # Errors
/// A member is of the wrong type. Unknown kinds are noted among the complaints.
pub fn operations(input: &Input<'_>) -> Result<Vec<PatchOperation>, Error> {
    let operations = input.objects("patchOperations", |operation| {
        let op = operation.one_of("op", &OPS)?;
        Ok(PatchOperation {
            op: op.as_deref().and_then(Op::parse).unwrap_or(Op::Test),
            path: operation.string("path")?,
            value: operation.string("value")?,
            from: operation.string("from")?,
        })
    })?;
    Ok(operations.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_json_can_say() {
        let fraction = |value: &str| {
            PatchOperation { op: Op::Replace, path: None, value: Some(value.to_owned()), from: None }.fraction()
        };
        assert_eq!(["1.5", "-1", "1e3"].map(fraction), [Some(1.5), Some(-1.0), Some(1000.0)]);
        assert_eq!(["NaN", "inf", "-Infinity", "1e999", "", "x"].map(fraction), [None; 6]);
    }

    #[test]
    fn pointers_are_unescaped() {
        let operation =
            |path: &str| PatchOperation { op: Op::Add, path: Some(path.to_owned()), value: None, from: None };
        assert_eq!(operation("/binaryMediaTypes/image~1png").segments(), ["binaryMediaTypes", "image/png"]);
        assert_eq!(operation("/~1pets/GET/a~01").segments(), ["/pets", "GET", "a~1"]);
    }
}
