//! Where tokens are fetched, and by which clock.

use std::sync::Arc;

use url::{Host, Url};

use super::{ClientCredentials, fetch::Login};
use crate::{
    auth::Credentials,
    clock::{Clock, SystemClock},
    egress::{BuildError, Guard, GuardBuilder},
};

/// Makes a [`ClientCredentials`]; by default from the login service of the credentials' cloud.
#[derive(Debug)]
#[must_use]
pub struct ClientCredentialsBuilder {
    credentials: Credentials,
    clock: Arc<dyn Clock>,
    login: String,
    guard: GuardBuilder,
}

/// Why no tokens can be fetched with such settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// A part of the credentials is missing or cannot be right.
    #[error("{key}: {why}")]
    Credentials {
        /// Its name: `MicrosoftAppId`, `MicrosoftAppPassword`, `MicrosoftAppTenantId`.
        key: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The login service's URL is none, or not a safe one.
    #[error("the login service's URL cannot be used: {why}")]
    Url {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The way to it cannot be set up.
    #[error(transparent)]
    Guard(#[from] BuildError),
}

impl ClientCredentialsBuilder {
    pub(super) fn new(credentials: Credentials) -> Self {
        let login = credentials.cloud.login().to_owned();
        Self { credentials, clock: Arc::new(SystemClock), login, guard: Guard::builder() }
    }

    /// By this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// From another login service: the tenant and `/oauth2/v2.0/token` are put behind its path. Only this machine's may do without
    /// `https`, because the secret goes there.
    pub fn login(mut self, url: impl Into<String>) -> Self {
        self.login = url.into();
        self
    }

    /// Through a guard with these settings (limits, a root certificate, a resolver); it is let out to the login service, and needs no
    /// other rule.
    pub fn guard(mut self, guard: GuardBuilder) -> Self {
        self.guard = guard;
        self
    }

    /// The source of tokens. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`LoginError`]: the first thing that was wrong.
    pub fn build(self) -> Result<ClientCredentials, LoginError> {
        let Self { credentials, clock, login, guard } = self;
        let wrong = |key, why| LoginError::Credentials { key, why };
        if credentials.app_id.trim().is_empty() {
            return Err(wrong("MicrosoftAppId", "it is empty: give the bot's app id"));
        }
        if credentials.password.expose().is_empty() {
            return Err(wrong(
                "MicrosoftAppPassword",
                "it is empty: give the client secret that goes with the app id",
            ));
        }
        let tenant = credentials.token_tenant();
        // It becomes a part of a URL's path: an id or a domain, and nothing that leads elsewhere.
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
        if tenant.is_empty() || !tenant.bytes().all(plain) || tenant.bytes().all(|c| c == b'.') {
            return Err(wrong("MicrosoftAppTenantId", "it is no tenant: give its id or a domain of it"));
        }
        let url = endpoint(&login, tenant)?;
        let guard = guard.configured(url.as_str(), None).build()?;
        Ok(ClientCredentials::of(Login { credentials, url, guard, clock }))
    }
}

fn endpoint(login: &str, tenant: &str) -> Result<Url, LoginError> {
    let wrong = |why| LoginError::Url { why };
    let mut url = Url::parse(login)
        .map_err(|_| wrong("it is no URL; give one such as https://login.microsoftonline.com"))?;
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if !(url.scheme() == "https" || url.scheme() == "http" && here) {
        return Err(wrong("it is not https, and the secret would be readable on the way there"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(wrong("it has a user name, a password or a query in it"));
    }
    url.set_fragment(None);
    url.path_segments_mut()
        .map_err(|()| wrong("it has no path"))?
        .pop_if_empty()
        .extend([tenant, "oauth2", "v2.0", "token"]);
    Ok(url)
}
