//! Who sent an activity.

use serde::{Deserialize, Serialize};

/// What kind of party sent an activity. Each kind is proven by rules of its own; see the [room](super).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum CallerKind {
    /// The bot itself: in a proactive turn nobody has called.
    Itself,
    /// Nobody was asked who they are: the bot has no credentials, and is reached from its own machine only.
    Anonymous,
    /// A channel of the cloud.
    Channel,
    /// The Bot Framework Emulator, or who has the bot's own credentials.
    Emulator,
    /// A bot that uses this one as its skill.
    Skill,
    /// The built-in Direct Line channel.
    DirectLine,
    /// A bot, to the built-in channel: by the token that it shows channels.
    Bot,
}

/// Who sent an activity, as far as that was proven.
///
/// It is on the turn ([`TurnContext::caller`](crate::turn::TurnContext::caller)), and on record with a turn that is answered before its
/// end, so that it is the same when that is run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Caller {
    /// Which rules they were let in by.
    pub kind: CallerKind,
    /// The app id that their token was issued to, when the token names one.
    pub app_id: Option<String>,
    /// The protocol's name for them, which is put on the activity as `callerId`: `urn:botframework:azure` or `…:azureusgov` for a channel
    /// of that cloud, `urn:botframework:aadappid:{id}` for an app, the bot's own id among them (the SDKs call the Emulator a channel
    /// there; it is not). `None` where the protocol has none.
    pub caller_id: Option<String>,
    /// Whether the activity's `serviceUrl` was vouched for by their token.
    pub service_url_verified: bool,
}

impl Caller {
    /// Nobody that is known.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self { kind: CallerKind::Anonymous, app_id: None, caller_id: None, service_url_verified: false }
    }

    /// The bot itself.
    pub(crate) const fn itself() -> Self {
        Self { kind: CallerKind::Itself, app_id: None, caller_id: None, service_url_verified: false }
    }
}
