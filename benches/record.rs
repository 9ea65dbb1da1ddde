//! What remembering a request costs: the access-log line, the clock text, a latency, the ids.
//!
//! `cargo bench --bench record`. The mark for the default line is 250 ns.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ringgate_core::base::WallTime;
use ringgate_core::mapping::ContextVariable;
use ringgate_core::record::clf::ClfClock;
use ringgate_core::record::ids::{TraceSeed, request_id, trace_header};
use ringgate_core::record::{AccessLogProgram, Histogram};

/// The common log format of the developer guide.
const CLF: &str = "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime]\
                   \"$context.httpMethod $context.resourcePath $context.protocol\" $context.status \
                   $context.responseLength $context.requestId $context.extendedRequestId";

/// A finished request as a shard holds it: text in buffers, numbers as numbers.
struct Finished {
    clock: ClfClock,
    time: WallTime,
    request_id: [u8; 36],
    status: u16,
    length: u64,
    latency: u64,
}

impl Finished {
    fn new() -> Self {
        let time = WallTime::from_millis(1_735_689_599_123);
        let request_id = request_id([7; 16]);
        Self { clock: ClfClock::new(), time, request_id, status: 200, length: 1_024, latency: 12 }
    }

    fn write(&mut self, variable: &ContextVariable, out: &mut Vec<u8>) -> bool {
        use ContextVariable as V;
        match variable {
            V::RequestId => out.extend_from_slice(&self.request_id),
            V::ExtendedRequestId => out.extend_from_slice(b"aGVsbG8gd29ybGQ="),
            V::IdentitySourceIp => out.extend_from_slice(b"203.0.113.195"),
            V::RequestTime => out.extend_from_slice(self.clock.text(self.time)),
            V::HttpMethod => out.extend_from_slice(b"GET"),
            V::ResourcePath => out.extend_from_slice(b"/pets/{petId}"),
            V::Path => out.extend_from_slice(b"/dev/pets/4711"),
            V::Protocol => out.extend_from_slice(b"HTTP/1.1"),
            V::IdentityUserAgent => out.extend_from_slice(b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101"),
            V::ApiId => out.extend_from_slice(b"a1b2c3d4e5"),
            V::Stage => out.extend_from_slice(b"dev"),
            V::Status | V::IntegrationStatus => number(self.status.into(), out),
            V::ResponseLength => number(self.length, out),
            V::ResponseLatency | V::IntegrationLatency => number(self.latency, out),
            _ => return false,
        }
        true
    }
}

fn number(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn bench_line(c: &mut Criterion, name: &str, program: &AccessLogProgram<ContextVariable>) {
    let mut request = Finished::new();
    let mut out = Vec::with_capacity(4_096);
    c.bench_function(name, |b| {
        b.iter(|| {
            out.clear();
            program.render(|variable, out| request.write(variable, out), &mut out);
            black_box(out.len())
        });
    });
}

fn access_log(c: &mut Criterion) {
    bench_line(c, "record/access-log/default-json", &AccessLogProgram::default_json(ContextVariable::scan));
    let (clf, _) = AccessLogProgram::compile(CLF, ContextVariable::scan).expect("the documented format");
    bench_line(c, "record/access-log/clf", &clf);
}

fn numbers(c: &mut Criterion) {
    let histogram = Histogram::new();
    let mut micros = 1;
    c.bench_function("record/histogram", |b| {
        b.iter(|| {
            micros = micros * 31 % 1_000_003;
            histogram.record(black_box(micros));
        });
    });
    c.bench_function("record/request-id", |b| b.iter(|| request_id(black_box([9; 16]))));
    let seed = TraceSeed { root: [1; 12], parent: [2; 8] };
    c.bench_function("record/trace-header", |b| {
        b.iter(|| trace_header(black_box(None), 1_735_689_599, black_box(seed)))
    });
}

criterion_group!(benches, access_log, numbers);
criterion_main!(benches);
