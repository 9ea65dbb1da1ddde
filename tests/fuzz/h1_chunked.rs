//! Chunked bodies out of arbitrary bytes.

use ringgate_core::proto::h1::{Chunked, Refusal, encode_chunk_header};

/// Claim: whatever the bytes, the decoder does not panic and always gets further or ends; the same bytes in pieces (the
/// first byte says how long they are) decode to the same content, trailers and end, or to a refusal as well; and what
/// was decoded, encoded again, decodes to the same.
pub fn target(data: &[u8]) {
    let Some((&piece, bytes)) = data.split_first() else { return };
    let whole = decoded(bytes, bytes.len().max(1));
    let pieces = decoded(bytes, usize::from(piece).max(1));
    assert_eq!(whole, pieces);
    if let Ok(Some(body)) = whole {
        let out = encoded(&body);
        let again = decoded(&out, out.len()).expect("what was decoded can be encoded").expect("and is complete");
        assert_eq!((again.content, again.trailers, again.used), (body.content, body.trailers, out.len()));
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Body {
    content: Vec<u8>,
    trailers: Vec<u8>,
    used: usize,
}

/// `None` if the body goes on after `bytes`.
fn decoded(bytes: &[u8], piece: usize) -> Result<Option<Body>, Refusal> {
    let (mut chunked, mut content, mut used) = (Chunked::new(), Vec::new(), 0);
    for arrived in bytes.chunks(piece) {
        let end = used + arrived.len();
        while used < end && !chunked.is_ended() {
            let input = &bytes[used..end];
            let step = chunked.decode(input)?;
            assert!(step.consumed > 0 && step.consumed <= input.len(), "a decoder with input gets further");
            content.extend_from_slice(&input[step.data]);
            used += step.consumed;
        }
    }
    Ok(chunked.is_ended().then(|| Body { content, trailers: chunked.trailers().to_vec(), used }))
}

fn encoded(body: &Body) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.content.chunks(3) {
        encode_chunk_header(chunk.len(), &mut out);
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    encode_chunk_header(0, &mut out);
    out.extend_from_slice(&body.trailers);
    out.extend_from_slice(b"\r\n");
    out
}
