//! Which bytes may stand where, and the scans that find the first one that may not.

const TOKEN: u8 = 1;
const VALUE: u8 = 2;

const CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric() || is_token_mark(b) {
            table[byte] |= TOKEN;
        }
        if b == b'\t' || (b >= b' ' && b != 0x7f) {
            table[byte] |= VALUE;
        }
        byte += 1;
    }
    table
};

/// The marks among `tchar` (RFC 9110 §5.6.2).
const fn is_token_mark(b: u8) -> bool {
    matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// `tchar` (RFC 9110 §5.6.2).
#[inline]
pub(super) const fn is_token_byte(byte: u8) -> bool {
    CLASS[byte as usize] & TOKEN != 0
}

/// What a field value may hold: tab, space, visible characters and obs-text (RFC 9110 §5.5).
#[inline]
pub(super) const fn is_value_byte(byte: u8) -> bool {
    CLASS[byte as usize] & VALUE != 0
}

/// Whether `text` is a token: at least one `tchar` and nothing else.
#[inline]
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

/// Offset of the first byte at or after `from` that is no `tchar`; the length of `bytes` if all are.
#[inline]
pub(super) fn token_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(rest.len())
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Marks (with the high bit) bytes below `limit`, at most 128. Bytes after the first marked one may be marked wrongly,
/// because the subtraction borrows; the first never is.
#[inline]
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & HIGHS
}

/// Marks bytes equal to `byte`, exact up to the first as above.
#[inline]
const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * byte as u64), 1)
}

/// Offset of the first byte at or after `from` that a field value cannot hold; the length of `bytes` if there is none.
#[inline]
pub(super) fn value_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        at = scan(bytes, at, |word| below(word, b' ') | equal(word, 0x7f), is_value_byte);
        // A tab is a control that values may hold. It is rare enough not to burden the scan.
        if bytes.get(at) != Some(&b'\t') {
            return at;
        }
        at += 1;
    }
}

/// Offset of the first byte at or after `from` that a request target cannot hold: anything but visible ASCII.
#[inline]
pub(super) fn target_end(bytes: &[u8], from: usize) -> usize {
    scan(bytes, from, |word| below(word, b'!') | equal(word, 0x7f) | (word & HIGHS), |byte| byte.is_ascii_graphic())
}

/// Eight bytes at a time while there are eight. `marks` and `is_inside` have to agree, apart from the tab above.
#[inline]
fn scan(bytes: &[u8], from: usize, marks: impl Fn(u64) -> u64, is_inside: impl Fn(u8) -> bool) -> usize {
    let mut at = from;
    let mut rest = bytes.get(from..).unwrap_or_default();
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let marked = marks(u64::from_le_bytes(*word));
        if marked != 0 {
            return at + marked.trailing_zeros() as usize / 8;
        }
        rest = after;
        at += 8;
    }
    at + rest.iter().position(|&byte| !is_inside(byte)).unwrap_or(rest.len())
}

/// `text` without spaces and tabs at either end (OWS, RFC 9110 §5.6.3).
#[inline]
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// The elements of a comma-separated list, trimmed, empty ones left out (RFC 9110 §5.6.1).
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_agree_with_the_table_at_every_offset_and_byte() {
        for byte in 0..=255_u8 {
            for at in 0..20 {
                let mut bytes = [b'a'; 24];
                bytes[at] = byte;
                let expected = if is_value_byte(byte) { bytes.len() } else { at };
                assert_eq!(value_end(&bytes, 0), expected, "value {byte:#x} at {at}");
                let expected = if byte.is_ascii_graphic() { bytes.len() } else { at };
                assert_eq!(target_end(&bytes, 0), expected, "target {byte:#x} at {at}");
                let expected = if is_token_byte(byte) { bytes.len() } else { at };
                assert_eq!(token_end(&bytes, 0), expected, "token {byte:#x} at {at}");
            }
        }
    }

    #[test]
    fn a_scan_past_the_end_stays_there() {
        assert_eq!(value_end(b"abc", 3), 3);
        assert_eq!(token_end(b"abc", 3), 3);
        assert_eq!(target_end(b"", 0), 0);
        assert_eq!(value_end(b"\t\t\t\t\t\t\t\t\t\r", 0), 9);
    }

    #[test]
    fn lists_are_split_and_trimmed() {
        let all: Vec<_> = elements(b" a,, b\t,c , ").collect();
        assert_eq!(all, [b"a", b"b", b"c"]);
        assert_eq!(trim(b" \t "), b"");
    }
}
