//! Who calls the management API: every call carries a [`Caller`] in its extensions, or is refused.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{self, HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;
use ringgate_core::aws::sigv4::Credential;

/// Who makes a call of the management API, on whose state. In the extensions of every request that reaches a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The access key that signed the call; `None` where nobody has to sign.
    pub access_key: Option<String>,
    /// The account it acts in, twelve digits.
    pub account: String,
    /// The region it acts in.
    pub region: String,
    /// Where it comes from.
    pub source_ip: IpAddr,
    /// What it calls itself; empty when it does not say.
    pub user_agent: String,
}

/// Who may call.
#[derive(Clone, Debug)]
pub struct Access(Arc<Open>);

/// Anyone: the listener is on loopback.
#[derive(Debug)]
struct Open {
    account: String,
    region: String,
}

impl Access {
    /// Anyone may call, in this account, and in the region that the call is signed for or else in this one.
    pub fn open(account: &str, region: &str) -> Self {
        Self(Arc::new(Open { account: account.to_owned(), region: region.to_owned() }))
    }
}

/// Tells the handlers who calls.
pub(super) async fn identify(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let caller = access.caller(&request);
    request.extensions_mut().insert(caller);
    next.run(request).await
}

impl Access {
    fn caller<B>(&self, request: &http::Request<B>) -> Caller {
        let Open { account, region } = &*self.0;
        let headers = request.headers();
        // SDKs sign whether they are asked to or not: the scope says which region the client was set to.
        let claimed = text(headers, &header::AUTHORIZATION).and_then(Credential::claimed);
        Caller {
            access_key: None,
            account: account.clone(),
            region: claimed.map_or(region.as_str(), |credential| credential.scope.region).to_owned(),
            source_ip: source_ip(request),
            user_agent: text(headers, &header::USER_AGENT).unwrap_or_default().to_owned(),
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The peer of the socket. Nothing is believed that a client says about itself.
fn source_ip<B>(request: &http::Request<B>) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(address)| address.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_listener_takes_the_region_from_the_scope_and_believes_nothing_else() {
        let access = Access::open("111122223333", "us-east-1");
        let signed = "AWS4-HMAC-SHA256 Credential=AKID/20150830/eu-west-1/apigateway/aws4_request, SignedHeaders=host, Signature=0";
        for (authorization, region) in [(signed, "eu-west-1"), ("Bearer x", "us-east-1")] {
            let request = http::Request::builder()
                .header("authorization", authorization)
                .header("x-forwarded-for", "203.0.113.9")
                .header("user-agent", "test/1")
                .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4))))
                .body(())
                .expect("plain");
            let expected = Caller {
                access_key: None,
                account: "111122223333".to_owned(),
                region: region.to_owned(),
                source_ip: Ipv4Addr::LOCALHOST.into(),
                user_agent: "test/1".to_owned(),
            };
            assert_eq!(access.caller(&request), expected);
        }
    }
}
