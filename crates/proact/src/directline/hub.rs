//! Who is listening: the open sockets of each conversation.
//!
//! A conversation has an entry while a socket of it is open, so memory grows with what is open and not with what is
//! stored. A commit only says how far the conversation has come; each socket reads from the store what it has not
//! sent yet, so nothing is lost to a socket that was busy, and a slow one holds no backlog in memory. Sockets that stand
//! at the same place share one reading.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Semaphore, broadcast, watch};

use super::commands::Place;
use super::frame;
use super::queries::{Otherwise, ReadPage};
use super::watermark::{Generation, Watermark};
use crate::store::{Error, Store};

/// Typing that a socket may be behind; more is dropped, it is only of the moment.
const PASSING: usize = 16;
/// Sockets of one conversation at most: of a person's windows, not of somebody who collects them.
const SEATS: usize = 100;
/// Readings of all sockets at once: what else is read finds room beside them.
const READINGS: usize = 64;
/// Bytes of a frame that is held for the other sockets at most.
const SHARED: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Hub {
    conversations: Mutex<HashMap<Arc<str>, Entry>>,
    /// What gives the watermarks.
    pub(super) generation: Generation,
    readings: Semaphore,
}

#[derive(Debug)]
struct Entry {
    news: watch::Sender<News>,
    passing: broadcast::Sender<Utf8Bytes>,
    last_read: Arc<tokio::sync::Mutex<Option<Frame>>>,
    seats: usize,
}

/// How far the conversation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// The newest number that was committed since somebody listens.
    pub(super) newest: i64,
    /// The socket that came last, where each conversation has one.
    pub(super) last_to_sit: u64,
}

/// One socket's place among the listeners; given up when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    hub: Arc<Hub>,
    conversation: Arc<str>,
    /// Which socket this is; 0 where a conversation has any number of them.
    pub(super) number: u64,
    pub(super) news: watch::Receiver<News>,
    /// Frames that are not stored.
    pub(super) passing: broadcast::Receiver<Utf8Bytes>,
    last_read: Arc<tokio::sync::Mutex<Option<Frame>>>,
}

/// What comes after a number, as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    after: i64,
    pub(super) text: Utf8Bytes,
    /// How far it takes the client.
    pub(super) watermark: i64,
    /// Whether there is nothing in it.
    pub(super) is_empty: bool,
    /// Whether it is full, so that there may be more.
    pub(super) full: bool,
}

impl Default for Hub {
    fn default() -> Self {
        Self::of(Generation::default())
    }
}

impl Hub {
    pub(super) fn of(generation: Generation) -> Self {
        Self { conversations: Mutex::default(), generation, readings: Semaphore::new(READINGS) }
    }

    /// Takes a seat. Where there is only `one` at a time, the others are told to go.
    pub(super) fn sit(self: &Arc<Self>, conversation: &Arc<str>, one: bool) -> Seat {
        let mut conversations = self.lock();
        let entry = conversations.entry(Arc::clone(conversation)).or_insert_with(|| Entry {
            news: watch::Sender::default(),
            passing: broadcast::Sender::new(PASSING),
            last_read: Arc::default(),
            seats: 0,
        });
        entry.seats += 1;
        if one {
            entry.news.send_modify(|news| news.last_to_sit += 1);
        }
        Seat {
            hub: Arc::clone(self),
            conversation: Arc::clone(conversation),
            number: entry.news.borrow().last_to_sit,
            news: entry.news.subscribe(),
            passing: entry.passing.subscribe(),
            last_read: Arc::clone(&entry.last_read),
        }
    }

    /// Tells the sockets of `conversation` that it has come as far as `seq`.
    pub(super) fn wake(&self, conversation: &str, seq: i64) {
        if let Some(entry) = self.lock().get(conversation) {
            entry.news.send_if_modified(|news| {
                let further = seq > news.newest;
                news.newest = seq.max(news.newest);
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

    /// Whether one more socket of `conversation` may be opened. Two that are opened at one moment may both be the last.
    pub(super) fn has_room(&self, conversation: &str) -> bool {
        self.lock().get(conversation).is_none_or(|entry| entry.seats < SEATS)
    }

    /// Whether a socket of `conversation` is open.
    pub(super) fn is_listened_to(&self, conversation: &str) -> bool {
        self.lock().contains_key(conversation)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Entry>> {
        self.conversations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// What comes after the number `after`, up to `newest` at least or until the frame is full. `None` when the
    /// conversation is gone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn read(
        &self,
        store: &Store,
        place: &Place,
        after: i64,
        newest: i64,
    ) -> Result<Option<Frame>, Error> {
        let mut last_read = self.last_read.lock().await;
        if let Some(frame) = &*last_read
            && frame.after == after
            && (frame.watermark >= newest || frame.full)
        {
            return Ok(Some(frame.clone()));
        }
        let _reading = self.hub.readings.acquire().await;
        let after_it = Watermark::At(after);
        let query = ReadPage { place: place.clone(), after: after_it, otherwise: Otherwise::Beginning };
        let Some(page) = store.read(query).await? else { return Ok(None) };
        let frame = Frame {
            after,
            text: frame::activity_set(&page.activities, Some(&self.hub.generation.written(page.watermark)))
                .into(),
            watermark: page.watermark,
            is_empty: page.activities.is_empty(),
            full: page.full,
        };
        // Held only where another socket may want it too: the entry and this seat hold two of the handles.
        let shared = Arc::strong_count(&self.last_read) > 2 && frame.text.len() <= SHARED;
        *last_read = shared.then(|| frame.clone());
        Ok(Some(frame))
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
        assert!(!hub.is_listened_to("c"), "nobody listens, nothing is kept");
        let one = hub.sit(&conversation, false);
        let mut other = hub.sit(&conversation, false);
        assert_eq!((one.number, other.number), (0, 0));
        drop(one);
        hub.wake("c", 7);
        hub.wake("c", 6);
        assert_eq!(other.news.borrow_and_update().newest, 7);
        drop(other);
        assert!(hub.lock().is_empty());
    }

    #[test]
    fn where_there_is_one_the_last_to_sit_is_known() {
        let hub = Arc::new(Hub::default());
        let first = hub.sit(&"c".into(), true);
        let second = hub.sit(&"c".into(), true);
        assert_ne!(first.number, second.number);
        assert_eq!(first.news.borrow().last_to_sit, second.number);
    }
}
