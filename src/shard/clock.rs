//! The clocks of one shard.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringgate_core::base::{Instant, WallTime};
use ringgate_core::proto::http::DateLine;

/// Reads the clocks, and remembers what a recent reading is good enough for.
pub struct Clock {
    origin: std::time::Instant,
    /// The last reading. At most a sweep old while anything is under way.
    recent: Cell<Instant>,
    /// Calendar time at `origin`, corrected once a second.
    wall_origin_millis: Cell<u64>,
    corrected: Cell<Instant>,
    date: RefCell<DateLine>,
}

const CORRECT_EVERY: Duration = Duration::from_secs(1);

impl Clock {
    /// Starts now.
    pub fn new() -> Self {
        let wall = unix_millis();
        Self {
            origin: std::time::Instant::now(),
            recent: Cell::default(),
            wall_origin_millis: Cell::new(wall),
            corrected: Cell::default(),
            date: RefCell::new(DateLine::new(WallTime::from_millis(wall))),
        }
    }

    /// Reads the monotonic clock.
    pub fn now(&self) -> Instant {
        let now = Instant::from_nanos(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.recent.set(now);
        now
    }

    /// The last reading: good for deadlines of seconds, not for latencies.
    pub fn recent(&self) -> Instant {
        self.recent.get()
    }

    /// The calendar at `now`.
    pub fn wall(&self, now: Instant) -> WallTime {
        if now.since(self.corrected.get()) >= CORRECT_EVERY {
            self.corrected.set(now);
            self.wall_origin_millis.set(unix_millis().saturating_sub(now.as_nanos() / 1_000_000));
        }
        WallTime::from_millis(self.wall_origin_millis.get() + now.as_nanos() / 1_000_000)
    }

    /// Copies the `Date` line for `wall` into `line`.
    pub fn write_date(&self, wall: WallTime, line: &mut Vec<u8>) {
        line.clear();
        line.extend_from_slice(self.date.borrow_mut().line(wall));
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
