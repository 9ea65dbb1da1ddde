//! Every message in and out of a shard. This page is the whole conversation.

use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use ringgate_core::plan::{Snapshot, UpstreamSlot};
use ringgate_core::record::decision::{Records, Wanted};

use crate::net::wake::Waker;

/// Messages that wait for one shard, at most. Control sends a handful per publication and look-up.
const TO_SHARD_MAX: usize = 4096;
/// Messages that wait for control, at most.
const FROM_SHARDS_MAX: usize = 16_384;

/// Everything another thread may say to a shard.
pub enum ToShard {
    /// From the publisher: serve this from now on. Adoption cannot fail: whatever could was done while compiling. Must
    /// arrive; has a place of its own in the mailbox, where a newer one replaces one that was not taken yet.
    Adopt(Arc<Snapshot>),
    /// From control's resolver: where an origin lives; empty when its name could not be resolved. Must arrive: requests
    /// to a new origin wait for it (and time out).
    Addresses {
        /// Where the origin is.
        upstream: UpstreamSlot,
        /// Which origin: another one may have had the slot before.
        generation: u64,
        /// Its addresses, in the order of the answer.
        addresses: Arc<[SocketAddr]>,
    },
    /// From whoever explains, for admin: which decision records do you have? If it or its answer is lost, the caller is
    /// told that a shard did not answer in time.
    Explain {
        /// Which of them.
        wanted: Wanted,
        /// Where they go.
        reply: Reply,
    },
    /// From whoever tests methods, for admin: serve one request by a version of its own, which nobody else is served by
    /// and which no metric counts. If it is lost, the caller is told that the test did not end in time.
    TestInvoke(TestInvocation),
    /// From the supervisor: stop accepting, finish what is under way, close what is idle. Must arrive.
    Drain {
        /// Connections still open after this are closed.
        within: Duration,
    },
}

/// A request that is served apart from all others.
pub struct TestInvocation {
    /// What serves it.
    pub snapshot: Arc<Snapshot>,
    /// The connection on which it comes and is answered. Its head is there already.
    pub stream: UnixStream,
    /// Where its decision record goes. Dropped, or sent without one: it was refused before it reached the API.
    pub reply: Reply,
}

/// Where copies of decision records go. Dropped without being sent, it tells its maker that nothing will come.
pub struct Reply(Box<dyn FnOnce(Records) + Send>);

impl Reply {
    /// Passes the records to `take`, on the shard's thread: it must not wait.
    pub fn new(take: impl FnOnce(Records) + Send + 'static) -> Self {
        Self(Box::new(take))
    }

    pub(super) fn send(self, records: Records) {
        (self.0)(records);
    }
}

/// Everything a shard may say.
pub enum FromShard {
    /// To the publisher: this version is being served. Counted; a lost one shows as a publication that is not
    /// acknowledged.
    Adopted {
        /// Number of the shard.
        shard: usize,
        /// The version.
        version: u64,
    },
    /// To the publisher: the last exchange here that used some version has ended, and the handle on it was dropped. The
    /// publisher has one itself and frees what only it has left, because no shard frees a big tree; so this may be
    /// lost, it then frees at the next publication.
    Retired,
    /// To the supervisor: nothing is open any more.
    Drained,
}

/// A shard's mailbox, as others see it.
pub struct Inbox {
    /// The version to adopt: the newest wins, so one place is enough.
    snapshot: ArrayQueue<Arc<Snapshot>>,
    messages: ArrayQueue<ToShard>,
    waker: Waker,
}

impl Inbox {
    /// An empty mailbox whose shard is woken through `waker`.
    pub fn new(waker: Waker) -> Self {
        Self { snapshot: ArrayQueue::new(1), messages: ArrayQueue::new(TO_SHARD_MAX), waker }
    }

    /// Puts a version in, in the place of one that was not taken yet.
    pub fn adopt(&self, snapshot: Arc<Snapshot>) {
        drop(self.snapshot.force_push(snapshot));
        self.waker.wake();
    }

    /// Puts a message in.
    ///
    /// # Errors
    /// Gives the message back when the mailbox is full.
    pub fn send(&self, message: ToShard) -> Result<(), ToShard> {
        let sent = self.messages.push(message);
        self.waker.wake();
        sent
    }

    /// What to adopt, or the oldest message, for the shard.
    pub(super) fn take(&self) -> Option<ToShard> {
        self.snapshot.pop().map(ToShard::Adopt).or_else(|| self.messages.pop())
    }
}

/// Control's mailbox: all shards write, control reads.
pub struct Outbox {
    messages: ArrayQueue<FromShard>,
    notify: Box<dyn Fn() + Send + Sync>,
}

impl Outbox {
    /// An empty mailbox; `notify` is called, from a shard's thread, whenever something was put in.
    pub fn new(notify: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { messages: ArrayQueue::new(FROM_SHARDS_MAX), notify }
    }

    /// Puts a message in; `false` when there is no room and the message is gone.
    pub(super) fn send(&self, message: FromShard) -> bool {
        let sent = self.messages.push(message).is_ok();
        (self.notify)();
        sent
    }

    /// The oldest message, for control.
    pub fn take(&self) -> Option<FromShard> {
        self.messages.pop()
    }
}
