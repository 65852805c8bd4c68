//! One stream: what waits for one target in one class, and how far it has been read.
//!
//! The store keeps it in the order in which it comes due. A stream reads on from where it was, and then knows when the next one comes
//! due. What is accepted meanwhile is announced; what is announced and finds no room makes the stream read anew from the start.

use std::collections::VecDeque;

use super::agenda::When;
use crate::activity::ConversationKey;

/// Where a stream has been read to: due time and order of acceptance.
pub(super) type Cursor = (i64, i64);

const START: Cursor = (i64::MIN, i64::MIN);

#[derive(Debug)]
pub(super) struct Stream {
    /// Lanes that may have something to send, in the order in which they are served.
    pub(super) ready: VecDeque<ConversationKey>,
    cursor: Cursor,
    /// There may be something due that was not read.
    behind: bool,
    /// When the next one comes due that is known of.
    next_due: Option<i64>,
    /// A read is under way; what it finds counts only if the stream was not reset meanwhile.
    reading: bool,
    resets: u32,
}

impl Stream {
    /// Nothing is read yet.
    pub(super) fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            cursor: START,
            behind: true,
            next_due: None,
            reading: false,
            resets: 0,
        }
    }

    /// Something will be due at `at`.
    pub(super) fn due_at(&mut self, at: i64) {
        self.next_due = Some(self.next_due.map_or(at, |known| known.min(at)));
    }

    /// Something is due, or was read, that is not held: everything is read anew.
    pub(super) fn reset(&mut self) {
        self.cursor = START;
        self.behind = true;
        self.resets = self.resets.wrapping_add(1);
    }

    /// When it is to be read; `None` while it is read, too: the end of that says more.
    pub(super) fn wants(&self) -> Option<When> {
        if self.reading {
            None
        } else if self.behind {
            Some(When::Now)
        } else {
            self.next_due.map(When::At)
        }
    }

    /// What it was waiting for is due.
    pub(super) fn came_due(&mut self) {
        self.next_due = None;
        self.behind = true;
    }

    /// Where to read on.
    pub(super) fn begin_read(&mut self, now: i64) -> (Cursor, u32) {
        // What is due is found by this read.
        self.next_due = self.next_due.filter(|at| *at > now);
        self.reading = true;
        (self.cursor, self.resets)
    }

    /// A read has come back: `last` is the last row of it, `end` whether there was no more, and then when the next comes due.
    pub(super) fn read(&mut self, resets: u32, last: Option<Cursor>, end: bool, next_due: Option<i64>) {
        self.reading = false;
        if let Some(at) = next_due {
            self.due_at(at);
        }
        if resets == self.resets {
            self.cursor = last.unwrap_or(self.cursor);
            self.behind = !end;
        }
    }

    /// The read has failed.
    pub(super) fn read_failed(&mut self) {
        self.reading = false;
    }
}
