//! The timetable of an open loop: when each request is meant to be sent.
//!
//! Latency counts from the intended moment, not from the moment a connection was free to send: a server that
//! stalls delays the requests that should have gone out meanwhile, and a generator that forgets them reports
//! the stall once instead of a thousand times (coordinated omission). No queue is kept for requests that are
//! due: they follow from the timetable.

use super::Nanos;

const NANOS_PER_SECOND: f64 = 1e9;

/// One thread's share of a constant rate. Thread `lane` of `lanes` sends requests `lane`, `lane + lanes`, …
#[derive(Debug)]
pub struct Schedule {
    first: Nanos,
    end: Nanos,
    rate: f64,
    next: u64,
    stride: u64,
}

impl Schedule {
    /// Requests at `rate` a second from `first` up to, not including, `end`.
    pub fn new(rate: f64, lane: usize, lanes: usize, first: Nanos, end: Nanos) -> Self {
        Self { first, end, rate, next: lane as u64, stride: lanes as u64 }
    }

    /// When the next request is meant to be sent; `None` when the timetable is at its end.
    pub fn next(&self) -> Option<Nanos> {
        // A double is exact to 2^53 ns, which is a hundred days.
        let intended = self.first + (self.next as f64 / self.rate * NANOS_PER_SECOND) as Nanos;
        (intended < self.end).then_some(intended)
    }

    /// Takes the next request if it is due: its intended moment.
    pub fn take_due(&mut self, now: Nanos) -> Option<Nanos> {
        let intended = self.next().filter(|&intended| intended <= now)?;
        self.next += self.stride;
        Some(intended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(schedule: &mut Schedule, now: Nanos) -> Vec<Nanos> {
        std::iter::from_fn(|| schedule.take_due(now)).collect()
    }

    #[test]
    fn requests_are_spaced_evenly_and_end() {
        let mut schedule = Schedule::new(4.0, 0, 1, 1_000, 1_000_001_000);
        assert!(drain(&mut schedule, 999).is_empty());
        assert_eq!(schedule.next(), Some(1_000));
        assert_eq!(drain(&mut schedule, u64::MAX), [1_000, 250_001_000, 500_001_000, 750_001_000]);
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn threads_share_the_timetable_without_gap_or_overlap() {
        let alone = drain(&mut Schedule::new(30_000.0, 0, 1, 0, 1_000_000_000), u64::MAX);
        let mut shared: Vec<_> =
            (0..3).flat_map(|lane| drain(&mut Schedule::new(30_000.0, lane, 3, 0, 1_000_000_000), u64::MAX)).collect();
        shared.sort_unstable();
        assert_eq!(alone, shared);
        assert_eq!(alone.len(), 30_000);
    }

    #[test]
    fn a_stall_makes_requests_late_but_loses_none() {
        let mut schedule = Schedule::new(1_000.0, 0, 1, 0, 10_000_000_000);
        assert_eq!(drain(&mut schedule, 0), [0]);
        let late = drain(&mut schedule, 500_000_000);
        assert_eq!(late.len(), 500);
        assert_eq!(late.first(), Some(&1_000_000), "the first of them has waited 499 ms");
    }
}
