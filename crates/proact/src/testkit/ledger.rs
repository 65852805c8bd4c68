//! What reached the fake channel.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{ChannelAnswer, Way};

/// A request that reached the channel.
pub struct Post {
    /// Its number, from 1, in the order of arrival.
    pub number: u64,
    /// When it had come, by the monotonic clock.
    pub at: Instant,
    /// When it had come, by the channel's clock: the machine's, or the one that it was started with.
    pub wall: Timestamp,
    /// `POST` for an activity that is sent, `PUT` for one that is updated, `DELETE` for one that is deleted.
    pub method: Method,
    /// The path as it came, encoded.
    pub path: String,
    /// The conversation's id, decoded; empty when the request is to create one.
    pub conversation: String,
    /// The id of the activity that it replies to, updates or deletes, decoded, if the route names one.
    pub reply_to: Option<String>,
    /// The `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; empty if it was cut unread.
    pub body: Bytes,
    json: OnceLock<Value>,
}

impl Post {
    pub(super) fn new(
        number: u64,
        wall: Timestamp,
        (method, path): (Method, String),
        (conversation, reply_to): (String, Option<String>),
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let key = headers.get("idempotency-key");
        let idempotency_key = key.map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
        Self {
            number,
            at: Instant::now(),
            wall,
            method,
            path,
            conversation,
            reply_to,
            idempotency_key,
            headers,
            body,
            json: OnceLock::new(),
        }
    }

    /// The activity (or the parameters of a conversation to create) as JSON; `null` if the body is none.
    pub fn activity(&self) -> &Value {
        self.json.get_or_init(|| serde_json::from_slice(&self.body).unwrap_or_default())
    }

    /// The SHA-256 of the body in hexadecimal digits: what came is the same as another if this is.
    #[must_use]
    pub fn digest(&self) -> String {
        Sha256::digest(&self.body).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether it brings a new activity; otherwise it updates or deletes one.
    pub fn is_new(&self) -> bool {
        self.method == Method::POST
    }

    /// The activity's text, or nothing.
    pub fn text(&self) -> &str {
        self.activity()["text"].as_str().unwrap_or_default()
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post")
            .field("number", &self.number)
            .field("wall", &self.wall)
            .field("method", &self.method)
            .field("conversation", &self.conversation)
            .field("reply_to", &self.reply_to)
            .field("idempotency_key", &self.idempotency_key)
            .field("activity", self.activity())
            .finish_non_exhaustive()
    }
}

/// A line of the ledger: a request and what was made of it. Reads like the [`Post`] it holds.
#[derive(Debug)]
pub struct Entry {
    /// The request.
    pub post: Post,
    /// How it was answered.
    pub answer: ChannelAnswer,
    /// Whether people see the activity.
    pub accepted: bool,
    /// The id that the channel gave the activity, or the conversation that it created.
    pub id: String,
    pub(super) answered: OnceLock<Answered>,
}

/// When an answer left.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// By the monotonic clock.
    pub at: Instant,
    /// By the channel's clock.
    pub wall: Timestamp,
}

impl Entry {
    /// When the answer left, or the connection was broken in place of one; `None` while it waits, or if it never comes.
    #[must_use]
    pub fn answered(&self) -> Option<Answered> {
        self.answered.get().copied()
    }

    /// The status that was answered with, if it was with one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.answer.way {
            Way::Respond { status, .. } | Way::Drip { status, .. } | Way::CutAfterHead { status } => {
                Some(status)
            }
            _ => None,
        }
    }

    /// The `Retry-After` that was answered with.
    #[must_use]
    pub fn retry_after(&self) -> Option<&str> {
        let Way::Respond { headers, .. } = &self.answer.way else { return None };
        let header = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        header.map(|(_, value)| value.as_str())
    }
}

impl Deref for Entry {
    type Target = Post;

    fn deref(&self) -> &Post {
        &self.post
    }
}

/// Everything that reached the channel, in the order of arrival. Reads like a slice; a clone stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Arc<Entry>>,
    strays: Vec<String>,
}

impl Ledger {
    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        self.entries.push(entry);
    }

    pub(super) fn stray(&mut self, stray: String) {
        self.strays.push(stray);
    }

    /// Whether a conversation has an activity of this id, sent and not deleted.
    pub(super) fn has(&self, conversation: &str, id: &str) -> bool {
        let mut of_it = self.accepted(conversation).filter(|entry| entry.id == id);
        of_it.next_back().is_some_and(|entry| entry.method != Method::DELETE)
    }

    /// Requests that no connector takes, as method and path, in order: who followed a redirect is here.
    #[must_use]
    pub fn strays(&self) -> &[String] {
        &self.strays
    }

    /// What came for a conversation, accepted or not.
    pub fn of(&self, conversation: &str) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().map(Deref::deref).filter(move |entry| entry.conversation == conversation)
    }

    /// What the channel took for a conversation: activities that people see, and updates and deletes of such.
    pub fn accepted(&self, conversation: &str) -> impl DoubleEndedIterator<Item = &Entry> {
        self.of(conversation).filter(|entry| entry.accepted)
    }

    /// The texts of the messages that people in a conversation were sent, as they were when they came; for what became of them since,
    /// see [`shown`](Self::shown).
    #[must_use]
    pub fn texts(&self, conversation: &str) -> Vec<&str> {
        let messages = self
            .accepted(conversation)
            .filter(|entry| entry.is_new() && entry.activity()["type"] == "message");
        messages.map(|entry| entry.post.text()).collect()
    }
}

impl Ledger {
    /// The texts of the messages that people in a conversation see now: updated where they were updated, and without those deleted.
    #[must_use]
    pub fn shown(&self, conversation: &str) -> Vec<&str> {
        let mut shown: Vec<(&str, &str)> = Vec::new();
        for entry in self.accepted(conversation) {
            let text = entry.post.text();
            let known = shown.iter().position(|(id, _)| *id == entry.id);
            match known {
                None if entry.is_new() && entry.activity()["type"] == "message" => {
                    shown.push((&entry.id, text))
                }
                Some(at) if entry.method == Method::PUT => shown[at].1 = text,
                Some(at) if entry.method == Method::DELETE => drop(shown.remove(at)),
                _ => {}
            }
        }
        shown.into_iter().map(|(_, text)| text).collect()
    }
}

impl Deref for Ledger {
    type Target = [Arc<Entry>];

    fn deref(&self) -> &[Arc<Entry>] {
        &self.entries
    }
}
