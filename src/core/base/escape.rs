//! JSON string escaping (RFC 8259 §7), in the one place that everything that writes JSON can reach.

/// Appends `text` as a JSON string, quotes included.
pub fn quote_json(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escape_json(text.as_bytes(), out);
    out.push(b'"');
}

/// Turns what stands in `out` from `start` on into a JSON string, quotes included. Text that is not UTF-8 is read as
/// ISO-8859-1, so the result is always valid JSON.
pub fn quote_json_from(out: &mut Vec<u8>, start: usize) {
    if start > out.len() {
        return;
    }
    out.insert(start, b'"');
    escape_json_from(out, start + 1);
    out.push(b'"');
}

/// Escapes what stands in `out` from `start` on, for a JSON string whose opening quote is before it. Text that is not
/// UTF-8 is read as ISO-8859-1.
pub fn escape_json_from(out: &mut Vec<u8>, start: usize) {
    let text = out.get(start..).unwrap_or_default();
    // Most values need nothing: one pass that the compiler turns into vector instructions says so.
    if !text.iter().fold(false, |is_special, &byte| is_special | needs_care(byte)) {
        return;
    }
    let (end, is_utf8) = (out.len(), std::str::from_utf8(text).is_ok());
    for at in start..end {
        match out[at] {
            byte @ 0x80.. if !is_utf8 => out.extend_from_slice(&unicode_escape(byte)),
            byte => escape_byte(byte, out),
        }
    }
    out.drain(start..end);
}

/// The first byte from `at` on that cannot stand unescaped in a JSON string (a quote, backslash or control character), or
/// the end. Eight bytes at a time: the classic
/// tricks for "has a zero byte" and "has a byte below", whose lowest hit is exact.
pub fn end_of_plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let (quote, backslash) = (word ^ (ONES * b'"' as u64), word ^ (ONES * b'\\' as u64));
        let zero = |w: u64| w.wrapping_sub(ONES) & !w;
        let found = (zero(quote) | zero(backslash) | (word.wrapping_sub(ONES * 0x20) & !word)) & HIGHS;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}

/// Appends UTF-8 text, escaped for a JSON string.
fn escape_json(text: &[u8], out: &mut Vec<u8>) {
    let mut plain = 0;
    loop {
        let special = end_of_plain(text, plain);
        out.extend_from_slice(&text[plain..special]);
        let Some(&byte) = text.get(special) else { return };
        escape_byte(byte, out);
        plain = special + 1;
    }
}

fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        0..0x20 => return out.extend_from_slice(&unicode_escape(byte)),
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', letter]);
}

const fn needs_care(byte: u8) -> bool {
    byte < 0x20 || byte >= 0x80 || byte == b'"' || byte == b'\\'
}

/// With capitals, as the Java writers print it.
fn unicode_escape(byte: u8) -> [u8; 6] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [b'\\', b'u', b'0', b'0', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_survives_and_only_what_must_be_escaped_is() {
        for character in (0..=0x250_u32).chain([0x2028, 0x1F600]).filter_map(char::from_u32) {
            let text = format!("a{character}b");
            let (mut appended, mut in_place) = (b"x".to_vec(), format!("x{text}").into_bytes());
            quote_json(&text, &mut appended);
            quote_json_from(&mut in_place, 1);
            assert_eq!(appended, in_place);
            assert_eq!(serde_json::from_slice::<String>(&appended[1..]).expect("JSON"), text);
            assert_eq!(appended.len() == text.len() + 3, !(character < ' ' || "\"\\".contains(character)));
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_read_as_latin_1() {
        for byte in 0x80..=0xFF_u8 {
            let mut out = vec![b'"', b'"', byte];
            quote_json_from(&mut out, 0);
            assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), format!("\"\"{}", char::from(byte)));
        }
    }

    #[test]
    fn a_start_beyond_the_end_changes_nothing() {
        let mut out = b"ab".to_vec();
        quote_json_from(&mut out, 3);
        escape_json_from(&mut out, 3);
        assert_eq!(out, b"ab");
    }
}
