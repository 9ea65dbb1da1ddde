//! Deadlines of sockets: one table per shard, swept by one timer, instead of a timer per request.
//!
//! Setting, moving and clearing a deadline is a store into the table. When one passes, the sweep shuts the socket down in
//! the direction that is late, the pending operation ends, and the task that waits for it asks [`Deadline::has_fired`].

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use ringgate_core::base::Instant;
use slab::Slab;

use super::ring::{self, Shutdown, Socket};

/// How late a deadline may fire, at most, while the shard is not overloaded.
pub const SWEEP_INTERVAL: Duration = Duration::from_millis(10);

struct Entry {
    at: Instant,
    descriptor: i32,
    /// What happens at the deadline; `None`: the task is woken, the socket stays as it is.
    how: Option<Shutdown>,
    waker: Option<Waker>,
    has_fired: bool,
    is_woken: bool,
}

impl Entry {
    fn fire(&mut self) {
        self.at = NEVER;
        match self.how {
            Some(how) => {
                self.has_fired = true;
                ring::shutdown(self.descriptor, how);
            }
            None => {
                self.is_woken = true;
                if let Some(waker) = self.waker.take() {
                    waker.wake();
                }
            }
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
        let entry = Entry {
            at: NEVER,
            descriptor: socket.descriptor(),
            how: Some(Shutdown::Both),
            waker: None,
            has_fired: false,
            is_woken: false,
        };
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
                entry.fire();
                fired += 1;
            }
        }
        fired
    }

    /// Wakes every task that waits for a deadline of its own.
    pub fn wake_all(&self) {
        for (_, entry) in self.0.borrow_mut().iter_mut() {
            if entry.how.is_none() && entry.at != NEVER {
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
        entry.how = Some(how);
    }

    /// Replaces the deadline: at `at` the task in [`Deadline::or_woken`] is woken.
    pub fn wake_at(&self, at: Instant) {
        let mut table = self.table.borrow_mut();
        let entry = &mut table[self.key];
        entry.at = at;
        entry.how = None;
        entry.is_woken = false;
    }

    /// Wakes the task in [`Deadline::or_woken`] now.
    pub fn wake(&self) {
        let mut table = self.table.borrow_mut();
        let entry = &mut table[self.key];
        entry.is_woken = true;
        if let Some(waker) = entry.waker.take() {
            waker.wake();
        }
    }

    /// Runs `future` until [`Deadline::wake`] or the deadline set with [`Deadline::wake_at`]. `None`: it was dropped unfinished, so it must
    /// hold nothing that is lost with it; waiting for readability is such a one, reading is not.
    pub async fn or_woken<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            let mut table = self.table.borrow_mut();
            let entry = &mut table[self.key];
            if entry.is_woken {
                return Poll::Ready(None);
            }
            entry.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Takes the deadline away.
    pub fn clear(&self) {
        let mut table = self.table.borrow_mut();
        let entry = &mut table[self.key];
        entry.at = NEVER;
        entry.waker = None;
        entry.is_woken = false;
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
