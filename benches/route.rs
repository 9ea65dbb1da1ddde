//! What finding a route costs: few and many routes, hot and spread, deep and full of variables.
//!
//! `cargo bench --bench route`. "hot" asks for 1,000 of the routes (or all, if fewer), "uniform" for all of them, both
//! in a shuffled order that the branch predictor cannot learn by heart.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringgate_core::plan::trie::{Captures, MethodKey, RouteIndex, Trie, TrieBuilder};

/// Services of fifty resources each: `/service-12/v1/orders-7/{id}`, every fourth with a static tail.
fn template(route: u32) -> String {
    let tail = if route.is_multiple_of(4) { "/details" } else { "" };
    format!("/service-{}/v1/orders-{}/{{id}}{tail}", route / 50, route % 50)
}

fn path(route: u32) -> String {
    template(route).replace("{id}", "c0ffee42")
}

fn trie(routes: u32) -> Trie {
    let mut builder = TrieBuilder::new();
    for route in 0..routes {
        builder.insert(&template(route), MethodKey::Get, RouteIndex(route)).expect("each route has its own path");
    }
    builder.freeze()
}

/// `count` of the routes, spread over all of them, in an order without pattern; one list of 4,096 or more.
fn requests(routes: u32, count: u32) -> Vec<String> {
    let count = count.min(routes);
    let stride = routes / count;
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    (0..count.max(4_096)).map(|_| path(draw() % count * stride)).collect()
}

fn bench_find(c: &mut Criterion, name: &str, trie: &Trie, paths: &[String]) {
    let mut captures = Captures::new();
    let mut next = 0;
    let mut group = c.benchmark_group("route");
    group.throughput(Throughput::Elements(1));
    group.bench_function(name, |b| {
        b.iter(|| {
            next = if next + 1 == paths.len() { 0 } else { next + 1 };
            trie.find(black_box(paths[next].as_bytes()), Some(MethodKey::Get), &mut captures).expect("a known route")
        });
    });
    group.finish();
}

fn number_of_routes(c: &mut Criterion) {
    for routes in [10, 1_000, 100_000] {
        let trie = trie(routes);
        bench_find(c, &format!("{routes}/hot"), &trie, &requests(routes, 1_000));
        bench_find(c, &format!("{routes}/uniform"), &trie, &requests(routes, routes));
    }
}

fn shape_of_routes(c: &mut Criterion) {
    let one = |template: &str| {
        let mut builder = TrieBuilder::new();
        builder.insert(template, MethodKey::Get, RouteIndex(0)).expect("a valid template");
        builder.freeze()
    };
    let paths = |path: &str| vec![path.to_owned(); 2];
    bench_find(c, "shape/root", &one("/"), &paths("/"));
    bench_find(c, "shape/proxy", &one("/{proxy+}"), &paths("/static/js/app.42.js"));
    bench_find(c, "shape/deep-32", &one(&"/segment".repeat(32)), &paths(&"/segment".repeat(32)));
    bench_find(c, "shape/variables-16", &one(&"/{v}".repeat(16)), &paths(&"/value".repeat(16)));
    let mut builder = TrieBuilder::new();
    builder.insert("/a/b/c/d", MethodKey::Post, RouteIndex(0)).expect("valid");
    builder.insert("/a/{x}/c/e", MethodKey::Get, RouteIndex(1)).expect("valid");
    builder.insert("/{proxy+}", MethodKey::Get, RouteIndex(2)).expect("valid");
    bench_find(c, "shape/falls-back", &builder.freeze(), &paths("/a/b/c/d"));
}

/// The worst that AWS's 300 resources can be made to do: every combination of a static and a variable child over seven
/// levels, none of which ends as the request does, and a proxy that takes it in the end.
fn worst_of_routes(c: &mut Criterion) {
    let mut builder = TrieBuilder::new();
    for choice in 0..1_u32 << 7 {
        let segment = |level: u32| if choice >> level & 1 == 0 { "/a" } else { "/{x}" };
        let template: String = (0..7_u32).map(segment).chain(["/end"]).collect();
        builder.insert(&template, MethodKey::Get, RouteIndex(choice)).expect("each has its own path");
    }
    builder.insert("/{proxy+}", MethodKey::Get, RouteIndex(999)).expect("valid");
    let path = format!("{}/other", "/a".repeat(7));
    bench_find(c, "worst/every-combination-7", &builder.freeze(), &[path.clone(), path]);
}

criterion_group!(benches, number_of_routes, shape_of_routes, worst_of_routes);
criterion_main!(benches);
