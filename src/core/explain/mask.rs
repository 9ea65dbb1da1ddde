//! Secrets: which names hold them, and how they are kept out of everything that is shown.
//!
//! A value under a secret's name is masked where it stands. It is also learned, with its parts and its other spellings,
//! and masked wherever else it turns up: a mapping may have copied it into another header, a template into a body.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::proto::http::percent;

/// What stands in place of a secret.
const MASK: &str = "********";
/// A secret at least this long shows its last characters, as AWS does, so that one can tell which it was.
const TELLING_BYTES_MIN: usize = 32;
const TELLING_BYTES: usize = 6;
/// Shorter values are masked where they stand and not learned: what is that short is everywhere.
const LEARNED_BYTES_MIN: usize = 6;
/// Parts of a value (a cookie's, a scheme's) are learned from this length on.
const PART_BYTES_MIN: usize = 8;

/// Names, in lower case, of headers, parameters and members that hold secrets.
const NAMES: [&str; 8] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "sig", "jwt", "saml-response"];
/// So does every name that contains one of these.
const MARKS: [&str; 10] =
    ["token", "secret", "passw", "api-key", "apikey", "api_key", "signature", "credential", "session", "private-key"];

/// Which names hold secrets: the usual ones, and those an operator added.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    names: Box<[String]>,
}

impl Redaction {
    /// The usual names and `more`, whatever their case.
    pub fn new(more: impl IntoIterator<Item = String>) -> Self {
        Self { names: more.into_iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Whether a value under this name is a secret.
    pub fn is_secret(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        NAMES.contains(&name.as_str())
            || MARKS.iter().any(|mark| name.contains(mark))
            || self.names.iter().any(|known| **known == name)
    }
}

/// The secret itself, made unreadable.
pub(super) fn masked(value: &str) -> String {
    let from = value.len().saturating_sub(TELLING_BYTES);
    match value.get(from..) {
        Some(end) if value.len() >= TELLING_BYTES_MIN => format!("{MASK}{end}"),
        _ => MASK.to_owned(),
    }
}

/// Values that must not be shown.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// Longest first, so that a part does not spoil the whole.
    values: Vec<String>,
}

impl Secrets {
    /// Learns a value, its parts, and how else it may be spelled.
    pub(super) fn learn(&mut self, value: &str) {
        self.learn_spellings(value.trim(), LEARNED_BYTES_MIN);
        for part in value.split([' ', ';', ',', '=']).map(|part| part.trim_matches('"')) {
            self.learn_spellings(part, PART_BYTES_MIN);
        }
        if let Some(encoded) = value.strip_prefix("Basic ")
            && let Some(decoded) = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        {
            self.learn_spellings(&decoded, LEARNED_BYTES_MIN);
            let password = decoded.split_once(':').map_or("", |(_, password)| password);
            self.learn_spellings(password, LEARNED_BYTES_MIN);
        }
    }

    fn learn_spellings(&mut self, value: &str, bytes_min: usize) {
        if value.len() < bytes_min {
            return;
        }
        let decoded = percent_decoded(value);
        let spelled = |value: &str| [value.to_owned(), percent_encoded(value), escaped(value)];
        for spelling in spelled(value).into_iter().chain(spelled(&decoded)) {
            if !self.values.contains(&spelling) {
                let at = self.values.partition_point(|known| known.len() >= spelling.len());
                self.values.insert(at, spelling);
            }
        }
    }

    /// `text` without them.
    pub(super) fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.values.iter().filter(|value| text.contains(value.as_str()));
        found.fold(Cow::Borrowed(text), |text, value| Cow::Owned(text.replace(value.as_str(), &masked(value))))
    }
}

/// `%xx` and `+` decoded; what is no UTF-8 then is replaced.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.first_chunk::<2>().filter(|_| *first == b'%');
        let escape = digits.and_then(|[high, low]| percent::unescaped(*high, *low));
        match escape {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn percent_encoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    percent::encode(text.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// As inside a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

/// Gives each name and value of a JSON text or a form to `found`, in order, as ranges of the text. A text that is cut
/// off is read as far as it goes; one of another kind has none.
pub(super) fn members(text: &str, mut found: impl FnMut(&str, std::ops::Range<usize>)) {
    if !text.trim_start().starts_with(['{', '[']) {
        return form_members(text, found);
    }
    let mut at = 0;
    while let Some(quote) = text.get(at..).and_then(|rest| rest.find('"')) {
        let name_start = at + quote + 1;
        let name_end = string_end(text, name_start);
        at = name_end + 1;
        let rest = text.get(at..).unwrap_or_default();
        let Some(value) = rest.trim_start().strip_prefix(':').map(str::trim_start) else { continue };
        let value_start = text.len() - value.len();
        let name = text.get(name_start..name_end).unwrap_or_default();
        if value.starts_with('"') {
            let end = string_end(text, value_start + 1);
            found(name, value_start + 1..end);
            at = end + 1;
        } else if !value.starts_with(['{', '[']) {
            let length = value.find([',', '}', ']', '\n', ' ']).unwrap_or(value.len());
            found(name, value_start..value_start + length);
            at = value_start + length;
        }
    }
}

/// Where a string ends whose first character stands at `from`: its quote, or the end of the text.
fn string_end(text: &str, from: usize) -> usize {
    let mut is_escaped = false;
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    let end = rest.iter().position(|&byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| from + end)
}

fn form_members(text: &str, mut found: impl FnMut(&str, std::ops::Range<usize>)) {
    let mut at = 0;
    for pair in text.split('&') {
        if let Some((name, _)) = pair.split_once('=')
            && !name.contains([' ', '\n', '<'])
        {
            found(&percent_decoded(name), at + name.len() + 1..at + pair.len());
        }
        at += pair.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_whatever_their_case() {
        let redaction = Redaction::new(["X-Card".to_owned()]);
        for name in
            ["Authorization", "COOKIE", "x-api-key", "access_token", "X-Amz-Security-Token", "clientSecret", "x-card"]
        {
            assert!(redaction.is_secret(name), "{name}");
        }
        for name in ["Host", "accept", "x-amzn-requestid", "X-Amzn-Trace-Id", "id", "code", "card"] {
            assert!(!redaction.is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_long_secret_shows_its_end_and_no_more() {
        assert_eq!(masked("hunter2"), MASK);
        assert_eq!(masked(&"0123456789".repeat(4)), format!("{MASK}456789"));
    }

    #[test]
    fn a_learned_secret_is_masked_in_every_spelling() {
        let mut secrets = Secrets::default();
        secrets.learn("Bearer abc+/def\"=12345");
        for text in [
            "Bearer abc+/def\"=12345",
            "x-copy: Bearer%20abc%2B%2Fdef%22%3D12345",
            r#"{"t": "Bearer abc+/def\"=12345"}"#,
        ] {
            let shown = secrets.mask(text);
            assert!(!shown.contains("def"), "{shown}");
        }
        secrets.learn("Basic YWxpY2U6b3BlbiBzZXNhbWU=");
        assert_eq!(secrets.mask("pw=open sesame"), format!("pw={MASK}"));
        secrets.learn("sid=5f2b8c1e9d7a; theme=dark");
        assert_eq!(secrets.mask("/5f2b8c1e9d7a/dark"), format!("/{MASK}/dark"));
    }

    #[test]
    fn members_of_json_and_forms_are_found_as_far_as_the_text_goes() {
        let of = |text: &str| {
            let mut all = Vec::new();
            members(text, |name, range| all.push(format!("{name}={}", &text[range])));
            all.join(" ")
        };
        let json = r#"{"a": "x\"y", "b" : [{"c":1}, "d"], "e": {"f": null}, "g": "cut"#;
        assert_eq!(of(json), r#"a=x\"y c=1 f=null g=cut"#);
        assert_eq!(of("user=a&pass%77ord=b+c&d"), "user=a password=b+c");
        for other in ["", "plain text", "<a b='c=d'/>", "{", "[\"", "{\"a\":", "{\"a\\"] {
            of(other);
        }
    }

    #[test]
    fn percent_encoding_that_is_broken_stays() {
        assert_eq!(percent_decoded("a%20b+c%zz%4"), "a b c%zz%4");
    }
}
