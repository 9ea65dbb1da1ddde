//! The connections of one shard to one origin: all its addresses in turn, idle connections kept, a failing address set
//! aside for a while.

use std::net::SocketAddr;
use std::time::Duration;

use ringgate_core::base::Instant;

use super::stream::OriginStream;
use crate::net::timer::{Deadline, Deadlines};

/// How long an address that failed is passed over. The last usable address never is.
pub const SET_ASIDE: Duration = Duration::from_secs(5);
/// Idle connections older than this are closed: origins commonly close theirs after a minute or more.
pub const IDLE_MAX: Duration = Duration::from_secs(50);
/// Idle connections kept per origin and shard.
pub const IDLE_CONNECTIONS_MAX: usize = 1024;

/// A connection and what the pool must know of it.
pub struct Connection {
    /// Dropped before the stream: the deadline table must forget the socket first.
    pub deadline: Deadline,
    /// The stream itself.
    pub stream: OriginStream,
    /// Where it leads.
    pub address: SocketAddr,
    /// Whether an exchange has already been served on it: its origin may be closing it at this moment.
    pub is_reused: bool,
    idle_since: Instant,
}

impl Connection {
    /// A fresh connection.
    pub fn new(stream: OriginStream, address: SocketAddr, deadlines: &Deadlines) -> Self {
        Self {
            deadline: deadlines.watch(stream.socket()),
            stream,
            address,
            is_reused: false,
            idle_since: Instant::default(),
        }
    }
}

impl Connection {
    /// How long it has been idle.
    pub fn idle_time(&self, now: Instant) -> Duration {
        now.since(self.idle_since)
    }
}

struct Address {
    address: SocketAddr,
    set_aside_until: Instant,
    idle: Vec<Connection>,
}

/// What is known of an origin's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// The answer is on its way.
    #[default]
    Pending,
    /// It has addresses.
    Known,
    /// The name does not exist or nobody could be asked.
    Failed,
}

/// The pool of one origin.
#[derive(Default)]
pub struct Pool {
    addresses: Vec<Address>,
    cursor: usize,
    resolution: Resolution,
    /// Connections open now, idle ones included.
    pub open: usize,
    /// The last answer did not fit a small buffer: the next one is waited for without a buffer and read into a large one.
    pub expects_much: bool,
}

impl Pool {
    /// What is known of the name.
    pub fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Replaces the addresses. Idle connections to those that stay are kept; a failed look-up keeps the old addresses,
    /// for a stale address beats none.
    pub fn update(&mut self, addresses: &[SocketAddr]) {
        if addresses.is_empty() {
            if self.addresses.is_empty() {
                self.resolution = Resolution::Failed;
            }
            return;
        }
        self.resolution = Resolution::Known;
        let mut old = std::mem::take(&mut self.addresses);
        for &address in addresses {
            let known = old.iter().position(|known| known.address == address);
            self.addresses.push(match known {
                Some(index) => old.swap_remove(index),
                None => Address { address, set_aside_until: Instant::default(), idle: Vec::new() },
            });
        }
        self.open -= old.iter().map(|gone| gone.idle.len()).sum::<usize>();
        self.cursor = 0;
    }

    /// An idle connection, from the addresses in turn and the youngest first.
    pub fn take_idle(&mut self, now: Instant) -> Option<Connection> {
        for step in 0..self.addresses.len() {
            let index = (self.cursor + step) % self.addresses.len();
            while let Some(connection) = self.addresses[index].idle.pop() {
                if now.since(connection.idle_since) < IDLE_MAX {
                    self.cursor = index + 1;
                    return Some(connection);
                }
                self.open -= 1;
            }
        }
        None
    }

    /// The address to connect to next: in turn, those set aside only when there is no other. `tried` are not named
    /// again.
    pub fn next_address(&mut self, now: Instant, tried: &[SocketAddr]) -> Option<SocketAddr> {
        let count = self.addresses.len();
        let turn = (0..count).map(|step| (self.cursor + step) % count);
        let untried = turn.filter(|&index| !tried.contains(&self.addresses[index].address));
        let chosen = untried
            .clone()
            .find(|&index| self.addresses[index].set_aside_until <= now)
            // All that are left are set aside: the one whose time is up first.
            .or_else(|| untried.min_by_key(|&index| self.addresses[index].set_aside_until))?;
        self.cursor = chosen + 1;
        Some(self.addresses[chosen].address)
    }

    /// Sets an address aside.
    pub fn set_aside(&mut self, address: SocketAddr, now: Instant) {
        if let Some(known) = self.addresses.iter_mut().find(|known| known.address == address) {
            known.set_aside_until = now + SET_ASIDE;
        }
    }

    /// Takes a connection back for the next exchange. One whose address is gone, or for which there is no room, closes.
    pub fn put_idle(&mut self, mut connection: Connection, now: Instant) {
        let idle: usize = self.addresses.iter().map(|address| address.idle.len()).sum();
        let home = self.addresses.iter_mut().find(|known| known.address == connection.address);
        match home {
            Some(home) if idle < IDLE_CONNECTIONS_MAX => {
                connection.is_reused = true;
                connection.deadline.clear();
                connection.idle_since = now;
                home.set_aside_until = Instant::default();
                home.idle.push(connection);
            }
            _ => self.open -= 1,
        }
    }

    /// Closes idle connections that are too old or that their origin has closed; says how many idle ones are left.
    pub fn sweep(&mut self, now: Instant) -> usize {
        let mut left = 0;
        for address in &mut self.addresses {
            let before = address.idle.len();
            address
                .idle
                .retain(|connection| now.since(connection.idle_since) < IDLE_MAX && connection.stream.is_quiet());
            self.open -= before - address.idle.len();
            left += address.idle.len();
        }
        left
    }

    /// The address, if there is only one.
    pub fn lone_address(&self) -> Option<SocketAddr> {
        match &self.addresses[..] {
            [lone] => Some(lone.address),
            _ => None,
        }
    }

    /// Addresses known and those of them set aside.
    pub fn health(&self, now: Instant) -> (usize, usize) {
        let aside = self.addresses.iter().filter(|address| address.set_aside_until > now).count();
        (self.addresses.len(), aside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, last], 80))
    }

    fn pool(count: u8) -> Pool {
        let mut pool = Pool::default();
        pool.update(&(1..=count).map(address).collect::<Vec<_>>());
        pool
    }

    #[test]
    fn addresses_are_used_in_turn() {
        let mut pool = pool(3);
        let now = Instant::from_nanos(1);
        let turn: Vec<_> = (0..4).map(|_| pool.next_address(now, &[]).unwrap()).collect();
        assert_eq!(turn, [address(1), address(2), address(3), address(1)]);
    }

    #[test]
    fn a_failing_address_is_passed_over_for_a_while_and_then_tried_again() {
        let mut pool = pool(2);
        let now = Instant::from_nanos(1);
        pool.set_aside(address(1), now);
        assert_eq!(pool.next_address(now, &[]), Some(address(2)));
        assert_eq!(pool.next_address(now, &[]), Some(address(2)));
        let later = now + SET_ASIDE;
        let turn = [pool.next_address(later, &[]), pool.next_address(later, &[])];
        assert!(turn.contains(&Some(address(1))));
    }

    #[test]
    fn the_last_address_is_never_set_aside() {
        let mut pool = pool(1);
        let now = Instant::from_nanos(1);
        pool.set_aside(address(1), now);
        assert_eq!(pool.next_address(now, &[]), Some(address(1)));
        assert_eq!(pool.next_address(now, &[address(1)]), None);
    }

    #[test]
    fn a_failed_look_up_keeps_the_old_addresses() {
        let mut known = pool(1);
        known.update(&[]);
        assert_eq!(known.resolution(), Resolution::Known);
        let mut unknown = Pool::default();
        unknown.update(&[]);
        assert_eq!(unknown.resolution(), Resolution::Failed);
    }
}
