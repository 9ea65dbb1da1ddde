//! A client that sends what it is given and reads strictly.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::harness::PATIENCE;

/// A response as it came.
#[derive(Clone, Debug, Default)]
pub struct Response {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Statuses of class 1xx that came before.
    pub interim: Vec<u16>,
    pub is_chunked: bool,
}

impl Response {
    /// The value of a field that occurs at most once.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let first = found.next();
        assert!(found.next().is_none(), "{name} occurs twice: {:?}", self.fields);
        first.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status and body in one, for comparing.
    pub fn brief(&self) -> (u16, String) {
        (self.status, self.text())
    }

    pub fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }
}

/// The message of a gateway response.
pub fn message(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into),
            Self::Unix(stream) => stream.read(into),
        }
    }
}

/// One connection.
pub struct Client {
    stream: Stream,
    unread: Vec<u8>,
}

impl Client {
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the gateway listens");
        Self::of(stream)
    }

    pub fn of(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Self { stream: Stream::Tcp(stream), unread: Vec::new() }
    }

    pub fn connect_unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("the gateway listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self { stream: Stream::Unix(stream), unread: Vec::new() }
    }

    pub fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Tcp(stream) => stream,
            Stream::Unix(_) => panic!("not a TCP connection"),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the gateway reads");
    }

    /// Sends what the gateway may not want to read to its end.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(bytes),
            Stream::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Ends our side only.
    pub fn half_close(&self) {
        match &self.stream {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write).unwrap_or_default(),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write).unwrap_or_default(),
        }
    }

    pub fn response(&mut self) -> Response {
        self.try_response(false).unwrap_or_else(|why| panic!("no response: {why}"))
    }

    pub fn response_to_head(&mut self) -> Response {
        self.try_response(true).unwrap_or_else(|why| panic!("no response: {why}"))
    }

    fn fill(&mut self) -> Result<bool, String> {
        let mut piece = [0; 16 * 1024];
        let count = self.stream.read(&mut piece).map_err(|error| error.to_string())?;
        self.unread.extend_from_slice(&piece[..count]);
        Ok(count > 0)
    }

    /// Takes `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<Vec<u8>, String> {
        while self.unread.len() < count {
            if !self.fill()? {
                return Err(format!("the end after {} of {count} bytes", self.unread.len()));
            }
        }
        Ok(self.unread.drain(..count).collect())
    }

    fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..at + 2).collect();
                return String::from_utf8(line[..at].to_vec()).map_err(|error| error.to_string());
            }
            if !self.fill()? {
                return Err(format!("the end after {:?}", self.unread.escape_ascii().to_string()));
            }
        }
    }

    /// Reads a response, whatever came before it of class 1xx included.
    pub fn try_response(&mut self, is_head: bool) -> Result<Response, String> {
        let mut interim = Vec::new();
        loop {
            let mut response = self.head()?;
            if response.status / 100 == 1 {
                interim.push(response.status);
                continue;
            }
            response.interim = interim;
            let has_body = !is_head && !matches!(response.status, 204 | 304);
            if has_body {
                self.body(&mut response)?;
            }
            return Ok(response);
        }
    }

    /// Reads a head alone.
    pub fn head(&mut self) -> Result<Response, String> {
        let line = self.line()?;
        let rest = line.strip_prefix("HTTP/1.1 ").ok_or_else(|| format!("not a status line: {line:?}"))?;
        let (code, _) = rest.split_once(' ').ok_or_else(|| format!("not a status line: {line:?}"))?;
        let status = code.parse().map_err(|_| format!("not a status: {line:?}"))?;
        let mut response = Response { status, ..Response::default() };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(response);
            }
            let (name, value) = line.split_once(": ").ok_or_else(|| format!("not a field: {line:?}"))?;
            response.fields.push((name.to_owned(), value.to_owned()));
        }
    }

    fn body(&mut self, response: &mut Response) -> Result<(), String> {
        let length = response.field("content-length").map(|length| length.parse::<usize>().expect("digits"));
        response.is_chunked = response.field("transfer-encoding").is_some();
        match length {
            Some(_) if response.is_chunked => Err("both framings".to_owned()),
            Some(length) => {
                response.body = self.take(length)?;
                Ok(())
            }
            None if response.is_chunked => self.chunks(&mut response.body),
            None if response.closes() => {
                while self.fill()? {}
                response.body = std::mem::take(&mut self.unread);
                Ok(())
            }
            None => Err(format!("no framing: {response:?}")),
        }
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<(), String> {
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(&line, 16).map_err(|_| format!("not a chunk size: {line:?}"))?;
            body.extend_from_slice(&self.take(size)?);
            let end = self.line()?;
            if !end.is_empty() {
                return Err(format!("a chunk of {size} bytes goes on with {end:?}"));
            }
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// Whether the connection ends here, with nothing more to read.
    pub fn is_at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Everything that still comes, until the end.
    pub fn rest(&mut self) -> Vec<u8> {
        while matches!(self.fill(), Ok(true)) {}
        std::mem::take(&mut self.unread)
    }

    /// How much has been read ahead of what was asked for.
    pub fn unread(&self) -> usize {
        self.unread.len()
    }

    /// Reads and forgets up to `count` bytes at once; the number read.
    pub fn skim(&mut self, scratch: &mut [u8]) -> usize {
        self.stream.read(scratch).expect("the gateway goes on sending")
    }
}
