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

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;

pub use self::file::{IssuerError, Previous, rotate};
pub use self::mint::OwnTokens;
use self::ring::Ring;
use crate::auth::{self, KeySource, SigningKey, inbound::NoKey};
use crate::clock::Clock;
use crate::secret_file::Watched;

/// The issuer that the channel's tokens name.
pub const ISSUER: &str = "urn:proact:directline";

/// How long a token is good for.
const LIFETIME_SECONDS: i64 = 600;
/// The age at which the next one is made.
const RENEWED_AFTER_SECONDS: i64 = 300;

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

/// The issuer: signs, and knows what it signed. Cheap to clone; clones are the same issuer.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    keys: Watched<Ring>,
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
        let keys = file::open(data_folder, clock.now())?;
        Ok(Self(Arc::new(Inner { keys, clock })))
    }

    /// The tokens that the channel shows the bot: replies go to `service_url`.
    pub fn for_bot(&self, service_url: impl Into<String>) -> OwnTokens {
        OwnTokens::new(self.clone(), Audience::Bot, service_url.into())
    }

    /// The tokens that the bot of this app id shows the channel's connector routes.
    pub fn for_connector(&self, app_id: impl Into<String>) -> OwnTokens {
        OwnTokens::new(self.clone(), Audience::Connector, app_id.into())
    }

    /// What the bot trusts the channel by: give it to the bot's [authenticator](crate::auth::AuthenticatorBuilder::issuer).
    #[must_use]
    pub fn as_trusted(&self) -> auth::Issuer {
        let keys = Arc::new(self.clone());
        auth::Issuer::direct_line(ISSUER, Audience::Bot.name(), super::CHANNEL_ID, keys)
    }

    /// What the channel's connector routes trust the bot of this app id by.
    #[must_use]
    pub fn trusted_by_connector(&self, app_id: impl Into<String>) -> auth::Issuer {
        let keys = Arc::new(self.clone());
        auth::Issuer::bots([ISSUER], Audience::Connector.name(), [app_id.into()], keys)
    }

    fn now(&self) -> (Arc<Ring>, Timestamp) {
        let now = self.0.clock.now();
        (self.0.keys.get(now), now)
    }
}

impl KeySource for Issuer {
    fn key<'a>(&'a self, key_id: &'a str) -> BoxFuture<'a, Result<Arc<SigningKey>, NoKey>> {
        let (ring, now) = self.now();
        ready(ring.verifying(key_id, now).ok_or(NoKey::Unknown)).boxed()
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("file", &self.0.keys.path()).finish_non_exhaustive()
    }
}

/// What the key's file is called in the data folder.
fn path(data_folder: &Path) -> PathBuf {
    data_folder.join("directline.keys")
}

#[cfg(test)]
mod tests;
