//! Who is listening: the open sockets of each conversation.
//!
//! A conversation has an entry while a socket of it is open, so memory grows with what is open and not with what is
//! stored. A commit only says how far the conversation has come; each socket reads from the store what it has not
//! sent yet, so nothing is lost to a socket that was busy, and a slow one holds no backlog in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{broadcast, watch};

/// Typing that a socket may be behind; more is dropped, it is only of the moment.
const PASSING: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Hub {
    conversations: Mutex<HashMap<Arc<str>, Entry>>,
}

#[derive(Debug)]
struct Entry {
    newest: watch::Sender<i64>,
    passing: broadcast::Sender<Utf8Bytes>,
    seats: usize,
}

/// One socket's place among the listeners; given up when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    hub: Arc<Hub>,
    conversation: Arc<str>,
    /// The newest number that was committed since somebody listens.
    pub(super) newest: watch::Receiver<i64>,
    /// Frames that are not stored.
    pub(super) passing: broadcast::Receiver<Utf8Bytes>,
}

impl Hub {
    pub(super) fn sit(self: &Arc<Self>, conversation: &Arc<str>) -> Seat {
        let mut conversations = self.lock();
        let entry = conversations.entry(Arc::clone(conversation)).or_insert_with(|| Entry {
            newest: watch::Sender::new(0),
            passing: broadcast::Sender::new(PASSING),
            seats: 0,
        });
        entry.seats += 1;
        Seat {
            hub: Arc::clone(self),
            conversation: Arc::clone(conversation),
            newest: entry.newest.subscribe(),
            passing: entry.passing.subscribe(),
        }
    }

    /// Tells the sockets of `conversation` that it has come as far as `seq`.
    pub(super) fn wake(&self, conversation: &str, seq: i64) {
        if let Some(entry) = self.lock().get(conversation) {
            entry.newest.send_if_modified(|newest| {
                let further = seq > *newest;
                *newest = seq.max(*newest);
                further
            });
        }
    }

    /// Shows `frame` to whoever listens now.
    pub(super) fn pass(&self, conversation: &str, frame: String) {
        if let Some(entry) = self.lock().get(conversation) {
            let _ = entry.passing.send(frame.into());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Entry>> {
        self.conversations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut conversations = self.hub.lock();
        if let Some(entry) = conversations.get_mut(&self.conversation) {
            entry.seats -= 1;
            if entry.seats == 0 {
                conversations.remove(&self.conversation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_lasts_as_long_as_its_last_socket() {
        let hub = Arc::new(Hub::default());
        let conversation: Arc<str> = "c".into();
        hub.wake("c", 1);
        assert!(hub.lock().is_empty(), "nobody listens, nothing is kept");
        let one = hub.sit(&conversation);
        let mut other = hub.sit(&conversation);
        drop(one);
        hub.wake("c", 7);
        hub.wake("c", 6);
        assert_eq!(*other.newest.borrow_and_update(), 7);
        drop(other);
        assert!(hub.lock().is_empty());
    }
}
