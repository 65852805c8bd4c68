//! One entry of a .bot file.

use std::fmt;

use super::{
    json::{Json, Object},
    pretty,
    properties::{Way, each_secret},
};
use crate::activity::SecretText;

/// A service that a bot is connected to: its own endpoint, or what it uses.
#[derive(Clone, Copy)]
pub struct Service<'a>(pub(super) &'a Object);

impl<'a> Service<'a> {
    /// What it is: `endpoint`, `luis`, `qna`, … Types that are not known are kept as they are.
    #[must_use]
    pub fn service_type(self) -> &'a str {
        self.0.text("type").unwrap_or_default()
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.0.text("name").unwrap_or_default()
    }

    /// By what it is found first.
    #[must_use]
    pub fn id(self) -> &'a str {
        self.0.text("id").unwrap_or_default()
    }

    /// Any of its own texts, unless it is empty. A secret is as it stands in the file, encrypted or not.
    #[must_use]
    pub fn text(self, property: &str) -> Option<&'a str> {
        self.0.text(property)
    }

    /// What this bot is reached as and proves itself by, if this is an endpoint.
    #[must_use]
    pub fn as_endpoint(self) -> Option<Endpoint<'a>> {
        (self.service_type() == "endpoint").then_some(Endpoint(self))
    }

    /// It as JSON, each secret replaced by `…`.
    #[must_use]
    pub fn without_secrets(self) -> String {
        let mut shown = self.0.clone();
        let hide = |_: &str, value: &mut Json| -> Result<(), std::convert::Infallible> {
            *value = Json::Text("…".to_owned());
            Ok(())
        };
        let Ok(()) = each_secret(&mut shown, Way::Current, hide);
        pretty(&shown)
    }

    /// It as JSON, with its secrets, as they stand in the file.
    #[must_use]
    pub fn with_secrets(self) -> String {
        pretty(self.0)
    }
}

/// By its secrets' names alone.
impl fmt::Debug for Service<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("type", &self.service_type())
            .field("name", &self.name())
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// A service of the type `endpoint`: where the bot is reached, and as whom it speaks.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a>(Service<'a>);

impl<'a> Endpoint<'a> {
    /// The entry.
    #[must_use]
    pub fn service(self) -> Service<'a> {
        self.0
    }

    /// `appId`, unless it is blank.
    #[must_use]
    pub fn app_id(self) -> Option<&'a str> {
        self.0.text("appId").map(str::trim).filter(|id| !id.is_empty())
    }

    /// `appPassword`, unless it is empty. Encrypted in a file that [is](super::BotFile::is_encrypted).
    #[must_use]
    pub fn app_password(self) -> Option<SecretText> {
        self.0.text("appPassword").map(SecretText::from)
    }

    /// `endpoint`: the URL where the bot takes activities.
    #[must_use]
    pub fn url(self) -> Option<&'a str> {
        self.0.text("endpoint")
    }

    /// `channelService`, which names a cloud that is not the public one.
    #[must_use]
    pub fn channel_service(self) -> Option<&'a str> {
        self.0.text("channelService")
    }
}
