//! What a JSON body costs: reading it onto a tape, following paths, validating it, printing it.
//!
//! `cargo bench --bench json`. The mark for validating a body of 225 bytes, reading included, is 1 µs.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringgate_core::json::writer::write_json;
use ringgate_core::json::{JsonPath, Tape};
use ringgate_core::schema::Schema;

/// 225 bytes, as a client sends an order.
const BODY: &str = r#"{"orderId":"a81bc81b-dead-4e5d-abff-90865d1e13b1","customer":{"id":48151623,"name":"Ada Lovelace","email":"ada@example"},"items":[{"sku":"X-1","quantity":2,"price":249.99},{"sku":"Y-22","quantity":1,"price":5.0}],"gift":true}"#;

const SCHEMA: &str = r#"{"$schema":"http://json-schema.org/draft-04/schema#","type":"object",
    "required":["orderId","customer","items"],"additionalProperties":false,"properties":{
        "orderId":{"type":"string","minLength":36,"maxLength":36},
        "customer":{"type":"object","required":["id","name"],"properties":{
            "id":{"type":"integer","minimum":1},"name":{"type":"string","maxLength":100},"email":{"type":"string"}}},
        "items":{"type":"array","minItems":1,"maxItems":100,"items":{"type":"object","required":["sku","quantity"],
            "properties":{"sku":{"type":"string"},"quantity":{"type":"integer","minimum":1,"maximum":1000},
                "price":{"type":"number","minimum":0}}}},
        "gift":{"type":"boolean"}}}"#;

fn read(c: &mut Criterion) {
    let mut group = c.benchmark_group("json");
    let large = format!("[{}]", vec![BODY; 41].join(", "));
    for (name, body) in [("read/225", BODY), ("read/9300", large.as_str())] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        let mut tape = Tape::new();
        group.bench_function(name, |b| b.iter(|| tape.read(black_box(body.as_bytes())).expect("JSON").len()));
    }
}

fn use_tape(c: &mut Criterion) {
    assert_eq!(BODY.len(), 225);
    let mut tape = Tape::new();
    let root = tape.read(BODY.as_bytes()).expect("JSON");
    let mut out = Vec::with_capacity(4_096);
    c.bench_function("json/write/225", |b| {
        b.iter(|| {
            out.clear();
            write_json(black_box(root), &mut out);
            out.len()
        });
    });
    let paths = [("definite", "$.items[1].sku"), ("wildcard", "$.items[*].price"), ("descend", "$..sku")];
    for (name, path) in paths.into_iter().chain([("filter", "$.items[?(@.price > 100)].sku")]) {
        let path = JsonPath::compile(path).expect("a path");
        c.bench_function(&format!("json/path/{name}"), |b| b.iter(|| path.find(black_box(root)).is_ok()));
    }
}

fn validate(c: &mut Criterion) {
    let schema = Schema::compile(Tape::new().read(SCHEMA.as_bytes()).expect("JSON"), "", &()).expect("a schema");
    let mut tape = Tape::new();
    let root = tape.read(BODY.as_bytes()).expect("JSON");
    assert_eq!(schema.is_valid(root), Ok(true));
    c.bench_function("json/validate/225", |b| b.iter(|| schema.is_valid(black_box(root))));
    let mut tape = Tape::new();
    c.bench_function("json/read-and-validate/225", |b| {
        b.iter(|| schema.is_valid(tape.read(black_box(BODY.as_bytes())).expect("JSON")))
    });
    let wrong = BODY.replace("\"quantity\":1", "\"quantity\":0");
    c.bench_function("json/read-validate-and-explain/225", |b| {
        b.iter(|| schema.faults(tape.read(black_box(wrong.as_bytes())).expect("JSON")))
    });
}

criterion_group!(benches, read, use_tape, validate);
criterion_main!(benches);
