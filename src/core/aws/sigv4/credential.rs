//! Who signed, and for which day, region and service.

use std::fmt;

use super::ALGORITHM;

/// The last word of every scope.
pub(super) const TERMINATOR: &str = "aws4_request";

/// What a signature is good for: one day, region and service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// `YYYYMMDD`.
    pub date: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// The name a service signs with, such as `apigateway`.
    pub service: &'a str,
    /// `aws4_request` in every scope that can be valid.
    pub terminator: &'a str,
}

/// `AKIDEXAMPLE/20150830/us-east-1/apigateway/aws4_request`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credential<'a> {
    /// Names the secret; not secret itself.
    pub access_key: &'a str,
    /// What it was used for.
    pub scope: Scope<'a>,
}

impl Scope<'_> {
    /// Whether `text` spells this scope.
    pub(super) fn is(&self, text: &str) -> bool {
        text.split('/').eq(self.parts())
    }

    /// Appends `20150830/us-east-1/apigateway/aws4_request`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (index, part) in self.parts().into_iter().enumerate() {
            if index > 0 {
                out.push(b'/');
            }
            out.extend_from_slice(part.as_bytes());
        }
    }

    fn parts(&self) -> [&str; 4] {
        [self.date, self.region, self.service, self.terminator]
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts().join("/"))
    }
}

impl<'a> Credential<'a> {
    /// Splits a credential. `None` unless it has exactly five parts; what they say is not looked at.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('/');
        let mut part = || parts.next();
        let access_key = part()?;
        let scope = Scope { date: part()?, region: part()?, service: part()?, terminator: part()? };
        parts.next().is_none().then_some(Self { access_key, scope })
    }

    /// What an `Authorization` header claims, nothing verified: good for telling callers apart where no one is asked
    /// to prove anything. `None` when it is no Signature Version 4 or not well formed.
    pub fn claimed(authorization: &'a str) -> Option<Self> {
        let parameters = authorization.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let text = parameters.split(',').find_map(|parameter| parameter.trim().strip_prefix("Credential="))?;
        let is_word = |text: &str| {
            (1..=128).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        Self::parse(text).filter(|credential| {
            is_word(credential.access_key)
                && is_word(credential.scope.region)
                && credential.scope.terminator == TERMINATOR
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_taken_only_when_it_is_well_formed() {
        let header = "AWS4-HMAC-SHA256 SignedHeaders=host, Credential=AKID/20150830/eu-west-1/apigateway/aws4_request,Signature=0";
        let claimed = Credential::claimed(header).expect("well formed");
        assert_eq!((claimed.access_key, claimed.scope.region), ("AKID", "eu-west-1"));
        for wrong in [
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256 ",
            "AWS4-HMAC-SHA256Credential=AKID/20150830/eu-west-1/apigateway/aws4_request",
            "AWS4-HMAC-SHA256 Credential=AKID/20150830/eu-west-1/apigateway",
            "AWS4-HMAC-SHA256 Credential=AKID/20150830/eu-west-1/apigateway/aws4_request/more",
            "AWS4-HMAC-SHA256 Credential=AKID/20150830/eu-west-1/apigateway/aws5_request",
            "AWS4-HMAC-SHA256 Credential=AKID/20150830//apigateway/aws4_request",
            "AWS4-HMAC-SHA256 Credential=AKID/20150830/eu west/apigateway/aws4_request",
        ] {
            assert_eq!(Credential::claimed(wrong), None, "{wrong}");
        }
    }
}
