//! Names of origins, resolved off the shards: asked at publication, asked again when the answer's time to live is up.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;

/// An answer is never trusted for longer, so that a moved origin is found.
const TTL_MAX: Duration = Duration::from_secs(300);
/// Nor asked for more often.
const TTL_MIN: Duration = Duration::from_secs(2);
/// After a failed look-up.
const RETRY: Duration = Duration::from_secs(5);

/// What a name resolved to.
pub struct Answer {
    /// Addresses in the order of the answer; empty when there are none.
    pub addresses: Vec<SocketAddr>,
    /// Ask again after this time; `None`: never, it was a literal address.
    pub ask_again: Option<Duration>,
    /// Why there are no addresses.
    pub failure: Option<String>,
}

/// Resolves names as the host's `/etc/resolv.conf` and `/etc/hosts` say.
pub struct Resolver(Option<TokioResolver>);

impl Resolver {
    /// Reads the host's configuration. Where there is none, every name fails and literal addresses still work.
    pub fn from_system() -> Self {
        Self(TokioResolver::builder_tokio().and_then(|builder| builder.build()).ok())
    }

    /// The addresses of `host`, which may be a literal address, in brackets or not.
    pub async fn look_up(&self, host: &str, port: u16) -> Answer {
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Answer { addresses: vec![SocketAddr::new(address, port)], ask_again: None, failure: None };
        }
        // RFC 6761 section 6.3: names under localhost are loopback, whatever a resolver says.
        if host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost") {
            let loopback = [IpAddr::from([127, 0, 0, 1]), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)];
            let addresses = loopback.map(|address| SocketAddr::new(address, port)).to_vec();
            return Answer { addresses, ask_again: None, failure: None };
        }
        self.ask(host, port).await
    }

    async fn ask(&self, host: &str, port: u16) -> Answer {
        let failed = |failure: String| Answer { addresses: Vec::new(), ask_again: Some(RETRY), failure: Some(failure) };
        let Some(resolver) = &self.0 else { return failed("the host has no usable resolver configuration".into()) };
        match resolver.lookup_ip(host).await {
            Ok(answer) => {
                let ttl = answer.valid_until().saturating_duration_since(std::time::Instant::now());
                let addresses = answer.iter().map(|address| SocketAddr::new(address, port)).collect();
                Answer { addresses, ask_again: Some(ttl.clamp(TTL_MIN, TTL_MAX)), failure: None }
            }
            Err(error) => failed(error.to_string()),
        }
    }
}
