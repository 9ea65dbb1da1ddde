//! Addresses of schemas: relative references (RFC 3986 section 5.2) and JSON pointers in fragments.

/// The address that `reference` means where `base` is the address of the place it stands at.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    let (base, _) = split(base);
    let joined = match reference.as_bytes() {
        [] | [b'#', ..] => format!("{base}{reference}"),
        _ if has_scheme(reference) => reference.to_owned(),
        [b'/', b'/', ..] => format!("{}{reference}", base.split_inclusive(':').next().unwrap_or_default()),
        [b'/', ..] => format!("{}{}", &base[..path_start(base)], without_dots(reference)),
        _ => {
            let start = path_start(base);
            let folder = base[start..].rfind('/').map_or(start, |slash| start + slash + 1);
            format!("{}{}", &base[..start], without_dots(&format!("{}{reference}", &base[start..folder])))
        }
    };
    joined.strip_suffix('#').map_or_else(|| joined.clone(), str::to_owned)
}

/// An address and its fragment.
pub(super) fn split(address: &str) -> (&str, &str) {
    address.split_once('#').unwrap_or((address, ""))
}

/// The names of a JSON pointer in a fragment: percent-decoded, then without the escapes of RFC 6901.
pub(super) fn pointer_names(fragment: &str) -> Option<Vec<String>> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [byte, after @ ..] = rest {
        let decoded = match (byte, after) {
            (b'%', [high, low, ..]) => char::from(*high).to_digit(16).zip(char::from(*low).to_digit(16)),
            _ => None,
        };
        match decoded {
            Some((high, low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    let names = text.strip_prefix('/')?.split('/');
    Some(names.map(|name| name.replace("~1", "/").replace("~0", "~")).collect())
}

fn has_scheme(reference: &str) -> bool {
    let scheme = reference.split(['/', '?', '#']).next().unwrap_or_default().split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Where the path begins: behind `scheme://authority`, or behind `scheme:`.
fn path_start(address: &str) -> usize {
    match address.find("://") {
        Some(colon) => address[colon + 3..].find('/').map_or(address.len(), |slash| colon + 3 + slash),
        None if has_scheme(address) => address.find(':').map_or(0, |colon| colon + 1),
        None => 0,
    }
}

/// RFC 3986 section 5.2.4, of a path that may have a fragment behind it.
fn without_dots(path: &str) -> String {
    let (path, fragment) = path.split_at(path.find('#').unwrap_or(path.len()));
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." if kept.len() > 1 => _ = kept.pop(),
            ".." => {}
            other => kept.push(other),
        }
    }
    format!("{}{fragment}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_joined_to_their_base() {
        let rows = [
            ("", "#/definitions/a", "#/definitions/a"),
            ("http://h/a/b.json", "#x", "http://h/a/b.json#x"),
            ("http://h/a/b.json#y", "#", "http://h/a/b.json"),
            ("http://h/a/b.json", "c.json#x", "http://h/a/c.json#x"),
            ("http://h/a/", "folder/c.json", "http://h/a/folder/c.json"),
            ("http://h/a/b/c", "../d", "http://h/a/d"),
            ("http://h/a/b", "/d/./e", "http://h/d/e"),
            ("http://h", "d", "http://hd"),
            ("http://h/a", "//other/x", "http://other/x"),
            ("http://h/a", "urn:uuid:1#x", "urn:uuid:1#x"),
            ("urn:uuid:1", "#x", "urn:uuid:1#x"),
            ("file:///folder/file.json", "#/definitions/a", "file:///folder/file.json#/definitions/a"),
            ("a/b", "c", "a/c"),
            ("", "node", "node"),
        ];
        for (base, reference, expected) in rows {
            assert_eq!(resolve(base, reference), expected, "{base} {reference}");
        }
    }

    #[test]
    fn pointers_are_decoded_twice() {
        assert_eq!(
            pointer_names("/percent%25field/a~1b~0c/%22"),
            Some(vec!["percent%field".into(), "a/b~c".into(), "\"".into()])
        );
        assert_eq!(pointer_names("/"), Some(vec![String::new()]));
        assert_eq!(pointer_names("name"), None);
    }
}
