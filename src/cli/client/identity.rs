//! Who calls: the keys that the environment has, as every tool of AWS finds them there.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use ringgate_core::aws::sigv4::{self, Credential, PathStyle, Payload, Scope, Signer, SigningKey, Timestamp, hash};
use ringgate_core::base::WallTime;

use super::Request;

const REGION_DEFAULT: &str = "us-east-1";

/// An access key with its secret, and the region that it is used in.
pub struct Identity {
    access_key: String,
    secret: String,
    token: Option<String>,
    region: String,
}

impl Identity {
    /// `None` where there are no keys: a gateway on loopback asks for none.
    pub fn of_environment(region: Option<&str>) -> Option<Self> {
        Self::of(|name| std::env::var(name).ok().filter(|value| !value.is_empty()), region)
    }

    fn of(variable: impl Fn(&str) -> Option<String>, region: Option<&str>) -> Option<Self> {
        let region = region.map(str::to_owned).or_else(|| variable("AWS_REGION"));
        Some(Self {
            access_key: variable("AWS_ACCESS_KEY_ID")?,
            secret: variable("AWS_SECRET_ACCESS_KEY")?,
            token: variable("AWS_SESSION_TOKEN"),
            region: region.or_else(|| variable("AWS_DEFAULT_REGION")).unwrap_or_else(|| REGION_DEFAULT.to_owned()),
        })
    }

    /// The fields that make a signed request of this one.
    pub fn sign(&self, address: SocketAddr, request: &Request<'_>) -> Vec<(&'static str, String)> {
        let at = Timestamp::of(now());
        let scope = Scope { date: at.date(), region: &self.region, service: "apigateway", terminator: "aws4_request" };
        let key = SigningKey::derive(&self.secret, &scope);
        let signer = Signer {
            credential: Credential { access_key: &self.access_key, scope },
            key: &key,
            at,
            token: self.token.as_deref(),
            path_style: PathStyle::Normalized,
        };
        let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
        let host = address.to_string();
        let request_to_sign =
            sigv4::Request { method: request.method.as_str(), path, query, headers: &[("Host", host.as_bytes())] };
        signer.headers(&request_to_sign, Payload::Hashed(hash(request.body)))
    }
}

fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_region_are_found_where_tools_of_aws_find_them() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let region = |more: &[(&str, &str)], flag| {
            let known = [&keys[..], more].concat();
            let variable =
                |name: &str| known.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            Identity::of(variable, flag).expect("there are keys").region
        };
        assert_eq!(region(&[], None), "us-east-1");
        assert_eq!(region(&[("AWS_DEFAULT_REGION", "b")], None), "b");
        assert_eq!(region(&[("AWS_DEFAULT_REGION", "b"), ("AWS_REGION", "a")], None), "a");
        assert_eq!(region(&[("AWS_REGION", "a")], Some("c")), "c");
        assert!(Identity::of(|_| None, Some("c")).is_none());
    }
}
