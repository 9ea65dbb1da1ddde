//! A latency histogram of fixed size: one thread records, any thread reads.
//!
//! Log-linear: every power of two is cut into 32 equal buckets, so a bucket is at most 1/32 (3.2 %) of its value wide,
//! from 1 µs (exact up to 64 µs) to 67 s. Longer times count in the last bucket.

use super::Counter;

/// Buckets per power of two, as a power of two.
const STEPS_LOG2: u32 = 5;
const STEPS: usize = 1 << STEPS_LOG2;
/// Values below 2^26 µs = 67 s have buckets of their own.
const VALUE_LOG2_MAX: u32 = 26;
/// Number of buckets.
pub const BUCKETS: usize = STEPS * (VALUE_LOG2_MAX - STEPS_LOG2 + 1) as usize;

const _: () = assert!(size_of::<Histogram>() <= 10 * 1024, "a histogram is at most 10 KiB");
const _: () = assert!(1 << VALUE_LOG2_MAX > 60_000_000, "a minute has a bucket of its own");

/// Latencies in microseconds, counted by one thread.
#[derive(Debug)]
pub struct Histogram {
    counts: [Counter; BUCKETS],
    sum: Counter,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// No values.
    pub const fn new() -> Self {
        Self { counts: [const { Counter::new() }; BUCKETS], sum: Counter::new() }
    }

    /// Counts one value. Only the owning thread calls this.
    pub fn record(&self, micros: u64) {
        self.counts[bucket_of(micros)].increment();
        self.sum.add(micros);
    }

    /// A copy to compute with. Values recorded meanwhile may be in or not.
    pub fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot { counts: self.counts.iter().map(Counter::value).collect(), sum_micros: self.sum.value() }
    }
}

/// The state of one histogram, or of several added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramSnapshot {
    /// Empty, or one count per bucket.
    counts: Vec<u64>,
    /// Sum of all values in microseconds, exact.
    pub sum_micros: u64,
}

impl Default for HistogramSnapshot {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], sum_micros: 0 }
    }
}

impl HistogramSnapshot {
    /// Adds another shard's values.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.wrapping_add(*more);
        }
        self.sum_micros = self.sum_micros.wrapping_add(other.sum_micros);
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The value in microseconds that `quantile` (0 to 1) of all values do not exceed, at most 3.2 % too high.
    /// `None` if there are no values.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let count = self.count();
        let rank = ((quantile.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0;
        let bucket = self.counts.iter().position(|in_bucket| {
            seen += in_bucket;
            seen >= rank
        });
        bucket.map(highest_of)
    }

    /// For each bound in microseconds, ascending, the number of values at most that large: the cumulative buckets of a
    /// Prometheus histogram. A value within 3.2 % above a bound may be counted as below it or not, but counts never
    /// decrease along the bounds.
    pub fn cumulative<'h>(&'h self, bounds: &'h [u64]) -> impl Iterator<Item = (u64, u64)> + 'h {
        bounds.iter().map(|&bound| (bound, self.counts[..=bucket_of(bound)].iter().sum()))
    }
}

fn bucket_of(micros: u64) -> usize {
    let log2 = micros.checked_ilog2().unwrap_or(0);
    if log2 < STEPS_LOG2 {
        return micros as usize;
    }
    if log2 >= VALUE_LOG2_MAX {
        return BUCKETS - 1;
    }
    // The STEPS_LOG2 bits after the leading one say which part of the power of two it is.
    let step = (micros >> (log2 - STEPS_LOG2)) as usize & (STEPS - 1);
    STEPS * (log2 - STEPS_LOG2 + 1) as usize + step
}

/// The largest value that counts in a bucket.
fn highest_of(bucket: usize) -> u64 {
    let (power, step) = (bucket / STEPS, (bucket % STEPS) as u64);
    match power {
        0 => step,
        _ => ((STEPS as u64 + step + 1) << (power - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_follows_the_one_before_without_a_gap() {
        for bucket in 0..BUCKETS - 1 {
            let highest = highest_of(bucket);
            assert_eq!(bucket_of(highest), bucket);
            assert_eq!(bucket_of(highest + 1), bucket + 1);
        }
        assert_eq!(highest_of(BUCKETS - 1), (1 << VALUE_LOG2_MAX) - 1);
    }

    #[test]
    fn a_bucket_is_at_most_a_thirty_second_of_its_value_wide() {
        for micros in (0..70_000_000_u64).step_by(997) {
            let reported = highest_of(bucket_of(micros));
            assert!(reported >= micros.min(highest_of(BUCKETS - 1)), "{micros}");
            assert!(reported.saturating_sub(micros) <= micros / 32 + 1, "{micros} reported as {reported}");
        }
    }

    #[test]
    fn quantiles_of_known_values() {
        let histogram = Histogram::new();
        assert_eq!(histogram.snapshot().quantile(0.5), None);
        for micros in 1..=1_000 {
            histogram.record(micros);
        }
        let snapshot = histogram.snapshot();
        for (quantile, truth) in [(0.0, 1), (0.5, 500), (0.99, 990), (1.0, 1_000)] {
            let reported = snapshot.quantile(quantile).expect("there are values");
            assert!((truth..=truth + truth / 31).contains(&reported), "{quantile}: {reported}");
        }
        assert_eq!((snapshot.count(), snapshot.sum_micros), (1_000, 500_500));
    }

    #[test]
    fn values_beyond_the_range_count_in_the_last_bucket() {
        let histogram = Histogram::new();
        histogram.record(0);
        histogram.record(u64::MAX);
        let snapshot = histogram.snapshot();
        assert_eq!((snapshot.quantile(0.5), snapshot.quantile(1.0)), (Some(0), Some(highest_of(BUCKETS - 1))));
    }

    #[test]
    fn shards_add_up_and_cumulative_counts_never_decrease() {
        let (one, other) = (Histogram::new(), Histogram::new());
        one.record(100);
        other.record(10_000);
        let mut sum = HistogramSnapshot::default();
        sum.merge(&one.snapshot());
        sum.merge(&other.snapshot());
        let buckets: Vec<_> = sum.cumulative(&[50, 1_000, 100_000, u64::MAX]).collect();
        assert_eq!(buckets, [(50, 0), (1_000, 1), (100_000, 2), (u64::MAX, 2)]);
    }
}
