//! Functions of `$util` (rest-mapping-templates §7).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Escapes a text for a JavaScript string: quotes of both kinds, backslashes, control characters, and everything that is
/// not ASCII, by units of UTF-16.
pub(super) fn escape_java_script(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    push_unicode(*unit, out);
                }
            }
        }
    }
}

fn push_unicode(unit: u16, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        out.push(char::from(DIGITS[usize::from(unit >> shift & 15)]));
    }
}

/// Encodes a text as a form does: letters, digits and `.-*_` stay, a space is `+`.
pub(super) fn url_encode(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => {
                out.push('%');
                out.push(char::from(DIGITS[usize::from(other >> 4)]));
                out.push(char::from(DIGITS[usize::from(other & 15)]));
            }
        }
    }
}

/// Decodes what a form encoded. `None`: an escape is broken, for which Java throws.
pub(super) fn url_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &rest[2..];
            }
            other => bytes.push(*other),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Base64 with padding, on one line.
pub(super) fn base64_encode(text: &str, out: &mut String) {
    STANDARD.encode_string(text, out);
}

/// The text behind base64, padded or not. `None`: it is none.
pub(super) fn base64_decode(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD_NO_PAD.decode(compact.trim_end_matches('=')).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn javascript_strings_are_escaped_as_commons_lang_does() {
        let mut out = String::new();
        escape_java_script("\"it's\" \\ \n\t\u{1} é 😀 a/b", &mut out);
        assert_eq!(out, "\\\"it\\'s\\\" \\\\ \\n\\t\\u0001 \\u00E9 \\uD83D\\uDE00 a/b");
    }

    #[test]
    fn forms_are_encoded_and_decoded() {
        let mut out = String::new();
        url_encode(r#"{"some": "value"} x=a+b é*-._~"#, &mut out);
        assert_eq!(out, "%7B%22some%22%3A+%22value%22%7D+x%3Da%2Bb+%C3%A9*-._%7E");
        assert_eq!(url_decode(&out).as_deref(), Some(r#"{"some": "value"} x=a+b é*-._~"#));
        assert_eq!(url_decode("%zz"), None);
        assert_eq!(url_decode("%4"), None);
    }

    #[test]
    fn base64_reads_what_it_writes() {
        let mut out = String::new();
        base64_encode("\"żółć\"", &mut out);
        assert_eq!(out, "IsW8w7PFgsSHIg==");
        assert_eq!(base64_decode(&out).as_deref(), Some("\"żółć\""));
        assert_eq!(base64_decode("IsW8\nw7PFgsSHIg").as_deref(), Some("\"żółć\""));
        assert_eq!(base64_decode("$"), None);
    }
}
