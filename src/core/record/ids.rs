//! The ids of a request: what `x-amzn-RequestId`, `x-amz-apigw-id` and `X-Amzn-Trace-Id` carry.
//!
//! Random bytes are given by the caller.

/// Length of a request id.
pub const REQUEST_ID_BYTES: usize = 36;
/// Length of an extended request id.
pub const EXTENDED_REQUEST_ID_BYTES: usize = 16;
/// Length of a trace header.
pub const TRACE_HEADER_BYTES: usize = 74;
/// What access logs show in place of a request id that a client set and that is not a UUID.
pub const INVALID_REQUEST_ID: &str = "UUID_REPLACED_INVALID_REQUEST_ID";

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A request id: a UUID of version 4 (RFC 9562, section 5.4) made of the given bytes.
pub fn request_id(mut random: [u8; 16]) -> [u8; REQUEST_ID_BYTES] {
    random[6] = random[6] & 0x0F | 0x40;
    random[8] = random[8] & 0x3F | 0x80;
    let mut text = [b'-'; REQUEST_ID_BYTES];
    // Where each group of a UUID begins: in the text and in the bytes.
    for (at, bytes) in [(0, 0..4), (9, 4..6), (14, 6..8), (19, 8..10), (24, 10..16)] {
        put_hex(&mut text[at..], &random[bytes]);
    }
    text
}

/// Whether a client's `x-amzn-RequestId` may replace ours: 8-4-4-4-12 hexadecimal digits, of any version.
pub fn is_uuid(text: &[u8]) -> bool {
    let is_allowed = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == REQUEST_ID_BYTES && text.iter().enumerate().all(is_allowed)
}

/// An extended request id: base64url of eleven bytes, which ends with `=` like AWS's.
pub fn extended_request_id(random: [u8; 11]) -> [u8; EXTENDED_REQUEST_ID_BYTES] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = [b'='; EXTENDED_REQUEST_ID_BYTES];
    for (group, bytes) in random.chunks(3).enumerate() {
        let word = bytes.iter().enumerate().fold(0_u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        for at in 0..=bytes.len() {
            text[4 * group + at] = DIGITS[(word >> (18 - 6 * at)) as usize & 63];
        }
    }
    text
}

/// The random part of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceSeed {
    /// For `Root`, if the client has none.
    pub root: [u8; 12],
    /// For `Parent`, if the client has none.
    pub parent: [u8; 8],
}

/// The `X-Amzn-Trace-Id` to pass on: `Root=1-<8hex>-<24hex>;Parent=<16hex>;Sampled=0` or `1`.
///
/// As recorded: a `Root` and a `Parent` of the client stay, a missing one is made. `Sampled` stays; without it, it is 1
/// if the client sent a `Parent`. Parts of another shape count as missing, other parts are dropped.
pub fn trace_header(incoming: Option<&[u8]>, seconds: u64, seed: TraceSeed) -> [u8; TRACE_HEADER_BYTES] {
    let given = Given::read(incoming.unwrap_or_default());
    let mut text = *b"Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0";
    match given.root {
        Some(root) => text[5..40].copy_from_slice(root),
        None => {
            put_hex(&mut text[7..], &(seconds as u32).to_be_bytes());
            put_hex(&mut text[16..], &seed.root);
        }
    }
    match given.parent {
        Some(parent) => text[48..64].copy_from_slice(parent),
        None => put_hex(&mut text[48..], &seed.parent),
    }
    text[73] = given.sampled.unwrap_or(if given.parent.is_some() { b'1' } else { b'0' });
    text
}

/// What a client's header says, as far as it is well formed.
#[derive(Default)]
struct Given<'h> {
    root: Option<&'h [u8; 35]>,
    parent: Option<&'h [u8; 16]>,
    sampled: Option<u8>,
}

impl<'h> Given<'h> {
    fn read(header: &'h [u8]) -> Self {
        let mut given = Self::default();
        for part in header.split(|&byte| byte == b';').map(<[u8]>::trim_ascii) {
            if let Some(root) = part.strip_prefix(b"Root=") {
                given.root = root.try_into().ok().filter(|root: &&[u8; 35]| is_root(root));
            } else if let Some(parent) = part.strip_prefix(b"Parent=") {
                given.parent = parent.try_into().ok().filter(|parent: &&[u8; 16]| is_hex(&parent[..]));
            } else if let Some([flag @ (b'0' | b'1')]) = part.strip_prefix(b"Sampled=") {
                given.sampled = Some(*flag);
            }
        }
        given
    }
}

/// `1-<8hex>-<24hex>`
fn is_root(root: &[u8; 35]) -> bool {
    root.starts_with(b"1-") && root[10] == b'-' && is_hex(&root[2..10]) && is_hex(&root[11..])
}

fn is_hex(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_hexdigit)
}

/// Writes two digits per byte to the beginning of `text`, as far as it reaches.
fn put_hex(text: &mut [u8], bytes: &[u8]) {
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: TraceSeed = TraceSeed { root: [0xAB; 12], parent: [0xCD; 8] };

    fn trace(incoming: Option<&str>) -> String {
        let text = trace_header(incoming.map(str::as_bytes), 0x6543_210F, SEED);
        String::from_utf8(text.to_vec()).expect("ASCII")
    }

    #[test]
    fn a_request_id_is_a_uuid_of_version_4() {
        let text = |bytes| String::from_utf8(request_id(bytes).to_vec()).expect("ASCII");
        assert_eq!(text([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(text([0xFF; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let counting = std::array::from_fn(|at| at as u8);
        assert_eq!(text(counting), "00010203-0405-4607-8809-0a0b0c0d0e0f");
        assert!(is_uuid(&request_id(counting)));
    }

    #[test]
    fn only_the_shape_of_a_uuid_is_taken_from_a_client() {
        assert!(is_uuid(b"C0FFEE00-0000-1000-0000-0000000000aa"));
        for text in ["", "c0ffee", "c0ffee00-0000-1000-0000-0000000000a", "c0ffee00-0000-1000-0000-0000000000ag"] {
            assert!(!is_uuid(text.as_bytes()), "{text}");
        }
        assert!(!is_uuid(b"c0ffee00x0000-1000-0000-0000000000aa"));
    }

    #[test]
    fn an_extended_id_is_sixteen_characters_and_ends_with_an_equals_sign() {
        let text = |bytes| String::from_utf8(extended_request_id(bytes).to_vec()).expect("ASCII");
        assert_eq!(text([0; 11]), "AAAAAAAAAAAAAAA=");
        assert_eq!(text([0xFF; 11]), "______________8=");
        assert_eq!(text(*b"hello world"), "aGVsbG8gd29ybGQ=");
    }

    #[test]
    fn trace_headers_keep_what_the_client_sent() {
        let made = "Root=1-6543210f-abababababababababababab;Parent=cdcdcdcdcdcdcdcd;Sampled=0";
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(trace(None), made);
        assert_eq!(trace(Some("")), made);
        assert_eq!(trace(Some(root)), format!("{root};Parent=cdcdcdcdcdcdcdcd;Sampled=0"));
        let both = format!("{root};Parent=53995c3f42cd8ad8");
        assert_eq!(trace(Some(&both)), format!("{both};Sampled=1"));
        assert_eq!(trace(Some(&format!("Self=1-2-3; Sampled=0;{both};Lineage=x"))), format!("{both};Sampled=0"));
        assert_eq!(trace(Some(&format!("{root};Sampled=1"))), format!("{root};Parent=cdcdcdcdcdcdcdcd;Sampled=1"));
    }

    #[test]
    fn parts_of_another_shape_count_as_missing() {
        let made = trace(None);
        for odd in ["Root=1-x", "Root=;Parent=;Sampled=?", "Parent=zz995c3f42cd8ad8", "root=x", ";;;=", "Sampled=10"] {
            assert_eq!(trace(Some(odd)), made, "{odd}");
        }
        let broken = "Root=1-5759e988-bd862e3fe1be46a99427279\r";
        assert_eq!(trace(Some(broken)), made);
    }
}
