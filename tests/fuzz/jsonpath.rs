//! JSONPath out of arbitrary text, over a document with a bit of everything and over the input itself.

use ringgate_core::json::Tape;
use ringgate_core::json::path::{Found, JsonPath};

const DOCUMENT: &[u8] =
    br#"{"a":[{"b":1,"c":"x"},{"b":2.50,"c":"y","d":[1,2,[3]]},null,true],"b":{"a":{"b":{}}},"c":"text"}"#;

/// Claim: whatever the text, compiling and following it neither panics nor hangs; a definite path gives one value of
/// the document and every other one without function a list; what it gives prints as JSON.
pub fn target(data: &[u8]) {
    let (path, document) = match data.iter().position(|&byte| byte == 0) {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, DOCUMENT),
    };
    let Ok(path) = JsonPath::compile(&String::from_utf8_lossy(path)) else { return };
    let (mut tape, mut again) = (Tape::new(), Tape::new());
    let Ok(root) = tape.read(document) else { return };
    let Ok(Some(found)) = path.find(root) else { return };
    let mut out = Vec::new();
    found.write_json(&mut out);
    let is_finite = !matches!(found, Found::Double(value) if !value.is_finite());
    if is_finite {
        again.read(&out).expect("what was found prints as JSON");
    }
    found.write_java(&mut out);
}
