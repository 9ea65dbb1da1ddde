//! Reads parameters out of a raw query string, one at a time and without copying what nobody asked for.
//!
//! As recorded on AWS: `+` is a space, `%XX` is decoded, a raw `#` ends the query. The developer guide says that `;`
//! splits the data, so it separates like `&`. An escape that is not two hexadecimal digits stays as sent.

use memchr::{memchr, memchr2};

use crate::proto::http::percent::unescaped;

/// The parameters of `query` in order, each as its raw name and raw value. `query` does not include the `?`. A
/// parameter without `=` has an empty value; empty parameters (`a=1&&b=2`) are skipped.
pub fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = &query[..memchr(b'#', query).unwrap_or(query.len())];
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = memchr2(b'&', b';', rest).unwrap_or(rest.len());
            let (pair, after) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
            rest = after;
            if !pair.is_empty() {
                return Some(split_pair(pair));
            }
        }
    })
}

/// The raw values of every parameter whose decoded name is `name`, in order.
pub fn values<'q>(query: &'q [u8], name: &'q str) -> impl Iterator<Item = &'q [u8]> {
    pairs(query).filter(move |(raw, _)| decoded(raw).eq(name.bytes())).map(|(_, value)| value)
}

/// The raw value of the last parameter of that name: the one AWS's single-value map keeps.
pub fn last<'q>(query: &'q [u8], name: &'q str) -> Option<&'q [u8]> {
    values(query, name).last()
}

/// Whether a raw value decodes to nothing but white space.
pub fn is_blank(raw: &[u8]) -> bool {
    decoded(raw).all(|byte| byte.is_ascii_whitespace())
}

/// Appends the decoded text of a raw name or value.
pub fn decode(raw: &[u8], out: &mut Vec<u8>) {
    if memchr2(b'%', b'+', raw).is_none() {
        out.extend_from_slice(raw);
    } else {
        out.extend(decoded(raw));
    }
}

/// The decoded bytes of a raw name or value.
fn decoded(raw: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let (byte, used) = match rest {
            [] => return None,
            [b'%', high, low, ..] => unescaped(*high, *low).map_or((b'%', 1), |byte| (byte, 3)),
            [b'+', ..] => (b' ', 1),
            [byte, ..] => (*byte, 1),
        };
        rest = &rest[used..];
        Some(byte)
    })
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b'=', pair) {
        Some(equals) => (&pair[..equals], &pair[equals + 1..]),
        None => (pair, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(query: &str, name: &str) -> Vec<String> {
        let text = |raw: &[u8]| {
            let mut out = Vec::new();
            decode(raw, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        values(query.as_bytes(), name).map(text).collect()
    }

    #[test]
    fn the_recorded_query_is_read_as_aws_reads_it() {
        let query = "dateTimeOffset=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com\
                     &plus=test+alias@gmail.com&zhash=abort/#&ignored=x";
        assert_eq!(text(query, "dateTimeOffset"), ["2023-06-12T18:05:10.123456 00:00"]);
        assert_eq!(text(query, "email"), ["test+alias@gmail.com"]);
        assert_eq!(text(query, "plus"), ["test alias@gmail.com"]);
        assert_eq!(text(query, "zhash"), ["abort/"]);
        assert!(text(query, "ignored").is_empty());
    }

    #[test]
    fn all_values_are_kept_in_order_and_the_last_one_wins() {
        let query = "a=1&b=2&a=3&&A=4;a=5";
        assert_eq!(text(query, "a"), ["1", "3", "5"]);
        assert_eq!(last(query.as_bytes(), "a"), Some(&b"5"[..]));
        assert_eq!(last(query.as_bytes(), "c"), None);
    }

    #[test]
    fn odd_input_is_kept_as_sent() {
        assert_eq!(text("a=%zz%4&b&=c&d==", "a"), ["%zz%4"]);
        assert_eq!(text("a=%zz%4&b&=c&d==", "b"), [""]);
        assert_eq!(text("a=%zz%4&b&=c&d==", "d"), ["="]);
        assert_eq!(text("%61%20b=1", "a b"), ["1"]);
        assert_eq!(pairs(b"&&&;;").count(), 0);
        assert_eq!(pairs(b"").count(), 0);
    }
}
