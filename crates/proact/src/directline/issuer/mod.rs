//! The channel as an issuer of its own: tokens by which the bot knows the channel, and the channel the bot.
//!
//! It is a closed world. The key is made here and kept in the data folder; a token names this issuer and one of two audiences, so
//! that neither side takes a cloud's token for the other's, and one that was made for the bot opens nothing in the channel. What the
//! tokens say is what a channel's tokens say in the clouds: who made it, for whom, until when, and (to the bot) the service URL
//! that replies go to, as `serviceurl`.
//!
//! A token is good for ten minutes and is replaced after five: nothing is signed per activity. When the key is
//! [rotated](rotate), the new one signs, and the old one verifies until the last token that it signed has expired; unless it is
//! revoked, which ends them at once. A running process looks at the key's file every ten seconds when it is asked for anything, and
//! goes on with the keys it has while that file cannot be read.

mod file;
mod mint;
mod ring;
mod verify;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::file::{IssuerError, Previous, rotate};
pub use self::mint::OwnTokens;
pub use self::verify::NotVerified;
use self::{file::KeyFile, ring::Ring};
use crate::clock::Clock;

/// The issuer that the channel's tokens name.
pub const ISSUER: &str = "urn:proact:directline";

/// How long a token is good for.
const LIFETIME_SECONDS: i64 = 600;
/// The age at which the next one is made.
const RENEWED_AFTER_SECONDS: i64 = 300;
/// How far the times in a token may be off, as everywhere in the protocol.
const SKEW_SECONDS: i64 = 300;
/// How often the key's file is looked at, at most.
const LOOKED_AT_EVERY_SECONDS: i64 = 10;

/// Whom a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The bot: the channel shows it with what it hands over.
    Bot,
    /// The channel's connector routes: the bot shows it when it sends.
    Connector,
}

impl Audience {
    /// The audience as the token names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bot => "urn:proact:directline:bot",
            Self::Connector => "urn:proact:directline:connector",
        }
    }
}

/// What a token says, beside who made it and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    /// Until when it is good, in seconds since 1970.
    pub exp: i64,
    /// Where the bot's replies go. Only to the bot.
    #[serde(rename = "serviceurl", default, skip_serializing_if = "Option::is_none")]
    pub service_url: Option<String>,
    /// The app id of the bot that it was given to. Only to the connector.
    #[serde(rename = "appid", default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
}

/// The issuer: signs, and knows what it signed. Cheap to clone; clones are the same issuer.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    file: KeyFile,
    clock: Arc<dyn Clock>,
}

impl Issuer {
    /// The issuer with the key in `data_folder`; one is made (RSA, 2048 bits) if there is none yet.
    ///
    /// Call it while this process owns the data folder: two processes that make a key at the same time would not agree.
    ///
    /// # Errors
    /// [`IssuerError`] says which file is in the way, and what to do.
    pub fn open(data_folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, IssuerError> {
        let file = KeyFile::open(data_folder, clock.now())?;
        Ok(Self(Arc::new(Inner { file, clock })))
    }

    /// The tokens that the channel shows the bot: replies go to `service_url`.
    pub fn for_bot(&self, service_url: impl Into<String>) -> OwnTokens {
        OwnTokens::new(self.clone(), Audience::Bot, service_url.into())
    }

    /// The tokens that the bot of this app id shows the channel's connector routes.
    pub fn for_connector(&self, app_id: impl Into<String>) -> OwnTokens {
        OwnTokens::new(self.clone(), Audience::Connector, app_id.into())
    }

    /// What `token` says, if it was made here for `audience`, by a key that is still good, and has not expired.
    ///
    /// # Errors
    /// [`NotVerified`] says what is wrong with it.
    pub fn verify(&self, token: &str, audience: Audience) -> Result<Claims, NotVerified> {
        let (ring, now) = self.now();
        verify::verify(&ring, now, token, audience)
    }

    fn now(&self) -> (Arc<Ring>, Timestamp) {
        let now = self.0.clock.now();
        (self.0.file.ring(now), now)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("file", &self.0.file.path()).finish_non_exhaustive()
    }
}

/// What the key's file is called in the data folder.
fn path(data_folder: &Path) -> PathBuf {
    data_folder.join("directline.keys")
}

#[cfg(test)]
mod tests;
