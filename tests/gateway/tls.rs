//! Origins behind TLS.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::client::message;
use super::harness::{Folder, PATIENCE, document, each_driver, operation, proxy, routes, serving};
use super::origin::Origin;

const NETWORK: &str = "{\"message\": \"Network error communicating with endpoint\"}";

/// A TLS origin with a certificate that it signed itself. It answers `/N` with N bytes, after the length of the body it
/// got.
struct TlsOrigin {
    port: u16,
    connections: Arc<AtomicUsize>,
}

fn certified(name: &str) -> Arc<ServerConfig> {
    let folder = Folder::new();
    let (key, certificate) = (folder.file("key.pem"), folder.file("cert.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={name}"), "-addext", &format!("subjectAltName=DNS:{name}")])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("the tests need openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key = PrivateKeyDer::from_pem_file(&key).expect("a key");
    let certificate = CertificateDer::from_pem_file(&certificate).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).expect("they fit"))
}

impl TlsOrigin {
    fn start(name: &str) -> Self {
        let config = certified(name);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                let config = config.clone();
                std::thread::spawn(move || {
                    let session = ServerConnection::new(config).expect("a session");
                    let mut stream = StreamOwned::new(session, stream);
                    while answer(&mut stream).is_some() {}
                });
            }
        });
        Self { port, connections }
    }
}

fn answer(stream: &mut (impl Read + Write)) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let size: usize = head.split(' ').nth(1)?.trim_start_matches('/').parse().unwrap_or(0);
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok()).unwrap_or(0);
    if head.contains(" /early ") {
        stream.write_all(b"HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\nno!").ok()?;
        stream.flush().ok()?;
        std::thread::sleep(PATIENCE);
        return None;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let text = format!("{length} {}", "x".repeat(size));
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).ok()?;
    stream.flush().ok()
}

fn to(port: u16, skips: bool) -> Value {
    let mut integration = proxy(&format!("https://localhost:{port}/{{size}}"));
    integration["requestParameters"] = json!({"integration.request.path.size": "method.request.path.size"});
    if skips {
        integration["tlsConfig"] = json!({"insecureSkipVerification": true});
    }
    integration
}

#[test]
fn a_self_signed_origin_is_trusted_only_where_told_and_under_its_name() {
    let origin = TlsOrigin::start("localhost");
    let other = TlsOrigin::start("elsewhere.example");
    let plain = Origin::start(|connection| {
        connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        connection.wait_for_end();
    });
    let rows = [
        ("/strict/{size}", "get", to(origin.port, false)),
        ("/lenient/{size}", "get", to(origin.port, true)),
        ("/misnamed/{size}", "get", to(other.port, true)),
        ("/plain/{size}", "get", to(plain.port, true)),
    ];
    each_driver(|driver| {
        let gateway = serving(&document(&routes(&rows))).on(driver).start();
        for path in ["/strict/3", "/misnamed/3", "/plain/3"] {
            assert_eq!(gateway.get(path).brief(), message(504, NETWORK), "{path}");
        }
        assert_eq!(gateway.get("/lenient/3").brief(), message(200, "0 xxx"));
    });
}

#[test]
fn bodies_of_every_size_pass_through_tls_on_a_kept_connection() {
    each_driver(|driver| {
        let origin = TlsOrigin::start("localhost");
        let mut operation = operation("/{size}", &to(origin.port, true));
        operation["responses"]["200"] = json!({"description": "ok"});
        let document = document(&json!({"/{size}": {"x-amazon-apigateway-any-method": operation}}));
        let gateway = serving(&document).on(driver).start();
        let mut client = gateway.connect();
        for size in [0, 1, 16_384, 16_385, 100_000, 131_072, 3_000_000] {
            client.send(format!("GET /{size} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes());
            let seen = client.response();
            assert!(seen.status == 200 && seen.body.len() == size + 2, "{size}: {} {}", seen.status, seen.body.len());
            client.send(format!("POST /0 HTTP/1.1\r\nHost: a.example\r\nContent-Length: {size}\r\n\r\n").as_bytes());
            client.send(&vec![b'u'; size]);
            assert_eq!(client.response().brief(), message(200, &format!("{size} ")));
        }
        assert_eq!(origin.connections.load(Ordering::SeqCst), 1, "one handshake serves them all");
    });
}

/// The origin answers, reads nothing of the body, and keeps the connection.
#[test]
fn an_early_answer_through_tls_reaches_a_client_that_is_still_sending() {
    each_driver(|driver| {
        let origin = TlsOrigin::start("localhost");
        let mut operation = operation("/{size}", &to(origin.port, true));
        operation["responses"]["200"] = json!({"description": "ok"});
        let gateway = serving(&document(&json!({"/{size}": {"x-amazon-apigateway-any-method": operation}}))).on(driver);
        let gateway = gateway.start();
        let mut client = gateway.connect();
        client.send(b"POST /early HTTP/1.1\r\nHost: a.example\r\nContent-Length: 8000000\r\n\r\n");
        client.send(&vec![b'x'; 100_000]);
        let seen = client.response();
        assert_eq!((seen.brief(), seen.closes()), (message(409, "no!"), true));
        gateway.wait_for_metric("ringgate_origin_early_answers_total", 1);
    });
}
