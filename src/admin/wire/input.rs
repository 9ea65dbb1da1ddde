//! Members of a request, read as AWS's framework reads them.
//!
//! It first turns JSON into the members' types and stops at the first that does not fit (SerializationException); then
//! it holds the members against the service's model and lists all complaints (ValidationException); only then the
//! service looks. So: read all members, [`Complaints::check`], then decide.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ringgate_core::base::hash::java_hash;
use serde_json::{Map, Number, Value};

use super::error::Error;
use super::{Flags, Texts};

/// What the service's model has against the members read so far.
#[derive(Debug, Default)]
pub struct Complaints(RefCell<Vec<String>>);

impl Complaints {
    /// Notes that `value` at `path` breaks `constraint`.
    pub fn add(&self, value: &str, path: &str, constraint: &str) {
        let complaint = format!("Value {value} at '{path}' failed to satisfy constraint: {constraint}");
        self.0.borrow_mut().push(complaint);
    }

    /// Notes that `value` at `path` is none of `allowed`.
    pub fn one_of(&self, value: &str, path: &str, allowed: &[&str]) {
        if !allowed.contains(&value) {
            self.add(&format!("'{value}'"), path, &enum_constraint(allowed));
        }
    }

    /// Notes that `value` at `path` is no status.
    pub fn status(&self, value: &str, path: &str) {
        self.pattern(value, path, "[1-5]\\d\\d", is_status(value));
    }

    /// Notes that `value` at `path` does not match `pattern`.
    pub fn pattern(&self, value: &str, path: &str, pattern: &str, is_match: bool) {
        if !is_match {
            let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
            self.add(&format!("'{value}'"), path, &constraint);
        }
    }

    /// # Errors
    /// All that was noted.
    pub fn check(&self) -> Result<(), Error> {
        let complaints = self.0.borrow();
        if complaints.is_empty() { Ok(()) } else { Err(Error::validation(&complaints)) }
    }
}

/// Three digits, of which the first is 1 to 5.
pub fn is_status(text: &str) -> bool {
    matches!(text.as_bytes(), [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'])
}

/// AWS lists the values as a hash table of Java's strings holds them: 32 chains, in each of which the latest comes
/// first. All recorded lists, of 2 to 21 values, have this order. `allowed` has that of the service's model.
fn enum_constraint(allowed: &[&str]) -> String {
    const CHAINS: u32 = 32;
    let mut values: Vec<_> = allowed.iter().rev().copied().collect();
    values.sort_by_key(|value| java_hash(value).cast_unsigned() % CHAINS);
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

/// An object of a request's body.
#[derive(Clone, Copy, Debug)]
pub struct Input<'r> {
    members: &'r Map<String, Value>,
    /// Path of the object as complaints name it, `putIntegrationInput` for instance; `''` inside it come with dots.
    path: &'r str,
    complaints: &'r Complaints,
}

/// A member that may be missing.
type Member<T> = Result<Option<T>, Error>;

impl<'r> Input<'r> {
    /// The members of an object.
    pub fn new(members: &'r Map<String, Value>, path: &'r str, complaints: &'r Complaints) -> Self {
        Self { members, path, complaints }
    }

    /// Where `name` is, as complaints say it.
    pub fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Whether there is such a member, other than null.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn value(&self, name: &str) -> Option<&'r Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    ///
    /// # Errors
    /// It is no text.
    pub fn string(&self, name: &str) -> Member<String> {
        self.value(name).map(text_of).transpose()
    }

    /// A text that the model requires.
    ///
    /// # Errors
    /// It is no text.
    pub fn required_string(&self, name: &str) -> Result<String, Error> {
        let text = self.string(name)?;
        self.require(name);
        Ok(text.unwrap_or_default())
    }

    /// Notes that a member is missing, if it is.
    pub fn require(&self, name: &str) {
        if !self.has(name) {
            self.complaints.add("null", &self.path_of(name), "Member must not be null");
        }
    }

    /// A text that is one of `allowed`.
    ///
    /// # Errors
    /// It is no text.
    pub fn one_of(&self, name: &str, allowed: &[&str]) -> Member<String> {
        let text = self.string(name)?;
        if let Some(text) = &text {
            self.complaints.one_of(text, &self.path_of(name), allowed);
        }
        Ok(text)
    }

    /// A status.
    ///
    /// # Errors
    /// It is no text.
    pub fn status(&self, name: &str) -> Member<String> {
        let text = self.string(name)?;
        if let Some(text) = &text {
            self.complaints.status(text, &self.path_of(name));
        }
        Ok(text)
    }

    /// A text that matches `pattern`, as `is_match` finds out.
    ///
    /// # Errors
    /// It is no text.
    pub fn matching(&self, name: &str, pattern: &str, is_match: impl FnOnce(&str) -> bool) -> Member<String> {
        let text = self.string(name)?;
        if let Some(text) = &text {
            self.complaints.pattern(text, &self.path_of(name), pattern, is_match(text));
        }
        Ok(text)
    }

    /// A flag.
    ///
    /// # Errors
    /// It is none.
    pub fn boolean(&self, name: &str) -> Member<bool> {
        let flag = |value: &Value| match value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            other => Err(wrong_type(other, "Boolean")),
        };
        self.value(name).map(flag).transpose()
    }

    /// A whole number.
    ///
    /// # Errors
    /// It is none.
    pub fn integer(&self, name: &str) -> Member<i64> {
        let number = |value: &Value| match value {
            Value::Number(number) => Ok(whole(number)),
            other => Err(wrong_type(other, "Integer")),
        };
        self.value(name).map(number).transpose()
    }

    /// A number.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, name: &str) -> Member<f64> {
        let number = |value: &Value| match value {
            Value::Number(number) => Ok(number.as_f64().unwrap_or_default()),
            other => Err(wrong_type(other, "Double")),
        };
        self.value(name).map(number).transpose()
    }

    /// A list of texts.
    ///
    /// # Errors
    /// It is no list, or has another thing in it.
    pub fn strings(&self, name: &str) -> Member<Vec<String>> {
        self.list(name, text_of)
    }

    /// A list of objects.
    ///
    /// # Errors
    /// It is no list, has another thing in it, or `read` fails.
    pub fn objects<T>(&self, name: &str, mut read: impl FnMut(Input<'_>) -> Result<T, Error>) -> Member<Vec<T>> {
        let path = self.path_of(name);
        let mut index = 0;
        self.list(name, |value| {
            index += 1;
            let path = format!("{path}.{index}.member");
            read(Input::new(object_of(value)?, &path, self.complaints))
        })
    }

    fn list<T>(&self, name: &str, read: impl FnMut(&Value) -> Result<T, Error>) -> Member<Vec<T>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(items)) => items.iter().map(read).collect::<Result<_, _>>().map(Some),
            Some(other) => Err(wrong_type(other, "List")),
        }
    }

    /// A list of texts that are each one of `allowed`. The complaint is about the list.
    ///
    /// # Errors
    /// It is no list of texts.
    pub fn some_of(&self, name: &str, allowed: &[&str]) -> Member<Vec<String>> {
        let texts = self.strings(name)?;
        if let Some(texts) = texts.as_ref().filter(|texts| texts.iter().any(|text| !allowed.contains(&text.as_str()))) {
            let constraint = format!("Member must satisfy constraint: [{}]", enum_constraint(allowed));
            self.complaints.add(&format!("'[{}]'", texts.join(", ")), &self.path_of(name), &constraint);
        }
        Ok(texts)
    }

    /// Names and texts.
    ///
    /// # Errors
    /// It is no object of texts.
    pub fn texts(&self, name: &str) -> Member<Texts> {
        self.map(name, text_of)
    }

    /// Names and texts that may be null.
    ///
    /// # Errors
    /// It is no object of texts.
    pub fn nullable_texts(&self, name: &str) -> Member<BTreeMap<String, Option<String>>> {
        self.map(name, |value| if value.is_null() { Ok(None) } else { text_of(value).map(Some) })
    }

    /// Names and flags.
    ///
    /// # Errors
    /// It is no object of flags.
    pub fn flags(&self, name: &str) -> Member<Flags> {
        self.map(name, |value| match value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) => Ok(text.eq_ignore_ascii_case("true")),
            other => Err(wrong_type(other, "Boolean")),
        })
    }

    /// Names and what `read` makes of their values.
    ///
    /// # Errors
    /// It is no object, or `read` fails.
    pub fn map<T>(&self, name: &str, read: impl Fn(&Value) -> Result<T, Error>) -> Member<BTreeMap<String, T>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let members = object_of(value)?;
        members.iter().map(|(name, value)| Ok((name.clone(), read(value)?))).collect::<Result<_, _>>().map(Some)
    }

    /// What `read` makes of an object.
    ///
    /// # Errors
    /// It is no object, or `read` fails.
    pub fn object<T>(&self, name: &str, read: impl FnOnce(Input<'_>) -> Result<T, Error>) -> Member<T> {
        let Some(value) = self.value(name) else { return Ok(None) };
        read(Input::new(object_of(value)?, &self.path_of(name), self.complaints)).map(Some)
    }

    /// Names and what `read` makes of their objects.
    ///
    /// # Errors
    /// It is no object of objects, or `read` fails.
    pub fn objects_by_name<T>(
        &self,
        name: &str,
        read: impl Fn(Input<'_>) -> Result<T, Error>,
    ) -> Member<BTreeMap<String, T>> {
        let path = self.path_of(name);
        self.map(name, |value| read(Input::new(object_of(value)?, &path, self.complaints)))
    }
}

fn whole(number: &Number) -> i64 {
    // Fractions are cut off, as the class that AWS's messages name does.
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or_default() as i64)
}

fn text_of(value: &Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(wrong_type(other, "String")),
    }
}

fn object_of(value: &Value) -> Result<&Map<String, Value>, Error> {
    value.as_object().ok_or_else(|| wrong_type(value, "Map"))
}

/// What AWS says of a value whose JSON type does not fit; of booleans and numbers it is recorded.
fn wrong_type(value: &Value, wanted: &str) -> Error {
    let class = match value {
        Value::Bool(_) => "class java.lang.Boolean",
        Value::Number(_) => "class com.amazon.coral.value.json.numbers.TruncatingBigNumber",
        Value::String(_) => "class java.lang.String",
        Value::Array(_) => return Error::serialization("Start of list found where not expected"),
        Value::Object(_) => return Error::serialization("Start of structure or map found where not expected."),
        Value::Null => "null",
    };
    let article = if wanted.starts_with(['S', 'I']) { "an" } else { "a" };
    Error::serialization(format!("{class} can not be converted to {article} {wanted}"))
}

/// The body of a request as an object; nothing counts as an empty one.
///
/// # Errors
/// It is no JSON object.
pub fn members_of(body: &[u8]) -> Result<Map<String, Value>, Error> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(other) => Err(wrong_type(&other, "Map")),
        Err(error) => Err(Error::serialization(format!("The request body is not valid JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(json: &str, read: impl FnOnce(Input<'_>) -> Result<T, Error>) -> Result<T, String> {
        let complaints = Complaints::default();
        let members = members_of(json.as_bytes()).map_err(|error| error.message)?;
        let value = read(Input::new(&members, "putIntegrationInput", &complaints)).map_err(|error| error.message)?;
        complaints.check().map_err(|error| error.message)?;
        Ok(value)
    }

    #[test]
    fn wrong_types_are_told_in_aws_words() {
        let cases = [
            ("{\"a\": true}", "class java.lang.Boolean can not be converted to an String"),
            (
                "{\"a\": 1}",
                "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
            ),
            ("{\"a\": []}", "Start of list found where not expected"),
            ("[]", "Start of list found where not expected"),
        ];
        for (json, message) in cases {
            assert_eq!(read(json, |input| input.string("a")), Err(message.to_owned()), "{json}");
        }
        assert!(read("{", |input| input.string("a")).is_err());
        assert_eq!(read("{\"a\": null}", |input| input.string("a")), Ok(None));
        assert_eq!(read(" ", |input| input.string("a")), Ok(None));
    }

    #[test]
    fn values_are_listed_as_a_hash_table_of_java_has_them() {
        let lists: [(&[&str], &str); 3] = [
            (&["HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY"], "HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS"),
            (&["REGIONAL", "EDGE", "PRIVATE"], "PRIVATE, EDGE, REGIONAL"),
            // Three of one chain.
            (&["EXPIRED_TOKEN", "INTEGRATION_FAILURE", "UNSUPPORTED_MEDIA_TYPE"], {
                "UNSUPPORTED_MEDIA_TYPE, INTEGRATION_FAILURE, EXPIRED_TOKEN"
            }),
        ];
        for (model, listed) in lists {
            assert_eq!(enum_constraint(model), format!("Member must satisfy enum value set: [{listed}]"));
        }
    }

    #[test]
    fn complaints_are_collected() {
        let told = read("{\"type\": \"X\", \"types\": [\"Y\"]}", |input| {
            input.some_of("types", &["EDGE"])?;
            input.one_of("type", &["HTTP", "MOCK"])
        });
        let expected = "2 validation errors detected: Value '[Y]' at 'putIntegrationInput.types' failed to satisfy \
                        constraint: Member must satisfy constraint: [Member must satisfy enum value set: [EDGE]]; \
                        Value 'X' at 'putIntegrationInput.type' failed to satisfy constraint: Member must satisfy enum \
                        value set: [HTTP, MOCK]";
        assert_eq!(told, Err(expected.to_owned()));
    }
}
