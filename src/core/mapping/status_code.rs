//! The `statusCode` that a MOCK integration's request template gives (rest-integrations §9).

/// The integer `statusCode` of a rendered request template. AWS's reader is lenient: bare and single-quoted names,
/// further commas and bare members pass; a missing brace, quotes that do not match or a quoted number do not.
pub fn status_code(text: &[u8]) -> Option<i64> {
    let inner = text.trim_ascii().strip_prefix(b"{")?.strip_suffix(b"}")?;
    let mut members = Members { rest: inner };
    let mut status = None;
    while let Some((name, value)) = members.next()? {
        if name == b"statusCode" {
            status = Some(std::str::from_utf8(value).ok()?.parse().ok()?);
        }
    }
    status
}

/// Reads `name: value` pairs between commas, with values of any JSON-like shape.
struct Members<'t> {
    rest: &'t [u8],
}

impl<'t> Members<'t> {
    /// The next member; `Some(None)` at the end, `None` when the text is broken.
    #[allow(clippy::type_complexity, reason = "a pair that may be absent, of a text that may be broken")]
    fn next(&mut self) -> Option<Option<(&'t [u8], &'t [u8])>> {
        self.rest = trim_commas(self.rest);
        if self.rest.is_empty() {
            return Some(None);
        }
        let name = self.name()?;
        self.rest = self.rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let value = self.value()?;
        Some(Some((name, value)))
    }

    fn name(&mut self) -> Option<&'t [u8]> {
        match self.rest.first()? {
            quote @ (b'"' | b'\'') => self.quoted(*quote),
            _ => {
                let end = self
                    .rest
                    .iter()
                    .position(|byte| matches!(byte, b':' | b','))
                    .filter(|&end| self.rest[end] == b':')?;
                let (name, rest) = self.rest.split_at(end);
                self.rest = rest;
                let name = name.trim_ascii();
                name.iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'))
                    .then_some(name)
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> Option<&'t [u8]> {
        let mut at = 1;
        while *self.rest.get(at)? != quote {
            at += if self.rest[at] == b'\\' { 2 } else { 1 };
        }
        let text = &self.rest[1..at];
        self.rest = &self.rest[at + 1..];
        Some(text)
    }

    /// A value with its quotes or brackets, so that a quoted number is told from a number.
    fn value(&mut self) -> Option<&'t [u8]> {
        let all = self.rest;
        let mut depth = 0_usize;
        let mut at = 0;
        let mut begins = true;
        while at < all.len() {
            let began = std::mem::replace(&mut begins, matches!(all[at], b'{' | b'[' | b',' | b':'));
            match all[at] {
                // Within a bare word a quote is a character as others are.
                quote @ (b'"' | b'\'') if began => {
                    self.rest = &all[at..];
                    self.quoted(quote)?;
                    at = all.len() - self.rest.len();
                    continue;
                }
                b' ' | b'\t' | b'\r' | b'\n' => begins = began,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                b',' if depth == 0 => break,
                _ => {}
            }
            at += 1;
        }
        self.rest = &all[at..];
        (depth == 0).then(|| all[..at].trim_ascii())
    }
}

fn trim_commas(mut text: &[u8]) -> &[u8] {
    while let [b',' | b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::status_code;

    #[test]
    fn the_reader_of_status_codes_is_as_lenient_as_aws() {
        let accepted: &[(&str, i64)] = &[
            ("{\"statusCode\": 200}", 200),
            ("{statusCode: 200}", 200),
            ("{'statusCode': 200}", 200),
            ("{\"statusCode\": 200,,}", 200),
            ("{\"statusCode\": 0}", 0),
            ("{\"statusCode\": -1000}", -1000),
            ("  {\n  \"message\": \"a, b: {\",\n  \"statusCode\": 404\n}\n", 404),
            (r#"{"statusCode": 200, "body": {\"a\":\"it's\"}}"#, 200),
            (r#"{"text": it's, "list": [ "a,]" , 'b}' ], "statusCode" : 202}"#, 202),
            ("{\"nested\": {\"statusCode\": 1, \"x\": [1, 2]}, statusCode: 201, extra: member}", 201),
        ];
        for (text, status) in accepted {
            assert_eq!(status_code(text.as_bytes()), Some(*status), "{text}");
        }
    }

    #[test]
    fn strings_and_broken_texts_are_no_status() {
        let refused = [
            "",
            "{}",
            "{\"statusCode\": \"200\"}",
            "{\"statusCode': 200}",
            "\"statusCode\": 200",
            "{\"statusCode\": 200",
            "{\"statusCode\": 2.5}",
            "{\"statusCode\" 200}",
            "{\"other\": 200}",
            "{\"statusCode\": 99999999999999999999}",
        ];
        for text in refused {
            assert_eq!(status_code(text.as_bytes()), None, "{text}");
        }
    }
}
