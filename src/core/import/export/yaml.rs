//! An exported document as YAML.

use std::fmt::Write as _;

use serde_json::Value;

/// The document in block style, as AWS writes it: texts in double quotes, lists at the level of their member.
pub fn to_yaml(document: &Value) -> String {
    let mut text = "---\n".to_owned();
    write_block(document, 0, &mut text);
    text
}

/// Writes a value on lines of its own.
fn write_block(value: &Value, indent: usize, into: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                start_line(indent, into);
                write_member(name, value, indent, into);
            }
        }
        Value::Array(elements) if !elements.is_empty() => {
            for element in elements {
                start_line(indent, into);
                into.push_str("- ");
                write_element(element, indent + 1, into);
            }
        }
        scalar => {
            start_line(indent, into);
            write_scalar(scalar, into);
        }
    }
}

/// Writes a member on the current line, and its value behind it or below.
fn write_member(name: &str, value: &Value, indent: usize, into: &mut String) {
    write_key(name, into);
    into.push(':');
    match value {
        Value::Object(members) if !members.is_empty() => {
            into.push('\n');
            write_block(value, indent + 1, into);
        }
        Value::Array(elements) if !elements.is_empty() => {
            into.push('\n');
            write_block(value, indent, into);
        }
        scalar => {
            into.push(' ');
            write_scalar(scalar, into);
        }
    }
}

/// Writes an element of a list behind its dash.
fn write_element(element: &Value, indent: usize, into: &mut String) {
    match element {
        Value::Object(members) if !members.is_empty() => {
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    start_line(indent, into);
                }
                write_member(name, value, indent, into);
            }
        }
        Value::Array(elements) if !elements.is_empty() => {
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    start_line(indent, into);
                }
                into.push_str("- ");
                write_element(element, indent + 1, into);
            }
        }
        scalar => write_scalar(scalar, into),
    }
}

fn start_line(indent: usize, into: &mut String) {
    into.extend(std::iter::repeat_n("  ", indent));
}

/// JSON's scalars, and its empty collections, are YAML's.
fn write_scalar(value: &Value, into: &mut String) {
    _ = writeln!(into, "{value}");
}

/// A key that could be read as anything else than this text stands in quotes.
fn write_key(name: &str, into: &mut String) {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'$' | b'{' | b'}');
    let begins_plain = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'/' || b == b'$');
    let is_reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word));
    if begins_plain && name.bytes().all(is_word) && !is_reserved {
        into.push_str(name);
    } else {
        into.push_str(&Value::from(name).to_string());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::read;

    #[test]
    fn yaml_reads_back_as_the_same_document() {
        let document = json!({
            "swagger": "2.0",
            "list": [{"a": 1, "b": [1, [2, {"x": null}], []]}, "text: #\n\u{7f}\u{2028}\"", {}],
            "": {"yes": true, "200": false, "/a/{b}": 1.5, "- x": -1, "a: b": "~", "0x1": "é", "x'y": []},
            "$ref": "#/a",
            "empty": {}
        });
        let text = to_yaml(&document);
        assert_eq!(read(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).to_json(), document, "{text}");
        assert!(
            text.starts_with("---\nswagger: \"2.0\"\nlist:\n- a: 1\n  b:\n  - 1\n  - - 2\n    - x: null\n"),
            "{text}"
        );
    }
}
