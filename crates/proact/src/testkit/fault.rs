//! The ways in which channels misbehave, by name.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::{ChannelAnswer, Way};

/// One way for a channel to misbehave. Each is a [`ChannelAnswer`]; what people see of it is in the names: *accepted* means that
/// the channel took the activity although its answer does not say so.
///
/// ```
/// use proact::testkit::{ChannelAnswer, FakeChannel, Fault, Wait};
///
/// let channel = FakeChannel::start();
/// channel.script("c1", [Fault::Throttled(Wait::Fraction), Fault::AcceptedAndDropped]);
/// channel.script("c1", [ChannelAnswer::ok()]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// 429.
    Throttled(Wait),
    /// 429, and people see the activity: the refusal came from a gateway behind which it had gone through.
    AcceptedAndThrottled(Wait),
    /// 412, which Teams says for 429 now and then.
    PreconditionFailed,
    /// 403 for this reason.
    Forbidden(Forbidden),
    /// This status with an `ErrorResponse`: 400, 401, 404, 405, 500, 502, 503, 504, whatever it is.
    Status(u16),
    /// This status, and people see the activity.
    AcceptedAndStatus(u16),
    /// This status (301, 302, 307, 308) with `Location: /canary`. Nobody may go there: who does is in
    /// [`Ledger::strays`](super::Ledger::strays).
    Redirect(u16),
    /// 200 with a body that is not JSON.
    GarbageBody,
    /// 200 with no body at all.
    EmptyBody,
    /// 204.
    NoContent,
    /// 200 with an object that has no id.
    NoId,
    /// The connection ends before the activity is read. A [`script`](super::FakeChannel::script) only; from a rule it is
    /// [`Dropped`](Self::Dropped).
    DroppedUnread,
    /// The connection ends after the activity was read; nobody sees it.
    Dropped,
    /// People see the activity, and the connection ends without an answer.
    AcceptedAndDropped,
    /// People see the activity, and the connection ends between a 200 and its body.
    AcceptedAndCutAfterHead,
    /// People see the activity; the channel closes its side of the connection without an answer and goes on reading.
    AcceptedAndHalfClosed,
    /// People see the activity, and what comes back is not HTTP.
    AcceptedAndNotHttp,
    /// People see the activity, and the 200's body comes a byte every 100 ms.
    AcceptedAndDripped,
    /// People see the activity, and no answer ever comes.
    AcceptedAndSilent,
}

/// How a 429 says how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    /// No `Retry-After`.
    Absent,
    /// Whole seconds.
    Seconds(u32),
    /// `0.3`.
    Fraction,
    /// A date this many seconds from now.
    Date(u32),
    /// `-5`.
    Negative,
    /// `36000`.
    TenHours,
    /// `in a while`.
    Garbage,
}

/// Why a 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Forbidden {
    /// `MessageWritesBlocked`: the person blocked or uninstalled the bot.
    Blocked,
    /// `BotNotInConversationRoster`: the bot is not (any more) in the conversation.
    NotInRoster,
    /// `BadArgument`, "User is from different region": the service URL is another region's.
    OtherRegion,
    /// The token is not good enough; the body is that of the web server and not of the channel.
    Credentials,
}

impl Fault {
    /// All of them, the statuses by their usual values.
    pub const ALL: &[Self] = &[
        Self::Throttled(Wait::Absent),
        Self::Throttled(Wait::Seconds(1)),
        Self::Throttled(Wait::Fraction),
        Self::Throttled(Wait::Date(2)),
        Self::Throttled(Wait::Negative),
        Self::Throttled(Wait::TenHours),
        Self::Throttled(Wait::Garbage),
        Self::AcceptedAndThrottled(Wait::Seconds(1)),
        Self::PreconditionFailed,
        Self::Forbidden(Forbidden::Blocked),
        Self::Forbidden(Forbidden::NotInRoster),
        Self::Forbidden(Forbidden::OtherRegion),
        Self::Forbidden(Forbidden::Credentials),
        Self::Status(400),
        Self::Status(401),
        Self::Status(404),
        Self::Status(405),
        Self::Status(500),
        Self::Status(502),
        Self::Status(503),
        Self::Status(504),
        Self::AcceptedAndStatus(500),
        Self::AcceptedAndStatus(502),
        Self::AcceptedAndStatus(504),
        Self::Redirect(301),
        Self::Redirect(302),
        Self::Redirect(307),
        Self::GarbageBody,
        Self::EmptyBody,
        Self::NoContent,
        Self::NoId,
        Self::DroppedUnread,
        Self::Dropped,
        Self::AcceptedAndDropped,
        Self::AcceptedAndCutAfterHead,
        Self::AcceptedAndHalfClosed,
        Self::AcceptedAndNotHttp,
        Self::AcceptedAndDripped,
        Self::AcceptedAndSilent,
    ];
}

impl Wait {
    /// The header's value at `now`; `None` if there is no header.
    #[must_use]
    pub fn header(self, now: Timestamp) -> Option<String> {
        Some(match self {
            Self::Absent => return None,
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Fraction => "0.3".to_owned(),
            Self::Date(seconds) => {
                // Rounded up to the second, which is all that the form has.
                let when = SystemTime::from(now) + Duration::from_secs(u64::from(seconds) + 1);
                let when = Timestamp::try_from(when).unwrap_or(Timestamp::MAX);
                let mut text = String::new();
                DateTimePrinter::new().print_timestamp_rfc9110(&when, &mut text).unwrap_or_default();
                text
            }
            Self::Negative => "-5".to_owned(),
            Self::TenHours => "36000".to_owned(),
            Self::Garbage => "in a while".to_owned(),
        })
    }

    fn throttled(self) -> ChannelAnswer {
        ChannelAnswer::throttled(self.header(Timestamp::now()).as_deref())
    }
}

impl Forbidden {
    fn answer(self) -> ChannelAnswer {
        match self {
            Self::Blocked => ChannelAnswer::error(403, "MessageWritesBlocked", "Message writes are blocked."),
            Self::NotInRoster => ChannelAnswer::error(
                403,
                "BotNotInConversationRoster",
                "The bot is not part of the conversation roster.",
            ),
            Self::OtherRegion => ChannelAnswer::error(403, "BadArgument", "User is from different region"),
            Self::Credentials => ChannelAnswer::error(403, "", "")
                .with_body(r#"{"message":"Authorization has been denied for this request."}"#),
        }
    }
}

impl From<Fault> for ChannelAnswer {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Throttled(wait) => wait.throttled(),
            Fault::AcceptedAndThrottled(wait) => wait.throttled().accepting(),
            Fault::PreconditionFailed => Self::error(412, "PreconditionFailed", "Precondition failed"),
            Fault::Forbidden(why) => why.answer(),
            Fault::Status(status) => Self::status(status).refusing(),
            Fault::AcceptedAndStatus(status) => Self::status(status).accepting(),
            Fault::Redirect(status) => Self::redirect("/canary").with_status(status),
            Fault::GarbageBody => Self::ok().with_body("<html>It works!</html>"),
            Fault::EmptyBody => Self::ok().with_body(Bytes::new()),
            Fault::NoContent => Self::ok().with_status(204).with_body(Bytes::new()),
            Fault::NoId => Self::ok().with_body("{}"),
            Fault::DroppedUnread => Self::cut_unread(),
            Fault::Dropped => Self::cut().refusing(),
            Fault::AcceptedAndDropped => Self::cut(),
            Fault::AcceptedAndCutAfterHead => Self::cut_after_head(200),
            Fault::AcceptedAndHalfClosed => Self::half_closed(),
            Fault::AcceptedAndNotHttp => Self::garbage(),
            Fault::AcceptedAndDripped => Self::drip(Duration::from_millis(100)),
            Fault::AcceptedAndSilent => Self::never(),
        }
    }
}

impl ChannelAnswer {
    /// The same with another status (responses only).
    #[must_use]
    pub fn with_status(mut self, code: u16) -> Self {
        if let Way::Respond { status, .. } = &mut self.way {
            *status = code;
        }
        self
    }

    /// The same for updates and deletions: how a channel says that it takes none (`MethodNotAllowed`).
    #[must_use]
    pub fn no_edits() -> Self {
        Self::error(405, "MethodNotAllowed", "this channel updates and deletes nothing")
    }
}
