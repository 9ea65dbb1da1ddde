//! Content codings, and what an `Accept-Encoding` says, out of arbitrary bytes.

use ringgate_core::proto::http::coding::{Coding, DecodeFailure, Encoded, Encoder, Flush, decode};

const BYTES_MAX: usize = 100_000;

/// Claim: whatever the bytes, decoding ends, makes no more than is allowed, and what was decoded can be encoded and
/// decoded again.
pub fn target(data: &[u8]) {
    let _ = (Coding::accepted(data.split(|&byte| byte == b'\n')), Encoded::parse(data));
    for coding in [Coding::Gzip, Coding::Deflate] {
        let mut out = Vec::new();
        let decoded = decode(coding, data, BYTES_MAX, &mut out);
        assert!(out.capacity() <= BYTES_MAX + 1, "{} bytes", out.capacity());
        assert_eq!(out.len() > BYTES_MAX, decoded == Err(DecodeFailure::TooLarge));
        if decoded.is_ok() {
            let (mut small, mut again) = (Vec::new(), Vec::new());
            Encoder::new(coding).encode(&out, Flush::End, &mut small);
            assert_eq!(decode(coding, &small, out.len(), &mut again), Ok(()));
            assert!(again == out);
        }
    }
}
