//! Counters that one thread writes and any thread reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// A count with a single writer.
///
/// Adding is a plain load and a plain store: with one writer nothing can be lost between them, and it costs a tenth of
/// an atomic addition with its bus lock. Two writers would lose counts, but nothing worse.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Zero.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds `amount`. Only the owning thread calls this. Wraps around after 2^64.
    pub fn add(&self, amount: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }

    /// Adds one. Only the owning thread calls this.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Replaces the value, for counts that go down as well (connections open now). Only the owning thread calls this.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The count so far; another thread may see it a little late.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_adds_sets_and_wraps() {
        let counter = Counter::new();
        counter.increment();
        counter.add(41);
        assert_eq!(counter.value(), 42);
        counter.set(u64::MAX);
        counter.increment();
        assert_eq!(counter.value(), 0);
    }
}
