//! Trust, configured in one place: whom a bot with credentials lets in, where it sends, and with which tokens.
//!
//! From a [`Trust`] an app makes these, each with no more than it needs:
//!
//! | for | what | from |
//! | --- | --- | --- |
//! | who speaks to the bot | an [`Authenticator`]: the channels of the cloud, the built-in channel as an issuer of its own, and only if it is said the Emulator and listed skills' callers | [`auth::inbound`](crate::auth::inbound) |
//! | their signing keys | a guard that goes to the issuers' metadata alone, without a token | [`egress`](crate::egress) |
//! | the bot's own tokens | [`ClientCredentials`], whose guard goes to the login service alone | [`auth`](crate::auth) |
//! | which bots use the built-in channel | an [`Authenticator`] of its own | the same |
//! | what the bot sends | a guard that goes to the cloud's channels and to addresses that were configured, with the bot's token; and to the built-in channel, with that channel's own | [`egress`](crate::egress) |
//!
//! Without a [`Trust`] nobody is asked who they are, nothing but this machine is called, and no token is sent.
//!
//! What cannot be used is an error at the start; the network is not needed for that.

use std::sync::Arc;

use url::{Host, Url};

use super::channel::Own;
use crate::{
    auth::{
        Authenticator, AuthenticatorBuilder, AuthenticatorError, ClientCredentials, Credentials,
        outbound::LoginError,
    },
    clock::Clock,
    egress::{BadHost, BuildError, Credential, Guard, GuardBuilder},
};

/// Whom a bot with credentials trusts. Made from [`Credentials`], which is all that a bot of a cloud needs.
///
/// ```no_run
/// use proact::{app::Trust, auth::Credentials, prelude::*};
/// # fn example(bot: impl Bot) -> Result<(), Box<dyn std::error::Error>> {
/// let Some(credentials) = Credentials::from_environment()? else { panic!("MicrosoftAppId is not set") };
/// let app = App::new(bot).trust(Trust::new(credentials).emulator(true));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Trust {
    credentials: Credentials,
    emulator: bool,
    skills: Vec<(String, String)>,
    tenants: Vec<String>,
    hosts: Vec<String>,
    channels: Vec<String>,
    login: Option<String>,
    channel_metadata: Option<String>,
    login_metadata: Option<String>,
    networks: Vec<String>,
    roots: Vec<Vec<u8>>,
}

/// Why an app cannot trust so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Who is let in.
    #[error(transparent)]
    Authenticator(#[from] AuthenticatorError),
    /// Where tokens are from.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Signing keys would come unprotected: who changes them on their way could let anybody in.
    #[error("the metadata of signing keys must come by https, unless it is on this machine: {0}")]
    KeysInClear(String),
    /// Where a skill's caller is.
    #[error("the skill's caller {app_id} has no URL at which it is answered: give its scheme, host and port")]
    SkillUrl {
        /// Which one.
        app_id: String,
    },
    /// Where may be sent.
    #[error(transparent)]
    Host(#[from] BadHost),
    /// The way out.
    #[error(transparent)]
    Guard(#[from] BuildError),
}

impl From<Credentials> for Trust {
    fn from(credentials: Credentials) -> Self {
        Self::new(credentials)
    }
}

impl Trust {
    /// The channels of the credentials' cloud may speak to the bot, and the bot to them; nobody else.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            emulator: false,
            skills: Vec::new(),
            tenants: Vec::new(),
            hosts: Vec::new(),
            channels: Vec::new(),
            login: None,
            channel_metadata: None,
            login_metadata: None,
            networks: Vec::new(),
            roots: Vec::new(),
        }
    }

    /// Also the Bot Framework Emulator on this machine, with the bot's own credentials. What is said to it goes without a token to any
    /// port of this machine.
    pub fn emulator(mut self, on: bool) -> Self {
        self.emulator = on;
        self
    }

    /// Also the bot with this app id, which uses this one as its skill and is answered at this scheme, host and port. It is answered
    /// nowhere else, and with a token that is good for it alone: whoever uses a skill does not become the skill towards channels.
    pub fn skill(mut self, app_id: impl Into<String>, url: impl Into<String>) -> Self {
        self.skills.push((app_id.into(), url.into()));
        self
    }

    /// Tokens of the Emulator and of skills' callers also from this tenant (its GUID).
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenants.push(tenant.into());
        self
    }

    /// Channels may also be reached at this host, which their activities name: `channel.example`, `*.channels.example`. By `https`, at a
    /// public address, with the bot's token.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Channels may also be reached at this exact scheme, host and port, also by `http` and in a private network, with the bot's token.
    pub fn channel(mut self, url: impl Into<String>) -> Self {
        self.channels.push(url.into());
        self
    }

    /// The bot's tokens from another login service: for tests and networks of one's own.
    pub fn login(mut self, url: impl Into<String>) -> Self {
        self.login = Some(url.into());
        self
    }

    /// The metadata of the channels' signing keys from another place: for tests and networks of one's own.
    pub fn channel_metadata(mut self, url: impl Into<String>) -> Self {
        self.channel_metadata = Some(url.into());
        self
    }

    /// The metadata of the login service's signing keys from another place: for tests and networks of one's own.
    pub fn login_metadata(mut self, url: impl Into<String>) -> Self {
        self.login_metadata = Some(url.into());
        self
    }

    /// The hosts of channels may also be at an address in this network, though it is not a public one: `10.4.0.0/16`, for a private link to
    /// the cloud. Which hosts these are stays as it is, and that they prove their names.
    pub fn network(mut self, network: impl Into<String>) -> Self {
        self.networks.push(network.into());
        self
    }

    /// Channels, the login service and the places of signing keys may also prove who they are by this certificate (one or more, PEM), beside those
    /// that the system trusts: for a network whose TLS passes through a proxy of its own.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Who the bot is.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What an app is built with that is reached at `base_url`. `foreign`: another bot is behind its channel.
    pub(super) fn build(
        self,
        own: &Own,
        base_url: &str,
        foreign: bool,
        clock: &Arc<dyn Clock>,
    ) -> Result<Trusted, TrustError> {
        let tokens = self.tokens(clock)?;
        Ok(Trusted {
            authenticator: self.authenticator(own, clock)?,
            bots: self.bots(own, foreign, clock)?,
            connector: self.connector(own, base_url, &tokens)?,
            for_app: tokens.for_app(&self.credentials.app_id),
        })
    }

    fn tokens(&self, clock: &Arc<dyn Clock>) -> Result<ClientCredentials, LoginError> {
        let builder = ClientCredentials::builder(self.credentials.clone()).clock(Arc::clone(clock));
        let builder = builder.guard(self.guard());
        match &self.login {
            Some(url) => builder.login(url).build(),
            None => builder.build(),
        }
    }

    fn authenticator(&self, own: &Own, clock: &Arc<dyn Clock>) -> Result<Authenticator, TrustError> {
        let mut builder = self.builder(clock).emulator(self.emulator);
        for (app_id, url) in &self.skills {
            // What is no URL is an error of the way out, too, which says what to do.
            let url = Url::parse(url).map_err(|_| TrustError::SkillUrl { app_id: app_id.clone() })?;
            builder = builder.skill(app_id, &url);
        }
        self.authenticated(match own.as_trusted() {
            Some(issuer) => builder.issuer(issuer),
            None => builder,
        })
    }

    /// Who may use the connector routes of the app's own channel: the app's bot by the channel's own token; another bot that is behind the
    /// channel by the one that it shows every channel.
    fn bots(
        &self,
        own: &Own,
        foreign: bool,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Authenticator>, TrustError> {
        let Some(issuer) = own.trusted_by_connector(&self.credentials.app_id) else { return Ok(None) };
        if !foreign {
            return Ok(Some(Authenticator::only(issuer, Arc::clone(clock))));
        }
        self.authenticated(self.builder(clock).channels(false).bot(true).issuer(issuer)).map(Some)
    }

    fn builder(&self, clock: &Arc<dyn Clock>) -> AuthenticatorBuilder {
        let builder = Authenticator::builder(&self.credentials).clock(Arc::clone(clock));
        let mut builder = self.tenants.iter().fold(builder, AuthenticatorBuilder::tenant);
        if let Some(url) = &self.channel_metadata {
            builder = builder.channel_metadata(url);
        }
        if let Some(url) = &self.login_metadata {
            builder = builder.login_metadata(url);
        }
        builder
    }

    /// With a guard that goes where signing keys are, and nowhere else.
    fn authenticated(&self, builder: AuthenticatorBuilder) -> Result<Authenticator, TrustError> {
        let urls = builder.metadata_urls();
        if let Some(url) = urls.iter().find(|url| !is_protected(url)) {
            return Err(TrustError::KeysInClear(url.clone()));
        }
        let guard = urls.iter().fold(self.guard(), |guard, url| guard.configured(url, None)).build()?;
        Ok(builder.build(&guard)?)
    }

    /// What every way out has in common. It leads nowhere yet.
    fn guard(&self) -> GuardBuilder {
        self.roots.iter().fold(Guard::builder(), |guard, pem| guard.root_certificate(pem))
    }

    /// The way of what the bot sends.
    fn connector(&self, own: &Own, base_url: &str, tokens: &ClientCredentials) -> Result<Guard, TrustError> {
        let mut hosts = self.credentials.cloud.trusted_hosts();
        for host in &self.hosts {
            hosts = hosts.allow(host)?;
        }
        let guard = self.networks.iter().fold(self.guard(), |guard, network| guard.network(network));
        let mut guard = guard.trusted(hosts, Some(tokens.for_channels()));
        for url in &self.channels {
            guard = guard.configured(url, Some(tokens.for_channels()));
        }
        for (app_id, url) in &self.skills {
            guard = guard.configured(url, Some(tokens.for_app(app_id)));
        }
        if let Some(credential) = own.for_connector(&self.credentials.app_id) {
            guard = guard.configured(base_url, Some(credential));
        }
        if self.emulator {
            guard = guard.loopback();
        }
        Ok(guard.build()?)
    }
}

/// Whether nobody on the way can change what comes from there. What is no URL is left to the guard, which says so.
fn is_protected(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return true };
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || here
}

/// What an app with a [`Trust`] is built with.
#[cfg_attr(not(feature = "directline"), expect(dead_code, reason = "only a channel reaches other bots"))]
pub(super) struct Trusted {
    /// Who speaks to the app's bot.
    pub(super) authenticator: Authenticator,
    /// Which bots speak to the app's channel.
    pub(super) bots: Option<Authenticator>,
    /// The way of what the app's bot sends.
    pub(super) connector: Guard,
    /// What another bot behind the channel is shown.
    pub(super) for_app: Credential,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn trust() -> Trust {
        Trust::new(Credentials::new("app", "hunter2").in_tenant("9f0c1e1a-0000-4000-8000-000000000001"))
    }

    #[test]
    fn what_would_trust_too_much_or_cannot_be_is_no_start() {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let own = Own::open(folder.path(), &clock).unwrap();
        let built = |trust: Trust| trust.build(&own, "http://127.0.0.1:3978/", true, &clock);
        for (trust, says) in [
            (trust().channel_metadata("http://keys.example/"), "must come by https"),
            (trust().login_metadata("http://10.0.0.1/keys"), "must come by https"),
            (trust().channel_metadata("keys"), "URL"),
            (trust().login("http://login.example"), "https"),
            (trust().host("*.trafficmanager.net"), "trafficmanager.net"),
            (trust().host("10.0.0.1"), "10.0.0.1"),
            (trust().channel("channel.example"), "URL"),
            (trust().tenant("contoso.example"), "contoso.example"),
            (trust().skill("app", "https://parent.example"), "skill"),
            (trust().skill("another", "parent.example"), "another"),
            (trust().network("10.0.0.0/99"), "10.0.0.0/99"),
            (trust().root_certificate("-----BEGIN"), "root certificate"),
            (Trust::new(Credentials::new("app", "")), "MicrosoftAppPassword"),
        ] {
            let text = built(trust).map(drop).unwrap_err().to_string();
            assert!(text.contains(says) && !text.contains("hunter2"), "{text}");
        }
        let fine = trust()
            .emulator(true)
            .skill("another", "https://parent.example")
            .host("channel.example")
            .channel("http://10.0.0.1:80")
            .network("10.4.0.0/16");
        assert!(built(fine).is_ok());
    }
}
