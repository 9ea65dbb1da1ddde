//! Comparing names.

/// Whether two byte strings are the same. Most names are short: their first and last words, which may overlap, are
/// compared in place, where a call that takes any length costs more than its work.
#[inline]
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && match left.len() {
            0 => true,
            1..4 => left[0] == right[0] && left.last_chunk::<2>() == right.last_chunk::<2>(),
            4..8 => have_same_ends::<4>(left, right),
            8..=16 => have_same_ends::<8>(left, right),
            _ => left == right,
        }
}

#[inline]
fn have_same_ends<const N: usize>(left: &[u8], right: &[u8]) -> bool {
    left.first_chunk::<N>() == right.first_chunk::<N>() && left.last_chunk::<N>() == right.last_chunk::<N>()
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn a_difference_anywhere_is_seen() {
        for length in 0..40 {
            let name: Vec<u8> = (0..length).collect();
            assert!(is_same(&name, &name.clone()));
            assert!(!is_same(&name, &[&name[..], b"x"].concat()));
            for at in 0..name.len() {
                let mut other = name.clone();
                other[at] ^= 0x80;
                assert!(!is_same(&name, &other), "{length} {at}");
            }
        }
    }
}
