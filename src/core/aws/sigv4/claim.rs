//! A presented signature held against the clock, the scope and the secret.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::canonical::{self, PathStyle, Payload, UNSIGNED_PAYLOAD};
use super::credential::TERMINATOR;
use super::key::{PayloadHash, SigningKey, unhex, write_string_to_sign};
use super::{CONTENT_HASH_HEADER, Credential, Presented, Reason, Refusal, Request, Timestamp, hash};
use crate::base::WallTime;

/// What the verifying side accepts.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Names that a client may have signed with; the first is the one that messages give.
    pub services: &'a [&'a str],
    /// The only region, or any that looks like one.
    pub region: Option<&'a str>,
    /// How far the client's clock may be off, either way.
    pub skew: Duration,
    /// How the service spells the path that it signs.
    pub path_style: PathStyle,
    /// What becomes of a body that was not signed.
    pub unsigned_payload: UnsignedPayload,
}

/// Whether `UNSIGNED-PAYLOAD` is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsignedPayload {
    /// It is not: the body must be signed.
    Refused,
    /// It is, as in S3.
    Accepted,
}

/// A signature that is in time and made for us: whose it is said to be is known, and still has to be proved.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'p> {
    presented: &'p Presented<'p>,
    credential: Credential<'p>,
    path_style: PathStyle,
    is_payload_signed: bool,
}

impl Presented<'_> {
    /// Checks time and scope.
    ///
    /// # Errors
    /// [`Reason::OutOfTime`], [`Reason::WrongScope`], or [`Reason::Incomplete`] for a scope that is none and a payload
    /// that had to be signed.
    pub fn claim(&self, request: &Request<'_>, expected: &Expected<'_>, now: WallTime) -> Result<Claim<'_>, Refusal> {
        self.check_time(expected, now)?;
        let credential = Credential::parse(&self.credential).ok_or_else(|| {
            Refusal::incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                self.credential
            ))
        })?;
        self.check_scope(&credential, expected)?;
        let is_payload_signed = is_payload_signed(request, expected.unsigned_payload)?;
        Ok(Claim { presented: self, credential, path_style: expected.path_style, is_payload_signed })
    }

    fn check_time(&self, expected: &Expected<'_>, now: WallTime) -> Result<(), Refusal> {
        let (made, now_ms) = (self.at.as_str(), now.as_millis());
        let skew_s = expected.skew.as_secs();
        let life_s = self.expires_s.unwrap_or(skew_s);
        let earliest = Timestamp::of(WallTime::from_millis(now_ms.saturating_sub(life_s * 1_000)));
        let latest = Timestamp::of(WallTime::from_millis(now_ms.saturating_add(skew_s * 1_000)));
        let now = Timestamp::of(now);
        let message = if self.at.at() < earliest.at() {
            let life = span(life_s);
            format!("Signature expired: {made} is now earlier than {earliest} ({now} - {life})")
        } else if self.at.at() > latest.at() {
            let skew = span(skew_s);
            format!("Signature not yet current: {made} is still later than {latest} ({now} + {skew})")
        } else {
            return Ok(());
        };
        Err(Refusal::new(Reason::OutOfTime, message))
    }

    fn check_scope(&self, credential: &Credential<'_>, expected: &Expected<'_>) -> Result<(), Refusal> {
        let scope = &credential.scope;
        let is_region = match expected.region {
            Some(region) => scope.region == region,
            None => looks_like_region(scope.region),
        };
        let mut wrong = String::new();
        if !is_region {
            wrong += &format!("Credential should be scoped to a valid region, not '{}'. ", scope.region);
        }
        if !expected.services.contains(&scope.service) {
            let service = expected.services.first().copied().unwrap_or_default();
            wrong += &format!("Credential should be scoped to correct service: '{service}'. ");
        }
        if scope.terminator != TERMINATOR {
            let terminator = scope.terminator;
            wrong +=
                &format!("Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'. ");
        }
        if scope.date != self.at.date() {
            wrong += &format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
                 '{}', from '{}'. ",
                scope.date,
                self.at.date(),
                self.at
            );
        }
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::new(Reason::WrongScope, wrong)) }
    }
}

impl<'p> Claim<'p> {
    /// Who is said to have signed.
    pub fn credential(&self) -> &Credential<'p> {
        &self.credential
    }

    /// Whether the session token that was sent is this one, or none where there is none. Takes as long for a wrong one
    /// of the same length.
    pub fn has_token(&self, token: Option<&str>) -> bool {
        match (self.presented.token.as_deref(), token) {
            (Some(sent), Some(token)) => verify_slices_are_equal(sent.as_bytes(), token.as_bytes()).is_ok(),
            (sent, token) => sent.is_none() && token.is_none(),
        }
    }

    /// Whether the key signed this request with this body. `buffer` is scratch space, kept between requests.
    ///
    /// # Errors
    /// [`Reason::Mismatch`], with the strings that should have been signed.
    pub fn verify(
        &self,
        request: &Request<'_>,
        body: PayloadHash,
        key: &SigningKey,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let presented = self.presented;
        let payload = if self.is_payload_signed { Payload::Hashed(body) } else { Payload::Unsigned };
        buffer.clear();
        canonical::write(request, self.path_style, &presented.signed_headers, payload, buffer);
        let canonical_bytes = buffer.len();
        write_string_to_sign(&presented.at, &self.credential.scope, &hash(buffer), buffer);
        let (canonical, string_to_sign) = buffer.split_at(canonical_bytes);
        let is_valid = unhex(&presented.signature).is_some_and(|signature| key.verifies(string_to_sign, &signature));
        if is_valid { Ok(()) } else { Err(Refusal::mismatch(canonical, string_to_sign)) }
    }
}

/// What the header says about the payload; without it, and with a hash in it, the payload is signed.
fn is_payload_signed(request: &Request<'_>, unsigned: UnsignedPayload) -> Result<bool, Refusal> {
    match request.text(CONTENT_HASH_HEADER) {
        Some(UNSIGNED_PAYLOAD) if unsigned == UnsignedPayload::Accepted => Ok(false),
        Some(UNSIGNED_PAYLOAD) => {
            Err(Refusal::incomplete(format!("'{UNSIGNED_PAYLOAD}' is not accepted: the payload must be signed.")))
        }
        Some(marker) if marker.starts_with("STREAMING-") => {
            Err(Refusal::incomplete(format!("'{marker}' is not accepted: the payload must be signed as a whole.")))
        }
        _ => Ok(true),
    }
}

fn looks_like_region(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(is_part)
}

/// `5 min.`
fn span(seconds: u64) -> String {
    if seconds.is_multiple_of(60) { format!("{} min.", seconds / 60) } else { format!("{seconds} sec.") }
}
