//! Starts the built program on ports that the kernel chose, and ends it by its process id.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use super::client::{Client, Response};

/// How long anything may take that has no deadline of its own. Only a broken test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// The two ways in which a shard waits for the kernel.
const DRIVERS: [&str; 2] = ["auto", "epoll"];

/// Makes a claim about both.
pub fn each_driver(claim: impl Fn(&'static str)) {
    for driver in DRIVERS {
        println!("--- driver {driver}");
        claim(driver);
    }
}

/// Calls `check` until it is satisfied.
pub fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A folder of one test, removed with it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ringgate-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, text).expect("a temporary file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A document with these paths and members.
pub fn document(paths: &Value) -> Value {
    json!({"openapi": "3.0.1", "info": {"title": "Test", "version": "1"}, "paths": paths})
}

/// An operation with this integration and the path parameters of `path` declared.
pub fn operation(path: &str, integration: &Value) -> Value {
    let variables = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<_> = variables
        .map(|name| json!({"name": name.trim_end_matches('+'), "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    json!({
        "parameters": parameters,
        "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": integration,
    })
}

/// `{"path": {"method": operation}}` of rows of path, method (`any` for all) and integration.
pub fn routes(rows: &[(&str, &str, Value)]) -> Value {
    let mut paths = json!({});
    for (path, method, integration) in rows {
        let method = if *method == "any" { "x-amazon-apigateway-any-method" } else { method };
        paths[*path][method] = operation(path, integration);
    }
    paths
}

/// A MOCK that answers 200 with `text` as its body template.
pub fn mock(text: &str) -> Value {
    json!({
        "type": "mock",
        "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "passthroughBehavior": "when_no_templates",
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": text}}},
    })
}

/// An HTTP proxy to `uri` with the client's method.
pub fn proxy(uri: &str) -> Value {
    json!({"type": "http_proxy", "httpMethod": "ANY", "uri": uri})
}

/// A greedy HTTP proxy of everything to the origin at `port`, path and all.
pub fn proxy_all(port: u16) -> Value {
    let mut integration = proxy(&format!("http://127.0.0.1:{port}/{{proxy}}"));
    integration["requestParameters"] = json!({"integration.request.path.proxy": "method.request.path.proxy"});
    document(&routes(&[("/{proxy+}", "any", integration), ("/", "any", proxy(&format!("http://127.0.0.1:{port}/")))]))
}

/// What the program has printed so far.
#[derive(Clone, Default)]
pub struct Printed(Arc<(Mutex<String>, Condvar)>);

impl Printed {
    pub fn text(&self) -> String {
        self.0.0.lock().expect("no reader panics").clone()
    }

    pub fn follow(&self, from: impl Read + Send + 'static) {
        let this = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                let mut text = this.0.0.lock().expect("no reader panics");
                text.push_str(&line);
                text.push('\n');
                this.0.1.notify_all();
            }
        });
    }

    /// Waits until `needle` has been printed after the first `from` bytes.
    pub fn wait_for(&self, needle: &str, from: usize) {
        eventually(&format!("`{needle}` in {}", self.text()), || self.text()[from..].contains(needle).then_some(()));
    }
}

/// A running gateway.
pub struct Gateway {
    child: Child,
    pub folder: Folder,
    pub file: PathBuf,
    pub port: u16,
    pub admin: u16,
    pub api_id: String,
    pub err: Printed,
    pub out: Printed,
}

/// How a gateway is started.
pub struct Start {
    /// `None`: `serve`, which keeps what it is told in the folder.
    definition: Option<String>,
    flags: Vec<String>,
    driver: &'static str,
    descriptors: Option<u32>,
    folder: Folder,
    listens: bool,
}

/// Serves `definition`, without a log, on one shard.
pub fn serving(definition: &Value) -> Start {
    Start { definition: Some(definition.to_string()), ..keeping(Folder::new()) }
}

/// Keeps what it is told in `folder`, without a log, on one shard.
pub fn keeping(folder: Folder) -> Start {
    Start { definition: None, flags: Vec::new(), driver: "auto", descriptors: None, folder, listens: true }
}

impl Start {
    pub fn flags<const N: usize>(mut self, flags: [&str; N]) -> Self {
        self.flags.extend(flags.map(str::to_owned));
        self
    }

    pub fn on(mut self, driver: &'static str) -> Self {
        self.driver = driver;
        self
    }

    /// With at most this many descriptors.
    pub fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// With a file of the test's own folder in a flag: `--log=` and the like.
    pub fn file_flag(mut self, flag: &str, name: &str) -> Self {
        self.flags.push(format!("{flag}{}", self.folder.file(name).display()));
        self
    }

    /// Without the default listener.
    pub fn no_listener(mut self) -> Self {
        self.listens = false;
        self
    }

    fn command(&self, file: &Path) -> Command {
        let binary = env!("CARGO_BIN_EXE_ringgate");
        let mut command = match self.descriptors {
            None => Command::new(binary),
            Some(most) => {
                let mut command = Command::new("prlimit");
                command.arg(format!("--nofile={most}:{most}")).arg(binary);
                command
            }
        };
        match self.definition {
            Some(_) => command.arg("dev").arg(file),
            None => command.arg("serve").arg(format!("--data={}", self.folder.file("data").display())),
        };
        command.args(["--driver", self.driver]);
        for default in ["--admin=127.0.0.1:0", "--log=off", "--shards=1"] {
            let (name, _) = default.split_once('=').expect("a value");
            if !self.flags.iter().any(|flag| flag.split('=').next() == Some(name)) {
                command.arg(default);
            }
        }
        if self.listens {
            command.arg("--listen=127.0.0.1:0");
        }
        // In huge pages, what is resident would grow by 2 MiB whenever the first byte of one is touched.
        command.env("MIMALLOC_ALLOW_THP", "0");
        command.args(&self.flags).current_dir(&self.folder.0).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it and waits for its banner.
    pub fn start(self) -> Gateway {
        let file = self.folder.write("api.json", self.definition.as_deref().unwrap_or_default());
        let mut child = self.command(&file).spawn().expect("the built program");
        let (err, out) = (Printed::default(), Printed::default());
        err.follow(child.stderr.take().expect("piped"));
        out.follow(child.stdout.take().expect("piped"));
        let banner = eventually("the banner", || {
            let text = err.text();
            if let Ok(Some(status)) = child.try_wait() {
                panic!("it ended with {status}: {text}");
            }
            text.contains(" shards on ").then_some(text)
        });
        let port = between(&banner, "serving http://127.0.0.1:", "/").and_then(|port| port.parse().ok());
        let admin = between(&banner, "admin http://127.0.0.1:", "/").and_then(|port| port.parse().ok());
        let api_id = between(&banner, "or http://", ".execute-api").unwrap_or_default().to_owned();
        let admin = admin.expect("the banner names the admin port");
        Gateway { child, file, port: port.unwrap_or(0), admin, api_id, err, out, folder: self.folder }
    }
}

/// The text between two marks.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}

impl Gateway {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.port)
    }

    /// A connection with little room on its way, as over a slow network.
    pub fn connect_narrowly(&self) -> Client {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a socket");
        socket.set_tcp_mss(536).expect("a socket");
        socket.connect(&SocketAddr::from(([127, 0, 0, 1], self.port)).into()).expect("the gateway listens");
        Client::of(socket.into())
    }

    /// One request on a connection of its own.
    pub fn call(&self, request: &str) -> Response {
        let mut client = self.connect();
        client.send(request.as_bytes());
        if request.starts_with("HEAD ") { client.response_to_head() } else { client.response() }
    }

    /// GET of `path`.
    pub fn get(&self, path: &str) -> Response {
        self.call(&format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n"))
    }

    /// GET of `path` on the admin listener.
    pub fn admin(&self, path: &str) -> Response {
        let mut client = Client::connect(self.admin);
        client.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes());
        client.response()
    }

    /// A call of the management API: what it answers, and 2xx.
    pub fn manage(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut client = Client::connect(self.admin);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        client.send(format!("{head}{body}").as_bytes());
        let response = client.response();
        assert!((200..300).contains(&response.status), "{method} {path}: {} {}", response.status, response.text());
        if response.body.is_empty() { Value::Null } else { response.text().parse().expect("the answer is JSON") }
    }

    /// GET of `path` under a host name.
    pub fn get_at(&self, host: &str, path: &str) -> Response {
        self.call(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }

    /// Ends it and gives its folder, for another to go on with.
    pub fn into_folder(mut self) -> Folder {
        self.signal(Signal::TERM);
        assert_eq!(self.wait().code(), Some(0));
        std::mem::replace(&mut self.folder, Folder::new())
    }

    /// The value of a metric, by its name and labels as they are printed.
    pub fn metric(&self, name: &str) -> u64 {
        let page = self.admin("/metrics").text();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {page}")).parse().expect("a whole number")
    }

    pub fn wait_for_metric(&self, name: &str, least: u64) {
        eventually(&format!("{name} reaches {least}"), || (self.metric(name) >= least).then_some(()));
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("small")).expect("not 0");
        kill_process(pid, signal).expect("our own child");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the process ends", || child.try_wait().expect("our own child"))
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_none()
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the gateway printed:\n{}---", self.err.text());
        }
    }
}

/// What one run of the program printed and how it ended.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringgate"));
    let output = command.args(arguments).stdin(Stdio::null()).output().expect("the built program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A port on which nobody listens: connections to it are refused.
pub fn refusing_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}
