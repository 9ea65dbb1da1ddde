//! Typed readings of single members: the value, or a finding and nothing.

use crate::base::Place;
use crate::json::{Kind, Node, Pointer};
use crate::model::rest::{Declared, ParameterMapping};

use super::findings::{Findings, Remark};

/// The member `name` of `node`, `null` being the same as absent.
pub(super) fn present<'d>(node: &'d Node, name: &str) -> Option<&'d Node> {
    node.get(name).filter(|value| !value.is_null())
}

/// A text. Numbers and booleans are taken as written: YAML makes numbers of versions and status codes.
pub(super) fn text(node: &Node, name: &str, at: &Pointer<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let value = present(node, name)?;
    if value.scalar_text().is_none() {
        findings.skip_kind(value, "a string", &at.key(name));
    }
    value.scalar_text().map(str::to_owned)
}

/// A boolean, also as the strings `"true"` and `"false"`.
pub(super) fn flag(node: &Node, name: &str, at: &Pointer<'_>, findings: &mut Findings<'_>) -> Option<bool> {
    let value = present(node, name)?;
    match value.scalar_text() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => {
            findings.skip_kind(value, "true or false", &at.key(name));
            None
        }
    }
}

/// A whole number that is not negative, also as a string.
pub(super) fn integer(node: &Node, name: &str, at: &Pointer<'_>, findings: &mut Findings<'_>) -> Option<u32> {
    let value = present(node, name)?;
    let number = value.scalar_text().and_then(|text| text.parse().ok());
    if number.is_none() {
        findings.skip_kind(value, "a whole number that is not negative", &at.key(name));
    }
    number
}

/// A list of strings.
pub(super) fn texts(node: &Node, name: &str, at: &Pointer<'_>, findings: &mut Findings<'_>) -> Vec<String> {
    let Some(value) = present(node, name) else { return Vec::new() };
    let at = at.key(name);
    if !matches!(value.kind, Kind::Array(_)) {
        findings.skip_kind(value, "a list of strings", &at);
    }
    let mut list = Vec::new();
    for (index, element) in value.elements().iter().enumerate() {
        match element.scalar_text() {
            Some(text) => list.push(text.to_owned()),
            None => findings.skip_kind(element, "a string", &at.index(index)),
        }
    }
    list
}

/// A map of strings with the place of each value: templates.
pub(super) fn templates(
    node: &Node,
    name: &str,
    at: &Pointer<'_>,
    findings: &mut Findings<'_>,
) -> Vec<(String, Declared<String>)> {
    let mut list = Vec::new();
    for_each_entry(node, name, at, findings, |key, value, at, findings| match &value.kind {
        Kind::String(text) => list.push((key.to_owned(), Declared { value: text.clone(), place: value.place })),
        Kind::Null => {}
        _ => findings.warn(
            Remark::new("wrong-type", format!("a template must be a string, this is {}; left out", value.kind_name()))
                .fix("Put the template in quotes, or behind `|` in YAML."),
            value.place,
            at,
        ),
    });
    list
}

/// Who owns a parameter map, for AWS's words about a value of the wrong type.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) resource: &'a str,
    pub(super) method: &'a str,
}

impl Owner<'_> {
    /// AWS's line about an integration that PutIntegration refuses.
    pub(super) fn unable_to_put_integration(self, reason: &str) -> String {
        format!("Unable to put integration on '{}' for resource at path '{}': {reason}", self.method, self.resource)
    }

    /// AWS's line about an integration response that PutIntegrationResponse refuses.
    pub(super) fn unable_to_put_response(self, reason: &str) -> String {
        let Self { resource, method } = self;
        format!("Unable to put integration response on '{method}' for resource at path '{resource}': {reason}")
    }

    /// AWS's line about a method that PutMethod refuses.
    pub(super) fn unable_to_put_method(self, reason: &str) -> String {
        format!("Unable to put method '{}' on resource at path '{}': {reason}", self.method, self.resource)
    }
}

/// A map of mapping expressions.
pub(super) fn mappings(
    node: &Node,
    name: &str,
    owner: Option<Owner<'_>>,
    at: &Pointer<'_>,
    findings: &mut Findings<'_>,
) -> Vec<ParameterMapping> {
    let mut list = Vec::new();
    for_each_entry(node, name, at, findings, |key, value, at, findings| match &value.kind {
        Kind::String(source) => {
            list.push(ParameterMapping { target: key.to_owned(), source: source.clone(), place: value.place });
        }
        _ => warn_mapping(name, key, value, owner, at, findings),
    });
    list
}

fn warn_mapping(
    name: &str,
    key: &str,
    value: &Node,
    owner: Option<Owner<'_>>,
    at: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    let got = value.scalar_text().unwrap_or_else(|| value.kind_name());
    let of = owner.map(|o| format!(" of resource '{}' and method '{}'", o.resource, o.method)).unwrap_or_default();
    let message = format!("Invalid format for '{name}'. Expected type string for property '{key}'{of} but got '{got}'");
    let remark = Remark::new("wrong-type", message.clone())
        .words(message)
        .on_aws("The same warning; the parameter is skipped, and with failonwarnings the import fails.")
        .fix("Write static values as quoted text in single quotes: \"'true'\".");
    findings.warn(remark, value.place, at);
}

fn for_each_entry<'d>(
    node: &'d Node,
    name: &str,
    at: &Pointer<'_>,
    findings: &mut Findings<'_>,
    mut entry: impl FnMut(&str, &'d Node, &Pointer<'_>, &mut Findings<'_>),
) {
    let Some(map) = present(node, name) else { return };
    let at = at.key(name);
    if !map.is_object() {
        findings.skip_kind(map, "an object", &at);
    }
    for member in map.members() {
        entry(&member.key.text, &member.value, &at.key(&member.key.text), findings);
    }
}

/// One of a closed set of words, whatever its case. Refuses others, as AWS does.
pub(super) fn choice<T: Copy>(
    node: &Node,
    name: &str,
    words: &[(&str, T)],
    at: &Pointer<'_>,
    findings: &mut Findings<'_>,
) -> Option<T> {
    let value = present(node, name)?;
    let at = at.key(name);
    let Some(text) = value.scalar_text() else {
        findings.refuse_kind(value, "a string", &at);
        return None;
    };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| *value);
    if found.is_none() {
        refuse_word(text, words.iter().map(|(word, _)| *word), value.place, &at, findings);
    }
    found
}

fn refuse_word<'a>(
    text: &str,
    words: impl Iterator<Item = &'a str>,
    place: Place,
    at: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    let words: Vec<_> = words.collect();
    let remark = Remark::new("invalid-value", format!("'{text}' is none of {}", words.join(", ")))
        .on_aws("Refused: the value fails to satisfy an enum constraint.");
    findings.refuse(remark, place, at);
}

/// Whether this is a status code as AWS checks it: `[1-5]\d\d`.
pub(super) fn is_status(text: &str) -> bool {
    matches!(text.as_bytes(), [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'])
}
