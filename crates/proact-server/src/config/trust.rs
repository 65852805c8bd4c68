//! The table `[trust]`: whom a bot with credentials lets in, beside the channels of its cloud, and where it may send.

use proact::{app::Trust, auth::Credentials};
use serde::Deserialize;

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
}

impl TrustTable {
    /// The trust of a bot with these credentials.
    pub(crate) fn of(&self, credentials: Credentials) -> Trust {
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
        trust
    }
}
