//! What is wrong, in the words of the Java validator behind API Gateway.

use crate::base::escape::quote_json;
use crate::json::tape::Node;

use super::format::Format;
use super::rules::{Types, printed};

pub(super) type Message = String;

/// Longest value in bytes that a message repeats in full.
const VALUE_BYTES_MAX: usize = 1_000;

/// A value cut to a length that a message can bear.
fn cut(text: &str) -> String {
    if text.len() <= VALUE_BYTES_MAX {
        return text.to_owned();
    }
    let end = (0..=VALUE_BYTES_MAX).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// A JSON list of names, in order.
fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names: Vec<_> = names.into_iter().take(1_000).collect();
    names.sort_unstable();
    let mut out = vec![b'['];
    for name in names {
        if out.len() > 1 {
            out.push(b',');
        }
        quote_json(name, &mut out);
    }
    out.push(b']');
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn missing<'n>(names: impl Iterator<Item = &'n str>) -> Message {
    format!("object has missing required properties ({})", list(names))
}

pub(super) fn not_allowed(names: Vec<&str>) -> Message {
    format!("object instance has properties which are not allowed by the schema: {}", list(names))
}

pub(super) fn wrong_type(found: Types, allowed: Types) -> Message {
    let found = found.names().next().unwrap_or_default();
    format!("instance type ({found}) does not match any allowed primitive type (allowed: {})", list(allowed.names()))
}

pub(super) fn not_in_enum(node: Node<'_>, values: &str) -> Message {
    format!("instance value ({}) not found in enum (possible values: {values})", cut(&printed(node)))
}

pub(super) fn too_short(text: &str, length: u64, min: u64) -> Message {
    format!("string \"{}\" is too short (length: {length}, required minimum: {min})", cut(text))
}

pub(super) fn too_long(text: &str, length: u64, max: u64) -> Message {
    format!("string \"{}\" is too long (length: {length}, maximum allowed: {max})", cut(text))
}

pub(super) fn pattern(pattern: &str, text: &str) -> Message {
    format!("ECMA 262 regex \"{pattern}\" does not match input string \"{}\"", cut(text))
}

pub(super) fn format(format: Format, text: &str) -> Message {
    let text = cut(text);
    match format {
        Format::DateTime => format!(
            "string \"{text}\" is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, \
             yyyy-MM-dd'T'HH:mm:ss.[0-9]{{1,12}}Z]"
        ),
        Format::Email => format!("string \"{text}\" is not a valid email address"),
        Format::Hostname => format!("string \"{text}\" is not a valid hostname"),
        Format::Ipv4 => format!("string \"{text}\" is not a valid IPv4 address"),
        Format::Ipv6 => format!("string \"{text}\" is not a valid IPv6 address"),
        Format::Regex => format!("string \"{text}\" is not a valid ECMA 262 regular expression"),
        Format::Uri => format!("string \"{text}\" is not a valid URI"),
        Format::Uuid => format!("input string \"{text}\" is not a valid UUID"),
    }
}

pub(super) fn unknown_format(name: &str) -> Message {
    format!("format attribute \"{name}\" not supported")
}

pub(super) fn too_small(minimum: &str, found: &str) -> Message {
    let found = cut(found);
    format!("numeric instance is lower than the required minimum (minimum: {minimum}, found: {found})")
}

pub(super) fn not_greater(minimum: &str) -> Message {
    format!("numeric instance is not strictly greater than the required minimum {minimum}")
}

pub(super) fn too_large(maximum: &str, found: &str) -> Message {
    let found = cut(found);
    format!("numeric instance is greater than the required maximum (maximum: {maximum}, found: {found})")
}

pub(super) fn not_lower(maximum: &str) -> Message {
    format!("numeric instance is not strictly lower than the required maximum {maximum}")
}

pub(super) fn remainder(found: &str, divisor: &str) -> Message {
    format!("remainder of division is not zero ({} / {divisor})", cut(found))
}

pub(super) fn array_too_short(min: u64, found: u64) -> Message {
    format!("array is too short: must have at least {min} elements but instance has {found} elements")
}

pub(super) fn array_too_long(max: u64, found: u64) -> Message {
    format!("array is too long: must have at most {max} elements but instance has {found} elements")
}

pub(super) fn too_many_elements(allowed: usize, found: usize) -> Message {
    format!("schema only allows {allowed} elements in array but instance has {found} elements")
}

pub(super) fn not_unique() -> Message {
    "array must not contain duplicate elements".to_owned()
}

pub(super) fn too_few_members(found: u64, min: u64) -> Message {
    format!("object has too few properties (found {found} but schema requires at least {min})")
}

pub(super) fn too_many_members(found: u64, max: u64) -> Message {
    format!("object has too many properties (found {found} but schema requires at most {max})")
}

pub(super) fn dependency(name: &str, required: &[Box<str>], missing: &[&str]) -> Message {
    let required = list(required.iter().map(|name| &**name));
    let missing = list(missing.iter().copied());
    format!(
        "property \"{name}\" of object has missing property dependencies (schema requires {required}; missing: {missing})"
    )
}

pub(super) fn all_of(matched: usize, of: usize) -> Message {
    format!("instance failed to match all required schemas (matched only {matched} out of {of})")
}

pub(super) fn any_of(of: usize) -> Message {
    format!("instance failed to match at least one required schema among {of}")
}

pub(super) fn one_of(matched: usize, of: usize) -> Message {
    format!("instance failed to match exactly one schema (matched {matched} out of {of})")
}

pub(super) fn not() -> Message {
    "instance matched a schema which it should not have".to_owned()
}
