//! A guard is made of rules.

use std::sync::Arc;

use reqwest::Certificate;
use url::Url;

use super::address::Network;
use super::guard::{Guard, Options};
use super::resolve::{Resolve, SystemResolver};
use super::rules::{Rules, Way};
use super::ways::{Common, Ways};
use super::{Credential, Refused, TrustedHosts};

/// Says what a guard lets out. Without a rule it lets out nothing.
///
/// Give each use a guard of its own, with no more rules than it needs: what a stranger's activity names must not reach the address that
/// the operator configured for something else.
///
/// ```
/// # use proact::egress::{BearerToken, Credential, Guard, TrustedHosts};
/// # fn example() -> Result<(), proact::egress::BuildError> {
/// let guard = Guard::builder()
///     .trusted(TrustedHosts::public_cloud(), Some(Credential::fixed(BearerToken::new("for channels"))))
///     .configured("http://10.0.0.5:3978/", None)
///     .build()?;
/// assert!(guard.check("https://smba.trafficmanager.net/emea/").is_ok());
/// assert!(guard.check("https://evil.trafficmanager.net/emea/").is_err());
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[derive(Debug)]
#[must_use]
pub struct GuardBuilder {
    rules: Rules,
    options: Options,
    resolver: Arc<dyn Resolve>,
    networks: Vec<Network>,
    roots: Vec<Certificate>,
    wrong: Option<BuildError>,
}

/// Why there is no such guard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An address that was configured cannot be called at all.
    #[error("the configured target cannot be used: {0}")]
    Target(Refused),
    /// The text is not a network.
    #[error("`{0}` is not a network: give an address and the number of bits that count, such as 10.4.0.0/16")]
    Network(String),
    /// The certificate cannot be read.
    #[error("the root certificate cannot be used: {0}; give it in PEM form (-----BEGIN CERTIFICATE-----)")]
    Certificate(String),
    /// TLS cannot be set up.
    #[error(
        "TLS cannot be set up: {0}; install the system's certificates (the package is ca-certificates on most systems), or \
         configure a root certificate"
    )]
    Tls(String),
}

impl GuardBuilder {
    pub(super) fn new() -> Self {
        Self {
            rules: Rules::default(),
            options: Options::default(),
            resolver: Arc::new(SystemResolver),
            networks: Vec::new(),
            roots: Vec::new(),
            wrong: None,
        }
    }

    /// How much a request may take.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Requests may go to this machine, at any port, by `http` and `https`: never with a token.
    pub fn loopback(mut self) -> Self {
        self.rules.loopback = true;
        self
    }

    /// Requests may go to these hosts, whoever names them: by `https`, at a public address, with this credential. Of several such
    /// rules the first that names a host holds.
    pub fn trusted(mut self, hosts: TrustedHosts, credential: Option<Credential>) -> Self {
        self.rules.trusted.push((hosts, credential));
        self
    }

    /// Requests may go to this scheme, host and port, which the operator configured: also by `http`, also in a private network, with
    /// this credential and no other. A name may resolve to anything but a link-local or multicast address.
    pub fn configured(mut self, url: &str, credential: Option<Credential>) -> Self {
        // The last word on an address is the one that holds.
        let open = |url: &Url| {
            let rules = Rules { configured: vec![(url.origin(), None)], ..Rules::default() };
            rules.admit(url, None).map(drop)
        };
        let parsed = Url::parse(url).map_err(|error| Refused::NotAUrl { reason: error.to_string() });
        match parsed.and_then(|url| open(&url).map(|()| url)) {
            Ok(url) => self.rules.configured.insert(0, (url.origin(), credential)),
            Err(refused) => self.says(BuildError::Target(refused)),
        }
        self
    }

    /// Trusted hosts may also be in this network, though it is not public: `10.4.0.0/16`, for a private link to a channel. A link-local address
    /// stays refused even then.
    pub fn network(mut self, network: &str) -> Self {
        match Network::parse(network) {
            Some(network) => self.networks.push(network),
            None => self.says(BuildError::Network(network.chars().take(100).collect())),
        }
        self
    }

    /// Servers may also prove who they are by this certificate (one or more, PEM), beside those that the system trusts.
    pub fn root_certificate(mut self, pem: &[u8]) -> Self {
        match Certificate::from_pem_bundle(pem) {
            Ok(found) if found.is_empty() => {
                self.says(BuildError::Certificate("there is none in it".to_owned()));
            }
            Ok(found) => self.roots.extend(found),
            Err(error) => self.says(BuildError::Certificate(error.without_url().to_string())),
        }
        self
    }

    /// Names are resolved by this one instead of by the system.
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// The guard.
    ///
    /// # Errors
    /// [`BuildError`]: the first thing that was wrong.
    pub fn build(self) -> Result<Guard, BuildError> {
        let Self { rules, options, resolver, networks, roots, wrong } = self;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        let common = Common { options, resolver, networks: networks.into(), roots };
        let ways = Ways::new();
        // Where TLS is sure to be needed, better to know now that there is none.
        let secure =
            rules.configured.iter().any(|(origin, _)| origin.ascii_serialization().starts_with("https:"));
        for (needed, way) in [(!rules.trusted.is_empty(), Way::Trusted), (secure, Way::Configured)] {
            if needed {
                ways.tls(way, &common).map_err(BuildError::Tls)?;
            }
        }
        Ok(Guard::of(rules, common, ways))
    }

    fn says(&mut self, wrong: BuildError) {
        self.wrong.get_or_insert(wrong);
    }
}
