//! Writes metrics as Prometheus reads them: the text format 0.0.4,
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! Pure: values in, text out. Names are part of the program and checked in debug builds; label values come from
//! outside and are escaped. [`Bounded`] keeps the number of label sets finite whatever clients send.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The value of the `Content-Type` header that goes with the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a bounded family calls everything that found no room.
pub const OTHER: &str = "other";

/// A page of metrics under construction.
#[derive(Default)]
pub struct Exposition {
    text: String,
}

/// One metric under construction; its samples follow its header without a gap, as the format demands.
pub struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

/// Names and values of a sample's labels.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

impl Exposition {
    /// An empty page.
    pub fn new() -> Self {
        Self::default()
    }

    /// A total that only grows; by convention its name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        debug_assert!(name.ends_with("_total"), "{name}: a counter's name ends in _total");
        self.family(name, help, "counter")
    }

    /// A value that goes up and down.
    pub fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, help, "gauge")
    }

    /// A distribution; its samples are written with [`Family::distribution`].
    pub fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, help, "histogram")
    }

    fn family(&mut self, name: &'static str, help: &str, kind: &str) -> Family<'_> {
        debug_assert!(is_metric_name(name), "{name}: not a metric name");
        // Only these two are escaped in help; quotes are not.
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        push(&mut self.text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { text: &mut self.text, name }
    }

    /// The finished page.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl Family<'_> {
    /// One sample of a counter or gauge.
    pub fn sample(&mut self, labels: Labels<'_>, value: u64) -> &mut Self {
        self.line("", labels, None, format_args!("{value}"))
    }

    /// One sample that is not a whole number.
    pub fn sample_f64(&mut self, labels: Labels<'_>, value: f64) -> &mut Self {
        self.line("", labels, None, format_args!("{}", Float(value)))
    }

    /// One histogram. `bounds` are the upper ends of the buckets, rising, without infinity; `counts` how many
    /// observations fell into each, not accumulated, with one more than `bounds` for those above the last.
    pub fn distribution(&mut self, labels: Labels<'_>, bounds: &[f64], counts: &[u64], sum: f64) -> &mut Self {
        debug_assert_eq!(counts.len(), bounds.len() + 1, "{}: one count for each bucket and one above", self.name);
        debug_assert!(bounds.is_sorted(), "{}: bounds must rise", self.name);
        let mut total = 0;
        for (bound, count) in bounds.iter().chain(&[f64::INFINITY]).zip(counts) {
            total += count;
            self.line("_bucket", labels, Some(*bound), format_args!("{total}"));
        }
        self.line("_sum", labels, None, format_args!("{}", Float(sum)));
        self.line("_count", labels, None, format_args!("{total}"))
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, le: Option<f64>, value: std::fmt::Arguments<'_>) -> &mut Self {
        push(self.text, format_args!("{}{suffix}", self.name));
        let mut separator = '{';
        for (name, value) in labels {
            debug_assert!(is_label_name(name), "{name}: not a label name");
            push(self.text, format_args!("{separator}{name}=\""));
            escape_into(self.text, value);
            self.text.push('"');
            separator = ',';
        }
        if let Some(bound) = le {
            push(self.text, format_args!("{separator}le=\"{}\"", Float(bound)));
            separator = ',';
        }
        if separator == ',' {
            self.text.push('}');
        }
        push(self.text, format_args!(" {value}\n"));
        self
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String cannot fail");
}

fn escape_into(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
}

/// A number as the format spells it: infinity has a sign and a name of its own.
struct Float(f64);

impl std::fmt::Display for Float {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            value if value.is_nan() => f.write_str("NaN"),
            value => value.fmt(f),
        }
    }
}

fn is_label_name(name: &str) -> bool {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !name.starts_with("__");
    starts_well && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && name != "le"
}

fn is_metric_name(name: &str) -> bool {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':');
    starts_well && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// Totals by a label that somebody outside chooses: the first `room` values get a sample each, all later ones share
/// [`OTHER`]. Once given, a sample stays, so no counter ever goes down.
pub struct Bounded {
    totals: BTreeMap<Box<str>, u64>,
    room: usize,
    other: u64,
}

impl Bounded {
    /// At most `room` values with a sample of their own.
    pub fn new(room: usize) -> Self {
        Self { totals: BTreeMap::new(), room, other: 0 }
    }

    /// Adds to a value's total.
    pub fn add(&mut self, value: &str, by: u64) {
        if let Some(total) = self.totals.get_mut(value) {
            *total += by;
        } else if self.totals.len() < self.room && value != OTHER {
            self.totals.insert(value.into(), by);
        } else {
            // A value that is itself called "other" lands here too: it must not become a second sample of that name.
            self.other += by;
        }
    }

    /// Every value with its total, those without room last and only if there were any.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        let other = (self.other > 0).then_some((OTHER, self.other));
        self.totals.iter().map(|(value, total)| (&**value, *total)).chain(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_gauges_have_a_header_and_samples() {
        let mut page = Exposition::new();
        page.counter("ringgate_requests_total", "Requests\nby \\ class.")
            .sample(&[("class", "2xx"), ("stage", "dev")], 3)
            .sample(&[("class", "4xx"), ("stage", "dev")], 0);
        page.gauge("ringgate_up", "Up.").sample(&[], 1).sample_f64(&[("x", "y")], 0.25);
        let expected = "# HELP ringgate_requests_total Requests\\nby \\\\ class.\n\
                        # TYPE ringgate_requests_total counter\n\
                        ringgate_requests_total{class=\"2xx\",stage=\"dev\"} 3\n\
                        ringgate_requests_total{class=\"4xx\",stage=\"dev\"} 0\n\
                        # HELP ringgate_up Up.\n\
                        # TYPE ringgate_up gauge\n\
                        ringgate_up 1\n\
                        ringgate_up{x=\"y\"} 0.25\n";
        assert_eq!(page.into_text(), expected);
    }

    #[test]
    fn label_values_cannot_break_out_of_their_quotes() {
        let mut page = Exposition::new();
        page.gauge("g", "h").sample(&[("path", "a\"} 1\ng{x=\"\\")], 1);
        assert!(page.into_text().ends_with("g{path=\"a\\\"} 1\\ng{x=\\\"\\\\\"} 1\n"));
    }

    #[test]
    fn buckets_accumulate_and_end_with_infinity() {
        let mut page = Exposition::new();
        page.histogram("h_seconds", "H.").distribution(&[("s", "d")], &[0.001, 0.5], &[2, 0, 1], 1.5);
        let text = page.into_text();
        let samples: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            samples,
            [
                "h_seconds_bucket{s=\"d\",le=\"0.001\"} 2",
                "h_seconds_bucket{s=\"d\",le=\"0.5\"} 2",
                "h_seconds_bucket{s=\"d\",le=\"+Inf\"} 3",
                "h_seconds_sum{s=\"d\"} 1.5",
                "h_seconds_count{s=\"d\"} 3",
            ]
        );
    }

    #[test]
    fn a_histogram_without_labels_has_only_its_bound() {
        let mut page = Exposition::new();
        page.histogram("h", "H.").distribution(&[], &[], &[4], f64::NAN);
        assert!(page.into_text().ends_with("h_bucket{le=\"+Inf\"} 4\nh_sum NaN\nh_count 4\n"));
    }

    #[test]
    fn values_beyond_the_room_share_one_sample_and_nothing_is_lost() {
        let mut bounded = Bounded::new(2);
        for value in ["a", "b", "c", "a", "d", "other"] {
            bounded.add(value, 1);
        }
        assert_eq!(bounded.iter().collect::<Vec<_>>(), [("a", 2), ("b", 1), ("other", 3)]);
        assert_eq!(Bounded::new(2).iter().count(), 0);
    }

    #[test]
    fn names_are_checked() {
        assert!(is_metric_name("a:b_1") && !is_metric_name("1a") && !is_metric_name("a-b") && !is_metric_name(""));
        assert!(is_label_name("_a1") && !is_label_name("__a") && !is_label_name("le") && !is_label_name("a:b"));
    }
}
