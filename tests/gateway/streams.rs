//! Large bodies: passed on as fast as the slower side takes them, in bounded memory.

use std::io::Write;
use std::time::Duration;

use super::harness::{each_driver, proxy_all, serving};
use super::origin::{Origin, ok};

const LARGE: usize = 200 * 1024 * 1024;
/// What the process may grow by while it streams; the body is ten times that.
const GROWTH_KIB_MAX: u64 = 20 * 1024;
static PIECE: [u8; 256 * 1024] = [b'x'; 256 * 1024];

#[test]
fn a_download_waits_for_a_slow_reader_in_bounded_memory() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            connection.request();
            connection.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes());
            for _ in 0..LARGE / PIECE.len() {
                if !connection.send(&PIECE) {
                    return;
                }
            }
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).flags(["--limits=relaxed"]).start();
        let mut client = gateway.connect();
        let before = gateway.resident_kib();
        client.send(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
        let head = client.head().expect("a head");
        assert_eq!(head.field("content-length"), Some(LARGE.to_string().as_str()));
        // Nothing is read for a while: were it not for back-pressure, all of it would pile up here.
        std::thread::sleep(Duration::from_millis(150));
        let mut most = gateway.resident_kib();
        let mut scratch = vec![0; 1 << 20];
        let (mut count, mut reads) = (0, 0_u32);
        // What came with the head was read already.
        let rest = LARGE - client.unread();
        while count < rest {
            let read = client.skim(&mut scratch);
            assert!(read > 0, "cut short after {count} bytes");
            count += read;
            reads += 1;
            if reads % 64 == 0 {
                most = most.max(gateway.resident_kib());
            }
        }
        assert!(most.saturating_sub(before) < GROWTH_KIB_MAX, "{before} KiB before, {most} KiB at most");
    });
}

#[test]
fn an_upload_waits_for_a_slow_origin_in_bounded_memory() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            let mut request = connection.head().expect("a head");
            std::thread::sleep(Duration::from_millis(150));
            let count = connection.skim_body(&request);
            request.body = count.to_string().into_bytes();
            connection.record(request);
            connection.send(&ok(&count.to_string()));
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).flags(["--limits=relaxed"]).start();
        let before = gateway.resident_kib();
        let mut client = gateway.connect();
        client.send(format!("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: {LARGE}\r\n\r\n").as_bytes());
        let mut writer = client.tcp().try_clone().expect("a descriptor");
        let uploading = std::thread::spawn(move || {
            for _ in 0..LARGE / PIECE.len() {
                writer.write_all(&PIECE).expect("the gateway reads");
            }
        });
        let mut most = 0;
        while !uploading.is_finished() {
            most = most.max(gateway.resident_kib());
            std::thread::sleep(Duration::from_millis(10));
        }
        uploading.join().expect("all was sent");
        assert_eq!(client.response().text(), LARGE.to_string());
        assert!(most.saturating_sub(before) < GROWTH_KIB_MAX, "{before} KiB before, {most} KiB at most");
    });
}

#[test]
fn a_response_beyond_ten_megabytes_is_refused_or_cut() {
    each_driver(|driver| {
        let origin = Origin::start(|connection| {
            let request = connection.request().expect("a request");
            let size = 10_485_761;
            if request.target == "/said" {
                connection.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").as_bytes());
                connection.send(&vec![b'x'; size]);
            } else {
                connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                connection.send(format!("{size:x}\r\n").as_bytes());
                connection.send(&vec![b'x'; size]);
                connection.send(b"\r\n0\r\n\r\n");
            }
        });
        let gateway = serving(&proxy_all(origin.port)).on(driver).start();
        assert_eq!(gateway.get("/said").status, 500);
        let mut client = gateway.connect();
        client.send(b"GET /grows HTTP/1.1\r\nHost: a.example\r\n\r\n");
        assert!(client.try_response(false).is_err(), "what was cut must not look whole");
        gateway.wait_for_metric("ringgate_responses_too_large_total", 1);
    });
}
