//! What is said, written down in the app's own store.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    loops::Loops,
    middleware::transcript::{StoredTranscripts, TranscriptLogger, keep_for},
    store::Store,
};

/// An app's transcripts: what writes them, and where they are read.
#[derive(Debug, Clone)]
pub struct Transcripts {
    /// What writes them.
    pub logger: TranscriptLogger,
    /// Where they are.
    pub stored: StoredTranscripts,
    keep: Duration,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    loops: Loops,
}

impl Transcripts {
    pub(super) fn new(store: &Store, keep: Duration, clock: Arc<dyn Clock>) -> Self {
        let stored = StoredTranscripts::new(store.clone());
        let logger = TranscriptLogger::new(stored.clone(), Arc::clone(&clock));
        Self { logger, stored, keep, clock, stop: CancellationToken::new(), loops: store.loops().clone() }
    }

    /// Begins to forget what is too old.
    pub(super) fn start(&self) {
        let forget = keep_for(self.stored.clone(), self.keep, Arc::clone(&self.clock), self.stop.clone());
        tokio::spawn(self.loops.watch("the transcripts' pruning", forget));
    }

    /// Writes what waits, and forgets nothing more.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.logger.flush().await;
    }
}
