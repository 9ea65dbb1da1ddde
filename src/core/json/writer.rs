//! Values of a tape as text: as JSON, and as Java's `toString` prints them.

use super::number::Decimal;
use super::tape::{Kind, Node};
use crate::base::escape::quote_json;

/// Appends a value as JSON without spaces, numbers in their own digits.
pub fn write_json(node: Node<'_>, out: &mut Vec<u8>) {
    match node.kind() {
        Kind::Null => out.extend_from_slice(b"null"),
        Kind::Bool | Kind::Number => out.extend_from_slice(node.scalar_text().unwrap_or_default().as_bytes()),
        Kind::String => quote_json(node.as_str().unwrap_or_default(), out),
        Kind::Array => {
            out.push(b'[');
            write_separated(node.elements(), b",", out, write_json);
            out.push(b']');
        }
        Kind::Object => {
            out.push(b'{');
            write_separated(node.members(), b",", out, |(name, value), out| {
                quote_json(name, out);
                out.push(b':');
                write_json(value, out);
            });
            out.push(b'}');
        }
    }
}

/// Appends a spelling that is the same for equal values and different for others: members in the order of their names,
/// numbers by value. The time is bounded whatever the values are, unlike that of comparing each with each.
pub fn write_canonical(node: Node<'_>, out: &mut Vec<u8>) {
    match node.kind() {
        Kind::Number => Decimal::of(node.as_number().unwrap_or_default()).write_canonical(out),
        Kind::Array => {
            out.push(b'[');
            write_separated(node.elements(), b",", out, write_canonical);
            out.push(b']');
        }
        Kind::Object => {
            let mut members: Vec<_> = node.members().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            write_separated(members.into_iter(), b",", out, |(name, value), out| {
                quote_json(name, out);
                write_canonical(value, out);
            });
            out.push(b'}');
        }
        _ => write_json(node, out),
    }
}

/// Appends a value as a template prints what `$input.path` gave it: strings raw, objects as `{name=value, other=value}`
/// and arrays as JSON, which is how the structures behind it print (rest-mapping-templates §4).
pub fn write_java(node: Node<'_>, out: &mut Vec<u8>) {
    match node.kind() {
        Kind::Object => {
            out.push(b'{');
            write_separated(node.members(), b", ", out, |(name, value), out| {
                out.extend_from_slice(name.as_bytes());
                out.push(b'=');
                write_java(value, out);
            });
            out.push(b'}');
        }
        Kind::Array => write_json(node, out),
        _ => out.extend_from_slice(node.scalar_text().unwrap_or_default().as_bytes()),
    }
}

fn write_separated<T>(
    items: impl Iterator<Item = T>,
    separator: &[u8],
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        write(item, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;

    fn java(document: &str) -> String {
        let mut out = Vec::new();
        write_java(Tape::new().read(document.as_bytes()).expect(document), &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn objects_print_as_java_maps_and_arrays_as_json() {
        let rows = [
            (r#"{"foo":"bar"}"#, "{foo=bar}"),
            (r#"{"bigger": "dict", "to": "test", "with": "separators"}"#, "{bigger=dict, to=test, with=separators}"),
            (r#"[ {"foo": "bar"} ]"#, r#"[{"foo":"bar"}]"#),
            (r#"{"foo":[{"nested":"bar"}]}"#, r#"{foo=[{"nested":"bar"}]}"#),
            (r#"{"a":{"b":null,"c":1.50},"d":true}"#, "{a={b=null, c=1.50}, d=true}"),
            (r#""raw \"text\"""#, r#"raw "text""#),
            ("{}", "{}"),
        ];
        for (document, expected) in rows {
            assert_eq!(java(document), expected);
        }
    }

    #[test]
    fn equal_values_have_one_canonical_spelling() {
        let canonical = |document: &str| {
            let mut out = Vec::new();
            write_canonical(Tape::new().read(document.as_bytes()).expect(document), &mut out);
            out
        };
        let equal = [(r#"{"a":1,"b":[2.0]}"#, r#"{"b":[2],"a":10e-1}"#), ("0", "-0.0"), (r#""\u0061""#, r#""a""#)];
        let different = [("1", r#""1""#), ("[1,2]", "[2,1]"), ("0", "false"), (r#"{"a":1}"#, r#"{"a":1,"b":1}"#)];
        equal.into_iter().for_each(|(a, b)| assert_eq!(canonical(a), canonical(b)));
        different.into_iter().for_each(|(a, b)| assert_ne!(canonical(a), canonical(b)));
    }
}
