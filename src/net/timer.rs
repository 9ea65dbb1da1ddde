//! Deadlines of sockets: one table per shard, swept by one timer, instead of a timer per request.
//!
//! Setting, moving and clearing a deadline is a store into the table. When one passes, the sweep shuts the socket down in
//! the direction that is late, the pending operation ends, and the task that waits for it asks [`Deadline::has_fired`].

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ringgate_core::base::Instant;
use slab::Slab;

use super::ring::{self, Shutdown, Socket};

/// How late a deadline may fire, at most, while the shard is not overloaded.
pub const SWEEP_INTERVAL: Duration = Duration::from_millis(10);

struct Entry {
    at: Instant,
    descriptor: i32,
    how: Shutdown,
    has_fired: bool,
}

const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// The deadlines of one shard.
#[derive(Clone, Default)]
pub struct Deadlines(Rc<RefCell<Slab<Entry>>>);

impl Deadlines {
    /// An entry for `socket`, without a deadline yet. Drop it before the socket.
    pub fn watch(&self, socket: &Socket) -> Deadline {
        let entry = Entry { at: NEVER, descriptor: socket.descriptor(), how: Shutdown::Both, has_fired: false };
        Deadline { table: self.0.clone(), key: self.0.borrow_mut().insert(entry) }
    }

    /// Whether nothing is being watched.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Shuts down every socket whose deadline has passed; says how many.
    pub fn sweep(&self, now: Instant) -> usize {
        let mut fired = 0;
        for (_, entry) in self.0.borrow_mut().iter_mut() {
            if entry.at <= now {
                entry.at = NEVER;
                entry.has_fired = true;
                ring::shutdown(entry.descriptor, entry.how);
                fired += 1;
            }
        }
        fired
    }

    /// Shuts down every watched socket in the direction given, as if its deadline had passed.
    pub fn fire_all(&self, how: Shutdown) {
        for (_, entry) in self.0.borrow_mut().iter_mut() {
            entry.has_fired = true;
            ring::shutdown(entry.descriptor, how);
        }
    }
}

/// The deadline of one socket.
pub struct Deadline {
    table: Rc<RefCell<Slab<Entry>>>,
    key: usize,
}

impl Deadline {
    /// Replaces the deadline: at `at` the socket is shut down as `how` says.
    pub fn set(&self, at: Instant, how: Shutdown) {
        let mut table = self.table.borrow_mut();
        let entry = &mut table[self.key];
        entry.at = at;
        entry.how = how;
    }

    /// Takes the deadline away.
    pub fn clear(&self) {
        self.table.borrow_mut()[self.key].at = NEVER;
    }

    /// Whether a deadline passed since this was made.
    pub fn has_fired(&self) -> bool {
        self.table.borrow()[self.key].has_fired
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.table.borrow_mut().remove(self.key);
    }
}
