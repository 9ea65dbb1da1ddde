//! Who is at the other end of a client connection.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use ringgate_core::exchange::Client;
use ringgate_core::proto::h1::RequestHead;
use ringgate_core::proto::http::KnownField;
use ringgate_core::proto::proxy::{self, Malformed, Source};

use super::settings::{Settings, Trusted};

/// What is known of a connection's peer from its beginning to its end.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// What the socket says; `None` on a Unix socket.
    address: Option<IpAddr>,
    /// Whom its PROXY protocol header names.
    named: Option<IpAddr>,
    /// The listener's.
    port: u16,
    /// It has sent something.
    pub has_begun: bool,
}

impl Caller {
    /// The peer that the socket knows; `None` on a Unix socket. `port` is the listener's.
    pub fn new(address: Option<SocketAddr>, port: u16) -> Self {
        Self { address: address.map(|address| address.ip().to_canonical()), named: None, port, has_begun: false }
    }
}

/// The peer of one connection, in the forms that requests need.
pub struct Peer {
    /// What is kept of it while its connection is parked.
    pub caller: Caller,
    /// The peer, or whom its PROXY protocol header names.
    connection_ip: String,
    /// Whom a trusted proxy names in this request; empty: nobody.
    request_ip: Vec<u8>,
    /// The end of the `X-Forwarded-For` line, and the lines of port and protocol.
    forwarded_lines: Vec<u8>,
    /// Whether it brings a test from the management API.
    is_test: bool,
}

/// A client on a Unix socket has no address. AWS's field must hold one.
const NO_ADDRESS: &str = "127.0.0.1";
/// `$context.identity.sourceIp` of a test, as on AWS.
const TEST_SOURCE_IP: &[u8] = b"test-invoke-source-ip";

impl Peer {
    /// The peer of a connection that begins, or goes on after a pause.
    pub fn new(caller: Caller) -> Self {
        let mut connection_ip = String::new();
        match caller.named.or(caller.address) {
            Some(ip) => write!(connection_ip, "{ip}").unwrap_or_default(),
            None => connection_ip.push_str(NO_ADDRESS),
        }
        let (request_ip, forwarded_lines) = (Vec::new(), Vec::new());
        let mut peer = Self { caller, connection_ip, request_ip, forwarded_lines, is_test: false };
        peer.forward(None, None);
        peer
    }

    /// Whoever tests a method.
    pub fn tester() -> Self {
        Self { is_test: true, ..Self::new(Caller::new(None, 443)) }
    }

    /// Sets the lines that say how the client called: what a trusted proxy says, else what this listener is.
    fn forward(&mut self, port: Option<&[u8]>, proto: Option<&[u8]>) {
        let lines = &mut self.forwarded_lines;
        lines.clear();
        lines.extend_from_slice(b"\r\nX-Forwarded-Port: ");
        match port {
            Some(port) => lines.extend_from_slice(port),
            None => lines.extend_from_slice(self.caller.port.to_string().as_bytes()),
        }
        lines.extend_from_slice(b"\r\nX-Forwarded-Proto: ");
        lines.extend_from_slice(proto.unwrap_or(b"http"));
        lines.extend_from_slice(b"\r\n");
    }

    fn is_trusted(&self, settings: &Settings) -> bool {
        // Who can open the Unix socket's file is on this host and may speak for others.
        self.caller.address.is_none_or(|ip| settings.trusted_proxies.iter().any(|network| network.contains(ip)))
    }

    /// Whether a PROXY protocol header must come first.
    pub fn sends_proxy_header(&self, settings: &Settings) -> bool {
        settings.trusted == Trusted::ProxyProtocol && self.is_trusted(settings)
    }

    /// Reads a PROXY protocol header: its length once it is complete.
    ///
    /// # Errors
    /// [`Malformed`] when this is none.
    pub fn read_proxy_header(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let Some(header) = proxy::parse(bytes)? else { return Ok(None) };
        if let Source::Address(ip) = header.source {
            let ip = ip.to_canonical();
            self.caller.named = Some(ip);
            self.connection_ip.clear();
            write!(self.connection_ip, "{ip}").unwrap_or_default();
        }
        Ok(Some(header.len))
    }

    /// Takes in what a request's own headers say about its origin, if its peer is trusted to say it: the last address
    /// of `X-Forwarded-For` that is not itself a trusted proxy.
    pub fn learn(&mut self, settings: &Settings, head: &RequestHead, bytes: &[u8]) {
        self.request_ip.clear();
        if settings.trusted != Trusted::ForwardedFor || !self.is_trusted(settings) {
            return;
        }
        let said = |known| head.fields.value(known, bytes);
        self.forward(said(KnownField::XForwardedPort), said(KnownField::XForwardedProto));
        let values = head.fields.values(KnownField::XForwardedFor, bytes);
        let mut listed: Vec<_> =
            values.flat_map(|value| value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii).collect();
        while let Some(last) = listed.pop() {
            let Some(ip) = std::str::from_utf8(last).ok().and_then(|text| text.parse::<IpAddr>().ok()) else { return };
            self.request_ip.clear();
            self.request_ip.extend_from_slice(last);
            if !settings.trusted_proxies.iter().any(|network| network.contains(ip)) {
                return;
            }
        }
    }

    /// The client of the request at hand.
    pub fn client<'p>(&'p self, date_line: &'p [u8]) -> Client<'p> {
        let peer = self.connection_ip.as_bytes();
        let source_ip = match self.request_ip.as_slice() {
            _ if self.is_test => TEST_SOURCE_IP,
            [] => peer,
            named => named,
        };
        Client { source_ip, peer, forwarded_lines: &self.forwarded_lines, date_line }
    }
}
