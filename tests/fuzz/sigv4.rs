//! Signatures out of arbitrary requests.

use std::time::Duration;

use ringgate_core::aws::sigv4::{
    Credential, Expected, PathStyle, Payload, Presented, Reason, Refusal, Request, Scope, Signer, SigningKey,
    Timestamp, UnsignedPayload, hash,
};
use ringgate_core::base::WallTime;

const SECRET: &str = "secret";
const NOW: WallTime = WallTime::from_millis(1_440_938_160_000);
const SCOPE: Scope<'_> =
    Scope { date: "20150830", region: "us-east-1", service: "apigateway", terminator: "aws4_request" };
const EXPECTED: Expected<'_> = Expected {
    services: &["apigateway"],
    region: None,
    skew: Duration::from_secs(300),
    path_style: PathStyle::Normalized,
    unsigned_payload: UnsignedPayload::Refused,
};

/// Claim: whatever the request, an answer or a refusal, never a panic; and a request without a signature that can be
/// read, once signed, is verified, by header and by query, and refused with another body.
///
/// The first line is `METHOD PATH QUERY`, each further one `name:value`.
pub fn target(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n');
    let Ok(first) = str::from_utf8(lines.next().unwrap_or_default()) else { return };
    let mut words = first.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let headers: Vec<(&str, &[u8])> = lines.filter_map(header).collect();
    let request = Request { method: word(), path: word(), query: word(), headers: &headers };
    let outcome = verdict(&request, b"body");
    if outcome.is_err_and(|refusal| refusal.reason == Reason::MissingAuthenticationToken) {
        sign_and_verify(&request);
    }
}

fn header(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    Some((str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
}

fn sign_and_verify(request: &Request<'_>) {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let is_ours = |name: &str| name.to_ascii_lowercase().starts_with("x-amz-");
    let mut headers: Vec<_> =
        request.headers.iter().copied().filter(|(name, _)| is_name(name) && !is_ours(name)).take(100).collect();
    headers.push(("host", b"localhost"));
    let request = Request { headers: &headers, ..*request };
    let key = SigningKey::derive(SECRET, &SCOPE);
    let credential = Credential { access_key: "AKID", scope: SCOPE };
    let signer = Signer { credential, key: &key, at: Timestamp::of(NOW), token: None, path_style: EXPECTED.path_style };
    let payload = Payload::Hashed(hash(b"body"));

    let query = signer.query(&request, payload, 60);
    check(&Request { query: &query, ..request });
    let added = signer.headers(&request, payload);
    let all: Vec<_> =
        headers.iter().copied().chain(added.iter().map(|(name, value)| (*name, value.as_bytes()))).collect();
    check(&Request { headers: &all, ..request });
}

fn check(signed: &Request<'_>) {
    assert_eq!(verdict(signed, b"body"), Ok(()));
    assert!(verdict(signed, b"other").is_err());
}

fn verdict(request: &Request<'_>, body: &[u8]) -> Result<(), Refusal> {
    let presented = Presented::read(request)?;
    let claim = presented.claim(request, &EXPECTED, NOW)?;
    let key = SigningKey::derive(SECRET, &claim.credential().scope);
    claim.verify(request, hash(body), &key, &mut Vec::new())
}
