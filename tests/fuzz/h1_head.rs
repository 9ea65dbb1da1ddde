//! Request and response heads out of arbitrary bytes.

use ringgate_core::proto::h1::{
    Fields, HeadLimits, Progress, Refusal, RequestHead, ResponseHead, parse_request, parse_response, write,
};
use ringgate_core::proto::http::{KnownField, Method, Status};

/// Claim: whatever the bytes, no parser panics; a head that arrives in two pieces (the first byte says where it is cut)
/// is read as the whole one is, or refused as it is; and a head that was read, written again and read again, is the
/// same head with the same framing.
pub fn target(data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else { return };
    let cut = bytes.len() * usize::from(cut) / 256;
    check_request(bytes, cut);
    check_response(bytes, cut);
}

fn check_request(bytes: &[u8], cut: usize) {
    let (limits, mut whole, mut pieces) = (HeadLimits::default(), RequestHead::new(), RequestHead::new());
    let outcome = parse_request(bytes, &limits, &mut whole);
    let in_pieces = parse_request(&bytes[..cut], &limits, &mut pieces).and_then(|progress| match progress {
        Progress::Complete(len) => Ok(Progress::Complete(len)),
        Progress::Partial => parse_request(bytes, &limits, &mut pieces),
    });
    check_pieces(outcome, in_pieces);
    let Ok(Progress::Complete(len)) = outcome else { return };
    assert!(len == whole.len && len <= bytes.len());

    let mut out = Vec::new();
    let method = whole.method_text.of(bytes);
    write::write_request_line(method, whole.target.of(bytes), &mut out).expect("what was read can be written");
    if !whole.fields.contains(KnownField::Host) {
        write::write_field(b"Host", b"added.example", &mut out).expect("plain");
    }
    write_fields(&whole.fields, bytes, &mut out);
    let mut again = RequestHead::new();
    assert_eq!(parse_request(&out, &limits_for_copy(), &mut again), Ok(Progress::Complete(out.len())));
    assert_eq!(again.method, whole.method);
    assert_eq!(again.framing, whole.framing);
    assert_eq!(again.path(&out), whole.path(bytes));
    assert_eq!(again.query.map(|it| it.of(&out)), whole.query.map(|it| it.of(bytes)));
}

fn check_response(bytes: &[u8], cut: usize) {
    let (limits, mut whole, mut pieces) = (HeadLimits::for_origin(), ResponseHead::new(), ResponseHead::new());
    let outcome = parse_response(bytes, &limits, Method::Get, &mut whole);
    let in_pieces = parse_response(&bytes[..cut], &limits, Method::Get, &mut pieces).and_then(|it| match it {
        Progress::Complete(len) => Ok(Progress::Complete(len)),
        Progress::Partial => parse_response(bytes, &limits, Method::Get, &mut pieces),
    });
    check_pieces(outcome, in_pieces);
    let Ok(Progress::Complete(len)) = outcome else { return };
    assert!(len == whole.len && len <= bytes.len());

    let mut out = Vec::new();
    let status = Status::new(whole.status.code()).expect("it was read");
    write::write_status_line_with(status, whole.reason.of(bytes), &mut out).expect("what was read can be written");
    write_fields(&whole.fields, bytes, &mut out);
    let mut again = ResponseHead::new();
    assert_eq!(parse_response(&out, &limits_for_copy(), Method::Get, &mut again), Ok(Progress::Complete(out.len())));
    assert_eq!((again.status, again.framing), (whole.status, whole.framing));
    assert_eq!(again.reason.of(&out), whole.reason.of(bytes));
}

/// A hopeless line may be refused before its end arrives, so the whole may be refused where a piece still waits, but
/// nothing is read one way and refused the other.
fn check_pieces(whole: Result<Progress, Refusal>, pieces: Result<Progress, Refusal>) {
    match (whole, pieces) {
        (Ok(Progress::Complete(one)), Ok(Progress::Complete(other))) => assert_eq!(one, other),
        (Ok(Progress::Complete(_)), other) | (other, Ok(Progress::Complete(_))) => {
            panic!("one is whole, one is {other:?}")
        }
        _ => {}
    }
}

/// What HTTP/1.0 ignores and HTTP/1.1 obeys is left out, since all is written as HTTP/1.1.
fn write_fields(fields: &Fields, bytes: &[u8], out: &mut Vec<u8>) {
    for field in fields.iter().filter(|field| field.known != KnownField::Expect) {
        write::copy_field(field, bytes, out);
    }
    write::end_head(out);
}

/// Writing may add a space after each colon and a Host.
fn limits_for_copy() -> HeadLimits {
    let limits = HeadLimits::for_origin();
    HeadLimits {
        start_line_bytes_max: limits.header_bytes_max,
        header_bytes_max: limits.header_bytes_max * 2,
        fields_max: limits.fields_max + 1,
    }
}
