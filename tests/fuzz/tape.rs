//! The JSON of the request path out of arbitrary bytes.

use ringgate_core::json::Tape;
use ringgate_core::json::tape::Node;
use ringgate_core::json::writer::{write_canonical, write_java, write_json};

/// Claim: whatever the bytes, reading does not panic; what was read prints as JSON that reads and prints the same, with
/// the same canonical spelling; and every node is found again by its number.
pub fn target(data: &[u8]) {
    let (mut tape, mut again) = (Tape::new(), Tape::new());
    if tape.read(data).is_err() {
        return;
    }
    let root = tape.root().expect("what was read has a root");
    let text = printed(root, write_json);
    let reread = again.read(&text).expect("what was printed is JSON");
    assert_eq!(printed(reread, write_json), text);
    assert_eq!(printed(reread, write_canonical), printed(root, write_canonical));
    printed(root, write_java);
    for (name, value) in root.members() {
        let found = root.get(name).expect("a member is found by its name");
        assert_eq!((found.id(), tape.node(value.id()).map(Node::kind)), (value.id(), Some(value.kind())));
    }
}

fn printed(node: Node<'_>, write: fn(Node<'_>, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(node, &mut out);
    out
}
