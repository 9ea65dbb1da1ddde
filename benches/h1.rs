//! HTTP/1.1 heads and bodies: reading them, and writing an answer.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringgate_core::base::time::WallTime;
use ringgate_core::proto::h1::{
    Chunked, HeadLimits, Progress, RequestHead, ResponseHead, encode_chunk_header, parse_request, parse_response, write,
};
use ringgate_core::proto::http::{DateLine, Method, Status};

const SIX_FIELDS: &[u8] = b"GET /prod/orders/42?expand=items&limit=20 HTTP/1.1\r\n\
    Host: a1b2c3d4e5.execute-api.example.com\r\n\
    User-Agent: orders-client/2.4.1\r\n\
    Accept: application/json\r\n\
    Accept-Encoding: gzip, br\r\n\
    X-Api-Key: 0123456789abcdef0123456789abcdef\r\n\
    Connection: keep-alive\r\n\r\n";

const BROWSER: &[u8] = b"GET /prod/catalogue/books?page=3&sort=newest HTTP/1.1\r\n\
    Host: shop.example.com\r\n\
    Connection: keep-alive\r\n\
    Cache-Control: max-age=0\r\n\
    sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Referer: https://shop.example.com/prod/catalogue\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Cookie: session=5f2b8c1e9d7a4f6083b2c1d0e9f8a7b6; theme=dark; consent=1\r\n\
    If-None-Match: \"3f80f-1b6-3e1cb03b\"\r\n\
    X-Forwarded-For: 203.0.113.7\r\n\
    DNT: 1\r\n\r\n";

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Server: origin/1.0\r\n\
    Content-Type: application/json\r\n\
    Content-Length: 1024\r\n\
    ETag: \"3f80f-1b6-3e1cb03b\"\r\n\
    Connection: keep-alive\r\n\r\n";

fn heads(c: &mut Criterion) {
    let mut group = c.benchmark_group("head");
    for (name, bytes) in [("6 fields", SIX_FIELDS), ("browser, 20 fields", BROWSER)] {
        let (limits, mut head) = (HeadLimits::default(), RequestHead::new());
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                assert_eq!(parse_request(black_box(bytes), &limits, &mut head), Ok(Progress::Complete(bytes.len())))
            });
        });
    }
    let (limits, mut head) = (HeadLimits::for_origin(), ResponseHead::new());
    group.throughput(Throughput::Bytes(RESPONSE.len() as u64));
    group.bench_function("response, 6 fields", |b| {
        b.iter(|| parse_response(black_box(RESPONSE), &limits, Method::Get, &mut head).expect("well formed"));
    });
    group.finish();
}

fn dripping(c: &mut Criterion) {
    let (limits, mut head) = (HeadLimits::default(), RequestHead::new());
    c.bench_function("head, browser, a byte at a time", |b| {
        b.iter(|| {
            for end in 1..=BROWSER.len() {
                parse_request(black_box(&BROWSER[..end]), &limits, &mut head).expect("well formed");
            }
        });
    });
}

fn chunked(c: &mut Criterion) {
    let mut group = c.benchmark_group("chunked");
    for chunk_len in [512, 8_192, 65_536] {
        let body = chunked_body(65_536, chunk_len);
        group.throughput(Throughput::Bytes(65_536));
        group.bench_function(format!("64 KiB in chunks of {chunk_len}"), |b| {
            b.iter(|| decode_all(black_box(&body)));
        });
    }
    group.finish();
}

fn chunked_body(len: usize, chunk_len: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..len / chunk_len {
        encode_chunk_header(chunk_len, &mut body);
        body.resize(body.len() + chunk_len, b'x');
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    body
}

fn decode_all(body: &[u8]) -> usize {
    let (mut chunked, mut at, mut content) = (Chunked::new(), 0, 0);
    while !chunked.is_ended() {
        let step = chunked.decode(&body[at..]).expect("well formed");
        at += step.consumed;
        content += step.data.len();
    }
    content
}

fn answers(c: &mut Criterion) {
    let now = WallTime::from_millis(1_700_000_000_000);
    let (mut date, mut out) = (DateLine::new(now), Vec::with_capacity(1024));
    c.bench_function("write a response head, 6 fields", |b| {
        b.iter(|| {
            out.clear();
            write::write_status_line(Status::OK, &mut out);
            out.extend_from_slice(date.line(black_box(now)));
            write::write_field(b"Content-Type", black_box(b"application/json"), &mut out).expect("printable");
            write::write_length(black_box(1024), &mut out);
            write::write_field(b"Connection", b"keep-alive", &mut out).expect("printable");
            write::write_field(b"x-amzn-RequestId", black_box(b"6cd1c3e6-7a8b-11ee-b962-0242ac120002"), &mut out)
                .expect("printable");
            write::write_field(b"x-amz-apigw-id", black_box(b"OFfyPGr1IAMFwlQ="), &mut out).expect("printable");
            write::end_head(&mut out);
            black_box(&out);
        });
    });
}

criterion_group!(benches, heads, dripping, chunked, answers);
criterion_main!(benches);
