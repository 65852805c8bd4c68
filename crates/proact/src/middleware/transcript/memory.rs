//! Transcripts in memory, for tests and for programs that want the last of them only.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt, ready};
use jiff::Timestamp;

use super::{
    TranscriptConversation, TranscriptEntry, TranscriptError, TranscriptFilter, TranscriptLine,
    TranscriptPage, TranscriptStore,
};
use crate::activity::ConversationKey;

/// Keeps the last lines in memory. Clones are the same.
#[derive(Debug, Clone)]
pub struct MemoryTranscripts {
    most: usize,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    last: u64,
    lines: VecDeque<TranscriptLine>,
}

impl MemoryTranscripts {
    /// Keeps so many lines; past them the oldest are forgotten.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, kept: Arc::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, conversation: &ConversationKey, filter: TranscriptFilter) -> TranscriptPage {
        let kept = self.kept();
        let rows = filter.rows();
        let mine = kept.lines.iter().filter(|line| line.entry.conversation == *conversation);
        let found = if filter.newest_first {
            let before = filter.after.unwrap_or(u64::MAX);
            mine.rev().filter(|line| line.seq < before).take(rows + 1).cloned().collect()
        } else {
            let after = filter.after.unwrap_or_default();
            mine.filter(|line| line.seq > after).take(rows + 1).cloned().collect()
        };
        TranscriptPage::of(found, rows)
    }
}

impl Kept {
    fn retain(&mut self, keep: impl FnMut(&TranscriptLine) -> bool) -> u64 {
        let before = self.lines.len();
        self.lines.retain(keep);
        (before - self.lines.len()) as u64
    }
}

impl TranscriptStore for MemoryTranscripts {
    fn append(&self, entries: Vec<TranscriptEntry>) -> BoxFuture<'_, Result<(), TranscriptError>> {
        let mut kept = self.kept();
        for entry in entries {
            kept.last += 1;
            let seq = kept.last;
            kept.lines.push_back(TranscriptLine { seq, entry });
        }
        while kept.lines.len() > self.most {
            kept.lines.pop_front();
        }
        ready(Ok(())).boxed()
    }

    fn page(
        &self,
        conversation: &ConversationKey,
        filter: TranscriptFilter,
    ) -> BoxFuture<'_, Result<TranscriptPage, TranscriptError>> {
        ready(Ok(self.read(conversation, filter))).boxed()
    }

    fn conversations(
        &self,
        after: Option<ConversationKey>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<TranscriptConversation>, TranscriptError>> {
        let mut found = BTreeMap::<ConversationKey, TranscriptConversation>::new();
        for TranscriptLine { entry, .. } in &self.kept().lines {
            let known = found.entry(entry.conversation.clone()).or_insert_with(|| TranscriptConversation {
                conversation: entry.conversation.clone(),
                first_at: entry.at,
                last_at: entry.at,
            });
            known.last_at = entry.at;
        }
        let beyond = |key: &ConversationKey| after.as_ref().is_none_or(|after| key > after);
        let page = found.into_iter().filter(|(key, _)| beyond(key)).map(|(_, found)| found).take(limit);
        ready(Ok(page.collect())).boxed()
    }

    fn forget(&self, conversation: &ConversationKey) -> BoxFuture<'_, Result<u64, TranscriptError>> {
        let forgotten = self.kept().retain(|line| line.entry.conversation != *conversation);
        ready(Ok(forgotten)).boxed()
    }

    fn prune(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<u64, TranscriptError>> {
        let mut kept = self.kept();
        let mut old: Vec<_> = kept
            .lines
            .iter()
            .filter(|line| line.entry.at < before)
            .map(|line| (line.entry.at, line.seq))
            .collect();
        old.sort_unstable();
        let old: std::collections::HashSet<_> = old.into_iter().take(limit).map(|(_, seq)| seq).collect();
        ready(Ok(kept.retain(|line| !old.contains(&line.seq)))).boxed()
    }
}
