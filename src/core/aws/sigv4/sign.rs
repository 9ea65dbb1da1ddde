//! Signing: what a client adds to its request.

use super::canonical::{self, PathStyle, Payload, SIGNATURE_PARAMETER};
use super::key::{hex, write_string_to_sign};
use super::{ALGORITHM, Credential, Request, SigningKey, Timestamp, hash};
use crate::proto::http::percent::encode;

/// Who signs, when, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// Whose secret, and its scope, whose date is that of `at`.
    pub credential: Credential<'a>,
    /// Made for that scope.
    pub key: &'a SigningKey,
    /// The time of the request.
    pub at: Timestamp,
    /// Goes with temporary credentials.
    pub token: Option<&'a str>,
    /// How the service spells the path that it signs.
    pub path_style: PathStyle,
}

impl Signer<'_> {
    /// The headers that make a signed request of this one. All of its headers are signed, so it has a `Host` and
    /// nothing that changes on the way.
    pub fn headers(&self, request: &Request<'_>, payload: Payload) -> Vec<(&'static str, String)> {
        let mut added = vec![("X-Amz-Date", self.at.to_string())];
        added.extend(self.token.map(|token| ("X-Amz-Security-Token", token.to_owned())));
        let mut headers = request.headers.to_vec();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let request = Request { headers: &headers, ..*request };
        let signed_headers = signed_headers(&request);
        let signature = self.signature(&request, &signed_headers, payload);
        let Credential { access_key, scope } = self.credential;
        let authorization = format!(
            "{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={signed_headers}, Signature={signature}"
        );
        added.push(("Authorization", authorization));
        added
    }

    /// The query that makes a signed request of this one, good for `expires_s` seconds. All of its headers are signed.
    pub fn query(&self, request: &Request<'_>, payload: Payload, expires_s: u64) -> String {
        let signed_headers = signed_headers(request);
        let Credential { access_key, scope } = self.credential;
        let credential = format!("{access_key}/{scope}");
        let mut query = request.query.as_bytes().to_vec();
        add_parameter("X-Amz-Algorithm", ALGORITHM, &mut query);
        add_parameter("X-Amz-Credential", &credential, &mut query);
        add_parameter("X-Amz-Date", self.at.as_str(), &mut query);
        add_parameter("X-Amz-SignedHeaders", &signed_headers, &mut query);
        add_parameter("X-Amz-Expires", &expires_s.to_string(), &mut query);
        if let Some(token) = self.token {
            add_parameter("X-Amz-Security-Token", token, &mut query);
        }
        let mut query = String::from_utf8(query).expect("text to which percent-encoded text was added");
        let signature = self.signature(&Request { query: &query, ..*request }, &signed_headers, payload);
        query += &format!("&{SIGNATURE_PARAMETER}={signature}");
        query
    }

    fn signature(&self, request: &Request<'_>, signed_headers: &str, payload: Payload) -> String {
        let mut canonical = Vec::new();
        canonical::write(request, self.path_style, signed_headers, payload, &mut canonical);
        let mut string_to_sign = Vec::new();
        write_string_to_sign(&self.at, &self.credential.scope, &hash(&canonical), &mut string_to_sign);
        hex(&self.key.sign(&string_to_sign)).iter().map(|&digit| char::from(digit)).collect()
    }
}

fn add_parameter(name: &str, value: &str, query: &mut Vec<u8>) {
    if !query.is_empty() {
        query.push(b'&');
    }
    query.extend_from_slice(name.as_bytes());
    query.push(b'=');
    encode(value.as_bytes(), query);
}

/// The names of all headers: lower case, ascending, each once.
fn signed_headers(request: &Request<'_>) -> String {
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(";")
}
