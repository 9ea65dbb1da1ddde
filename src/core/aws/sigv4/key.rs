//! Keys made for one day, region and service, and what they sign.

use std::fmt;

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};

use super::{ALGORITHM, Scope, Timestamp};

/// Bytes of a hash and of a signature.
pub const HASH_BYTES: usize = 32;
/// Characters of either in hexadecimal digits.
pub(super) const HASH_DIGITS: usize = 2 * HASH_BYTES;

/// The SHA-256 of a payload.
pub type PayloadHash = [u8; HASH_BYTES];

/// The hash of a whole payload.
pub fn hash(payload: &[u8]) -> PayloadHash {
    let mut hash = [0; HASH_BYTES];
    hash.copy_from_slice(digest::digest(&SHA256, payload).as_ref());
    hash
}

/// What a secret signs with on one day, in one region, for one service. Not the secret, and of no use elsewhere.
#[derive(Clone)]
pub struct SigningKey(Key);

impl SigningKey {
    /// Four HMACs: worth keeping for as long as the scope stays the same.
    pub fn derive(secret: &str, scope: &Scope<'_>) -> Self {
        let mut first = Vec::with_capacity(4 + secret.len());
        first.extend_from_slice(b"AWS4");
        first.extend_from_slice(secret.as_bytes());
        let parts = [scope.date, scope.region, scope.service, scope.terminator];
        let derived = parts.iter().fold(Key::new(HMAC_SHA256, &first), |key, part| {
            Key::new(HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
        });
        first.fill(0);
        Self(derived)
    }

    /// The signature of a string to sign.
    pub fn sign(&self, string_to_sign: &[u8]) -> [u8; HASH_BYTES] {
        let mut signature = [0; HASH_BYTES];
        signature.copy_from_slice(hmac::sign(&self.0, string_to_sign).as_ref());
        signature
    }

    /// Whether `signature` is that of `string_to_sign`. Takes as long for a wrong one.
    pub(super) fn verifies(&self, string_to_sign: &[u8], signature: &[u8; HASH_BYTES]) -> bool {
        hmac::verify(&self.0, string_to_sign, signature).is_ok()
    }
}

/// A key is never shown.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The signing key of one secret for the scope that was asked for last. Clients stay in their region all day, so one is
/// enough, and whoever changes the scope with every request costs four HMACs and no memory.
#[derive(Clone, Debug, Default)]
pub struct KeyCache(Option<(Box<str>, SigningKey)>);

impl KeyCache {
    /// The key of `secret` for `scope`. Always the same secret: the cache does not look at it.
    pub fn key(&mut self, secret: &str, scope: &Scope<'_>) -> &SigningKey {
        let is_kept = self.0.as_ref().is_some_and(|(kept, _)| scope.is(kept));
        if !is_kept {
            self.0 = None;
        }
        &self.0.get_or_insert_with(|| (scope.to_string().into(), SigningKey::derive(secret, scope))).1
    }
}

/// Appends what is signed instead of the canonical request.
pub(super) fn write_string_to_sign(at: &Timestamp, scope: &Scope<'_>, canonical: &PayloadHash, out: &mut Vec<u8>) {
    for line in [ALGORITHM, at.as_str()] {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    scope.write(out);
    out.push(b'\n');
    out.extend_from_slice(&hex(canonical));
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(hash: &[u8; HASH_BYTES]) -> [u8; HASH_DIGITS] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; HASH_DIGITS];
    for (pair, byte) in text.chunks_exact_mut(2).zip(hash) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    text
}

/// Reads lower-case hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<[u8; HASH_BYTES]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text: &[u8; HASH_DIGITS] = text.as_bytes().try_into().ok()?;
    let mut hash = [0; HASH_BYTES];
    for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn scope<'a>(date: &'a str, region: &'a str) -> Scope<'a> {
        Scope { date, region, service: "iam", terminator: "aws4_request" }
    }

    #[test]
    fn a_kept_key_is_the_derived_one_in_every_scope() {
        let mut cache = KeyCache::default();
        // The last two spell the same when they are only joined.
        for scope in [
            scope("20150830", "us-east-1"),
            scope("20150830", "us-east-1"),
            scope("20150831", "us-east-1"),
            scope("20150831", "eu-west-1"),
            scope("2015083", "1eu-west-1"),
        ] {
            let kept = cache.key(SECRET, &scope).sign(b"text");
            assert_eq!(kept, SigningKey::derive(SECRET, &scope).sign(b"text"), "{scope}");
        }
    }

    #[test]
    fn digits_lead_back_to_bytes_and_capitals_do_not() {
        let hash = hash(b"");
        let text = String::from_utf8(hex(&hash).to_vec()).expect("digits");
        assert_eq!(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(unhex(&text), Some(hash));
        assert_eq!(unhex(&text.to_uppercase()), None);
        assert_eq!(unhex(&text[1..]), None);
    }
}
