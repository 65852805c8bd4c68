//! Transcripts: what came in and what went out, written down beside the turns.
//!
//! What [`TranscriptLogger`] promises, in the order in which things happen:
//!
//! 1. **A turn never waits and never fails for it.** A line is put into a queue in memory and written by a task of its own, several at
//!    a time. Of what a process has in that queue when it dies, nothing is written: a transcript is a convenience, not a record that
//!    anything else relies on.
//! 2. **In order.** Lines are written in the order in which they came to the queue: received before the turn, sent when the channel had
//!    taken it. What the channel did not take is not there. A turn that is run again is there again.
//! 3. **Failure is told, not hidden.** A store that fails or panics is tried three times. Lines that could not be written, or that found the queue
//!    full, are lost: counted by [`TranscriptLogger::lost`] and the counter `proact_transcript_lost_total`, and warned of in the log, once
//!    for each time that it begins.
//! 4. **No secrets.** Tokens, codes of sign-ins and URLs that open something by themselves are left out (`…`); see [`redacted`].
//!
//! What is written down: every activity that a channel sent, and everything that a turn sends, updates and deletes (a `messageDelete` with
//! the id). Not the events that nobody sent (`ContinueConversation`, `CreateConversation`), nor what never reaches a channel (`delay`, a
//! `trace` outside the Emulator).
//!
//! A [`TranscriptStore`] keeps them: [`MemoryTranscripts`] or [`StoredTranscripts`], which keeps them in the same file as everything else.
//! [`keep_for`] forgets what is too old.
//!
//! ```
//! # use std::sync::Arc;
//! use proact::{
//!     adapter::Adapter,
//!     clock::SystemClock,
//!     middleware::transcript::{MemoryTranscripts, TranscriptLogger},
//!     turn::Bot,
//! };
//!
//! fn adapter(bot: impl Bot) -> Adapter {
//!     let logger = TranscriptLogger::new(MemoryTranscripts::new(10_000), Arc::new(SystemClock));
//!     Adapter::builder(bot).middleware(logger).build()
//! }
//! ```

mod entry;
mod keep;
mod logger;
mod memory;
mod queue;
mod redact;
mod stored;

use std::fmt;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

pub use entry::{
    TranscriptConversation, TranscriptEntry, TranscriptFilter, TranscriptKind, TranscriptLine, TranscriptPage,
};
pub use keep::keep_for;
pub use logger::TranscriptLogger;
pub use memory::MemoryTranscripts;
pub use redact::redacted;
pub use stored::StoredTranscripts;

use crate::{
    activity::ConversationKey,
    store::{self, Migration},
    turn::BotError,
};

/// The tables of [`StoredTranscripts`], to be given to [`Store::open`](crate::store::Store::open).
pub const MIGRATION: Migration =
    Migration { set: "transcript", steps: &[include_str!("migrations/sqlite/0001_transcript.sql")] };

/// Keeps transcripts.
pub trait TranscriptStore: fmt::Debug + Send + Sync + 'static {
    /// Adds entries, in this order, all or none.
    fn append(&self, entries: Vec<TranscriptEntry>) -> BoxFuture<'_, Result<(), TranscriptError>>;

    /// A page of a conversation's lines; an empty one of a conversation that is not known.
    fn page(
        &self,
        conversation: &ConversationKey,
        filter: TranscriptFilter,
    ) -> BoxFuture<'_, Result<TranscriptPage, TranscriptError>>;

    /// The conversations there are, by channel and id, after `after`, at most `limit`.
    fn conversations(
        &self,
        after: Option<ConversationKey>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<TranscriptConversation>, TranscriptError>>;

    /// Forgets a conversation. Answers how many lines it had.
    fn forget(&self, conversation: &ConversationKey) -> BoxFuture<'_, Result<u64, TranscriptError>>;

    /// Forgets lines from before a time, the oldest first, at most `limit`. Answers how many.
    fn prune(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<u64, TranscriptError>>;
}

/// A transcript store failed.
#[derive(Debug, thiserror::Error)]
#[error("the transcript store failed")]
pub struct TranscriptError(#[source] BotError);

impl TranscriptError {
    /// With what happened.
    #[must_use]
    pub fn new(source: impl Into<BotError>) -> Self {
        Self(source.into())
    }
}

impl From<store::Error> for TranscriptError {
    fn from(error: store::Error) -> Self {
        Self::new(error)
    }
}
