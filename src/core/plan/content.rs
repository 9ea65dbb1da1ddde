//! Binary payloads: which media types are binary, and what `contentHandling` makes of a body (rest-integrations §4;
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html>).

use super::media::essence;

/// `contentHandling`, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// Left to the media types.
    ByType,
    /// `CONVERT_TO_TEXT`
    ToText,
    /// `CONVERT_TO_BINARY`
    ToBinary,
}

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// As UTF-8.
    Text,
    /// As bytes.
    Binary,
}

/// What a body goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// It stays what it is.
    None,
    /// Bytes become base64 text.
    Encode,
    /// Base64 text becomes bytes; what is no base64 answers 500.
    Decode,
}

impl Conversion {
    /// Towards the integration.
    pub const fn of_request(payload: Class, handling: Handling) -> Self {
        match (payload, handling) {
            (Class::Text, Handling::ToBinary) => Self::Decode,
            (Class::Binary, Handling::ToText) => Self::Encode,
            _ => Self::None,
        }
    }

    /// Towards the client, who `accepts` one or the other.
    pub const fn of_response(payload: Class, accepts: Class, handling: Handling) -> Self {
        match (payload, accepts, handling) {
            (Class::Text, _, Handling::ToBinary) | (Class::Text, Class::Binary, Handling::ByType) => Self::Decode,
            (Class::Binary, _, Handling::ToText) | (Class::Binary, Class::Text, Handling::ByType) => Self::Encode,
            _ => Self::None,
        }
    }

    /// What a body of this class is afterwards.
    pub const fn makes(self, payload: Class) -> Class {
        match self {
            Self::None => payload,
            Self::Encode => Class::Text,
            Self::Decode => Class::Binary,
        }
    }
}

/// `binaryMediaTypes` of an API.
#[derive(Clone, Debug, Default)]
pub struct BinaryMediaTypes {
    types: Box<[Entry]>,
    is_all: bool,
}

#[derive(Clone, Debug)]
enum Entry {
    Exact(Box<[u8]>),
    /// `image/`, of `image/*`.
    Prefix(Box<[u8]>),
}

impl BinaryMediaTypes {
    /// Reads the list as declared. `*/*` makes everything binary; `*/subtype` names nothing (recorded).
    pub fn new(declared: &[String]) -> Self {
        let entry = |declared: &String| match declared.strip_suffix('*').filter(|prefix| prefix.ends_with('/')) {
            Some(prefix) => Entry::Prefix(prefix.as_bytes().into()),
            None => Entry::Exact(declared.as_bytes().into()),
        };
        let named = declared.iter().filter(|declared| !declared.starts_with("*/"));
        Self { types: named.map(entry).collect(), is_all: declared.iter().any(|declared| declared == "*/*") }
    }

    /// Whether there are none, so that everything is text.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty() && !self.is_all
    }

    /// The class that the value of a `Content-Type` or an `Accept` field names. Of an `Accept` field the first entry
    /// counts alone (recorded).
    pub fn class(&self, field: Option<&[u8]>) -> Class {
        let named = field.map(essence);
        let is_named = |name: &[u8]| self.types.iter().any(|entry| entry.matches(name));
        if self.is_all || named.is_some_and(is_named) { Class::Binary } else { Class::Text }
    }
}

impl Entry {
    fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => name.eq_ignore_ascii_case(exact),
            Self::Prefix(prefix) => {
                name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
                    && name.len() > prefix.len()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R `test_aws_proxy_binary_response`.
    #[test]
    fn the_recorded_lists_name_what_they_name() {
        let cases: &[(&[&str], &[&str], &[&str])] = &[
            (
                &["image/png", "*/test"],
                &["image/png", "image/png,image/*,*/*;q=0.8", "IMAGE/PNG; q=1"],
                &["image/jpg", "image/*", "*/*", "*/test", "random/test", "image/webp,image/png,*/*;q=0.8", ""],
            ),
            (
                &["image/png", "image/jpg", "application/*"],
                &["application/whatever", "application/*", "image/jpg"],
                &["application", "*/*", "application/"],
            ),
            (&["*/*"], &["text/plain", "*/*", ""], &[]),
            (&[], &[], &["image/png"]),
        ];
        for (list, binary, text) in cases {
            let list = BinaryMediaTypes::new(&list.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>());
            for (values, class) in [(binary, Class::Binary), (text, Class::Text)] {
                for value in *values {
                    assert_eq!(list.class(Some(value.as_bytes())), class, "{value} in {list:?}");
                }
            }
            assert_eq!(list.class(None), if list.is_all { Class::Binary } else { Class::Text });
        }
    }

    /// The tables of rest-integrations §4.
    #[test]
    fn bodies_are_converted_as_recorded() {
        use Class::{Binary, Text};
        use Conversion::{Decode, Encode, None};
        let handlings = [Handling::ByType, Handling::ToBinary, Handling::ToText];
        for (payload, expected) in [(Text, [None, Decode, None]), (Binary, [None, None, Encode])] {
            assert_eq!(handlings.map(|handling| Conversion::of_request(payload, handling)), expected);
        }
        let responses = [
            (Text, Text, [None, Decode, None]),
            (Text, Binary, [Decode, Decode, None]),
            (Binary, Text, [Encode, None, Encode]),
            (Binary, Binary, [None, None, Encode]),
        ];
        for (payload, accepts, expected) in responses {
            let found = handlings.map(|handling| Conversion::of_response(payload, accepts, handling));
            assert_eq!(found, expected, "{payload:?} {accepts:?}");
        }
    }
}
