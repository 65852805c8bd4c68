//! The table `[trust]`: whom a bot with credentials lets in, beside the channels of its cloud, and where it may send.

use std::path::PathBuf;

use proact::{app::Trust, auth::Credentials, egress::Guard};
use serde::Deserialize;

use super::Error;

/// What the table says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TrustTable {
    /// Whether the Emulator is let in.
    pub emulator: bool,
    /// The bots that use this one as their skill: `<app id>=<where it is answered>`.
    pub skills: Vec<String>,
    /// Tenants whose tokens are taken beside the bot's own, of the Emulator and of skills' callers.
    pub tenants: Vec<String>,
    /// Hosts at which channels may be reached, beside those of the cloud.
    pub hosts: Vec<String>,
    /// Exact addresses at which channels may be reached.
    pub channels: Vec<String>,
    /// Another login service.
    pub login_url: String,
    /// Another place of the channels' signing keys.
    pub channel_metadata_url: String,
    /// Another place of the login service's signing keys.
    pub login_metadata_url: String,
    /// Networks that are not public, in which the hosts of channels may be.
    pub networks: Vec<String>,
    /// Files (PEM) with certificates that are trusted beside the system's.
    pub root_certificates: Vec<PathBuf>,
}

impl TrustTable {
    /// The trust of a bot with these credentials.
    ///
    /// # Errors
    /// A network is none, or a file holds no certificates: it is named.
    pub(crate) fn of(&self, credentials: Credentials) -> Result<Trust, Error> {
        let mut trust = Trust::new(credentials).emulator(self.emulator);
        for skill in &self.skills {
            // Without an address, the app says what is missing.
            let (app_id, url) = skill.split_once('=').unwrap_or((skill, ""));
            trust = trust.skill(app_id.trim(), url.trim());
        }
        trust = self.tenants.iter().fold(trust, Trust::tenant);
        trust = self.hosts.iter().fold(trust, Trust::host);
        trust = self.channels.iter().fold(trust, Trust::channel);
        let filled = |url: &String| (!url.is_empty()).then(|| url.clone());
        if let Some(url) = filled(&self.login_url) {
            trust = trust.login(url);
        }
        if let Some(url) = filled(&self.channel_metadata_url) {
            trust = trust.channel_metadata(url);
        }
        if let Some(url) = filled(&self.login_metadata_url) {
            trust = trust.login_metadata(url);
        }
        trust = self.networks()?.fold(trust, Trust::network);
        Ok(self.certificates()?.into_iter().fold(trust, Trust::root_certificate))
    }

    /// Whether it can be used by a bot with credentials, before there are any: what is written wrong is not to be found out later.
    ///
    /// # Errors
    /// As of [`of`](Self::of).
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.networks().and(self.certificates()).map(drop)
    }

    fn networks(&self) -> Result<impl Iterator<Item = &String>, Error> {
        for network in &self.networks {
            let tried = Guard::builder().network(network).build();
            tried.map_err(|error| Error(format!("trust.networks: {error}")))?;
        }
        Ok(self.networks.iter())
    }

    /// What is in the files.
    fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        let read = |file: &PathBuf| {
            let failed = |why: &dyn std::fmt::Display| {
                Error(format!("trust.root_certificates: {}: {why}", file.display()))
            };
            let pem = std::fs::read(file).map_err(|error| failed(&error))?;
            Guard::builder().root_certificate(&pem).build().map_err(|error| failed(&error))?;
            Ok(pem)
        };
        self.root_certificates.iter().map(read).collect()
    }
}
