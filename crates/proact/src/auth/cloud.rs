//! The fixed names of the clouds. Source: the Bot Framework's documents on connector authentication, and the constants of its SDKs.

use crate::egress::TrustedHosts;

/// Which cloud the bot is registered in. All that differs is names: who issues tokens, where their keys are, what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cloud {
    /// The public one.
    #[default]
    Public,
    /// Azure Government (United States).
    Government,
}

impl Cloud {
    /// The issuer of channels' tokens, exactly; also the audience of tokens *for* channels.
    #[must_use]
    pub const fn channel_issuer(self) -> &'static str {
        match self {
            Self::Public => "https://api.botframework.com",
            Self::Government => "https://api.botframework.us",
        }
    }

    /// The scope to ask for a token with which channels are called.
    #[must_use]
    pub const fn channel_scope(self) -> &'static str {
        match self {
            Self::Public => "https://api.botframework.com/.default",
            Self::Government => "https://api.botframework.us/.default",
        }
    }

    /// Where the metadata of channels' signing keys is.
    #[must_use]
    pub const fn channel_metadata(self) -> &'static str {
        match self {
            Self::Public => "https://login.botframework.com/v1/.well-known/openidconfiguration",
            Self::Government => "https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
        }
    }

    /// The host of the login service, with its scheme; a tenant follows as the first segment of the path.
    #[must_use]
    pub const fn login(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::Government => "https://login.microsoftonline.us",
        }
    }

    /// The tenant that multi-tenant bots get their tokens from.
    #[must_use]
    pub const fn shared_tenant(self) -> &'static str {
        match self {
            Self::Public => "botframework.com",
            Self::Government => "MicrosoftServices.onmicrosoft.us",
        }
    }

    /// The hosts at which its channels are reached.
    #[must_use]
    pub fn trusted_hosts(self) -> TrustedHosts {
        match self {
            Self::Public => TrustedHosts::public_cloud(),
            Self::Government => TrustedHosts::government_cloud(),
        }
    }

    /// The protocol's name for a channel of this cloud, for `callerId`.
    #[must_use]
    pub const fn caller_id(self) -> &'static str {
        match self {
            Self::Public => "urn:botframework:azure",
            Self::Government => "urn:botframework:azureusgov",
        }
    }
}
