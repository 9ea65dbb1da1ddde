//! What an idle keep-alive connection costs a server in memory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::http::response::{Answer, Bodies, ResponseReader};
use crate::run::options::split_url;
use crate::{cpu, net};

const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// Descriptors we need besides the connections.
const SPARE_DESCRIPTORS: u64 = 100;

/// `ringload idle`
#[derive(clap::Args)]
pub struct IdleArgs {
    /// Where one request is sent on each connection: `http://HOST:PORT/PATH`.
    #[arg(long)]
    url: String,
    /// How many connections to keep open. One client address reaches about 28,000.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// The server's process; its descendants are counted too.
    #[arg(long)]
    pid: u32,
    /// Seconds between the last answer and the look at the memory.
    #[arg(long, default_value_t = 2.0)]
    settle: f64,
}

/// Memory of a server before and after connections were opened.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    /// Resident KiB with one connection that had been used.
    pub before_kib: u64,
    /// Resident KiB with all of them idle.
    pub after_kib: u64,
    /// How many there were.
    pub connections: usize,
}

impl Growth {
    /// KiB for each connection.
    pub fn kib_per_connection(&self) -> f64 {
        (self.after_kib as f64 - self.before_kib as f64) / self.connections as f64
    }
}

/// Prints the growth.
pub fn main(args: &IdleArgs) -> Result<ExitCode, String> {
    let (authority, path) = split_url(&args.url)?;
    let settle = Duration::try_from_secs_f64(args.settle).map_err(|error| format!("--settle: {error}"))?;
    let growth = measure(net::resolve(authority)?, path, args.connections, args.pid, settle)?;
    println!("{}", describe(&growth));
    Ok(ExitCode::SUCCESS)
}

/// The growth in words.
pub fn describe(growth: &Growth) -> String {
    let Growth { before_kib, after_kib, connections } = growth;
    let each = growth.kib_per_connection();
    format!("{connections} idle connections: {before_kib} -> {after_kib} KiB resident, {each:.3} KiB each")
}

/// Opens the connections, uses each once, and compares the server's memory.
pub fn measure(
    address: SocketAddr,
    path: &str,
    connections: usize,
    process: u32,
    settle: Duration,
) -> Result<Growth, String> {
    raise_descriptor_limit(connections as u64 + SPARE_DESCRIPTORS)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let _first = open_and_ask(address, &request)?;
    let family = cpu::family(process);
    let before_kib = cpu::resident_kib(&family);
    let mut open = Vec::with_capacity(connections);
    for index in 0..connections {
        let opened = open_and_ask(address, &request);
        open.push(opened.map_err(|error| format!("connection {}: {error}", index + 1))?);
    }
    std::thread::sleep(settle);
    if let Some(index) = open.iter().position(has_closed) {
        return Err(format!("the server closed connection {} while it was idle", index + 1));
    }
    Ok(Growth { before_kib, after_kib: cpu::resident_kib(&family), connections })
}

/// Lets this process, and what it starts from now on, have so many descriptors.
fn raise_descriptor_limit(wanted: u64) -> Result<(), String> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    // Only a privileged process may go beyond its maximum.
    let maximum = limit.maximum.map(|maximum| maximum.max(wanted));
    let raised = Rlimit { current: Some(wanted), maximum };
    setrlimit(Resource::Nofile, raised).map_err(|error| format!("{wanted} descriptors: {error}"))
}

/// Lets this process, and what it starts from now on, have as many descriptors as it may without privilege.
pub fn raise_descriptor_limit_to_maximum() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // Leaving the limit as it is harms only those who need more, and they find out.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

fn open_and_ask(address: SocketAddr, request: &str) -> Result<TcpStream, String> {
    let mut stream = TcpStream::connect(address).map_err(|error| format!("connect: {error}"))?;
    let answer = ask(&mut stream, request.as_bytes())?;
    match answer.status {
        200..=299 => Ok(stream),
        status => Err(format!("status {status}")),
    }
}

fn has_closed(stream: &TcpStream) -> bool {
    let mut byte = [0];
    stream.set_nonblocking(true).is_err()
        || !matches!(stream.peek(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Sends one request over a blocking connection and reads its answer.
pub fn ask(stream: &mut TcpStream, request: &[u8]) -> Result<Answer, String> {
    let describe = |error: std::io::Error| format!("answer: {error}");
    stream.set_read_timeout(Some(ANSWER_PATIENCE)).map_err(describe)?;
    stream.write_all(request).map_err(describe)?;
    let mut reader = ResponseReader::new(Bodies::AsFramed);
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).map_err(describe)?;
        if count == 0 {
            return reader.handle_close().ok_or_else(|| "the server closed without an answer".to_owned());
        }
        let (_, answer) = reader.handle_bytes(&buffer[..count]).map_err(|error| format!("answer: {error:?}"))?;
        if let Some(answer) = answer {
            return Ok(answer);
        }
    }
}
