//! What a load has seen: latencies, errors by kind, bytes, and all of it over time.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Load, Nanos};

/// Longest latency told apart, one hour.
const LATENCY_NANOS_MAX: u64 = 3_600_000_000_000;
/// Longest latency told apart in the timeline, in microseconds: one minute.
const TIMELINE_MICROS_MAX: u64 = 60_000_000;

/// Why a request has no good answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The connection could not be made.
    Connect,
    /// The connection ended under a request.
    Reset,
    /// The answer was not the expected status.
    Status,
    /// The answer was not of the expected length.
    Length,
    /// What came was not HTTP.
    Protocol,
    /// No answer came in time.
    Timeout,
}

impl Failure {
    /// All of them, with the names reports use.
    pub const ALL: [(Self, &str); 6] = [
        (Self::Connect, "connect"),
        (Self::Reset, "reset"),
        (Self::Status, "status"),
        (Self::Length, "length"),
        (Self::Protocol, "protocol"),
        (Self::Timeout, "timeout"),
    ];
}

/// How many of each [`Failure`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Failures([u64; Failure::ALL.len()]);

impl Failures {
    /// One more.
    pub fn count(&mut self, failure: Failure) {
        self.0[failure as usize] += 1;
    }

    /// So many of one kind.
    pub fn of(&self, failure: Failure) -> u64 {
        self.0[failure as usize]
    }

    /// So many of all kinds.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }
}

/// A piece of the measured time.
#[derive(Clone)]
pub struct Bucket {
    /// Good answers that arrived in it.
    pub completed: u64,
    /// Failures in it.
    pub failed: u64,
    /// Latencies of those answers, in microseconds.
    pub latency_us: Histogram<u32>,
}

impl Bucket {
    fn new() -> Self {
        let latency_us = Histogram::new_with_bounds(1, TIMELINE_MICROS_MAX, 2).expect("the bounds are constant");
        Self { completed: 0, failed: 0, latency_us }
    }
}

/// An answer, or its absence, with the moments that matter.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When the request was meant to be sent; in a closed loop, when it was.
    pub intended: Nanos,
    /// When it was sent.
    pub sent: Nanos,
    /// When the answer was complete.
    pub done: Nanos,
}

/// Counts of one thread, or of all.
pub struct Tally {
    begin: Nanos,
    end: Nanos,
    bucket_width: Nanos,
    /// Good answers that arrived in the measured time.
    pub completed: u64,
    /// Bytes read in the measured time.
    pub bytes_read: u64,
    /// Failures in the measured time.
    pub errors: Failures,
    /// Requests that were due in the measured time and had no answer at the very end. They are in
    /// [`Self::latency`] with the time they had waited.
    pub unfinished: u64,
    /// Times a connection was made again.
    pub reconnects: u64,
    /// From the intended moment to the whole answer, for requests meant for the measured time.
    pub latency: Histogram<u64>,
    /// From the moment of sending to the whole answer, for the same requests.
    pub service: Histogram<u64>,
    /// The measured time in pieces, by the moment of the answer.
    pub timeline: Vec<Bucket>,
}

impl Tally {
    /// Nothing yet.
    pub fn new(load: &Load) -> Self {
        let begin = load.warmup.as_nanos() as Nanos;
        let histogram = || Histogram::new_with_bounds(1, LATENCY_NANOS_MAX, 3).expect("the bounds are constant");
        Self {
            begin,
            end: begin + load.duration.as_nanos() as Nanos,
            bucket_width: load.bucket_width().as_nanos() as Nanos,
            completed: 0,
            bytes_read: 0,
            errors: Failures::default(),
            unfinished: 0,
            reconnects: 0,
            latency: histogram(),
            service: histogram(),
            timeline: Vec::new(),
        }
    }

    /// The first moment measured.
    pub fn begin(&self) -> Nanos {
        self.begin
    }

    /// The first moment no longer measured.
    pub fn end(&self) -> Nanos {
        self.end
    }

    /// Counts a good answer.
    pub fn handle_answer(&mut self, sample: Sample) {
        if let Some(bucket) = self.bucket_at(sample.done) {
            bucket.completed += 1;
            bucket.latency_us.saturating_record((sample.done - sample.intended) / 1_000);
            self.completed += 1;
        }
        self.record(sample);
    }

    /// Counts a failure at `now`.
    pub fn handle_failure(&mut self, failure: Failure, now: Nanos) {
        if let Some(bucket) = self.bucket_at(now) {
            bucket.failed += 1;
            self.errors.count(failure);
        }
    }

    /// Counts bytes read at `now`.
    pub fn handle_bytes(&mut self, count: usize, now: Nanos) {
        if (self.begin..self.end).contains(&now) {
            self.bytes_read += count as u64;
        }
    }

    /// Counts a request that was due and is given up: its latency is at least what it has waited.
    pub fn handle_unfinished(&mut self, intended: Nanos, now: Nanos) {
        self.unfinished += 1;
        self.record(Sample { intended, sent: intended, done: now });
    }

    /// The 99th percentile of the newest finished bucket, in microseconds.
    pub fn recent_p99_us(&self) -> u64 {
        let bucket = self.timeline.iter().rev().nth(1).or(self.timeline.last());
        bucket.map_or(0, |bucket| bucket.latency_us.value_at_quantile(0.99))
    }

    /// Adds what another thread has seen of the same load.
    pub fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        self.bytes_read += other.bytes_read;
        self.errors.add(&other.errors);
        self.unfinished += other.unfinished;
        self.reconnects += other.reconnects;
        self.latency.add(&other.latency).expect("all tallies have the same bounds");
        self.service.add(&other.service).expect("all tallies have the same bounds");
        self.timeline.resize_with(self.timeline.len().max(other.timeline.len()), Bucket::new);
        for (sum, more) in self.timeline.iter_mut().zip(&other.timeline) {
            sum.completed += more.completed;
            sum.failed += more.failed;
            sum.latency_us.add(&more.latency_us).expect("all buckets have the same bounds");
        }
    }

    /// Good answers a second.
    pub fn rate(&self) -> f64 {
        self.completed as f64 / Duration::from_nanos(self.end - self.begin).as_secs_f64()
    }

    fn record(&mut self, sample: Sample) {
        if (self.begin..self.end).contains(&sample.intended) {
            self.latency.saturating_record(sample.done - sample.intended);
            self.service.saturating_record(sample.done - sample.sent);
        }
    }

    fn bucket_at(&mut self, now: Nanos) -> Option<&mut Bucket> {
        if !(self.begin..self.end).contains(&now) {
            return None;
        }
        let index = ((now - self.begin) / self.bucket_width) as usize;
        if index >= self.timeline.len() {
            self.timeline.resize_with(index + 1, Bucket::new);
        }
        Some(&mut self.timeline[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::requests::Requests;

    fn tally() -> Tally {
        let requests = Requests::build("GET", "h:1", &[], b"", &["/".to_owned()]).unwrap();
        let mut load = Load::closed(([127, 0, 0, 1], 1).into(), requests, 1, Duration::from_secs(1));
        load.warmup = Duration::from_secs(1);
        Tally::new(&load)
    }

    #[test]
    fn only_the_measured_time_counts() {
        let mut tally = tally();
        let sample = |intended, done| Sample { intended, sent: intended, done };
        tally.handle_answer(sample(900_000_000, 999_999_999));
        tally.handle_answer(sample(1_100_000_000, 1_200_000_000));
        // Meant for the measured time, answered after it: its latency counts, its throughput does not.
        tally.handle_answer(sample(1_900_000_000, 2_100_000_000));
        tally.handle_failure(Failure::Reset, 2_000_000_000);
        assert_eq!((tally.completed, tally.latency.len(), tally.errors.total()), (1, 2, 0));
        assert_eq!(tally.timeline.len(), 3);
    }

    #[test]
    fn waiting_for_a_connection_is_latency_but_not_service() {
        let mut tally = tally();
        tally.handle_answer(Sample { intended: 1_100_000_000, sent: 1_500_000_000, done: 1_500_001_000 });
        assert!(tally.latency.max() >= 400_000_000);
        assert!(tally.service.max() < 2_000);
    }

    #[test]
    fn tallies_of_threads_add_up() {
        let (mut sum, mut one) = (tally(), tally());
        one.handle_answer(Sample { intended: 1_000_000_000, sent: 1_000_000_000, done: 1_500_000_000 });
        one.handle_failure(Failure::Status, 1_000_000_000);
        sum.add(&one);
        sum.add(&one);
        assert_eq!((sum.completed, sum.errors.of(Failure::Status), sum.latency.len()), (2, 2, 2));
        assert_eq!(sum.timeline.iter().map(|bucket| bucket.completed).sum::<u64>(), 2);
    }
}
