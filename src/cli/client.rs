//! A small blocking client towards the admin listener: one connection a call, no TLS, everything bounded.

mod identity;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use ringgate_core::proto::h1::{BodyDecoder, Field, HeadLimits, Progress, Refusal, ResponseHead, parse_response};
use ringgate_core::proto::http::Method;

use crate::config::Admin;
use identity::Identity;

/// To connect, and between two pieces of an answer: importing a large definition takes a while.
const PATIENCE: Duration = Duration::from_secs(60);
const BODY_BYTES_MAX: usize = 64 << 20;
const READ_BYTES: usize = 16 << 10;
const LIMITS: HeadLimits = HeadLimits { start_line_bytes_max: 10_240, header_bytes_max: 64 << 10, fields_max: 128 };

/// A call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'r> {
    /// Its method.
    pub method: Method,
    /// Path and query, percent-encoded.
    pub target: &'r str,
    /// Fields besides `Host`, `Content-Length` and `Connection`.
    pub fields: &'r [(&'r str, &'r str)],
    /// What is sent.
    pub body: &'r [u8],
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its fields, as they came.
    pub fields: Vec<(String, String)>,
    /// What came.
    pub body: Vec<u8>,
}

impl Response {
    /// The first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// Nobody listens there, or the network failed.
    Io(SocketAddr, io::Error),
    /// What came is no answer.
    Broken(SocketAddr, String),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(address, error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                write!(f, "no gateway listens at {address}; --admin says where its management side is")
            }
            Self::Io(address, error) => write!(f, "{address}: {error}"),
            Self::Broken(address, why) => write!(f, "{address}: the answer cannot be read: {why}"),
        }
    }
}

/// A gateway to be called, by whomever the environment has the keys of.
pub struct Gateway {
    /// Where its management side is.
    pub address: SocketAddr,
    identity: Option<Identity>,
}

impl Gateway {
    /// The gateway that the operator named.
    pub fn of(admin: &Admin) -> Self {
        Self { address: admin.address, identity: Identity::of_environment(admin.region.as_deref()) }
    }

    /// Makes a call, signed if there are keys, and reads the whole answer: JSON, not the form with links.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn call(&self, request: &Request<'_>) -> Result<Response, Unanswered> {
        let signed = self.identity.as_ref().map(|identity| identity.sign(self.address, request)).unwrap_or_default();
        let mut fields = request.fields.to_vec();
        fields.push(("Accept", "application/json"));
        fields.extend(signed.iter().map(|(name, value)| (*name, value.as_str())));
        call(self.address, &Request { fields: &fields, ..*request })
    }
}

/// Makes a call and reads the whole answer.
///
/// # Errors
/// [`Unanswered`].
pub fn call(address: SocketAddr, request: &Request<'_>) -> Result<Response, Unanswered> {
    let failed = |error| Unanswered::Io(address, error);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.write_all(&head(address, request)).and_then(|()| stream.write_all(request.body)).map_err(failed)?;
    read(&mut stream, request.method).map_err(|error| match error {
        Broken::Io(error) => Unanswered::Io(address, error),
        Broken::Refused(why) => Unanswered::Broken(address, why.to_string()),
        Broken::TooLarge => Unanswered::Broken(address, format!("it has more than {BODY_BYTES_MAX} bytes")),
    })
}

fn head(address: SocketAddr, request: &Request<'_>) -> Vec<u8> {
    let Request { method, target, fields, body } = request;
    let mut head = format!("{} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n", method.as_str());
    head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    for (name, value) in *fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

enum Broken {
    Io(io::Error),
    Refused(Refusal),
    TooLarge,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Refusal> for Broken {
    fn from(why: Refusal) -> Self {
        Self::Refused(why)
    }
}

fn read(stream: &mut impl Read, method: Method) -> Result<Response, Broken> {
    let (mut bytes, mut head) = (Vec::new(), ResponseHead::new());
    let start = loop {
        match parse_response(&bytes, &LIMITS, method, &mut head)? {
            Progress::Complete(len) if head.is_informational() => drop(bytes.drain(..len)),
            Progress::Complete(len) => break len,
            Progress::Partial if more(stream, &mut bytes)? == 0 => {
                head.handle_end()?;
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            Progress::Partial => {}
        }
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let field = |field: &Field| (text(field.name.of(&bytes)), text(field.value.of(&bytes)));
    let fields = head.fields.iter().map(field).collect();
    let rest = bytes.split_off(start);
    let body = read_body(stream, rest, BodyDecoder::new(head.framing))?;
    Ok(Response { status: head.status.code(), fields, body })
}

fn read_body(stream: &mut impl Read, mut unread: Vec<u8>, mut decoder: BodyDecoder) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    loop {
        let step = decoder.decode(&unread)?;
        body.extend_from_slice(&unread[step.data]);
        unread.drain(..step.consumed);
        if body.len() > BODY_BYTES_MAX {
            return Err(Broken::TooLarge);
        }
        if step.ended {
            return Ok(body);
        }
        if step.consumed == 0 && more(stream, &mut unread)? == 0 {
            decoder.handle_end()?;
        }
    }
}

fn more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let start = bytes.len();
    bytes.resize(start + READ_BYTES, 0);
    let read = stream.read(&mut bytes[start..]);
    bytes.truncate(start + read.as_ref().map_or(0, |count| *count));
    read
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Gives each connection one of the answers, and what it was sent.
    fn answering(answers: &'static [&'static str]) -> (SocketAddr, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let serve = move |answer: &&str| {
            let (mut stream, _) = listener.accept().expect("a call");
            let mut sent = vec![0; 4096];
            let len = stream.read(&mut sent).expect("a head");
            stream.write_all(answer.as_bytes()).expect("a reader");
            String::from_utf8_lossy(&sent[..len]).into_owned()
        };
        (address, thread::spawn(move || answers.iter().map(serve).collect()))
    }

    #[test]
    fn answers_of_every_framing_are_read() {
        let (address, server) = answering(&[
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nhi",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\n\r\nhi",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ]);
        let request = Request { method: Method::Post, target: "/a?b=c", fields: &[("X-Test", "yes")], body: b"" };
        for (status, body) in [(200, "hi"), (201, "hi"), (404, "hi"), (204, "")] {
            let response = call(address, &request).expect("an answer");
            assert_eq!((response.status, response.text().as_str()), (status, body));
            assert_eq!(response.field("x-a"), (status == 200).then_some("b"));
        }
        let expected = format!(
            "POST /a?b=c HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\nX-Test: yes\r\n\r\n"
        );
        assert!(server.join().expect("no panic").iter().all(|sent| *sent == expected));
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let (address, server) = answering(&["SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", ""]);
        for _ in 0..3 {
            call(address, &Request { target: "/", ..Request::default() }).expect_err("no answer");
        }
        server.join().expect("no panic");
        let nobody = call(address, &Request { target: "/", ..Request::default() }).expect_err("nobody listens");
        assert!(nobody.to_string().contains("no gateway listens"), "{nobody}");
    }
}
