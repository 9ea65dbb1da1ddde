//! Percent-encoding (RFC 3986 §2.1).

const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `text`, encoded but for unreserved characters (RFC 3986 §2.3).
pub fn encode(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        if is_unreserved(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&escaped(byte));
        }
    }
}

/// Whether `byte` needs no encoding anywhere.
pub const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `%XX`, in capitals.
pub const fn escaped(byte: u8) -> [u8; 3] {
    [b'%', UPPER_HEX[(byte >> 4) as usize], UPPER_HEX[(byte & 15) as usize]]
}

/// The byte that `%` before these two digits means. `None` when they are no hexadecimal digits.
pub fn unescaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_that_is_escaped_comes_back() {
        for byte in 0..=u8::MAX {
            let [percent, high, low] = escaped(byte);
            assert_eq!((percent, unescaped(high, low)), (b'%', Some(byte)));
        }
        assert_eq!(unescaped(b'4', b'g'), None);
        assert_eq!(unescaped(b'a', b'F'), Some(0xaf));
    }

    #[test]
    fn unreserved_characters_stay() {
        let mut out = Vec::new();
        encode("az AZ09-._~/+é".as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), "az%20AZ09-._~%2F%2B%C3%A9");
    }
}
