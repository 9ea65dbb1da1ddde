//! What is requested, and what the answer must be.

use std::net::SocketAddr;

use crate::run::options::{Expectation, Load};
use crate::run::requests::Requests;

/// Body of the answer that gateways give by themselves.
pub const MOCK_BODY: &str = "hello";

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// GET, 1 KiB from the origin.
    Get1k,
    /// GET, 64 KiB from the origin.
    Get64k,
    /// POST of 4 KiB, 128 bytes from the origin.
    Post4k,
    /// GET, answered by the gateway itself.
    Mock,
}

impl Scenario {
    /// Its name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get1k => "get1k",
            Self::Get64k => "get64k",
            Self::Post4k => "post4k",
            Self::Mock => "mock",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Get1k => "GET, 1 KiB proxied",
            Self::Get64k => "GET, 64 KiB proxied",
            Self::Post4k => "POST of 4 KiB proxied",
            Self::Mock => "GET answered by the gateway",
        }
    }

    /// Where it goes, on every gateway.
    pub fn path(self) -> &'static str {
        match self {
            Self::Get1k => "/bytes/1024",
            Self::Get64k => "/bytes/65536",
            Self::Post4k => "/bytes/128",
            Self::Mock => "/mock",
        }
    }

    fn method(self) -> &'static str {
        if self == Self::Post4k { "POST" } else { "GET" }
    }

    fn request_body(self) -> Vec<u8> {
        vec![b'b'; if self == Self::Post4k { 4096 } else { 0 }]
    }

    fn answer_bytes(self) -> u64 {
        match self {
            Self::Get1k => 1024,
            Self::Get64k => 65_536,
            Self::Post4k => 128,
            Self::Mock => MOCK_BODY.len() as u64,
        }
    }

    /// What every answer must be.
    pub fn expectation(self) -> Expectation {
        Expectation { status: Some(200), body_bytes: Some(self.answer_bytes()) }
    }

    /// The requests for a gateway at `address`, to these paths.
    pub fn requests(self, address: SocketAddr, paths: &[String]) -> Result<Requests, String> {
        Requests::build(self.method(), &address.to_string(), &self.headers(), &self.request_body(), paths)
    }

    fn headers(self) -> Vec<String> {
        let content_type = (self == Self::Post4k).then(|| "Content-Type: application/octet-stream".to_owned());
        [Some("Accept: */*".to_owned()), content_type].into_iter().flatten().collect()
    }

    /// A load that checks every answer; pace and times are the caller's to set.
    pub fn load(self, address: SocketAddr, requests: Requests) -> Load {
        let mut load = Load::closed(address, requests, 1, std::time::Duration::from_secs(1));
        load.expectation = self.expectation();
        load
    }
}
