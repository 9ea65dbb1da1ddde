//! Schemas and instances out of arbitrary bytes.

use ringgate_core::json::Tape;
use ringgate_core::json::tape::Node;
use ringgate_core::schema::{Library, Schema};

/// The instance, as the one document that references may lead to.
struct One(Tape);

impl Library for One {
    fn document(&self, address: &str) -> Option<Node<'_>> {
        (address == "other").then(|| self.0.root()).flatten()
    }
}

/// Claim: whatever the bytes before and behind a zero are, compiling the former neither panics nor hangs, the latter is
/// judged alike with and without reasons, and what judges is bounded.
pub fn target(data: &[u8]) {
    let Some(end) = data.iter().position(|&byte| byte == 0) else { return };
    let (mut schema, mut instance) = (Tape::new(), Tape::new());
    let Ok(document) = schema.read(&data[..end]) else { return };
    if instance.read(&data[end + 1..]).is_err() {
        return;
    }
    let library = One(instance);
    let Ok(schema) = Schema::compile(document, "", &library) else { return };
    let Some(instance) = library.0.root() else { return };
    let faults = schema.faults(instance).map(|faults| faults.is_empty());
    assert_eq!(schema.is_valid(instance), faults);
    let _ = schema.is_valid(document);
}
