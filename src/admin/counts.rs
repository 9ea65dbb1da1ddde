//! How often each operation of the management API was called, and how that ended.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// Calls by operation and outcome: the operations of a table and a few names of errors, so the set is bounded.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<(&'static str, &'static str), u64>>);

/// The operation of a call that names none that is known.
pub const UNKNOWN: &str = "Unknown";

impl Counts {
    /// Counts a call. `outcome` is `OK` or the name of an error.
    pub fn add(&self, operation: &'static str, outcome: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((operation, outcome)).or_default() += 1;
    }

    /// In Prometheus' text format.
    pub fn page(&self) -> String {
        let mut page = "# HELP ringgate_management_calls_total Calls of the management API.\n\
                        # TYPE ringgate_management_calls_total counter\n"
            .to_owned();
        for ((operation, outcome), count) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(
                page,
                "ringgate_management_calls_total{{operation=\"{operation}\",outcome=\"{outcome}\"}} {count}"
            );
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_name_and_outcome() {
        let counts = Counts::default();
        counts.add("GetRestApi", "OK");
        counts.add("GetRestApi", "OK");
        counts.add(UNKNOWN, "UnknownOperationException");
        let page = counts.page();
        assert!(page.contains("{operation=\"GetRestApi\",outcome=\"OK\"} 2\n"), "{page}");
        assert!(page.contains("{operation=\"Unknown\",outcome=\"UnknownOperationException\"} 1\n"), "{page}");
    }
}
