//! A shard's handle on the snapshot it serves: one atomic operation per adoption, none per request.

use std::rc::Rc;
use std::sync::Arc;

use ringgate_core::plan::Snapshot;

use super::inbox::{FromShard, Outbox};

/// One version, as long as an exchange of this shard uses it.
pub struct View {
    snapshot: Option<Arc<Snapshot>>,
    outbox: Arc<Outbox>,
}

impl View {
    /// A handle on `snapshot`, to be shared by the exchanges of this shard.
    pub fn new(snapshot: Arc<Snapshot>, outbox: Arc<Outbox>) -> Rc<Self> {
        Rc::new(Self { snapshot: Some(snapshot), outbox })
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        self.snapshot.as_ref().expect("only drop takes the snapshot away")
    }
}

impl Drop for View {
    // The publisher has a handle too, so this frees nothing here. Said after it is done: the publisher looks then.
    fn drop(&mut self) {
        drop(self.snapshot.take());
        self.outbox.send(FromShard::Retired);
    }
}
