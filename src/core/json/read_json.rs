//! A strict reader of JSON (RFC 8259) that notes where every value begins.
//!
//! Strict means: no comments, no trailing commas, no unescaped control characters, no lone surrogates, nothing after
//! the value. Repeated keys are kept, because whoever reads the tree can say more about them than the reader.

use memchr::memchr2;

use super::{Key, Kind, Member, Node, SyntaxError, admit};
use crate::base::Place;
use crate::base::limits::{
    DEFINITION_BYTES_MAX, DEFINITION_BYTES_RELAXED_MAX, DEFINITION_DEPTH_MAX, DEFINITION_NODES_MAX,
    DEFINITION_NODES_RELAXED_MAX,
};

/// Reads one JSON value, which must be all that the text contains.
pub fn read_json(text: &str) -> Result<Node, SyntaxError> {
    read_within(text, DEFINITION_BYTES_MAX, DEFINITION_NODES_MAX)
}

/// As [`read_json`], within the limits of `--limits relaxed`.
pub fn read_json_relaxed(text: &str) -> Result<Node, SyntaxError> {
    read_within(text, DEFINITION_BYTES_RELAXED_MAX, DEFINITION_NODES_RELAXED_MAX)
}

fn read_within(text: &str, bytes_max: usize, nodes_max: usize) -> Result<Node, SyntaxError> {
    let mut reader = Reader::new(admit(text, bytes_max)?);
    reader.nodes_max = nodes_max;
    reader.skip_space();
    let node = reader.value()?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.fault("more text after the end of the document")),
    }
}

struct Reader<'t> {
    text: &'t str,
    position: usize,
    line: u32,
    /// Byte and column of the last place given on this line. Columns are counted from here, so that a document
    /// without line breaks costs one pass and not one per value.
    counted: (usize, u32),
    depth: usize,
    nodes: usize,
    nodes_max: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, position: 0, line: 1, counted: (0, 1), depth: 0, nodes: 0, nodes_max: DEFINITION_NODES_MAX }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn place(&mut self) -> Place {
        let (byte, column) = self.counted;
        let passed = self.text.as_bytes().get(byte..self.position).unwrap_or_default();
        let characters = passed.iter().filter(|&&b| b & 0xC0 != 0x80).count();
        let column = column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX));
        self.counted = (self.position, column);
        Place { line: self.line, column }
    }

    fn fault(&mut self, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.place(), message)
    }

    fn unexpected(&mut self, wanted: &str) -> SyntaxError {
        let rest = self.text.get(self.position..).unwrap_or_default();
        match rest.chars().next() {
            None => self.fault(format!("the document ends where {wanted} should be")),
            Some(found) => self.fault(format!("found {found:?} where {wanted} should be")),
        }
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    self.position += 1;
                    self.line += 1;
                    self.counted = (self.position, 1);
                }
                b' ' | b'\t' | b'\r' => self.position += 1,
                _ => return,
            }
        }
    }

    fn value(&mut self) -> Result<Node, SyntaxError> {
        let place = self.place();
        self.nodes += 1;
        if self.nodes > self.nodes_max {
            return Err(self.fault(format!("the document has more than {} values", self.nodes_max)));
        }
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            Some(b't') => self.word("true", Kind::Bool(true))?,
            Some(b'f') => self.word("false", Kind::Bool(false))?,
            Some(b'n') => self.word("null", Kind::Null)?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node { kind, place })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Kind, SyntaxError>) -> Result<Kind, SyntaxError> {
        self.depth += 1;
        if self.depth > DEFINITION_DEPTH_MAX {
            return Err(self.fault(format!("the document is nested more than {DEFINITION_DEPTH_MAX} levels deep")));
        }
        self.position += 1;
        self.skip_space();
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn object(&mut self) -> Result<Kind, SyntaxError> {
        let mut members = Vec::new();
        if self.closes(b'}') {
            return Ok(Kind::Object(members));
        }
        loop {
            members.push(self.member()?);
            if self.separated(b'}', "`,` or `}`")? {
                return Ok(Kind::Object(members));
            }
        }
    }

    fn member(&mut self) -> Result<Member, SyntaxError> {
        let place = self.place();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a member name in double quotes"));
        }
        let key = Key { text: self.string()?, place };
        self.skip_space();
        if !self.closes(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.skip_space();
        Ok(Member { key, value: self.value()? })
    }

    fn array(&mut self) -> Result<Kind, SyntaxError> {
        let mut elements = Vec::new();
        if self.closes(b']') {
            return Ok(Kind::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            if self.separated(b']', "`,` or `]`")? {
                return Ok(Kind::Array(elements));
            }
        }
    }

    /// After an element: `true` at the closing byte, `false` after a comma.
    fn separated(&mut self, close: u8, wanted: &str) -> Result<bool, SyntaxError> {
        self.skip_space();
        if self.closes(close) {
            return Ok(true);
        }
        if !self.closes(b',') {
            return Err(self.unexpected(wanted));
        }
        self.skip_space();
        Ok(false)
    }

    fn closes(&mut self, byte: u8) -> bool {
        let closes = self.peek() == Some(byte);
        self.position += usize::from(closes);
        closes
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, SyntaxError> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.unexpected("a value"));
        }
        self.position += word.len();
        Ok(kind)
    }

    fn number(&mut self) -> Result<String, SyntaxError> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let length = number_length(rest.as_bytes());
        match rest.get(..length).filter(|text| !text.is_empty()) {
            Some(text) => {
                self.position += length;
                Ok(text.to_owned())
            }
            None => Err(self.fault("a malformed number")),
        }
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        self.position += 1;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.position..).unwrap_or_default();
            let Some(length) = memchr2(b'"', b'\\', rest.as_bytes()) else {
                self.position = self.text.len();
                return Err(self.unexpected("the end of a string"));
            };
            let plain = rest.get(..length).unwrap_or_default();
            self.refuse_controls(plain)?;
            text.push_str(plain);
            self.position += length;
            if self.closes(b'"') {
                return Ok(text);
            }
            text.push(self.escape()?);
        }
    }

    fn refuse_controls(&mut self, plain: &str) -> Result<(), SyntaxError> {
        let Some(offset) = plain.bytes().position(|byte| byte < 0x20) else { return Ok(()) };
        self.position += offset;
        Err(self.fault("a control character (a line break, for instance) inside a string"))
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        self.position += 1;
        let Some(letter) = self.peek() else { return Err(self.unexpected("an escape")) };
        self.position += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => {
                self.position -= 1;
                return Err(self.unexpected("one of the escapes of JSON"));
            }
        })
    }

    /// After `\u`: four digits, or two times four for a character beyond the basic plane.
    fn unicode_escape(&mut self) -> Result<char, SyntaxError> {
        let high = self.hex4()?;
        if !(0xD800..0xE000).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.fault("an escape that is no character"));
        }
        let rest = self.text.get(self.position..).unwrap_or_default();
        if high < 0xDC00 && rest.starts_with("\\u") {
            self.position += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return char::from_u32(code).ok_or_else(|| self.fault("an escape that is no character"));
            }
        }
        Err(self.fault("half of a surrogate pair"))
    }

    fn hex4(&mut self) -> Result<u32, SyntaxError> {
        let digits = self.text.get(self.position..self.position.saturating_add(4)).unwrap_or_default();
        let valid = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        match u32::from_str_radix(digits, 16) {
            Ok(code) if valid => {
                self.position += 4;
                Ok(code)
            }
            _ => Err(self.unexpected("four hexadecimal digits")),
        }
    }
}

/// Length of the JSON number at the start of `text`; 0 if there is none or it is malformed.
pub(super) fn number_length(text: &[u8]) -> usize {
    let digits = |from: usize| text.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let mut end = usize::from(text.first() == Some(&b'-'));
    let whole = digits(end);
    if whole == 0 || (whole > 1 && text.get(end) == Some(&b'0')) {
        return 0;
    }
    end += whole;
    if text.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == 0 {
            return 0;
        }
        end += 1 + fraction;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent == 0 {
            return 0;
        }
        end += 1 + sign + exponent;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (String, String) {
        let error = read_json(text).expect_err(text);
        (error.place.to_string(), error.message)
    }

    #[test]
    fn every_value_knows_its_line_and_column_in_characters() {
        let document = read_json("\u{feff}{\n  \"é\": [1, \"ü\", {\"x\": true}],\r\n  \"b\": null}").unwrap();
        let list = document.get("é").unwrap();
        assert_eq!(document.place, Place { line: 1, column: 1 });
        assert_eq!(document.member("é").unwrap().key.place, Place { line: 2, column: 3 });
        assert_eq!(list.place, Place { line: 2, column: 8 });
        let places: Vec<_> = list.elements().iter().map(|e| e.place.column).collect();
        assert_eq!(places, [9, 12, 17]);
        assert_eq!(document.get("b").unwrap().place, Place { line: 3, column: 8 });
    }

    #[test]
    fn escapes_become_characters() {
        let document = read_json(r#""\"\\\/\b\f\n\r\tA\u00e9\ud83d\ude00""#).unwrap();
        assert_eq!(document.as_str(), Some("\"\\/\u{8}\u{c}\n\r\tAé😀"));
    }

    #[test]
    fn what_rfc_8259_forbids_is_refused_with_its_place() {
        let cases = [
            ("", "1:1", "the document ends where a value should be"),
            ("{\"a\" 1}", "1:6", "found '1' where `:` should be"),
            ("{\"a\": 1,}", "1:9", "found '}' where a member name in double quotes should be"),
            ("[1,]", "1:4", "found ']' where a value should be"),
            ("[1\n 2]", "2:2", "found '2' where `,` or `]` should be"),
            ("{} {}", "1:4", "more text after the end of the document"),
            ("\"a\nb\"", "1:3", "a control character (a line break, for instance) inside a string"),
            ("\"abc", "1:5", "the document ends where the end of a string should be"),
            ("01", "1:1", "a malformed number"),
            ("[-]", "1:2", "a malformed number"),
            ("1.", "1:1", "a malformed number"),
            ("truth", "1:1", "found 't' where a value should be"),
            (r#""\ud800x""#, "1:8", "half of a surrogate pair"),
            (r#""\x""#, "1:3", "found 'x' where one of the escapes of JSON should be"),
            (r#""\u00g0""#, "1:4", "found '0' where four hexadecimal digits should be"),
            ("{'a': 1}", "1:2", "found '\\'' where a member name in double quotes should be"),
        ];
        for (text, place, message) in cases {
            assert_eq!(fault(text), (place.to_owned(), message.to_owned()), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded_before_the_stack_is() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read_json(&deep(DEFINITION_DEPTH_MAX)).is_ok());
        assert!(fault(&deep(DEFINITION_DEPTH_MAX + 1)).1.contains("nested more than"));
        assert!(fault(&"[".repeat(1_000_000)).1.contains("nested more than"));
    }

    #[test]
    fn a_document_beyond_the_byte_limit_is_not_read() {
        let text = " ".repeat(DEFINITION_BYTES_MAX + 1);
        assert!(fault(&text).1.contains("bytes, more than"));
    }
}
