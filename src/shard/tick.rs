//! What a shard does by the clock: deadlines, the access log, idle connections, gauges.

use std::rc::Rc;
use std::time::Duration;

use super::Shard;
use super::origins::OriginPool;
use super::serve::Session;
use crate::net::timer::SWEEP_INTERVAL;
use crate::net::{memory, sleep};

/// Parked connections and pools are looked after this often.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// Connections that wait without a buffer, and memory that nobody needs any more, are looked after this often.
const TIDYING: Duration = Duration::from_millis(250);
/// How long the shard may sleep while nothing is under way: a deadline that is set meanwhile fires at most this late.
const QUIET_INTERVAL: Duration = Duration::from_millis(25);
/// So much that was let go is worth asking the allocator for.
const LET_GO_BYTES_MIN: usize = 256 * 1024;

/// Sweeps for ever.
pub async fn run(shard: Rc<Shard>) {
    let (mut tidied, mut housekept) = (shard.clock.now(), shard.clock.now());
    let mut let_go = 0;
    let mut is_armed = false;
    loop {
        sleep(if is_armed { SWEEP_INTERVAL } else { QUIET_INTERVAL }).await;
        let now = shard.clock.now();
        is_armed = shard.deadlines.sweep(now);
        shard.hand_over_log();
        if now.since(tidied) >= TIDYING {
            tidied = now;
            let_go = shard.tidy(let_go);
        }
        if now.since(housekept) >= HOUSEKEEPING {
            housekept = now;
            shard.keep_house();
        }
    }
}

impl Shard {
    /// Lets go of what is not needed; `before` is what was let go earlier and not given back, and the new amount comes
    /// back. It is given back in one go when the rush is over, for that takes a while.
    fn tidy(&self, before: usize) -> usize {
        self.idle.sweep(self.clock.recent());
        self.idle.trim();
        self.counters.parked.set(self.parked.count() as u64);
        let memory = self.buffers.trim() + self.sessions.trim() * size_of::<Session>() + self.left_behind.take();
        let let_go = before + memory;
        if memory >= LET_GO_BYTES_MIN || let_go < LET_GO_BYTES_MIN {
            return let_go;
        }
        memory::give_back();
        0
    }

    fn keep_house(&self) {
        let now = self.clock.recent();
        (0..self.parked.sweep(now)).for_each(|_| self.closed());
        let (mut open, mut idle, mut set_aside) = (0, 0, 0);
        self.pools.with(|pools| {
            for OriginPool { pool, .. } in pools {
                idle += pool.sweep(now);
                open += pool.open;
                set_aside += pool.health(now).1;
            }
        });
        self.counters.origin_open.set(open as u64);
        self.counters.origin_idle.set(idle as u64);
        self.counters.origin_set_aside.set(set_aside as u64);
        self.counters.memory.set(self.buffers.lent_bytes() as u64);
    }
}
