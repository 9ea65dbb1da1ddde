//! What a template costs: over plain variables, as `perf/velocity/Evaluate.java` does it with Apache Velocity 1.7, and
//! as a mapping template with a body to parse.
//!
//! `cargo bench --bench vtl`. The mark is 1 µs for each, and a third of Velocity's time.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ringgate_core::mapping::template::{Overrides, Renderer, Sample, Template};
use ringgate_core::vtl::{Coverage, Dialect, Document, Machine, compile};
use serde_json::json;

const RENAME: &str = include_str!("../perf/velocity/rename.vtl");
const LOOP: &str = include_str!("../perf/velocity/loop.vtl");
const PASS: &str = include_str!("../perf/velocity/pass.vtl");

fn variables() -> Document {
    let items: Vec<_> = (0..10).map(|i| json!({"sku": format!("sku-000{i}"), "qty": i})).collect();
    Document::new(&json!({
        "order": {
            "orderId": "o-4711",
            "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
            "total": 249.5,
            "currency": "EUR",
        },
        "items": items,
        "body": format!("{{\"message\": \"{}\"}}", "x".repeat(200)),
    }))
}

fn plain(c: &mut Criterion) {
    let variables = variables();
    for (name, text) in [("rename", RENAME), ("loop", LOOP), ("pass", PASS)] {
        let program = compile(text, Dialect::Velocity, Coverage::Off, &mut &variables).expect("it compiles");
        let (mut machine, mut out) = (Machine::new(), Vec::with_capacity(4_096));
        c.bench_function(&format!("vtl/plain/{name}"), |b| {
            b.iter(|| {
                out.clear();
                machine.run(&program, &mut &variables, &mut out).expect("it runs");
                black_box(out.len())
            });
        });
    }
}

fn mapping(c: &mut Criterion) {
    let items: Vec<_> = (0..10).map(|i| json!({"sku": format!("sku-000{i}"), "qty": i})).collect();
    let order =
        json!({"orderId": "o-4711", "customer": {"name": "Ada Lovelace", "email": "ada@example.com"}, "total": 249.5});
    let rename = "#set($o = $input.path('$')){\"id\": \"$o.orderId\", \"customer\": \"$o.customer.name\", \"total\": $o.total, \
                  \"stage\": \"$context.stage\", \"who\": \"$util.escapeJavaScript($o.customer.email)\"}";
    let looped = "{\"items\": [#foreach($i in $input.path('$.items')){\"sku\": \"$i.sku\", \"quantity\": $i.qty}\
                  #if($foreach.hasNext),#end#end]}";
    for (name, text, body) in [("rename", rename, order), ("loop", looped, json!({"items": items}))] {
        let sample = Sample {
            body: body.to_string().into_bytes(),
            context: vec![("stage".to_owned(), "prod".to_owned())],
            ..Sample::default()
        };
        let template = Template::compile(text, &sample).expect("it compiles");
        let (mut renderer, mut out) = (Renderer::new(), Vec::with_capacity(4_096));
        c.bench_function(&format!("vtl/mapping/{name}"), |b| {
            b.iter(|| {
                out.clear();
                let rendered = renderer.render(&template, &sample, &mut Overrides::default(), &mut out);
                rendered.expect("it runs");
                black_box(out.len())
            });
        });
    }
}

criterion_group!(benches, plain, mapping);
criterion_main!(benches);
