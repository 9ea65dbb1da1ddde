//! Hashes that must come out the same in every process: of identifiers, and Java's of strings.

/// FNV-1a, 64 bits (draft-eastlake-fnv), over the parts with a separator between them. Not for untrusted tables.
pub fn fnv1a(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter().copied().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// An identifier of AWS's shape, ten characters of `[a-z0-9]`, that depends on nothing but `parts`.
pub fn id_of(parts: &[&[u8]]) -> String {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut hash = fnv1a(parts);
    (0..10)
        .map(|_| {
            let digit = DIGITS[(hash % 36) as usize];
            hash /= 36;
            char::from(digit)
        })
        .collect()
}

/// `String.hashCode` of Java, over units of UTF-16.
pub fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

#[cfg(test)]
mod tests {
    use super::{id_of, java_hash};

    #[test]
    fn strings_hash_as_in_java() {
        assert_eq!((java_hash(""), java_hash("Hello, World!"), java_hash("é😀")), (0, 1_498_789_909, 1_996_812));
    }

    #[test]
    fn ids_depend_on_their_parts_alone() {
        let id = id_of(&[b"PetStore"]);
        assert_eq!(id, id_of(&[b"PetStore"]));
        assert_eq!(id.len(), 10);
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
        assert_ne!(id_of(&[b"a", b"b"]), id_of(&[b"ab"]));
    }
}
