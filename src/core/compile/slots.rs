//! Dense numbers that stay the same while what they number exists, across snapshots.
//!
//! Whoever compiles a stage takes the slots it needs and holds on to them ([`Held`]) until no shard has the stage any
//! more. Only then is a slot free for something else: what shards remember under its number is nobody's by then.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::Arc;

use crate::plan::{RouteSlot, SlotCounts, StageSlot, Upstream, UpstreamPlan, UpstreamSlot};

/// Gives a key its number, the same every time while anybody holds it.
#[derive(Debug)]
struct Numbering<K> {
    numbers: HashMap<K, u32, ahash::RandomState>,
    seats: Vec<Option<Seat<K>>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Seat<K> {
    key: K,
    holders: u32,
}

impl<K> Default for Numbering<K> {
    fn default() -> Self {
        Self { numbers: HashMap::default(), seats: Vec::new(), free: Vec::new() }
    }
}

impl<K: Clone + Eq + Hash> Numbering<K> {
    /// The number of `key`, and whether it is new.
    fn take(&mut self, key: K) -> (u32, bool) {
        let vacant = match self.numbers.entry(key) {
            Entry::Vacant(vacant) => vacant,
            Entry::Occupied(known) => {
                if let Some(Some(seat)) = self.seats.get_mut(*known.get() as usize) {
                    seat.holders += 1;
                }
                return (*known.get(), false);
            }
        };
        let number = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            u32::try_from(self.seats.len() - 1).expect("four thousand million slots do not fit in memory")
        });
        self.seats[number as usize] = Some(Seat { key: vacant.key().clone(), holders: 1 });
        vacant.insert(number);
        (number, true)
    }

    /// One holder less. Whether that was the last.
    fn release(&mut self, number: u32) -> bool {
        let place = &mut self.seats[number as usize];
        let Some(seat) = place else { return false };
        seat.holders -= 1;
        if seat.holders > 0 {
            return false;
        }
        self.numbers.remove(&seat.key);
        *place = None;
        self.free.push(number);
        true
    }

    fn key(&self, number: u32) -> Option<&K> {
        self.seats.get(number as usize)?.as_ref().map(|seat| &seat.key)
    }

    fn count(&self) -> u32 {
        u32::try_from(self.seats.len()).unwrap_or(u32::MAX)
    }
}

/// A stage or its canary, as metrics name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StageName {
    /// Of the API.
    pub api_id: Box<str>,
    /// Of the stage.
    pub stage: Box<str>,
    /// Whether it is the stage's canary.
    pub is_canary: bool,
}

/// A route of a stage, as metrics name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteName {
    /// Its stage.
    pub stage: Arc<StageName>,
    /// Such as `GET /pets`.
    pub route: Box<str>,
}

/// The slots of one compiled stage.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use = "slots that are not released are never free again"]
pub struct Held {
    /// Its own.
    pub stages: Vec<StageSlot>,
    /// Its routes'.
    pub routes: Vec<RouteSlot>,
    /// Its origins', one for each time that one was named.
    pub upstreams: Vec<UpstreamSlot>,
}

/// What happened to the slot of an origin.
#[derive(Clone, Debug)]
pub enum UpstreamChange {
    /// An origin took it.
    Taken(UpstreamSlot, Upstream),
    /// The origin that had it is gone.
    Freed(UpstreamSlot),
}

/// The numbering of a process.
#[derive(Debug, Default)]
pub struct Slots {
    stages: Numbering<Arc<StageName>>,
    routes: Numbering<Arc<RouteName>>,
    upstreams: Numbering<Arc<UpstreamPlan>>,
    generations: Vec<u64>,
    generation: u64,
    held: Held,
    changes: Vec<UpstreamChange>,
}

impl Slots {
    /// The slot of a stage.
    pub fn stage(&mut self, stage: &Arc<StageName>) -> StageSlot {
        let slot = StageSlot(self.stages.take(stage.clone()).0);
        self.held.stages.push(slot);
        slot
    }

    /// Makes room for the routes of a stage, which are then numbered without moving those that have numbers.
    pub fn reserve(&mut self, routes: usize) {
        // Where there are as many already they are most likely the same.
        self.routes.numbers.reserve(routes.saturating_sub(self.routes.numbers.len()));
        self.held.routes.reserve(routes);
        self.held.upstreams.reserve(routes);
    }

    /// The slot of a route of a stage.
    pub fn route(&mut self, stage: &Arc<StageName>, method: &str, path: &str) -> RouteSlot {
        let name = RouteName { stage: stage.clone(), route: [method, " ", path].concat().into() };
        let slot = RouteSlot(self.routes.take(Arc::new(name)).0);
        self.held.routes.push(slot);
        slot
    }

    /// The slot of an origin.
    pub fn upstream(&mut self, plan: UpstreamPlan) -> UpstreamSlot {
        let plan = Arc::new(plan);
        let (number, is_new) = self.upstreams.take(plan.clone());
        let slot = UpstreamSlot(number);
        self.held.upstreams.push(slot);
        if is_new {
            self.generation += 1;
            self.generations.resize(self.upstreams.seats.len(), 0);
            self.generations[number as usize] = self.generation;
            self.changes.push(UpstreamChange::Taken(slot, Upstream { plan, generation: self.generation }));
        }
        slot
    }

    /// All that was taken since the last call: whoever compiled in between holds it now.
    pub fn held(&mut self) -> Held {
        std::mem::take(&mut self.held)
    }

    /// Gives slots back, because no shard has what was compiled with them. Says which have become free: nobody counts
    /// under their numbers until they are taken again.
    pub fn release(&mut self, held: Held) -> (Vec<StageSlot>, Vec<RouteSlot>) {
        let stages = held.stages.into_iter().filter(|slot| self.stages.release(slot.0)).collect();
        let routes = held.routes.into_iter().filter(|slot| self.routes.release(slot.0)).collect();
        for slot in held.upstreams {
            if self.upstreams.release(slot.0) {
                self.changes.push(UpstreamChange::Freed(slot));
            }
        }
        (stages, routes)
    }

    /// What happened to origins since the last call, in order.
    pub fn upstream_changes(&mut self) -> Vec<UpstreamChange> {
        std::mem::take(&mut self.changes)
    }

    /// All origins, by slot.
    pub fn upstreams(&self) -> Box<[Option<Upstream>]> {
        let upstream = |(seat, &generation): (&Option<Seat<Arc<UpstreamPlan>>>, &u64)| {
            seat.as_ref().map(|seat| Upstream { plan: seat.key.clone(), generation })
        };
        self.upstreams.seats.iter().zip(&self.generations).map(upstream).collect()
    }

    /// How many slots there are, free ones included.
    pub fn counts(&self) -> SlotCounts {
        SlotCounts { stages: self.stages.count(), routes: self.routes.count() }
    }

    /// How many slots somebody holds: of stages, of routes, of origins.
    pub fn in_use(&self) -> (usize, usize, usize) {
        (self.stages.numbers.len(), self.routes.numbers.len(), self.upstreams.numbers.len())
    }

    /// Who has the slot of a stage.
    pub fn stage_name(&self, slot: StageSlot) -> Option<&Arc<StageName>> {
        self.stages.key(slot.0)
    }

    /// Who has the slot of a route.
    pub fn route_name(&self, slot: RouteSlot) -> Option<&Arc<RouteName>> {
        self.routes.key(slot.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage() -> Arc<StageName> {
        Arc::new(StageName { api_id: "api".into(), stage: "dev".into(), is_canary: false })
    }

    fn origin(host: &str) -> UpstreamPlan {
        UpstreamPlan { is_tls: false, any_authority: false, host: host.into(), port: 80, authority: host.into() }
    }

    #[test]
    fn a_slot_stays_the_same_while_others_come() {
        let mut slots = Slots::default();
        let first = slots.route(&stage(), "GET", "/a");
        let second = slots.route(&stage(), "GET", "/b");
        assert_ne!(first, second);
        assert_eq!(slots.route(&stage(), "GET", "/a"), first);
        assert_eq!(slots.counts().routes, 2);
        assert_eq!(&*slots.route_name(first).expect("it is held").route, "GET /a");
    }

    #[test]
    fn a_slot_is_free_when_its_last_holder_lets_go_and_comes_back_with_another_generation() {
        let mut slots = Slots::default();
        let slot = slots.upstream(origin("a"));
        let first = slots.held();
        assert_eq!(slots.upstream(origin("a")), slot);
        let second = slots.held();
        let _ = slots.release(first);
        assert!(slots.upstreams()[0].is_some());
        let _ = slots.release(second);
        assert!(slots.upstreams()[0].is_none());
        assert_eq!(slots.upstream(origin("b")), slot);
        let changes = slots.upstream_changes();
        let [UpstreamChange::Taken(_, a), UpstreamChange::Freed(freed), UpstreamChange::Taken(_, b)] = &changes[..]
        else {
            panic!("{changes:?}")
        };
        assert_eq!((*freed, &*a.plan.host, &*b.plan.host), (slot, "a", "b"));
        assert_ne!(a.generation, b.generation);
    }
}
