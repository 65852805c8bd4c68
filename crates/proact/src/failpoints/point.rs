//! The points.

use std::{fmt, str::FromStr};

macro_rules! points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        /// A place between two effects.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Point {
            $($(#[doc = $doc])+ $point,)+
        }

        impl Point {
            /// All of them, in about the order in which a message meets them.
            pub const ALL: &[Self] = &[$(Self::$point),+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$point => $name),+ }
            }
        }
    };
}

points! {
    /// What an earlier process left is recovered; nothing is served yet.
    AfterRecover = "after-recover",
    /// Commands are applied, their transaction is not committed.
    BeforeCommit = "before-commit",
    /// A transaction is committed and synced; neither the subscribers nor who waits for it know.
    AfterCommit = "after-commit",
    /// The subscribers were told of a commit; nobody who waits for it was.
    AfterTold = "after-told",
    /// A command of a turn or a request over `/v1` is on record; who called does not know, so nothing was announced.
    AfterCommand = "after-command",
    /// A turn is on record with its activity because it is slow; its early answer has not left.
    AfterEarly = "after-early",
    /// A turn's handler has ended; its end is not on record.
    BeforeTurnEnd = "before-turn-end",
    /// A turn's end is on record, if there was anything to record; the HTTP answer has not left.
    AfterTurnEnd = "after-turn-end",
    /// An attempt is about to be put on record as begun.
    BeforeBegin = "before-begin",
    /// An attempt is on record as begun; none of its bytes has left.
    AfterBegin = "after-begin",
    /// A request, whosever it is, is about to leave.
    BeforeBytes = "before-bytes",
    /// The answer's head is there; nobody has looked at it.
    AfterAnswer = "after-answer",
    /// The outcome of an attempt is known and not on record.
    BeforeSettle = "before-settle",
    /// The outcome of an attempt is on record; the lane has not gone on.
    AfterSettle = "after-settle",
    /// The built-in channel has stored what a person said; the bot does not have it.
    DirectLineTaken = "directline-taken",
    /// The bot has what a person said; that is not on record, and the person was not told.
    DirectLineHandedOver = "directline-handed-over",
    /// The built-in channel has stored what the bot said; the bot was not told.
    DirectLineSaid = "directline-said",
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// It is none of the points' names.
#[derive(Debug, thiserror::Error)]
#[error("there is no point of that name")]
pub struct NoPoint;

impl FromStr for Point {
    type Err = NoPoint;

    fn from_str(name: &str) -> Result<Self, NoPoint> {
        Self::ALL.iter().copied().find(|point| point.name() == name).ok_or(NoPoint)
    }
}
