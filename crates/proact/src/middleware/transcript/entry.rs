//! A line of a transcript, and how lines are asked for.

use std::fmt;

use jiff::Timestamp;

use crate::activity::{Activity, ConversationKey};

/// How many lines a page has at most.
pub(super) const LARGEST_PAGE: usize = 500;

/// What was done with an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TranscriptKind {
    /// A channel sent it to the bot.
    Received,
    /// The bot sent it.
    Sent,
    /// The bot put it in the place of the one with its id.
    Updated,
    /// The bot deleted the one with its id.
    Deleted,
}

impl TranscriptKind {
    /// `received`, `sent`, `updated` or `deleted`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Received, Self::Sent, Self::Updated, Self::Deleted]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for TranscriptKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something to write down.
#[derive(Debug, Clone, PartialEq)]
pub struct TranscriptEntry {
    /// Where it was.
    pub conversation: ConversationKey,
    /// When, by the logger's clock; to the millisecond.
    pub at: Timestamp,
    /// What was done.
    pub kind: TranscriptKind,
    /// With which activity, without secrets.
    pub activity: Activity,
}

/// Something that was written down.
#[derive(Debug, Clone, PartialEq)]
pub struct TranscriptLine {
    /// Its number: lines are in its order, and no number is used twice.
    pub seq: u64,
    /// What it says.
    pub entry: TranscriptEntry,
}

/// Which lines of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TranscriptFilter {
    /// From the newest back, instead of from the oldest on.
    pub newest_first: bool,
    /// Beyond the line with this number, in that direction: the [`next`](TranscriptPage::next) of the page before.
    pub after: Option<u64>,
    /// At most so many; from 1 to 500.
    pub limit: usize,
}

impl Default for TranscriptFilter {
    fn default() -> Self {
        Self { newest_first: false, after: None, limit: 100 }
    }
}

impl TranscriptFilter {
    pub(super) fn rows(self) -> usize {
        self.limit.clamp(1, LARGEST_PAGE)
    }
}

/// A page of lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TranscriptPage {
    /// The lines.
    pub lines: Vec<TranscriptLine>,
    /// Where the next page goes on; `None` on the last one.
    pub next: Option<u64>,
}

impl TranscriptPage {
    /// Of lines that were asked for with one more than the page has.
    pub(super) fn of(mut lines: Vec<TranscriptLine>, rows: usize) -> Self {
        let more = lines.len() > rows;
        lines.truncate(rows);
        let next = lines.last().filter(|_| more).map(|line| line.seq);
        Self { lines, next }
    }
}

/// A conversation that has lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptConversation {
    /// Which.
    pub conversation: ConversationKey,
    /// When its oldest line was written down.
    pub first_at: Timestamp,
    /// When its newest line was written down.
    pub last_at: Timestamp,
}
