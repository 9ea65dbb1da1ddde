//! What a request presents as its signature, in its `Authorization` header or in its query.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::canonical::{Plus, SIGNATURE_PARAMETER, decoded, is_text, pairs};
use super::{ALGORITHM, DATE_HEADER, Reason, Refusal, Request, TOKEN_HEADER, Timestamp, hash};
use crate::proto::http::parse_imf_fixdate;

/// The longest time a signature in a query may be good for, in seconds: one week.
const EXPIRES_S_MAX: u64 = 604_800;
/// Most names of signed headers.
const SIGNED_HEADERS_MAX: usize = 128;

/// A signature as it was presented: complete, and nothing believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented<'a> {
    pub(super) credential: Cow<'a, str>,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
    pub(super) at: Timestamp,
    /// Only in a query: seconds.
    pub(super) expires_s: Option<u64>,
    pub(super) token: Option<Cow<'a, str>>,
}

/// The parts before it is known whether they are all there.
#[derive(Default)]
struct Parts<'a> {
    credential: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    date: Option<Cow<'a, str>>,
}

impl<'a> Presented<'a> {
    /// Finds the signature of a request.
    ///
    /// # Errors
    /// [`Reason::MissingAuthenticationToken`] when there is none, [`Reason::Incomplete`] when it lacks something, and
    /// [`Reason::Mismatch`] when there are two.
    pub fn read(request: &Request<'a>) -> Result<Self, Refusal> {
        check_escapes(request.path)?;
        check_escapes(request.query)?;
        let header = request.values("authorization").next();
        let presented = match (header, parameter(request.query, "X-Amz-Algorithm")) {
            (Some(_), Some(_)) => return Err(Refusal::new(Reason::Mismatch, "")),
            (None, None) => {
                return Err(Refusal::new(Reason::MissingAuthenticationToken, "Missing Authentication Token"));
            }
            (Some(header), None) => from_header(request, header)?,
            (None, Some(algorithm)) => from_query(request, &algorithm)?,
        };
        check_signed_headers(&presented.signed_headers, request)?;
        Ok(presented)
    }
}

/// Refuses what does not decode, since it would be unclear what was signed.
fn check_escapes(text: &str) -> Result<(), Refusal> {
    for (at, _) in text.match_indices('%') {
        match text.as_bytes().get(at + 1..at + 3) {
            None => return Err(Refusal::incomplete("Incomplete trailing escape % sequence")),
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => {}
            Some(digits) => {
                let digits = String::from_utf8_lossy(digits);
                return Err(Refusal::incomplete(format!("Illegal hex character in escape % pattern: %{digits}")));
            }
        }
    }
    Ok(())
}

fn from_header<'a>(request: &Request<'a>, header: &'a [u8]) -> Result<Presented<'a>, Refusal> {
    let text = str::from_utf8(header).map_err(|_| no_pair(header))?.trim();
    let word = text.split_whitespace().next().unwrap_or_default();
    if word != ALGORITHM && word.starts_with("AWS4-") {
        return Err(unsupported(word));
    }
    // Another scheme's header is read as if it were ours, and found to be no list of pairs: AWS's answer to a token.
    let list = if word == ALGORITHM { text[word.len()..].trim_start() } else { text };
    let mut parts = Parts::default();
    for pair in list.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| no_pair(header))?;
        match name {
            "Credential" => parts.credential = Some(value.into()),
            "SignedHeaders" => parts.signed_headers = Some(value.into()),
            "Signature" => parts.signature = Some(value.into()),
            _ => {}
        }
    }
    parts.date = request.text(DATE_HEADER).or_else(|| request.text("date")).map(Cow::from);
    let presented = parts.complete(|missing| header_lacks(missing, word))?;
    Ok(Presented { token: request.text(TOKEN_HEADER).map(Cow::from), ..presented })
}

fn from_query<'a>(request: &Request<'a>, algorithm: &str) -> Result<Presented<'a>, Refusal> {
    if algorithm != ALGORITHM {
        return Err(unsupported(algorithm));
    }
    let parts = Parts {
        credential: parameter(request.query, "X-Amz-Credential"),
        signed_headers: parameter(request.query, "X-Amz-SignedHeaders"),
        signature: parameter(request.query, SIGNATURE_PARAMETER),
        date: parameter(request.query, "X-Amz-Date"),
    };
    let presented = parts.complete(query_lacks)?;
    let expires_s = parameter(request.query, "X-Amz-Expires").map(|text| expires(&text)).transpose()?;
    Ok(Presented { expires_s, token: parameter(request.query, "X-Amz-Security-Token"), ..presented })
}

/// The first parameter of that name, decoded.
fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let (_, raw) = pairs(query.as_bytes()).find(|(raw, _)| is_text(raw, name))?;
    Some(match str::from_utf8(raw) {
        Ok(text) if !text.contains(['%', '+']) => text.into(),
        _ => String::from_utf8_lossy(&decoded(raw, Plus::IsSpace).collect::<Vec<_>>()).into_owned().into(),
    })
}

fn expires(text: &str) -> Result<u64, Refusal> {
    let seconds: u64 = text.parse().map_err(|_| Refusal::incomplete("X-Amz-Expires should be a number"))?;
    if seconds > EXPIRES_S_MAX {
        let message = format!(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than {EXPIRES_S_MAX} seconds"
        );
        return Err(Refusal::incomplete(message));
    }
    Ok(seconds)
}

/// The names of what is missing, for the sentences of either form.
#[derive(Clone, Copy)]
enum Part {
    Credential,
    Signature,
    SignedHeaders,
    Date,
}

impl<'a> Parts<'a> {
    fn complete(self, refuse: impl Fn(&[Part]) -> Refusal) -> Result<Presented<'a>, Refusal> {
        let present = |part: Option<Cow<'a, str>>| part.filter(|text| !text.is_empty());
        match (present(self.credential), present(self.signature), present(self.signed_headers), present(self.date)) {
            (Some(credential), Some(signature), Some(signed_headers), Some(date)) => {
                let at = Timestamp::parse(&date).or_else(|| parse_imf_fixdate(&date).map(Timestamp::of));
                let at = at.ok_or_else(|| no_date(&date))?;
                Ok(Presented { credential, signed_headers, signature, at, expires_s: None, token: None })
            }
            (credential, signature, signed_headers, date) => {
                let parts = [
                    (Part::Credential, credential),
                    (Part::Signature, signature),
                    (Part::SignedHeaders, signed_headers),
                    (Part::Date, date),
                ];
                let missing = parts.into_iter().filter(|(_, part)| part.is_none()).map(|(part, _)| part);
                Err(refuse(&missing.collect::<Vec<_>>()))
            }
        }
    }
}

/// `host` and every `x-amz-` header must be signed. The session token need not: some services have it added after
/// signing (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
fn check_signed_headers(signed: &str, request: &Request<'_>) -> Result<(), Refusal> {
    let names = || signed.split(';');
    // Ascending names are looked up once each, so a long list does not multiply what has to be hashed.
    let is_canonical = names().is_sorted_by(|a, b| a < b)
        && names().count() <= SIGNED_HEADERS_MAX
        && !signed.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii_graphic());
    let is_signed = |name: &str| names().any(|signed| signed.eq_ignore_ascii_case(name));
    let must_be_signed = |name: &str| {
        name.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("x-amz-"))
            && !name.eq_ignore_ascii_case(TOKEN_HEADER)
    };
    if !is_signed("host") {
        return Err(unsigned("Host' or ':authority"));
    }
    if let Some((name, _)) = request.headers.iter().find(|(name, _)| must_be_signed(name) && !is_signed(name)) {
        return Err(unsigned(&name.to_ascii_lowercase()));
    }
    if is_canonical {
        return Ok(());
    }
    Err(Refusal::incomplete(format!(
        "'SignedHeaders' must be at most {SIGNED_HEADERS_MAX} names in lower case, in ascending order."
    )))
}

fn unsigned(name: &str) -> Refusal {
    Refusal::incomplete(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."))
}

fn unsupported(algorithm: &str) -> Refusal {
    Refusal::incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'."))
}

fn no_date(text: &str) -> Refusal {
    Refusal::incomplete(format!(
        "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    ))
}

/// The header may be somebody's password, so it is not repeated.
fn no_pair(header: &[u8]) -> Refusal {
    Refusal::incomplete(format!(
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with \
         Base64): '{}'.",
        BASE64_STANDARD.encode(hash(header))
    ))
}

fn header_lacks(missing: &[Part], word: &str) -> Refusal {
    let sentences = missing.iter().map(|part| match part {
        Part::Credential => "Authorization header requires 'Credential' parameter. ",
        Part::Signature => "Authorization header requires 'Signature' parameter. ",
        Part::SignedHeaders => "Authorization header requires 'SignedHeaders' parameter. ",
        Part::Date => "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
    });
    Refusal::incomplete(format!("{}Authorization={word}", sentences.collect::<String>()))
}

fn query_lacks(missing: &[Part]) -> Refusal {
    let sentences = missing.iter().map(|part| match part {
        Part::Credential => "AWS query-string parameters must include 'X-Amz-Credential'. ",
        Part::Signature => "AWS query-string parameters must include 'X-Amz-Signature'. ",
        Part::SignedHeaders => "AWS query-string parameters must include 'X-Amz-SignedHeaders'. ",
        Part::Date => "AWS query-string parameters must include 'X-Amz-Date'. ",
    });
    Refusal::incomplete(format!("{}Re-examine the query-string parameters.", sentences.collect::<String>()))
}
