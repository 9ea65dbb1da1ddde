//! Connections of which nothing is expected soon: their descriptors and a few words each, watched together.
//!
//! One that waits on the event loop costs a task, an operation and what the runtime keeps of a stream. Here it costs an
//! entry in a table. Coming and going take a call to the kernel each, so this is for those that have been silent a while.

use std::cell::RefCell;
use std::io;

use ringgate_core::base::Instant;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use slab::Slab;

use super::ring::{Detached, Socket, borrow};

/// Connections that leave in one turn of the loop; more of them wait for the next.
const LEAVE_AT_ONCE: usize = 64;

/// The parked connections of one shard, each with a `T`.
pub struct Park<T> {
    /// An epoll descriptor, on which the event loop waits.
    watch: Socket,
    parked: RefCell<Slab<Parked<T>>>,
}

struct Parked<T> {
    socket: Detached,
    until: Instant,
    of: T,
}

impl<T> Park<T> {
    /// An empty one; call it within the event loop.
    ///
    /// # Errors
    /// The kernel's, when no descriptor is left.
    pub fn new() -> io::Result<Self> {
        let watch = Socket::watch(epoll::create(CreateFlags::CLOEXEC)?)?;
        Ok(Self { watch, parked: RefCell::default() })
    }

    /// Keeps a connection, on which nothing is under way, until something arrives on it or `until` has passed.
    ///
    /// # Errors
    /// The kernel's, when it watches no more descriptors for this user; the connection is closed.
    pub fn put(&self, socket: Socket, until: Instant, of: T) -> io::Result<()> {
        let mut parked = self.parked.borrow_mut();
        let free = parked.vacant_entry();
        let socket = socket.detach();
        let key = EventData::new_u64(free.key() as u64);
        epoll::add(borrow(&self.watch.descriptor()), &socket, key, EventFlags::IN)?;
        free.insert(Parked { socket, until, of });
        Ok(())
    }

    /// Waits until something has arrived, be it an end, and lets those connections leave that it has arrived on. One that
    /// the event loop does not take is closed.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn wait(&self, mut leave: impl FnMut(io::Result<Socket>, T)) -> io::Result<()> {
        self.watch.readable().await?;
        let mut events = Vec::with_capacity(LEAVE_AT_ONCE);
        epoll::wait(borrow(&self.watch.descriptor()), spare_capacity(&mut events), Some(&Timespec::default()))?;
        for event in &events {
            let taken = self.parked.borrow_mut().try_remove(event.data.u64() as usize);
            if let Some(taken) = taken {
                self.let_go(taken, &mut leave);
            }
        }
        Ok(())
    }

    /// Lets all leave.
    pub fn empty(&self, mut leave: impl FnMut(io::Result<Socket>, T)) {
        for (_, taken) in self.parked.take() {
            self.let_go(taken, &mut leave);
        }
    }

    fn let_go(&self, taken: Parked<T>, leave: &mut impl FnMut(io::Result<Socket>, T)) {
        let forgotten = epoll::delete(borrow(&self.watch.descriptor()), &taken.socket);
        leave(forgotten.map_err(io::Error::from).and_then(|()| taken.socket.attach()), taken.of);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.parked.borrow().len()
    }

    /// Closes those whose time has passed; says how many they were.
    pub fn sweep(&self, now: Instant) -> usize {
        let mut parked = self.parked.borrow_mut();
        let before = parked.len();
        parked.retain(|_, one| one.until > now);
        if parked.is_empty() {
            parked.shrink_to_fit();
        }
        before - parked.len()
    }
}
