//! Where origins live: every one that a stage names is looked up, and again when the answer's time to live is up, until
//! its slot is free.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ringgate_core::compile::UpstreamChange;
use ringgate_core::plan::{Upstream, UpstreamSlot};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::AbortHandle;

use super::dns::Resolver;
use crate::shard::inbox::{Inbox, ToShard};

/// Pause before a full mailbox is tried again.
const SEND_AGAIN: Duration = Duration::from_millis(5);

/// Follows the slots of origins, for ever.
pub async fn keep_resolved(
    mut changes: UnboundedReceiver<UpstreamChange>,
    inboxes: Arc<[Arc<Inbox>]>,
    resolver: Arc<Resolver>,
) {
    let mut running: HashMap<UpstreamSlot, AbortHandle> = HashMap::new();
    while let Some(change) = changes.recv().await {
        match change {
            UpstreamChange::Taken(slot, upstream) => {
                let task = tokio::spawn(keep_one(slot, upstream, inboxes.clone(), resolver.clone()));
                running.insert(slot, task.abort_handle());
            }
            UpstreamChange::Freed(slot) => {
                if let Some(task) = running.remove(&slot) {
                    task.abort();
                }
            }
        }
    }
}

async fn keep_one(slot: UpstreamSlot, upstream: Upstream, inboxes: Arc<[Arc<Inbox>]>, resolver: Arc<Resolver>) {
    let Upstream { plan, generation } = upstream;
    loop {
        let answer = resolver.look_up(&plan.host, plan.port).await;
        if let Some(failure) = answer.failure {
            eprintln!("ringgate: {}: {failure}", plan.host);
        }
        let addresses: Arc<[SocketAddr]> = answer.addresses.into();
        for inbox in &*inboxes {
            // Requests to a new origin wait for this, so it waits for room.
            let message = || ToShard::Addresses { upstream: slot, generation, addresses: addresses.clone() };
            while inbox.send(message()).is_err() {
                tokio::time::sleep(SEND_AGAIN).await;
            }
        }
        match answer.ask_again {
            Some(after) => tokio::time::sleep(after).await,
            None => return,
        }
    }
}
