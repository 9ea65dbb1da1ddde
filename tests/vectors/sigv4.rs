//! Signature Version 4, by header and by query: each step as it is computed, and each signed request verified.

use std::time::Duration;

use ringgate_core::aws::sigv4::{
    Credential, Expected, PathStyle, Payload, Presented, Request, Scope, Signer, SigningKey, Timestamp,
    UnsignedPayload, hash,
};
use serde_json::Value;

use super::support::suite;

/// A request as the cases write it: lines end in LF, a line that begins with a space goes on with the one before, and
/// a target may hold spaces and characters beyond ASCII.
struct Message {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Message {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
        let mut lines = head.lines();
        let line = lines.next().expect("a request line").strip_suffix(" HTTP/1.1").expect("a version");
        let (method, target) = line.split_once(' ').expect("a method");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            match (line.starts_with(' '), line.split_once(':')) {
                (true, _) => headers.last_mut().expect("a header to go on with").1 += &format!("\n{line}"),
                (false, Some((name, value))) => headers.push((name.to_owned(), value.to_owned())),
                (false, None) => panic!("no header: {line}"),
            }
        }
        let body = body.trim_end_matches('\n').to_owned();
        Self { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), headers, body }
    }

    fn headers(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    fn request<'a>(&'a self, headers: &'a [(&'a str, &'a [u8])]) -> Request<'a> {
        Request { method: &self.method, path: &self.path, query: &self.query, headers }
    }
}

struct Case<'c> {
    name: &'c str,
    row: &'c Value,
    message: Message,
    at: Timestamp,
    key: SigningKey,
    path_style: PathStyle,
}

const SIGNED_IN_CONTEXT: [&str; 8] = [
    "credentials",
    "expiration_in_seconds",
    "normalize",
    "region",
    "service",
    "sign_body",
    "timestamp",
    "omit_session_token",
];

impl<'c> Case<'c> {
    fn read(row: &'c Value) -> Self {
        let name = row["name"].as_str().expect("a name");
        let context = row["context"].as_object().expect("a context");
        for known in context.keys() {
            assert!(SIGNED_IN_CONTEXT.contains(&known.as_str()), "{name}: `{known}` means nothing to this test");
        }
        let basic: String = row["context"]["timestamp"].as_str().expect("a time").replace(['-', ':'], "");
        let at = Timestamp::parse(&basic).expect("a time");
        let scope = scope(row, at.date());
        let secret = row["context"]["credentials"]["secret_access_key"].as_str().expect("a secret");
        Self {
            name,
            row,
            message: Message::read(row["request"].as_str().expect("a request")),
            at,
            key: SigningKey::derive(secret, &scope),
            path_style: if context["normalize"] == true { PathStyle::Normalized } else { PathStyle::AsSent },
        }
    }

    fn omits_token(&self) -> bool {
        self.row["context"]["omit_session_token"] == true
    }

    fn token(&self) -> Option<&str> {
        self.row["context"]["credentials"]["token"].as_str().filter(|_| !self.omits_token())
    }

    fn signer(&self) -> Signer<'_> {
        let access_key = self.row["context"]["credentials"]["access_key_id"].as_str().expect("a key");
        let credential = Credential { access_key, scope: scope(self.row, self.at.date()) };
        Signer { credential, key: &self.key, at: self.at, token: self.token(), path_style: self.path_style }
    }

    fn sign_by_header(&self) {
        let body_hash = self.row["header"]["canonical-request"].as_str().and_then(|text| text.lines().last());
        let mut headers = self.message.headers();
        if self.row["context"]["sign_body"] == true {
            headers.push(("x-amz-content-sha256", body_hash.expect("a hash").as_bytes()));
        }
        let payload = Payload::Hashed(hash(self.message.body.as_bytes()));
        let added = self.signer().headers(&self.message.request(&headers), payload);
        let expected = self.row["header"]["signature"].as_str().expect("a signature");
        let authorization = &added.last().expect("at least this one").1;
        assert_eq!(authorization.rsplit('=').next(), Some(expected), "{}: {authorization}", self.name);
    }

    fn sign_by_query(&self) {
        let headers = self.message.headers();
        let payload = Payload::Hashed(hash(self.message.body.as_bytes()));
        let expires_s = self.row["context"]["expiration_in_seconds"].as_u64().expect("a time");
        let query = self.signer().query(&self.message.request(&headers), payload, expires_s);
        let expected = self.row["query"]["signature"].as_str().expect("a signature");
        assert_eq!(query.rsplit('=').next(), Some(expected), "{}: {query}", self.name);
    }

    /// Takes the signed request as it is, then with another method, whose refusal tells the canonical request.
    fn verify(&self, form: &str) {
        let text = |step: &str| self.row[form][step].as_str().expect("a step");
        let message = Message::read(text("signed-request"));
        let headers = message.headers();
        let request = message.request(&headers);
        let outcome = self.verdict(&request, &message.body);
        assert_eq!(outcome, Ok(()), "{} by {form}", self.name);
        let detail = self.verdict(&Request { method: "PUT", ..request }, &message.body).expect_err("another method");
        let lines = |text: &'c str| text.split_once('\n').expect("more than a line").1;
        assert!(detail.contains(&format!("PUT\n{}'", lines(text("canonical-request")))), "{}: {detail}", self.name);
        let stem = text("string-to-sign").rsplit_once('\n').expect("more than a line").0;
        assert!(detail.contains(&format!("'{stem}\n")), "{}: {detail}", self.name);
    }

    fn verdict(&self, request: &Request<'_>, body: &str) -> Result<(), String> {
        let expected = Expected {
            services: &[self.row["context"]["service"].as_str().expect("a service")],
            region: self.row["context"]["region"].as_str(),
            skew: Duration::from_secs(300),
            path_style: self.path_style,
            unsigned_payload: UnsignedPayload::Refused,
        };
        let presented = Presented::read(request).map_err(|refusal| refusal.to_string())?;
        let claim = presented.claim(request, &expected, self.at.at()).map_err(|refusal| refusal.to_string())?;
        let verified = claim.verify(request, hash(body.as_bytes()), &self.key, &mut Vec::new());
        verified.map_err(|refusal| refusal.detail)
    }
}

fn scope<'c>(row: &'c Value, date: &'c str) -> Scope<'c> {
    let word = |name: &str| row["context"][name].as_str().expect("a word");
    Scope { date, region: word("region"), service: word("service"), terminator: "aws4_request" }
}

#[test]
fn every_published_signature_is_made_and_verified() {
    let Some(folder) = suite("sigv4") else { return };
    let text = std::fs::read_to_string(folder.join("cases.json")).expect("its cases");
    let rows: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    for row in &rows {
        let case = Case::read(row);
        case.sign_by_header();
        case.sign_by_query();
        case.verify("header");
        // A token that was added to the query after signing cannot be told from one that was signed.
        if !case.omits_token() {
            case.verify("query");
        }
    }
    println!("{} requests signed by header and by query, and verified", rows.len());
    assert!(!rows.is_empty());
}
