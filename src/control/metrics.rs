//! The page that Prometheus scrapes.

use std::sync::Arc;

use ringgate_core::compile::StageName;
use ringgate_core::proto::h1::Refusal;
use ringgate_core::record::Counter;
use ringgate_core::record::histogram::HistogramSnapshot;

use super::gateway::Gateway;
use crate::shard::counters::{Block, Counters, FAILURES, RouteCounter, StageCounter, at};
use crate::telemetry::prometheus::Exposition;

pub use crate::telemetry::prometheus::CONTENT_TYPE;

/// Upper bounds of the latency buckets, in microseconds.
const BOUNDS_MICROS: [u64; 14] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 29_000_000];
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Everything that is counted, in the text format.
pub fn page(gateway: &Gateway) -> String {
    let shards = gateway.counters();
    let mut page = Exposition::new();
    describe_process(&mut page, gateway);
    describe_requests(&mut page, shards);
    describe_connections(&mut page, shards);
    describe_refusals(&mut page, shards);
    describe_origins(&mut page, shards);
    describe_log(&mut page, gateway);
    describe_stages(&mut page, gateway);
    describe_routes(&mut page, gateway);
    page.into_text()
}

fn sum(shards: &[Arc<Counters>], counter: impl Fn(&Counters) -> &Counter) -> u64 {
    shards.iter().map(|shard| counter(shard).value()).sum()
}

fn describe_process(page: &mut Exposition, gateway: &Gateway) {
    let catalog = gateway.catalog();
    page.gauge("ringgate_info", "Version and event-loop driver in use")
        .sample(&[("version", env!("CARGO_PKG_VERSION")), ("driver", gateway.driver.as_str())], 1);
    page.gauge("ringgate_shards", "Event loops").sample(&[], gateway.counters().len() as u64);
    page.gauge("ringgate_snapshot_version", "Version of the definitions being served").sample(&[], catalog.version);
    page.gauge("ringgate_snapshots_alive", "Versions of the definitions that some request may still be using")
        .sample(&[], catalog.versions_alive as u64);
    page.counter("ringgate_publications_late_total", "Versions that some event loop had not adopted in time")
        .sample(&[], gateway.late_publications());
}

fn describe_requests(page: &mut Exposition, shards: &[Arc<Counters>]) {
    let mut requests = page.counter("ringgate_requests_total", "Requests answered, by class of status");
    for (index, class) in CLASSES.iter().enumerate() {
        requests.sample(&[("class", class)], sum(shards, |shard| &shard.by_class[index]));
    }
    let mut whole = HistogramSnapshot::default();
    let mut integration = HistogramSnapshot::default();
    for shard in shards {
        whole.merge(&shard.latency.snapshot());
        integration.merge(&shard.integration_latency.snapshot());
    }
    let help = "From the head of a request to the end of its response";
    distribution(page, "ringgate_request_duration_seconds", help, &whole);
    let help = "From calling an integration to the head of its answer";
    distribution(page, "ringgate_integration_duration_seconds", help, &integration);
}

fn distribution(page: &mut Exposition, name: &'static str, help: &str, histogram: &HistogramSnapshot) {
    let mut before = 0;
    let mut counts: Vec<_> = histogram
        .cumulative(&BOUNDS_MICROS)
        .map(|(_, total)| {
            let count = total - before;
            before = total;
            count
        })
        .collect();
    counts.push(histogram.count() - before);
    let bounds = BOUNDS_MICROS.map(|micros| micros as f64 / 1e6);
    page.histogram(name, help).distribution(&[], &bounds, &counts, histogram.sum_micros as f64 / 1e6);
}

fn describe_connections(page: &mut Exposition, shards: &[Arc<Counters>]) {
    let mut gauge = |name, help, counter: fn(&Counters) -> &Counter| {
        page.gauge(name, help).sample(&[], sum(shards, counter));
    };
    gauge("ringgate_connections", "Client connections open", |shard| &shard.open);
    gauge("ringgate_connections_parked", "Client connections idle for a while", |shard| &shard.parked);
    gauge("ringgate_buffer_bytes", "Bytes of buffers in use", |shard| &shard.memory);
    let mut total = |name, help, counter: fn(&Counters) -> &Counter| {
        page.counter(name, help).sample(&[], sum(shards, counter));
    };
    total("ringgate_connections_accepted_total", "Client connections accepted", |shard| &shard.accepted);
    total("ringgate_accept_out_of_descriptors_total", "Times no descriptor was left to accept with", |shard| {
        &shard.out_of_descriptors
    });
    total("ringgate_client_aborts_total", "Responses a client did not take whole", |shard| &shard.client_aborts);
    let mut shed = page.counter("ringgate_shed_total", "Connections and requests turned away with 503, by cap");
    shed.sample(&[("cap", "connections")], sum(shards, |shard| &shard.shed_connections));
    shed.sample(&[("cap", "memory")], sum(shards, |shard| &shard.shed_memory));
    shed.sample(&[("cap", "origin_connections")], sum(shards, |shard| &shard.shed_origin));
}

fn describe_refusals(page: &mut Exposition, shards: &[Arc<Counters>]) {
    let mut refusals = page.counter("ringgate_refused_messages_total", "Client messages refused, by reason");
    for reason in Refusal::ALL {
        refusals.sample(&[("reason", reason.label())], sum(shards, |shard| &shard.refusals[reason.index()]));
    }
    refusals.sample(&[("reason", "head_timeout")], sum(shards, |shard| &shard.head_timeouts));
    refusals.sample(&[("reason", "body_timeout")], sum(shards, |shard| &shard.body_timeouts));
    refusals.sample(&[("reason", "proxy_header")], sum(shards, |shard| &shard.proxy_header_refusals));
}

fn describe_origins(page: &mut Exposition, shards: &[Arc<Counters>]) {
    let mut failures =
        page.counter("ringgate_integration_failures_total", "Calls to integrations that failed, by cause");
    for (index, cause) in FAILURES.iter().enumerate() {
        failures.sample(&[("cause", cause)], sum(shards, |shard| &shard.call_failures[index]));
    }
    let mut broken = page.counter("ringgate_broken_answers_total", "Answers of origins that break HTTP, by reason");
    for reason in Refusal::ALL {
        let count = sum(shards, |shard| &shard.broken_answers[reason.index()]);
        if count > 0 {
            broken.sample(&[("reason", reason.label())], count);
        }
    }
    let mut total = |name, help, counter: fn(&Counters) -> &Counter| {
        page.counter(name, help).sample(&[], sum(shards, counter));
    };
    total("ringgate_origin_connects_total", "Connections opened to origins", |shard| &shard.origin_connects);
    total("ringgate_origin_reuses_total", "Calls on kept connections", |shard| &shard.origin_reuses);
    total("ringgate_origin_retries_total", "Calls repeated because a kept connection had died", |shard| {
        &shard.origin_retries
    });
    total("ringgate_origin_aborts_total", "Responses cut short because the origin broke off", |shard| {
        &shard.origin_aborts
    });
    total("ringgate_origin_early_answers_total", "Answers that came before the body was sent", |shard| {
        &shard.early_answers
    });
    total("ringgate_responses_too_large_total", "Responses beyond the payload limit", |shard| &shard.too_large);
    let mut connections = page.gauge("ringgate_origin_connections", "Connections to origins, by state");
    connections.sample(&[("state", "open")], sum(shards, |shard| &shard.origin_open));
    connections.sample(&[("state", "idle")], sum(shards, |shard| &shard.origin_idle));
    page.gauge("ringgate_origin_addresses_set_aside", "Addresses passed over after a failure")
        .sample(&[], sum(shards, |shard| &shard.origin_set_aside));
}

fn describe_log(page: &mut Exposition, gateway: &Gateway) {
    let log = gateway.log.counters();
    page.counter("ringgate_log_lines_total", "Access-log lines taken").sample(&[], log.lines);
    page.counter("ringgate_log_dropped_total", "Access-log lines that found no room").sample(&[], log.dropped);
    page.counter("ringgate_log_lost_total", "Access-log lines lost to failed writes").sample(&[], log.lost);
    page.counter("ringgate_log_write_errors_total", "Writes of the access log that failed")
        .sample(&[], log.write_errors);
}

/// Sums what is counted under slots: those that have a name one by one, the rest together.
struct BySlot<'c, N, C> {
    names: &'c [Option<Arc<N>>],
    slots: u32,
    blocks: Vec<Vec<Block<C>>>,
}

impl<N, C> BySlot<'_, N, C> {
    fn total(&self, slot: u32, counter: &impl Fn(&C) -> &Counter) -> u64 {
        self.blocks.iter().filter_map(|blocks| at(blocks, slot)).map(|counted| counter(counted).value()).sum()
    }

    fn named(&self, counter: impl Fn(&C) -> &Counter) -> impl Iterator<Item = (&N, u64)> {
        let named = (0..).zip(self.names).filter_map(|(slot, name)| Some((name.as_deref()?, slot)));
        named.map(move |(name, slot)| (name, self.total(slot, &counter))).filter(|(_, count)| *count > 0)
    }

    fn others(&self, counter: impl Fn(&C) -> &Counter) -> u64 {
        let first = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        (first..self.slots).map(|slot| self.total(slot, &counter)).sum()
    }
}

fn canary_label(stage: &StageName) -> &'static str {
    if stage.is_canary { "true" } else { "false" }
}

fn describe_stages(page: &mut Exposition, gateway: &Gateway) {
    let catalog = gateway.catalog();
    let blocks = gateway.counters().iter().map(|shard| shard.stages.blocks(0)).collect();
    let stages = BySlot::<_, StageCounter> { names: &catalog.stages, slots: catalog.slots.stages, blocks };
    let mut requests = page.counter("ringgate_stage_requests_total", "Requests by stage and class of status");
    for (index, class) in CLASSES.iter().enumerate() {
        for (stage, count) in stages.named(|stage| &stage.by_class[index]) {
            let labels = [
                ("api_id", &*stage.api_id),
                ("stage", &*stage.stage),
                ("canary", canary_label(stage)),
                ("class", class),
            ];
            requests.sample(&labels, count);
        }
        let others = stages.others(|stage| &stage.by_class[index]);
        if others > 0 {
            requests.sample(&[("api_id", "other"), ("stage", "other"), ("canary", "other"), ("class", class)], others);
        }
    }
    let mut latency = page.counter("ringgate_stage_latency_seconds_total", "Time that requests took, by stage");
    for (stage, nanos) in stages.named(|stage| &stage.latency_nanos) {
        let labels = [("api_id", &*stage.api_id), ("stage", &*stage.stage), ("canary", canary_label(stage))];
        latency.sample_f64(&labels, nanos as f64 / 1e9);
    }
}

fn describe_routes(page: &mut Exposition, gateway: &Gateway) {
    let catalog = gateway.catalog();
    let blocks = gateway.counters().iter().map(|shard| shard.routes.blocks(0)).collect();
    let routes = BySlot::<_, RouteCounter> { names: &catalog.routes, slots: catalog.slots.routes, blocks };
    type Family = (&'static str, &'static str, fn(&RouteCounter) -> &Counter);
    let families: [Family; 3] = [
        ("ringgate_route_requests_total", "Requests by route", |route| &route.requests),
        ("ringgate_route_4xx_total", "Requests answered 4xx by route", |route| &route.client_errors),
        ("ringgate_route_5xx_total", "Requests answered 5xx by route", |route| &route.server_errors),
    ];
    for (name, help, counter) in families {
        let mut family = page.counter(name, help);
        for (route, count) in routes.named(counter) {
            let stage = &route.stage;
            let labels = [
                ("api_id", &*stage.api_id),
                ("stage", &*stage.stage),
                ("canary", canary_label(stage)),
                ("route", &*route.route),
            ];
            family.sample(&labels, count);
        }
        let others = routes.others(counter);
        if others > 0 {
            family.sample(&[("api_id", "other"), ("stage", "other"), ("canary", "other"), ("route", "other")], others);
        }
    }
}
