//! A load's result as one page that needs nothing else.

use std::fmt::Write as _;

use super::plot::{Axis, Chart, Line, Scale, escape, percentile_points};
use super::report::{QUANTILES, human_micros as ascii_micros, micros_at};
use super::tally::Failure;
use super::{Load, Pace, Tally};

const STYLE: &str = include_str!("report.css");

/// The whole page.
pub fn page(load: &Load, tally: &Tally) -> String {
    let url = escape(&load.url);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{url} · ringload</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         {}{}{}{}{}</main>\n</body>\n</html>\n",
        header(load, &url),
        tiles(tally),
        percentile_section(load, tally),
        timeline_section(load, tally),
        table(load, tally),
    )
}

fn header(load: &Load, url: &str) -> String {
    let pace = match load.pace {
        Pace::Closed => "closed loop: each connection asks again when it is answered".to_owned(),
        Pace::Constant(rate) => format!("open loop at a constant {} requests a second", grouped(rate)),
    };
    let (connections, threads, seconds) = (load.connections, load.threads, load.duration.as_secs_f64());
    format!(
        "<header><h1>{url}</h1>\n<p>{pace} · {connections} connections · {threads} thread{} · {seconds} s</p></header>\n",
        if threads == 1 { "" } else { "s" }
    )
}

fn tiles(tally: &Tally) -> String {
    let failed = tally.errors.total() + tally.unfinished;
    let tiles = [
        ("requests / s", grouped(tally.rate()), ""),
        ("median", human_micros(micros_at(&tally.latency, 0.5)), ""),
        ("99 %", human_micros(micros_at(&tally.latency, 0.99)), ""),
        ("99.9 %", human_micros(micros_at(&tally.latency, 0.999)), ""),
        ("maximum", human_micros(tally.latency.max() as f64 / 1_000.0), ""),
        ("failed", grouped(failed as f64), if failed > 0 { " class=\"bad\"" } else { "" }),
    ];
    let items: String =
        tiles.iter().map(|(name, value, class)| format!("<div{class}><dt>{name}</dt><dd>{value}</dd></div>")).collect();
    format!("<dl class=\"tiles\">{items}</dl>\n")
}

fn percentile_section(load: &Load, tally: &Tally) -> String {
    let (latency, service) = (percentile_points(&tally.latency), percentile_points(&tally.service));
    let is_open = load.pace != Pace::Closed;
    let last = latency.last().map_or(10.0, |point| point.0.max(10.0));
    let mut lines = vec![Line { class: "main", points: &latency, has_area: false }];
    if is_open {
        lines.insert(0, Line { class: "second", points: &service, has_area: false });
    }
    let chart = Chart {
        height: 340.0,
        title: "Latency by percentile",
        x: Axis { scale: Scale::Log { low: 1.0, high: last }, label: &percentile_name, ticks: Some(decades(last)) },
        y: Axis { scale: around(&[&latency, if is_open { &service } else { &[] }]), label: &tick_micros, ticks: None },
        lines: &lines,
        notes: &[],
    };
    let legend = if is_open {
        legend(&[
            ("main", "latency, from the moment a request was due"),
            ("second", "service time, from the moment it was sent"),
        ])
    } else {
        String::new()
    };
    format!("<section><h2>Latency by percentile</h2>\n{legend}{}</section>\n", chart.svg())
}

/// 1, 10, 100, … and twice 1: the median.
fn decades(last: f64) -> Vec<f64> {
    let powers = (1..).map(|power| 10f64.powi(power)).take_while(|value| *value <= last * 1.001);
    [1.0, 2.0].into_iter().chain(powers).collect()
}

fn percentile_name(x: f64) -> String {
    match x {
        x if x < 1.5 => "0 %".to_owned(),
        x if x < 2.5 => "50 %".to_owned(),
        x => {
            let decimals = (x.log10().round() as usize).saturating_sub(2);
            format!("{:.decimals$} %", 100.0 * (1.0 - 1.0 / x))
        }
    }
}

fn timeline_section(load: &Load, tally: &Tally) -> String {
    let width = load.bucket_width().as_secs_f64();
    let series = |value: &dyn Fn(&super::tally::Bucket) -> f64| -> Vec<(f64, f64)> {
        tally.timeline.iter().enumerate().map(|(index, bucket)| ((index as f64 + 0.5) * width, value(bucket))).collect()
    };
    let rate = series(&|bucket| bucket.completed as f64 / width);
    let failed = series(&|bucket| bucket.failed as f64 / width);
    let p50 = series(&|bucket| bucket.latency_us.value_at_quantile(0.5) as f64);
    let p99 = series(&|bucket| bucket.latency_us.value_at_quantile(0.99) as f64);
    let max = series(&|bucket| bucket.latency_us.max() as f64);
    let notes = timeline_notes(load, tally);
    let seconds = |value: f64| format!("{value} s");
    let x =
        || Axis { scale: Scale::Linear { low: 0.0, high: load.duration.as_secs_f64() }, label: &seconds, ticks: None };
    let most = rate.iter().chain(&failed).map(|point| point.1).fold(1.0, f64::max);
    let mut rate_lines = vec![Line { class: "main", points: &rate, has_area: true }];
    if tally.errors.total() > 0 {
        rate_lines.push(Line { class: "bad", points: &failed, has_area: false });
    }
    let throughput = Chart {
        height: 220.0,
        title: "Requests a second over time",
        x: x(),
        y: Axis { scale: Scale::from_zero(most), label: &grouped, ticks: None },
        lines: &rate_lines,
        notes: &notes,
    };
    let latency = Chart {
        height: 260.0,
        title: "Latency over time",
        x: x(),
        y: Axis { scale: around(&[&p50, &p99, &max]), label: &tick_micros, ticks: None },
        lines: &[
            Line { class: "faint", points: &max, has_area: false },
            Line { class: "second", points: &p99, has_area: false },
            Line { class: "main", points: &p50, has_area: false },
        ],
        notes: &notes,
    };
    let keys = legend(&[("main", "median"), ("second", "99 %"), ("faint", "maximum")]);
    format!(
        "<section><h2>Requests a second</h2>\n{}</section>\n<section><h2>Latency over time</h2>\n{keys}{}</section>\n",
        throughput.svg(),
        latency.svg()
    )
}

fn timeline_notes(load: &Load, tally: &Tally) -> Vec<(f64, f64, String)> {
    let width = load.bucket_width().as_secs_f64();
    let note = |(index, bucket): (usize, &super::tally::Bucket)| {
        let from = index as f64 * width;
        let latency = |quantile| human_micros(bucket.latency_us.value_at_quantile(quantile) as f64);
        let words = format!(
            "at {from:.1} s: {} requests a second, median {}, 99 % {}, maximum {}, {} failed",
            grouped(bucket.completed as f64 / width),
            latency(0.5),
            latency(0.99),
            latency(1.0),
            bucket.failed
        );
        (from, from + width, words)
    };
    tally.timeline.iter().enumerate().map(note).collect()
}

/// Microseconds as people say them, with the proper sign.
fn human_micros(micros: f64) -> String {
    ascii_micros(micros).replace(" us", " µs")
}

/// The same for the round values of an axis: `2 ms`, not `2.00 ms`.
fn tick_micros(micros: f64) -> String {
    let text = human_micros(micros);
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

fn around(series: &[&[(f64, f64)]]) -> Scale {
    Scale::log_around(series.iter().flat_map(|points| points.iter().map(|point| point.1)))
}

fn legend(entries: &[(&str, &str)]) -> String {
    let items: String =
        entries.iter().map(|(class, words)| format!("<li><i class=\"{class}\"></i>{words}</li>")).collect();
    format!("<ul class=\"legend\">{items}</ul>\n")
}

fn table(load: &Load, tally: &Tally) -> String {
    let mut rows = String::new();
    let is_open = load.pace != Pace::Closed;
    for (name, quantile) in QUANTILES {
        latency_row(&mut rows, name, is_open, |histogram| micros_at(histogram, quantile), tally);
    }
    latency_row(&mut rows, "max", is_open, |histogram| histogram.max() as f64 / 1_000.0, tally);
    latency_row(&mut rows, "mean", is_open, |histogram| histogram.mean() / 1_000.0, tally);
    let mut counts = format!(
        "<tr><th>answers</th><td>{}</td></tr><tr><th>megabytes read</th><td>{:.1}</td></tr>\
         <tr><th>connections made again</th><td>{}</td></tr><tr><th>unfinished</th><td>{}</td></tr>",
        grouped(tally.completed as f64),
        tally.bytes_read as f64 / 1e6,
        tally.reconnects,
        tally.unfinished
    );
    for (failure, name) in Failure::ALL {
        let _ = write!(counts, "<tr><th>errors: {name}</th><td>{}</td></tr>", tally.errors.of(failure));
    }
    let service = if is_open { "<th>service time</th>" } else { "" };
    format!(
        "<section class=\"tables\"><table><thead><tr><th></th><th>latency</th>{service}</tr></thead>\
         <tbody>{rows}</tbody></table>\n<table><tbody>{counts}</tbody></table></section>\n"
    )
}

fn latency_row(
    rows: &mut String,
    name: &str,
    is_open: bool,
    value: impl Fn(&hdrhistogram::Histogram<u64>) -> f64,
    tally: &Tally,
) {
    let _ = write!(rows, "<tr><th>{name}</th><td>{}</td>", human_micros(value(&tally.latency)));
    if is_open {
        let _ = write!(rows, "<td>{}</td>", human_micros(value(&tally.service)));
    }
    rows.push_str("</tr>");
}

/// A whole number with its thousands set apart.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
