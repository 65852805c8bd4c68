//! Putting an authenticator together: which callers are on.

use std::sync::Arc;

use super::{Authenticator, Issuer, KeySource, RemoteKeys, Timing, issuer::SkillCaller};
use crate::{
    auth::{AppType, Cloud, Credentials},
    clock::{Clock, SystemClock},
    egress::{Guard, Refused},
};

/// What an [`Authenticator`] is made of.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) issuers: Vec<Issuer>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Made by [`Authenticator::builder`].
#[derive(Debug)]
pub struct AuthenticatorBuilder {
    cloud: Cloud,
    app_ids: Vec<String>,
    tenants: Vec<String>,
    /// The tenant whose metadata is asked for.
    token_tenant: String,
    channels: bool,
    emulator: bool,
    skills: Vec<SkillCaller>,
    bot: bool,
    own: Vec<Issuer>,
    channel_metadata: Option<String>,
    login_metadata: Option<String>,
    timing: Timing,
    clock: Arc<dyn Clock>,
}

/// Why there is no authenticator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticatorError {
    /// There is no app id.
    #[error("MicrosoftAppId is empty: tokens are for an app id")]
    NoAppId,
    /// A tenant is not an id, and the Emulator or skills' callers are on: their issuers are named by it.
    #[error(
        "`{0}` is not a tenant's id: give it as it stands in the portal, not a domain (MicrosoftAppTenantId)"
    )]
    Tenant(String),
    /// An app id among the skills' callers is empty or the bot's own.
    #[error("an app id in the list of skills' callers is empty or the bot's own")]
    SkillCaller,
    /// Two issuers have the same name, so that a token could be of either.
    #[error("the issuer {0} is configured twice")]
    Twice(String),
    /// Where an issuer's keys are may not be called.
    #[error("the signing keys cannot be fetched from {url}: {refused}")]
    Metadata {
        /// Where.
        url: String,
        /// Why not.
        refused: Refused,
    },
}

/// Tenants of the Bot Framework itself and of Microsoft's services, in which multi-tenant bots get their tokens. Source: the fixed issuers
/// in botframework-connector's `EmulatorValidation` and `GovernmentConstants`; Microsoft's own corporate tenant, which stands there
/// too, is left out: add it with [`AuthenticatorBuilder::tenant`] if you are Microsoft.
const fn shared_tenants(cloud: Cloud) -> [&'static str; 2] {
    match cloud {
        Cloud::Public => ["d6d49420-f39b-4df7-a1dc-d59a935871db", "f8cdef31-a31e-4b4a-93e4-5f571e91255a"],
        Cloud::Government => ["cab8a31a-1906-4287-a0d8-4eef66b95f6e", "f8cdef31-a31e-4b4a-93e4-5f571e91255a"],
    }
}

impl AuthenticatorBuilder {
    pub(super) fn new(credentials: &Credentials) -> Self {
        let cloud = credentials.cloud;
        let tenants = match (credentials.app_type, &credentials.tenant_id) {
            (AppType::SingleTenant, Some(tenant)) => vec![tenant.clone()],
            _ => shared_tenants(cloud).map(str::to_owned).to_vec(),
        };
        Self {
            cloud,
            app_ids: vec![credentials.app_id.clone()],
            tenants,
            token_tenant: credentials.token_tenant().to_owned(),
            channels: true,
            emulator: false,
            skills: Vec::new(),
            bot: false,
            own: Vec::new(),
            channel_metadata: None,
            login_metadata: None,
            timing: Timing::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Takes tokens for another app id too: while a bot moves from one registration to another.
    #[must_use]
    pub fn also_known_as(mut self, app_id: impl Into<String>) -> Self {
        self.app_ids.push(app_id.into());
        self
    }

    /// Lets in the channels of the cloud, or not. On unless said otherwise.
    #[must_use]
    pub const fn channels(mut self, on: bool) -> Self {
        self.channels = on;
        self
    }

    /// Lets in callers with the bot's own credentials, as the Emulator has them. Off unless said otherwise.
    #[must_use]
    pub const fn emulator(mut self, on: bool) -> Self {
        self.emulator = on;
        self
    }

    /// Lets in these apps as users of this bot as a skill, and no others. None unless said otherwise.
    #[must_use]
    pub fn skills<S: Into<String>>(mut self, app_ids: impl IntoIterator<Item = S>) -> Self {
        self.skills.extend(app_ids.into_iter().map(|id| SkillCaller { app_id: id.into(), origin: None }));
        self
    }

    /// The same for one app, which is answered at the scheme, host and port of this URL and nowhere else: an activity of it that names
    /// another service URL is refused.
    #[must_use]
    pub fn skill(mut self, app_id: impl Into<String>, service_url: &url::Url) -> Self {
        self.skills.push(SkillCaller { app_id: app_id.into(), origin: Some(service_url.origin()) });
        self
    }

    /// Lets in the bot itself, with the tokens that it shows channels: for a channel that stands in the cloud's place, and is not a bot. Off
    /// unless said otherwise.
    #[must_use]
    pub const fn bot(mut self, on: bool) -> Self {
        self.bot = on;
        self
    }

    /// Takes tokens of the Emulator and of skills' callers from this tenant too (an id). Without this: from the bot's own, or, of a
    /// multi-tenant bot, from the Bot Framework's.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        let tenant = tenant.into();
        if !self.tenants.contains(&tenant) {
            self.tenants.push(tenant);
        }
        self
    }

    /// Trusts an issuer of its own beside the cloud's.
    #[must_use]
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.own.push(issuer);
        self
    }

    /// Has the metadata of channels' keys from here instead of from the cloud: for tests, and for networks of one's own.
    #[must_use]
    pub fn channel_metadata(mut self, url: impl Into<String>) -> Self {
        self.channel_metadata = Some(url.into());
        self
    }

    /// Has the metadata of the login service's keys from here instead of from the cloud.
    #[must_use]
    pub fn login_metadata(mut self, url: impl Into<String>) -> Self {
        self.login_metadata = Some(url.into());
        self
    }

    /// When keys are fetched again.
    #[must_use]
    pub const fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// The clock that tokens' times are held against.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where keys will be asked for: what the guard has to let out. The sets themselves are at the same origins.
    #[must_use]
    pub fn metadata_urls(&self) -> Vec<String> {
        let channels = self.channels.then(|| self.of_channels());
        channels.into_iter().chain(self.login().then(|| self.of_login())).collect()
    }

    fn of_channels(&self) -> String {
        self.channel_metadata.clone().unwrap_or_else(|| self.cloud.channel_metadata().to_owned())
    }

    fn of_login(&self) -> String {
        let usual =
            || format!("{}/{}/v2.0/.well-known/openid-configuration", self.cloud.login(), self.token_tenant);
        self.login_metadata.clone().unwrap_or_else(usual)
    }

    /// The authenticator. Keys are fetched through `guard`, when they are first needed: this needs no network.
    ///
    /// # Errors
    /// [`AuthenticatorError`]: what was said does not make one.
    pub fn build(self, guard: &Guard) -> Result<Authenticator, AuthenticatorError> {
        self.check()?;
        let mut issuers = Vec::new();
        if self.channels {
            let keys = self.keys(&self.of_channels(), guard)?;
            issuers.push(Issuer::channel(self.cloud, self.app_ids.clone(), keys));
        }
        if self.bot {
            let keys = self.login_keys(guard)?;
            let names = Issuer::login_names(self.cloud, &self.tenants);
            issuers.push(Issuer::bots(names, self.cloud.channel_issuer(), self.app_ids.clone(), keys));
        }
        if self.emulator || !self.skills.is_empty() {
            let keys = self.login_keys(guard)?;
            issuers.push(Issuer::login(
                self.cloud,
                &self.tenants,
                self.app_ids.clone(),
                self.emulator,
                self.skills.clone(),
                keys,
            ));
        }
        issuers.extend(self.own);
        let mut names: Vec<&String> = issuers.iter().flat_map(|issuer| &issuer.names).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(AuthenticatorError::Twice(twice[0].clone()));
        }
        Ok(Authenticator::new(Parts::new(issuers, self.clock)))
    }

    /// Whether tokens of the login service are taken at all.
    const fn login(&self) -> bool {
        self.emulator || self.bot || !self.skills.is_empty()
    }

    fn check(&self) -> Result<(), AuthenticatorError> {
        if self.app_ids.iter().any(String::is_empty) {
            return Err(AuthenticatorError::NoAppId);
        }
        // Issuers' names have the id, also where the portal takes a domain.
        let odd =
            self.tenants.iter().find(|tenant| uuid::Uuid::try_parse(tenant).is_err() || tenant.len() != 36);
        if let Some(odd) = odd.filter(|_| self.login()) {
            return Err(AuthenticatorError::Tenant(odd.clone()));
        }
        if self.skills.iter().any(|skill| skill.app_id.is_empty() || self.app_ids.contains(&skill.app_id)) {
            return Err(AuthenticatorError::SkillCaller);
        }
        Ok(())
    }

    fn login_keys(&self, guard: &Guard) -> Result<Arc<dyn KeySource>, AuthenticatorError> {
        self.keys(&self.of_login(), guard)
    }

    fn keys(&self, metadata: &str, guard: &Guard) -> Result<Arc<dyn KeySource>, AuthenticatorError> {
        let keys = RemoteKeys::new(metadata, guard.clone(), Arc::clone(&self.clock), self.timing.clone());
        let keys =
            keys.map_err(|refused| AuthenticatorError::Metadata { url: metadata.to_owned(), refused })?;
        Ok(Arc::new(keys))
    }
}
