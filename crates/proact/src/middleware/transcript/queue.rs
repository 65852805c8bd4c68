//! The queue between turns and the store.
//!
//! Promises: the task that writes lives as long as its runtime. A store that panics is one that fails: it is tried again, its lines are lost
//! with a warning that says why, and the next ones are written.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout_at},
};

use super::{TranscriptEntry, TranscriptError, TranscriptStore};
use crate::loops::said;

/// How much waits at most; what comes beyond it is lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    lines: usize,
    bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lines: 10_000, bytes: 64 * 1024 * 1024 }
    }
}

/// How many are written at once, and how long the first of them waits for others: fewer syncs for the same lines.
const BATCH: usize = 500;
const LINGER: Duration = Duration::from_millis(50);
/// The pauses after a first and a second failure; after a third the lines are given up.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(2)];

enum Item {
    Line(Box<TranscriptEntry>, usize),
    /// Told when everything before it was written or given up.
    Flush(oneshot::Sender<()>),
}

/// The turns' side.
#[derive(Debug)]
pub(super) struct Queue {
    store: Arc<dyn TranscriptStore>,
    /// Its task begins with the first line, because there is a runtime then.
    sender: OnceLock<mpsc::Sender<Item>>,
    shared: Arc<Shared>,
    limits: Limits,
}

#[derive(Debug, Default)]
struct Shared {
    bytes: AtomicUsize,
    lost: AtomicU64,
    full: AtomicBool,
}

impl Queue {
    pub(super) fn new(store: Arc<dyn TranscriptStore>, limits: Limits) -> Self {
        Self { store, sender: OnceLock::new(), shared: Arc::default(), limits }
    }

    pub(super) fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    fn sender(&self) -> &mpsc::Sender<Item> {
        self.sender.get_or_init(|| {
            let (sender, receiver) = mpsc::channel(self.limits.lines);
            let (store, shared) = (Arc::clone(&self.store), Arc::clone(&self.shared));
            tokio::spawn(write(receiver, store, shared, self.limits));
            sender
        })
    }

    /// Takes a line if there is room. Never waits.
    pub(super) fn push(&self, entry: TranscriptEntry) {
        let bytes = entry.activity.encode().len();
        let waiting = self.shared.bytes.fetch_add(bytes, Ordering::Relaxed);
        let taken = waiting + bytes <= self.limits.bytes && {
            let sent = self.sender().try_send(Item::Line(Box::new(entry), bytes));
            sent.is_ok()
        };
        if taken {
            return;
        }
        self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.shared.lose(1);
        if !self.shared.full.swap(true, Ordering::Relaxed) {
            tracing::warn!("transcripts are written too slowly: what does not fit into their queue is lost");
        }
    }

    pub(super) async fn flush(&self) {
        let (told, done) = oneshot::channel();
        if self.sender().send(Item::Flush(told)).await.is_ok() {
            // The task ends only with its runtime (no store's panic ends it), and then there is nothing left to wait for.
            let _ = done.await;
        }
    }
}

impl Shared {
    fn lose(&self, lines: u64) {
        self.lost.fetch_add(lines, Ordering::Relaxed);
        metrics::counter!("proact_transcript_lost_total").increment(lines);
    }
}

async fn write(
    mut receiver: mpsc::Receiver<Item>,
    store: Arc<dyn TranscriptStore>,
    shared: Arc<Shared>,
    limits: Limits,
) {
    while let Some(first) = receiver.recv().await {
        let (mut batch, mut bytes, mut told) = (Vec::new(), 0, None);
        let until = Instant::now() + LINGER;
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Item::Line(entry, size) => {
                    batch.push(*entry);
                    bytes += size;
                }
                // It asks for what came before it: no waiting for others.
                Item::Flush(sender) => {
                    told = Some(sender);
                    break;
                }
            }
            if batch.len() == BATCH {
                break;
            }
            next = timeout_at(until, receiver.recv()).await.ok().flatten();
        }
        if !batch.is_empty() {
            append(&*store, batch, &shared).await;
        }
        let before = shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
        if before - bytes < limits.bytes / 2 && receiver.len() < limits.lines / 2 {
            shared.full.store(false, Ordering::Relaxed);
        }
        if let Some(told) = told {
            let _ = told.send(());
        }
    }
}

async fn append(store: &dyn TranscriptStore, batch: Vec<TranscriptEntry>, shared: &Shared) {
    let lines = batch.len();
    for pause in PAUSES {
        if try_append(store, batch.clone()).await.is_ok() {
            return;
        }
        sleep(pause).await;
    }
    if let Err(error) = try_append(store, batch).await {
        shared.lose(lines as u64);
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        tracing::warn!(lines, cause, "lines of transcripts are lost: the store failed three times");
    }
}

/// One try. The store is called within the future: a panic before the first await is caught too.
async fn try_append(store: &dyn TranscriptStore, batch: Vec<TranscriptEntry>) -> Result<(), TranscriptError> {
    // It has been given lines of its own: a panic leaves none of the queue's half changed.
    match AssertUnwindSafe(async { store.append(batch).await }).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(TranscriptError::new(format!("the store panicked: {}", said(&*panic)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        activity::{Activity, ConversationKey},
        middleware::transcript::{MemoryTranscripts, TranscriptFilter, TranscriptKind},
    };

    fn entry(bytes: usize) -> TranscriptEntry {
        TranscriptEntry {
            conversation: ConversationKey::new("test", "c").unwrap(),
            at: jiff::Timestamp::UNIX_EPOCH,
            kind: TranscriptKind::Sent,
            activity: Activity::message("x".repeat(bytes)),
        }
    }

    #[tokio::test]
    async fn lines_are_bounded_by_their_bytes_and_there_is_room_again_once_they_are_written() {
        let store = MemoryTranscripts::new(100);
        let queue = Queue::new(Arc::new(store.clone()), Limits { lines: 100, bytes: 1100 });
        // Nothing is written before this test waits: it has one thread.
        for _ in 0..5 {
            queue.push(entry(300));
        }
        assert_eq!(queue.lost(), 2);
        queue.push(entry(2000));
        assert_eq!(queue.lost(), 3, "one that never fits");
        queue.push(entry(10));
        queue.flush().await;
        assert_eq!(queue.shared.bytes.load(Ordering::Relaxed), 0);
        for _ in 0..3 {
            queue.push(entry(300));
        }
        queue.flush().await;
        assert_eq!(queue.lost(), 3);
        let key = ConversationKey::new("test", "c").unwrap();
        let page = store.page(&key, TranscriptFilter::default()).await.unwrap();
        assert_eq!(page.lines.len(), 7);
    }
}
