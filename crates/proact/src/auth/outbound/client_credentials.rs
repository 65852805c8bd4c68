//! The source of tokens: a slot for each scope.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt};

use super::{ClientCredentialsBuilder, LoginError, fetch::Login, slot::Slot};
use crate::{
    auth::Credentials,
    egress::{BearerToken, Credential, TokenError, TokenSource},
};

/// Scopes that tokens are kept for. They come from configuration, so there are few; one more is fetched each time.
const MOST_SCOPES: usize = 1000;

/// Tokens got by the bot's app id and secret; cheap to clone, and clones share what they keep. See the [room](super) for when they are
/// fetched, and what happens when they cannot be.
///
/// ```no_run
/// # use proact::auth::{ClientCredentials, Credentials};
/// # use proact::egress::Guard;
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credentials = Credentials::new("8a1e…", "a secret").in_tenant("contoso.example");
/// let hosts = credentials.cloud.trusted_hosts();
/// let tokens = ClientCredentials::new(credentials)?;
/// let guard = Guard::builder().trusted(hosts, Some(tokens.for_channels())).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientCredentials {
    login: Arc<Login>,
    slots: Arc<Mutex<HashMap<String, Arc<Slot>>>>,
}

impl ClientCredentials {
    /// From the login service of the credentials' cloud, by the machine's clock.
    ///
    /// # Errors
    /// [`LoginError`] says what is wrong with the credentials.
    pub fn new(credentials: Credentials) -> Result<Self, LoginError> {
        Self::builder(credentials).build()
    }

    /// The same with other settings.
    pub fn builder(credentials: Credentials) -> ClientCredentialsBuilder {
        ClientCredentialsBuilder::new(credentials)
    }

    pub(super) fn of(login: Login) -> Self {
        Self { login: Arc::new(login), slots: Arc::default() }
    }

    /// What channels are shown.
    #[must_use]
    pub fn for_channels(&self) -> Credential {
        Credential::new(Arc::new(self.clone()), self.login.credentials.cloud.channel_scope())
    }

    /// What another app is shown: a skill, or a bot that is spoken to as the Emulator does it.
    #[must_use]
    pub fn for_app(&self, app_id: &str) -> Credential {
        Credential::new(Arc::new(self.clone()), format!("{app_id}/.default"))
    }

    fn slot(&self, scope: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(scope) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot::new(Arc::clone(&self.login), scope));
        if slots.len() < MOST_SCOPES {
            slots.insert(scope.to_owned(), Arc::clone(&slot));
        }
        slot
    }
}

impl TokenSource for ClientCredentials {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<BearerToken, TokenError>> {
        let slot = self.slot(scope);
        async move { slot.token().await }.boxed()
    }

    fn refused(&self, scope: &str, token: &BearerToken) {
        self.slot(scope).refused(token);
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("app_id", &self.login.credentials.app_id)
            .field("url", &self.login.url.as_str())
            .finish_non_exhaustive()
    }
}
