//! What a template costs: over plain variables, as `perf/velocity/Evaluate.java` does it with Apache Velocity 1.7, and
//! as a mapping template with a body to parse.
//!
//! `cargo bench --bench vtl`. The mark is 1 µs for each, and a third of Velocity's time: `perf/velocity/run` takes both in
//! turns, and for that this answers line after line with `--rounds`.

use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use criterion::{Criterion, criterion_group};
use ringgate_core::mapping::template::{Overrides, Renderer, Sample, Template};
use ringgate_core::vtl::{Coverage, Dialect, Document, Machine, Program, compile};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

const TEMPLATES: [(&str, &str); 3] = [
    ("rename", include_str!("../perf/velocity/rename.vtl")),
    ("loop", include_str!("../perf/velocity/loop.vtl")),
    ("pass", include_str!("../perf/velocity/pass.vtl")),
];

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

/// A template over plain variables, ready to run.
struct Plain<'v> {
    program: Program,
    variables: &'v Document,
    machine: Machine,
    out: Vec<u8>,
}

impl<'v> Plain<'v> {
    fn new(text: &str, variables: &'v Document) -> Self {
        let program = compile(text, Dialect::Velocity, Coverage::Off, &mut &*variables).expect("it compiles");
        Self { program, variables, machine: Machine::new(), out: Vec::with_capacity(4_096) }
    }

    fn run(&mut self) -> usize {
        self.out.clear();
        self.machine.run(&self.program, &mut &*self.variables, &mut self.out).expect("it runs");
        black_box(self.out.len())
    }
}

fn plain(c: &mut Criterion) {
    let variables = variables();
    for (name, text) in TEMPLATES {
        let mut plain = Plain::new(text, &variables);
        c.bench_function(&format!("vtl/plain/{name}"), |b| b.iter(|| plain.run()));
    }
}

/// The processor time of this thread: what others do on the machine is not in it.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Reads the name of a template and milliseconds from each line, evaluates for that long, and prints nanoseconds of
/// processor time for one evaluation: what `perf/velocity/Evaluate.java` does.
fn rounds() -> io::Result<()> {
    let variables = variables();
    let mut plain = TEMPLATES.map(|(name, text)| (name, Plain::new(text, &variables)));
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (asked, millis) = line.split_once(' ').unwrap_or((&line, "1000"));
        let time = Duration::from_millis(millis.parse().map_err(io::Error::other)?);
        let found = plain.iter_mut().find(|(name, _)| *name == asked);
        let (_, plain) = found.ok_or_else(|| io::Error::other("no such template"))?;
        let (start, mut count) = (processor_time(), 0_u32);
        while processor_time() - start < time {
            (0..1_000).for_each(|_| _ = plain.run());
            count += 1_000;
        }
        writeln!(io::stdout(), "{:.1}", (processor_time() - start).as_nanos() as f64 / f64::from(count))?;
    }
    Ok(())
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

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "--rounds") {
        return rounds();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    Ok(())
}
