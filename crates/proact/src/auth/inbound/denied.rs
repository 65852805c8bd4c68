//! Why nobody is let in, each by itself.

use std::fmt;

/// Why a caller is not let in. Never holds the token; of its claims at most the few that tell an operator what to configure, cut
/// short and without anything that is not printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// There is no `Authorization` header.
    #[error("there is no Authorization header: send `Authorization: Bearer` with a token")]
    Missing,
    /// The header is larger than is looked at.
    #[error("the Authorization header has more than {} bytes", super::MAX_HEADER)]
    TooLarge,
    /// The header is not of the form `Bearer token`.
    #[error("the Authorization header is not `Bearer`, one space and a token")]
    NotBearer,
    /// The token is not three parts of base64url, or its header is no JSON object, or its claims are none.
    #[error("the token is no JSON Web Token: {0}")]
    NotAJwt(&'static str),
    /// Another algorithm than RS256, RS384 and RS512, or none.
    #[error("the token's algorithm is not RS256, RS384 or RS512")]
    Algorithm,
    /// It asks for extensions to be understood.
    #[error("the token has critical extensions (crit), and none is understood")]
    Critical,
    /// A claim that is used is of another type than it should be, or is there twice.
    #[error("a claim of the token is not of the type it should be, or is there twice")]
    Claims,
    /// It was issued by nobody who is configured.
    #[error(
        "the token's issuer ({found}) is none that this bot trusts; if it should be, see which cloud and tenant \
         (MicrosoftAppTenantId) are configured, and whether this kind of caller is on"
    )]
    Issuer {
        /// What stood there.
        found: Shown,
    },
    /// It does not say which key signed it.
    #[error("the token does not name its key (kid)")]
    NoKeyId,
    /// Its issuer has no such key.
    #[error("the token names a key (kid) that its issuer does not have")]
    UnknownKey,
    /// The issuer's keys cannot be had at the moment.
    #[error("the signing keys of the token's issuer cannot be fetched now: send it again later")]
    KeysUnavailable,
    /// The key is for another algorithm than the token's.
    #[error("the token's key is for another algorithm")]
    KeyAlgorithm,
    /// The signature is not that key's.
    #[error("the token's signature is not valid")]
    Signature,
    /// It has no `exp`.
    #[error("the token has no expiry (exp)")]
    NoExpiry,
    /// It is past its time, the skew included.
    #[error("the token has expired")]
    Expired,
    /// Its time is to come, the skew included.
    #[error("the token is not valid yet (nbf)")]
    NotYetValid,
    /// It is for somebody else.
    #[error("the token's audience ({found}) is not this bot's app id; see MicrosoftAppId")]
    Audience {
        /// What stood there.
        found: Shown,
    },
    /// A version of claims that no document describes.
    #[error("the token's version (ver) is neither 1.0 nor 2.0")]
    Version,
    /// It does not say which app it was issued to.
    #[error("the token does not say which app it was issued to (appid or azp, by its version)")]
    NoAppId,
    /// It was issued to a person by way of an app.
    #[error("the token is a person's (scp): only apps call a bot")]
    Delegated,
    /// It was issued to the bot's own app id, and the Emulator's path is off.
    #[error("callers with the bot's own credentials (the Emulator) are not let in: this is off")]
    EmulatorOff,
    /// It was issued to another app, and nobody may use this bot as a skill.
    #[error("this bot is nobody's skill: callers with another app id are off")]
    SkillsOff,
    /// It was issued to an app that may not use this bot as a skill.
    #[error("the app {app_id} is not among those that may use this bot as a skill")]
    SkillNotListed {
        /// Which one.
        app_id: Shown,
    },
    /// A skill's caller wants to be answered elsewhere than where it is known to be.
    #[error(
        "the activity's serviceUrl is not where this skill's caller is known to be; the configuration names it"
    )]
    SkillElsewhere,
    /// It was issued to another app than the bot that is talked to here.
    #[error("the token was issued to the app {app_id}, which is not the bot of this channel; see its app id")]
    OtherBot {
        /// Which one.
        app_id: Shown,
    },
    /// It is a bot's for channels, and speaks for no activity to a bot.
    #[error("the token is one that a bot shows channels: it speaks for no activity to a bot")]
    ForChannels,
    /// A channel's token without the claim `serviceurl`.
    #[error("the token does not say which service URL it is for (serviceurl)")]
    NoServiceUrl,
    /// The token is for another service URL than the activity's.
    #[error("serviceUrl: not the one that the token is for")]
    ServiceUrl,
    /// The key is not endorsed for the activity's channel.
    #[error("channelId: the token's key is not endorsed for this channel")]
    Endorsement,
}

impl Denied {
    /// The HTTP status that it is answered with. See the [table](super).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::KeysUnavailable => 503,
            Self::Delegated
            | Self::EmulatorOff
            | Self::SkillsOff
            | Self::SkillNotListed { .. }
            | Self::SkillElsewhere
            | Self::OtherBot { .. }
            | Self::ForChannels
            | Self::NoServiceUrl
            | Self::ServiceUrl
            | Self::Endorsement => 403,
            _ => 401,
        }
    }

    /// The code that stands in the answer's body.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.status() {
            503 => "ServiceUnavailable",
            403 => "Forbidden",
            _ => "Unauthorized",
        }
    }
}

/// A claim, fit to be shown: at most 100 characters of printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    pub(super) fn of(claim: Option<&str>) -> Self {
        let Some(claim) = claim.filter(|claim| !claim.is_empty()) else { return Self("none".to_owned()) };
        Self(claim.chars().take(100).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect())
    }
}

/// Cut short and made harmless; an empty one is `none`.
impl From<&str> for Shown {
    fn from(claim: &str) -> Self {
        Self::of(Some(claim))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_claim_is_short_and_harmless() {
        let hostile = format!("evil\n\u{202e}\u{1b}[31m{}", "x".repeat(1000));
        let shown = Denied::Issuer { found: Shown::of(Some(&hostile)) }.to_string();
        assert!(shown.contains("(evil???[31mxxx") && shown.len() < 400, "{shown}");
        assert!(shown.chars().all(|c| matches!(c, ' '..='~')), "{shown}");
        assert!(Denied::Audience { found: Shown::of(None) }.to_string().contains("(none)"));
    }
}
