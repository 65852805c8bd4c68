//! The table `[credentials]`: the bot's identity, under keys of this program's own.
//!
//! The field's names for the same things (`MicrosoftAppId` …) are read from the environment and `.env`, and are stronger.

use proact::auth::{Given, Setting};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    app_id: String,
    app_password: String,
    app_password_file: String,
    app_type: String,
    app_tenant_id: String,
    channel_service: String,
    bot_file_path: String,
    bot_file_secret: String,
    bot_file_endpoint: String,
}

impl Credentials {
    /// What is given here.
    pub(super) fn given(&self) -> Given {
        Given::new("the configuration")
            .with(Setting::AppId, &self.app_id)
            .with(Setting::AppPassword, &self.app_password)
            .with(Setting::AppPasswordFile, &self.app_password_file)
            .with(Setting::AppType, &self.app_type)
            .with(Setting::AppTenantId, &self.app_tenant_id)
            .with(Setting::ChannelService, &self.channel_service)
            .with(Setting::BotFilePath, &self.bot_file_path)
            .with(Setting::BotFileSecret, &self.bot_file_secret)
            .with(Setting::BotFileEndpoint, &self.bot_file_endpoint)
    }
}
