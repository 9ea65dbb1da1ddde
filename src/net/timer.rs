//! Deadlines of sockets: one table per shard, swept by one timer, instead of a timer per request.
//!
//! Setting, moving and clearing a deadline is a store into the table. When one passes, the sweep shuts the socket down in
//! the direction that is late, the pending operation ends, and the task that waits for it asks [`Deadline::has_fired`].

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ringgate_core::base::Instant;
use slab::Slab;

use super::ring::{self, CancelHandle, Canceller, Shutdown, Socket};

/// How late a deadline may fire, at most, while the shard is not overloaded.
pub const SWEEP_INTERVAL: Duration = Duration::from_millis(10);

struct Entry {
    at: Instant,
    descriptor: i32,
    action: Action,
    /// For [`Action::Cancel`]; made when it is first asked for.
    canceller: Option<Canceller>,
    has_fired: bool,
}

/// What happens at a deadline.
#[derive(Clone, Copy)]
enum Action {
    Shutdown(Shutdown),
    Cancel,
}

impl Entry {
    fn fire(&mut self) {
        self.at = NEVER;
        match self.action {
            Action::Shutdown(how) => {
                self.has_fired = true;
                ring::shutdown(self.descriptor, how);
            }
            Action::Cancel => self.canceller = self.canceller.take().map(Canceller::cancel),
        }
    }
}

const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// The deadlines of one shard.
#[derive(Clone, Default)]
pub struct Deadlines(Rc<RefCell<Slab<Entry>>>);

impl Deadlines {
    /// An entry for `socket`, without a deadline yet. Drop it before the socket.
    pub fn watch(&self, socket: &Socket) -> Deadline {
        let action = Action::Shutdown(Shutdown::Both);
        let entry = Entry { at: NEVER, descriptor: socket.descriptor(), action, canceller: None, has_fired: false };
        Deadline { table: self.0.clone(), key: self.0.borrow_mut().insert(entry) }
    }

    /// Lets every deadline fire that has passed; says whether others are still to come.
    pub fn sweep(&self, now: Instant) -> bool {
        let mut is_armed = false;
        for (_, entry) in self.0.borrow_mut().iter_mut() {
            if entry.at <= now {
                entry.fire();
            }
            is_armed |= entry.at != NEVER;
        }
        is_armed
    }

    /// Gives the memory of a table back that has become empty.
    pub fn trim(&self) {
        let mut table = self.0.borrow_mut();
        if table.is_empty() {
            table.shrink_to_fit();
        }
    }

    /// Ends every read that waits under [`Deadline::cancel_at`].
    pub fn cancel_all(&self) {
        for (_, entry) in self.0.borrow_mut().iter_mut() {
            if matches!(entry.action, Action::Cancel) && entry.at != NEVER {
                entry.fire();
            }
        }
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
        entry.action = Action::Shutdown(how);
    }

    /// Replaces the deadline: at `at` the read that was given the handle is cancelled.
    pub fn cancel_at(&self, at: Instant) -> CancelHandle {
        let mut table = self.table.borrow_mut();
        let entry = &mut table[self.key];
        entry.at = at;
        entry.action = Action::Cancel;
        entry.canceller.get_or_insert_default().handle()
    }

    /// A handle for a read that [`Deadline::cancel`] shall be able to end; its deadline stays what it is.
    pub fn cancellable(&self) -> CancelHandle {
        self.table.borrow_mut()[self.key].canceller.get_or_insert_default().handle()
    }

    /// Ends the read that was given a handle, now.
    pub fn cancel(&self) {
        let mut table = self.table.borrow_mut();
        let entry = &mut table[self.key];
        entry.canceller = entry.canceller.take().map(Canceller::cancel);
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
