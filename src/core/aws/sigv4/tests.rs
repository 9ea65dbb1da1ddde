use std::time::Duration;

use super::*;
use crate::base::WallTime;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW: WallTime = WallTime::from_millis(1_440_938_160_000);
const EXPECTED: Expected<'_> = Expected {
    services: &["apigateway", "execute-api"],
    region: None,
    skew: Duration::from_secs(300),
    path_style: PathStyle::Normalized,
    unsigned_payload: UnsignedPayload::Refused,
};
const HEADERS: &[(&str, &[u8])] = &[("Host", b"localhost:8081"), ("Accept", b"application/json")];
const REQUEST: Request<'_> = Request { method: "GET", path: "/restapis", query: "limit=5", headers: HEADERS };

fn signer<'a>(key: &'a SigningKey, scope: Scope<'a>) -> Signer<'a> {
    let credential = Credential { access_key: "AKIDEXAMPLE", scope };
    Signer { credential, key, at: Timestamp::of(NOW), token: None, path_style: PathStyle::Normalized }
}

const SCOPE: Scope<'_> =
    Scope { date: "20150830", region: "eu-west-1", service: "apigateway", terminator: "aws4_request" };

/// Reads, claims and verifies; the verdict and the access key.
fn verdict(request: &Request<'_>, body: &[u8], expected: &Expected<'_>, now: WallTime) -> Result<String, Refusal> {
    let presented = Presented::read(request)?;
    let claim = presented.claim(request, expected, now)?;
    let key = SigningKey::derive(SECRET, &claim.credential().scope);
    claim.verify(request, hash(body), &key, &mut Vec::new())?;
    Ok(claim.credential().access_key.to_owned())
}

/// The same request with these headers added.
fn with<'a>(request: &Request<'a>, added: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a [u8])> {
    let added = added.iter().map(|(name, value)| (*name, value.as_bytes()));
    request.headers.iter().copied().chain(added).collect()
}

#[test]
fn what_is_signed_is_verified_and_nothing_else() {
    let key = SigningKey::derive(SECRET, &SCOPE);
    let added = signer(&key, SCOPE).headers(&REQUEST, Payload::Hashed(hash(b"body")));
    let headers = with(&REQUEST, &added);
    let signed = Request { headers: &headers, ..REQUEST };
    assert_eq!(verdict(&signed, b"body", &EXPECTED, NOW).as_deref(), Ok("AKIDEXAMPLE"));

    let mut other_host = headers.clone();
    other_host[0].1 = b"localhost:8082";
    for (changed, body) in [
        (signed, &b"other"[..]),
        (Request { method: "DELETE", ..signed }, b"body"),
        (Request { path: "/apikeys", ..signed }, b"body"),
        (Request { query: "limit=6", ..signed }, b"body"),
        (Request { headers: &other_host, ..signed }, b"body"),
    ] {
        let refusal = verdict(&changed, body, &EXPECTED, NOW).expect_err("changed");
        assert_eq!(refusal.reason, Reason::Mismatch);
    }
    // Spellings of the same thing.
    for same in [Request { path: "//x/../restapis", ..signed }, Request { query: "%6cimit=5", ..signed }] {
        assert!(verdict(&same, b"body", &EXPECTED, NOW).is_ok());
    }
}

#[test]
fn a_signature_in_the_query_is_good_for_as_long_as_it_says() {
    let key = SigningKey::derive(SECRET, &SCOPE);
    let signer = Signer { token: Some("a+b/c="), ..signer(&key, SCOPE) };
    let query = signer.query(&REQUEST, Payload::Hashed(hash(b"")), 3_600);
    let signed = Request { query: &query, ..REQUEST };
    let presented = Presented::read(&signed).expect("complete");
    let claim = presented.claim(&signed, &EXPECTED, NOW).expect("in time");
    assert!(claim.has_token(Some("a+b/c=")) && !claim.has_token(Some("a+b/c-")) && !claim.has_token(None));
    let later = |seconds: u64| WallTime::from_millis(NOW.as_millis() + seconds * 1_000);
    assert!(verdict(&signed, b"", &EXPECTED, later(3_600)).is_ok());
    let refusal = verdict(&signed, b"", &EXPECTED, later(3_601)).expect_err("late");
    assert_eq!(
        refusal.message,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T133601Z - 60 min.)"
    );
}

#[test]
fn a_mismatch_says_what_should_have_been_signed() {
    let key = SigningKey::derive("another", &SCOPE);
    let added = signer(&key, SCOPE).headers(&REQUEST, Payload::Hashed(hash(b"")));
    let headers = with(&REQUEST, &added);
    let refusal = verdict(&Request { headers: &headers, ..REQUEST }, b"", &EXPECTED, NOW).expect_err("another secret");
    assert!(refusal.message.ends_with("Consult the service documentation for details."));
    assert_eq!(
        refusal.detail,
        "\n\nThe Canonical String for this request should have been\n'GET\n/restapis\nlimit=5\naccept:application/json\n\
         host:localhost:8081\nx-amz-date:20150830T123600Z\n\naccept;host;x-amz-date\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\n\
         The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n\
         20150830/eu-west-1/apigateway/aws4_request\n\
         c5dc95525f121590a42ef9f97afa4754d65ed4c5dfef3e65acbc5af190550f73'\n"
    );
}

#[test]
fn what_cannot_be_a_signature_is_refused_in_order_and_in_words() {
    let scope = "Credential=AKID/20150830/us-east-1/apigateway/aws4_request";
    let whole = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host;x-amz-date, Signature=00");
    let dated = |authorization: &str| {
        vec![("authorization", authorization.to_owned()), ("x-amz-date", "20150830T123600Z".to_owned())]
    };
    let replaced = |from: &str, to: &str| dated(&whole.replace(from, to));
    let rows: Vec<(Vec<(&str, String)>, &str)> = vec![
        (vec![], "MissingAuthenticationTokenException: Missing Authentication Token"),
        (
            dated("Bearer x"),
            "IncompleteSignatureException: Invalid key=value pair (missing equal-sign) in Authorization header (hashed \
             with SHA-256 and encoded with Base64): 'uTem/WB082UJMN2ajD6lH6UChGpTAddMJSx2iu923No='.",
        ),
        (
            dated("AWS4-HMAC-SHA512 x=y"),
            "IncompleteSignatureException: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'.",
        ),
        (
            vec![("authorization", "AWS4-HMAC-SHA256 a=b".to_owned())],
            "IncompleteSignatureException: Authorization header requires 'Credential' parameter. Authorization header \
             requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization \
             header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            replaced("Signature=00", "Signature="),
            "IncompleteSignatureException: Authorization header requires 'Signature' parameter. \
             Authorization=AWS4-HMAC-SHA256",
        ),
        (
            vec![("authorization", whole.clone()), ("x-amz-date", "yesterday".to_owned())],
            "IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got 'yesterday'. See \
             http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            replaced("=host;", "="),
            "IncompleteSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            replaced(";x-amz-date", ""),
            "IncompleteSignatureException: 'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            replaced("host;x-amz-date", "x-amz-date;host"),
            "IncompleteSignatureException: 'SignedHeaders' must be at most 128 names in lower case, in ascending order.",
        ),
        (
            replaced("/apigateway/", "/"),
            "IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got 'AKID/20150830/us-east-1/aws4_request'",
        ),
        (
            replaced("20150830/us-east-1/apigateway/aws4_request", "20150831/Mars/s3/aws5_request"),
            "InvalidSignatureException: Credential should be scoped to a valid region, not 'Mars'. Credential should \
             be scoped to correct service: 'apigateway'. Credential should be scoped with a valid terminator: \
             'aws4_request', not 'aws5_request'. Date in Credential scope does not match YYYYMMDD from ISO-8601 \
             version of date from HTTP: '20150831' != '20150830', from '20150830T123600Z'. ",
        ),
    ];
    for (added, said) in rows {
        let headers = with(&REQUEST, &added);
        let refusal = verdict(&Request { headers: &headers, ..REQUEST }, b"", &EXPECTED, NOW).expect_err(said);
        assert_eq!(format!("{}: {}", refusal.reason.exception(), refusal.message), said);
    }
}

#[test]
fn a_query_lacks_in_words_of_its_own() {
    let rows = [
        (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include \
             'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string \
             parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.",
        ),
        ("X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256", "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'."),
        ("a=%4", "Incomplete trailing escape % sequence"),
        ("a=%zz", "Illegal hex character in escape % pattern: %zz"),
        (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=host&\
             X-Amz-Date=20150830T123600Z&X-Amz-Expires=604801",
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        ),
    ];
    for (query, said) in rows {
        let refusal = verdict(&Request { query, ..REQUEST }, b"", &EXPECTED, NOW).expect_err(said);
        assert_eq!((refusal.reason, refusal.message.as_str()), (Reason::Incomplete, said));
    }
    let both = [("Authorization", &b"x"[..])];
    let request = Request { query: "X-Amz-Algorithm=x", headers: &both, ..REQUEST };
    assert_eq!(Presented::read(&request).expect_err("two").reason, Reason::Mismatch);
}

#[test]
fn a_clock_may_be_off_by_five_minutes_either_way() {
    let key = SigningKey::derive(SECRET, &SCOPE);
    let added = signer(&key, SCOPE).headers(&REQUEST, Payload::Hashed(hash(b"")));
    let headers = with(&REQUEST, &added);
    let signed = Request { headers: &headers, ..REQUEST };
    let at = |seconds: i64| WallTime::from_millis(NOW.as_millis().saturating_add_signed(seconds * 1_000));
    assert!(verdict(&signed, b"", &EXPECTED, at(300)).is_ok());
    assert!(verdict(&signed, b"", &EXPECTED, at(-300)).is_ok());
    for (seconds, said) in [
        (301, "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"),
        (
            -301,
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)",
        ),
    ] {
        let refusal = verdict(&signed, b"", &EXPECTED, at(seconds)).expect_err(said);
        assert_eq!((refusal.reason, refusal.message.as_str()), (Reason::OutOfTime, said));
    }
    assert!(verdict(&signed, b"", &EXPECTED, WallTime::from_millis(0)).is_err());
    assert!(verdict(&signed, b"", &EXPECTED, WallTime::from_millis(u64::MAX)).is_err());
}

#[test]
fn a_payload_is_signed_unless_the_service_takes_less() {
    let key = SigningKey::derive(SECRET, &SCOPE);
    for (marker, accepted) in [("UNSIGNED-PAYLOAD", true), ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", false)] {
        let marked = [("host", &b"x"[..]), ("x-amz-content-sha256", marker.as_bytes())];
        let request = Request { headers: &marked, ..REQUEST };
        let added = signer(&key, SCOPE).headers(&request, Payload::Unsigned);
        let headers = with(&request, &added);
        let signed = Request { headers: &headers, ..REQUEST };
        let refusal = verdict(&signed, b"any", &EXPECTED, NOW).expect_err(marker);
        assert!(refusal.reason == Reason::Incomplete && refusal.message.contains(marker), "{refusal}");
        let lenient = Expected { unsigned_payload: UnsignedPayload::Accepted, ..EXPECTED };
        assert_eq!(verdict(&signed, b"any", &lenient, NOW).is_ok(), accepted, "{marker}");
    }
}

#[test]
fn a_date_header_serves_where_the_other_is_missing() {
    let key = SigningKey::derive(SECRET, &SCOPE);
    let headers = [("host", &b"x"[..]), ("date", b"Sun, 30 Aug 2015 12:36:00 GMT")];
    let request = Request { headers: &headers, ..REQUEST };
    // The signer adds X-Amz-Date, so the string is made by hand.
    let mut canonical = Vec::new();
    canonical::write(&request, PathStyle::Normalized, "date;host", Payload::Hashed(hash(b"")), &mut canonical);
    let mut string_to_sign = Vec::new();
    key::write_string_to_sign(&Timestamp::of(NOW), &SCOPE, &hash(&canonical), &mut string_to_sign);
    let signature = String::from_utf8(key::hex(&key.sign(&string_to_sign)).to_vec()).expect("digits");
    let value = format!("AWS4-HMAC-SHA256 Credential=AKID/{SCOPE},SignedHeaders=date;host,Signature={signature}");
    let signed = [headers[0], headers[1], ("Authorization", value.as_bytes())];
    assert_eq!(verdict(&Request { headers: &signed, ..REQUEST }, b"", &EXPECTED, NOW).as_deref(), Ok("AKID"));
}
