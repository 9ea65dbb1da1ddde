//! Decision records from all shards.

use std::sync::Arc;
use std::time::Duration;

use ringgate_core::explain::Decision;
use ringgate_core::record::decision::{Records, Wanted};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::gateway::Gateway;
use crate::shard::inbox::{Reply, ToShard};

/// A shard that has not answered by then is passed over.
const PATIENCE: Duration = Duration::from_secs(1);

/// What shards remember.
pub struct Explained {
    /// Masked, newest first.
    pub decisions: Vec<Decision>,
    /// Shards that did not answer in time.
    pub silent: usize,
}

impl Gateway {
    /// Asks every shard what it remembers of `wanted`.
    pub async fn explain(self: &Arc<Self>, wanted: Wanted) -> Explained {
        let (answers, mut answered) = unbounded_channel();
        for inbox in &*self.inboxes {
            let answers = answers.clone();
            // A shard whose mailbox is full stays silent.
            let reply = Reply::new(move |records| drop(answers.send(records)));
            let _ = inbox.send(ToShard::Explain { wanted, reply });
        }
        drop(answers);
        let mut all = Vec::new();
        // Nobody is left to answer when every reply was used or dropped.
        let _ = tokio::time::timeout(PATIENCE, gather(&mut answered, &mut all)).await;
        let silent = self.inboxes.len() - all.len();
        let records = all.iter().flatten();
        let mut decisions: Vec<_> = records.filter_map(|record| Decision::read(record, &self.redaction)).collect();
        // Records of one shard are in order already, and a stable sort keeps that.
        decisions.sort_by_key(|decision| std::cmp::Reverse(decision.ended_at_millis()));
        if let Wanted::Last(count) | Wanted::Class(_, count) | Wanted::Status(_, count) = wanted {
            decisions.truncate(count);
        }
        Explained { decisions, silent }
    }
}

async fn gather(answered: &mut UnboundedReceiver<Records>, all: &mut Vec<Records>) {
    while let Some(records) = answered.recv().await {
        all.push(records);
    }
}
