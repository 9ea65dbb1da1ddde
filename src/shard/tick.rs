//! What a shard does by the clock: deadlines, the access log, idle connections, gauges.

use std::rc::Rc;
use std::time::Duration;

use super::Shard;
use super::origins::OriginPool;
use crate::net::sleep;
use crate::net::timer::SWEEP_INTERVAL;

/// Parked connections and pools are looked after this often.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// How long the shard may sleep while nothing is under way: a deadline that is set meanwhile fires at most this late.
const QUIET_INTERVAL: Duration = Duration::from_millis(25);

/// Sweeps for ever.
pub async fn run(shard: Rc<Shard>) {
    let mut housekept = shard.clock.now();
    let mut is_armed = false;
    loop {
        sleep(if is_armed { SWEEP_INTERVAL } else { QUIET_INTERVAL }).await;
        let now = shard.clock.now();
        is_armed = shard.deadlines.sweep(now);
        shard.hand_over_log();
        if now.since(housekept) >= HOUSEKEEPING {
            housekept = now;
            shard.keep_house();
        }
    }
}

impl Shard {
    fn keep_house(&self) {
        let now = self.clock.recent();
        self.idle.sweep(now);
        self.buffers.trim();
        self.sessions.trim();
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
