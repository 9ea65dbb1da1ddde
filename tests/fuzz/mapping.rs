//! Parameter mappings, URIs and substitutions out of arbitrary text, over an arbitrary body.

use ringgate_core::json::Tape;
use ringgate_core::mapping::body::read_document;
use ringgate_core::mapping::expression::{Side, Target};
use ringgate_core::mapping::status_code::status_code;
use ringgate_core::mapping::uri::{Literals, UriTemplate};
use ringgate_core::mapping::{ContextVariable, Expression, Presence, Resolve, Substitution, Values};

/// A message whose every part is the same text.
struct Message<'m> {
    text: &'m [u8],
    document: Tape,
}

impl Resolve for Message<'_> {
    fn path_variable(&self, name: &str) -> Option<usize> {
        (name.len() < 4).then_some(0)
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        (name.len() < 4).then_some("value")
    }
}

impl Values for Message<'_> {
    fn path(&self, _: usize) -> Option<&[u8]> {
        Some(self.text)
    }

    fn path_named(&self, _: &str) -> Option<&[u8]> {
        Some(self.text)
    }

    fn query(&self) -> &[u8] {
        self.text
    }

    fn header(&self, _: &str) -> Option<&[u8]> {
        Some(self.text)
    }

    fn headers(&self, _: &str, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(self.text);
        true
    }

    fn integration_header(&self, _: &str) -> Option<&[u8]> {
        Some(self.text)
    }

    fn integration_headers(&self, name: &str, out: &mut Vec<u8>) -> bool {
        self.headers(name, out)
    }

    fn body(&self) -> Option<&[u8]> {
        Some(self.text)
    }

    fn document(&self) -> Option<&Tape> {
        Some(&self.document)
    }

    fn context(&self, _: &ContextVariable, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(self.text);
        true
    }
}

/// Claim: whatever stands in a mapping, a URI or a template, reading it and writing its value does not panic; a mapping
/// without value writes nothing; and what fills a path or a query can break neither out of it nor the request line.
pub fn target(data: &[u8]) {
    let cut = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let (written, text) = (String::from_utf8_lossy(&data[..cut]), &data[cut..]);
    let mut message = Message { text, document: Tape::new() };
    let _ = (read_document(text, &mut message.document), status_code(text));
    for side in [Side::Request, Side::Response, Side::GatewayResponse] {
        let _ = Target::parse(&written, side);
        let Ok(expression) = Expression::parse(&written, side, &message) else { continue };
        let mut out = Vec::new();
        if expression.write(&message, &mut out) == Presence::Missing {
            assert!(out.is_empty(), "{written}");
        }
        let fills = [("x", expression)];
        let uri = UriTemplate::compile("http://h/a/{x}?b={x}", &fills, Literals::Folded, &message).expect("a URI");
        let (mut path, mut query) = (Vec::new(), Vec::new());
        let _ = (uri.write_path(&message, &mut path), uri.write_query(&message, &mut query));
        let is_sound = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'#');
        assert!(path.starts_with(b"/a/") && path.iter().all(|byte| is_sound(byte) && *byte != b'?'), "{written}");
        assert!(query.starts_with(b"b=") && query.iter().all(|byte| is_sound(byte) && *byte != b'&'), "{written}");
    }
    let _ = UriTemplate::compile(&written, &[], Literals::Folded, &message);
    let (substitution, _) = Substitution::compile(&written, &message);
    substitution.write(&message, &mut Vec::new());
}
