//! How the fake channel answers, rightly or wrongly.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;

/// One answer of the fake channel: whether it takes the activity, and what it lets the bot know of that. The two are
/// independent; that is the point.
#[derive(Clone, Debug)]
pub struct ChannelAnswer {
    /// Whether the channel took the activity: people see it, whatever the answer says.
    pub accepted: bool,
    /// What goes back.
    pub way: Way,
    /// How long it waits first.
    pub delay: Duration,
    /// What it waits for first.
    pub gate: Option<Gate>,
}

/// What goes back.
#[derive(Clone, Debug)]
pub enum Way {
    /// A response.
    Respond {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: Vec<(String, String)>,
        /// Its body; `None` for a resource response with the activity's new id.
        body: Option<Bytes>,
    },
    /// A response whose body comes in pieces.
    Drip {
        /// Its status.
        status: u16,
        /// Its body.
        body: Bytes,
        /// How many bytes a piece has.
        piece: usize,
        /// How long each piece takes.
        every: Duration,
    },
    /// A head that announces a body, and a connection that closes before it.
    CutAfterHead {
        /// The head's status.
        status: u16,
    },
    /// The connection closes after the request was read.
    Cut,
    /// The connection closes after the request's head, before its body is read. Only a
    /// [script](super::FakeChannel::script) can say so, a rule sees the whole request.
    CutUnread,
    /// Bytes that are not HTTP, and the connection closes.
    Garbage(Bytes),
    /// The channel closes its side of the connection and goes on reading.
    HalfClose,
    /// Nothing, and the connection stays open.
    Never,
}

impl ChannelAnswer {
    fn new(accepted: bool, way: Way) -> Self {
        Self { accepted, way, delay: Duration::ZERO, gate: None }
    }

    fn respond(accepted: bool, status: u16, body: Option<Bytes>) -> Self {
        Self::new(accepted, Way::Respond { status, headers: Vec::new(), body })
    }

    /// As a channel should: 200 with the activity's new id.
    #[must_use]
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// A status: with the new id and accepted if it is 200, 201 or 202, otherwise with an error and not.
    #[must_use]
    pub fn status(status: u16) -> Self {
        match status {
            200..=202 => Self::respond(true, status, None),
            _ => Self::error(status, "FakeChannel", "as the test asked for"),
        }
    }

    /// A status with an `ErrorResponse`; not accepted.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({ "error": { "code": code, "message": message } }).to_string();
        Self::respond(false, status, Some(body.into()))
    }

    /// 429, with `Retry-After` if given; not accepted.
    #[must_use]
    pub fn throttled(retry_after: Option<&str>) -> Self {
        let answer = Self::error(429, "TooManyRequests", "slow down");
        match retry_after {
            Some(value) => answer.with_header("Retry-After", value),
            None => answer,
        }
    }

    /// 307 to somewhere else; not accepted.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        Self::respond(false, 307, Some(Bytes::new())).with_header("Location", location)
    }

    /// A 200 that comes byte by byte; accepted.
    #[must_use]
    pub fn drip(every: Duration) -> Self {
        let body = Bytes::from_static(b"{\"id\":\"drip\"}");
        Self::new(true, Way::Drip { status: 200, body, piece: 1, every })
    }

    /// Takes the activity and closes the connection without an answer.
    #[must_use]
    pub fn cut() -> Self {
        Self::new(true, Way::Cut)
    }

    /// Closes the connection before it has read the activity.
    #[must_use]
    pub fn cut_unread() -> Self {
        Self::new(false, Way::CutUnread)
    }

    /// Takes the activity, says `status`, and closes the connection before the body.
    #[must_use]
    pub fn cut_after_head(status: u16) -> Self {
        Self::new(true, Way::CutAfterHead { status })
    }

    /// Takes the activity and answers with something that is not HTTP.
    #[must_use]
    pub fn garbage() -> Self {
        Self::new(true, Way::Garbage(Bytes::from_static(b"\x16\x03\x01 not HTTP at all\r\n\r\n")))
    }

    /// Takes the activity, closes its side of the connection without an answer, and goes on reading.
    #[must_use]
    pub fn half_closed() -> Self {
        Self::new(true, Way::HalfClose)
    }

    /// Takes the activity and never answers.
    #[must_use]
    pub fn never() -> Self {
        Self::new(true, Way::Never)
    }

    /// The same, with a header (responses only).
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Way::Respond { headers, .. } = &mut self.way {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The same, with another body (responses and drips).
    #[must_use]
    pub fn with_body(mut self, text: impl Into<Bytes>) -> Self {
        match &mut self.way {
            Way::Respond { body, .. } => *body = Some(text.into()),
            Way::Drip { body, .. } => *body = text.into(),
            _ => {}
        }
        self
    }

    /// The same, but people see the activity.
    #[must_use]
    pub fn accepting(self) -> Self {
        Self { accepted: true, ..self }
    }

    /// The same, but nobody sees the activity.
    #[must_use]
    pub fn refusing(self) -> Self {
        Self { accepted: false, ..self }
    }

    /// The same, after a time.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The same, once the gate is open.
    #[must_use]
    pub fn behind(self, gate: &Gate) -> Self {
        Self { gate: Some(gate.clone()), ..self }
    }
}

/// Holds answers back until the test opens it; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Opens it for good.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn pass(&self) {
        // The sender lives in `self`, so the wait cannot end for want of one.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}
