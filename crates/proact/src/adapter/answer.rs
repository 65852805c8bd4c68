//! What the channel is answered.

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use crate::{activity::Activity, auth::Denied};

/// The answer to an activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// JSON, or nothing.
    pub body: Option<Bytes>,
}

impl Answer {
    /// 200 with nothing in it: the usual one.
    #[must_use]
    pub const fn ok() -> Self {
        Self::empty(200)
    }

    /// A status with nothing in it.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self { status, body: None }
    }

    /// An error in the protocol's shape.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &json!({"error": {"code": code, "message": message}}))
    }

    /// 400: the body, or a field of it, is not what it should be.
    pub(super) fn bad(message: &str) -> Self {
        Self::error(400, "BadArgument", message)
    }

    /// 401, 403 or 503: the caller is not let in.
    pub(super) fn denied(denied: &Denied) -> Self {
        Self::error(denied.status(), denied.code(), &denied.to_string())
    }

    /// 503: nothing was done; the channel should try again.
    pub(super) fn unavailable(message: &str) -> Self {
        Self::error(503, "ServiceUnavailable", message)
    }

    /// Whether it is [`Self::unavailable`]: nothing was done, for want of room.
    pub(super) const fn is_unavailable(&self) -> bool {
        self.status == 503
    }

    pub(super) fn failed() -> Self {
        Self::error(500, "BotError", "the bot failed to handle this activity; its log says why")
    }

    pub(super) fn replies(activities: &[Activity]) -> Self {
        #[derive(Serialize)]
        struct Replies<'a> {
            activities: &'a [Activity],
        }
        Self::json(200, &Replies { activities })
    }

    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        // Values and activities: neither has a key that is not a text, nor anything else that JSON cannot say.
        let body = serde_json::to_vec(body).expect("JSON is written to memory");
        Self { status, body: Some(body.into()) }
    }

    /// How many bytes its body has.
    pub(super) fn bytes(&self) -> usize {
        self.body.as_ref().map_or(0, Bytes::len)
    }

    /// Whether the turn did not take place, so that the activity is to be handled when it comes again.
    pub(super) const fn is_server_error(&self) -> bool {
        self.status >= 500
    }
}
