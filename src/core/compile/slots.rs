//! Dense numbers that stay the same while what they number exists, across snapshots.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::plan::{RouteSlot, UpstreamPlan, UpstreamSlot};

/// Gives a key its number, the same every time.
#[derive(Debug)]
struct Numbering<K> {
    numbers: HashMap<K, u32>,
}

impl<K> Default for Numbering<K> {
    fn default() -> Self {
        Self { numbers: HashMap::new() }
    }
}

impl<K: Eq + Hash> Numbering<K> {
    fn number(&mut self, key: K) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(key).or_insert(next)
    }
}

/// The numbering of a process. A number is not given again: shards keep a few bytes for an origin or a route that has
/// gone, until the process ends.
#[derive(Debug, Default)]
pub struct Slots {
    upstreams: Numbering<Arc<UpstreamPlan>>,
    routes: Numbering<(String, String)>,
    origins: Vec<Arc<UpstreamPlan>>,
    names: Vec<(String, String)>,
}

impl Slots {
    /// The slot of an origin.
    pub fn upstream(&mut self, plan: UpstreamPlan) -> UpstreamSlot {
        let plan = Arc::new(plan);
        let slot = self.upstreams.number(plan.clone());
        if slot as usize == self.origins.len() {
            self.origins.push(plan);
        }
        UpstreamSlot(slot)
    }

    /// The slot of a route of a stage.
    pub fn route(&mut self, stage: &str, route: &str) -> RouteSlot {
        let key = (stage.to_owned(), route.to_owned());
        let slot = self.routes.number(key.clone());
        if slot as usize == self.names.len() {
            self.names.push(key);
        }
        RouteSlot(slot)
    }

    /// All origins so far, by slot.
    pub fn upstreams(&self) -> &[Arc<UpstreamPlan>] {
        &self.origins
    }

    /// Stage and name of all routes so far, by slot.
    pub fn routes(&self) -> &[(String, String)] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_stays_the_same_while_others_come() {
        let mut slots = Slots::default();
        let first = slots.route("api/dev", "GET /a");
        let second = slots.route("api/dev", "GET /b");
        assert_ne!(first, second);
        assert_eq!(slots.route("api/dev", "GET /a"), first);
        assert_eq!(slots.routes().len(), 2);
    }
}
