//! The bot's own identity.

use std::fmt;

use super::Cloud;
use crate::activity::SecretText;

/// How the bot is registered, which decides whose tokens it gets: `MicrosoftAppType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AppType {
    /// In the tenant that is named (`MicrosoftAppTenantId`); its tokens come from there. New registrations are of this type.
    SingleTenant,
    /// In the tenant that all older bots share.
    #[default]
    MultiTenant,
}

/// What the bot is known as, and proves it by: `MicrosoftAppId`, `MicrosoftAppPassword`, `MicrosoftAppType`, `MicrosoftAppTenantId`.
///
/// `Debug` does not show the password.
///
/// ```
/// use proact::auth::Credentials;
/// let credentials = Credentials::new("8a1e…", "a secret");
/// assert!(!format!("{credentials:?}").contains("a secret"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// `MicrosoftAppId`: never empty.
    pub app_id: String,
    /// `MicrosoftAppPassword`: the client secret.
    pub password: SecretText,
    /// `MicrosoftAppType`.
    pub app_type: AppType,
    /// `MicrosoftAppTenantId`: always there for a single tenant.
    pub tenant_id: Option<String>,
    /// The cloud that the bot is registered in.
    pub cloud: Cloud,
}

impl Credentials {
    /// A multi-tenant bot of the public cloud.
    #[must_use]
    pub fn new(app_id: impl Into<String>, password: impl Into<SecretText>) -> Self {
        Self {
            app_id: app_id.into(),
            password: password.into(),
            app_type: AppType::MultiTenant,
            tenant_id: None,
            cloud: Cloud::Public,
        }
    }

    /// The same bot, registered in this tenant alone.
    #[must_use]
    pub fn in_tenant(mut self, tenant_id: impl Into<String>) -> Self {
        self.app_type = AppType::SingleTenant;
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// The same bot, registered in this cloud.
    #[must_use]
    pub const fn in_cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// The tenant that the bot's own tokens come from.
    #[must_use]
    pub fn token_tenant(&self) -> &str {
        match self.app_type {
            AppType::SingleTenant => self.tenant_id.as_deref().unwrap_or(self.cloud.shared_tenant()),
            AppType::MultiTenant => self.cloud.shared_tenant(),
        }
    }
}

/// Who the bot is, for people: `8a1e… (single tenant contoso.com)`. Never the password.
impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.app_id)?;
        match (self.app_type, &self.tenant_id) {
            (AppType::SingleTenant, Some(tenant)) => write!(f, "single tenant {tenant}")?,
            _ => f.write_str("multi-tenant")?,
        }
        match self.cloud {
            Cloud::Public => f.write_str(")"),
            Cloud::Government => f.write_str(", government cloud)"),
        }
    }
}
