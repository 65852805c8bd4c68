//! The bot's identity as it is given: in the field's names, in several places.
//!
//! From strong to weak, each name by itself, and one that is blank counts as not given:
//!
//! 1. the endpoint of the `.bot` file that `botFilePath` names, if it names one. `NODE_ENV` says which endpoint (`development`, unless
//!    it is set), `botFileSecret` opens a file that is encrypted;
//! 2. the places in the order in which they are handed over. The server's are the environment, `.env`, and its configuration.
//!
//! So a blank `appId` in the file falls back to `MicrosoftAppId`, as in the samples of Bot Framework.
//!
//! What is given by halves is an error that names what is missing: a bot that was meant to be closed must not start open. A password
//! is never paired with another app's id: if the place that it comes from names one itself, it must be the one that is used.

use std::{fmt, fs};

use super::{AppType, BotFile, Cloud, Credentials, CredentialsError};
use crate::activity::SecretText;

/// Which endpoint of a `.bot` file is used when `NODE_ENV` is not set.
const DEFAULT_ENDPOINT: &str = "development";
/// `ChannelService` of Azure Government. Source: `GovernmentConstants` of the Bot Framework SDKs.
const GOVERNMENT: &str = "https://botframework.azure.us";

/// One value of the bot's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Setting {
    /// `MicrosoftAppId`
    AppId,
    /// `MicrosoftAppPassword`
    AppPassword,
    /// `MicrosoftAppPasswordFile`: a file that holds the password alone, such as `/run/secrets/app-password`.
    AppPasswordFile,
    /// `MicrosoftAppType`: `MultiTenant` or `SingleTenant`
    AppType,
    /// `MicrosoftAppTenantId`
    AppTenantId,
    /// `ChannelService`: `https://botframework.azure.us` for Azure Government
    ChannelService,
    /// `botFilePath`
    BotFilePath,
    /// `botFileSecret`
    BotFileSecret,
    /// `NODE_ENV`: which endpoint of the `.bot` file
    BotFileEndpoint,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::AppId,
        Self::AppPassword,
        Self::AppPasswordFile,
        Self::AppType,
        Self::AppTenantId,
        Self::ChannelService,
        Self::BotFilePath,
        Self::BotFileSecret,
        Self::BotFileEndpoint,
    ];

    /// What it is called in the field: as an environment variable, and in `.env`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AppId => "MicrosoftAppId",
            Self::AppPassword => "MicrosoftAppPassword",
            Self::AppPasswordFile => "MicrosoftAppPasswordFile",
            Self::AppType => "MicrosoftAppType",
            Self::AppTenantId => "MicrosoftAppTenantId",
            Self::ChannelService => "ChannelService",
            Self::BotFilePath => "botFilePath",
            Self::BotFileSecret => "botFileSecret",
            Self::BotFileEndpoint => "NODE_ENV",
        }
    }
}

/// What one place gives of the bot's identity. `Debug` shows no value.
///
/// ```
/// use proact::auth::{Credentials, Given};
/// let variables = [("MicrosoftAppId", "8a1e"), ("MicrosoftAppPassword", "hunter2"), ("HOME", "/home/ann")];
/// let given = Given::from_variables("the environment", variables);
/// let credentials = Credentials::from_given(&[given])?.expect("both are there");
/// assert_eq!(credentials.password.expose(), "hunter2");
/// # Ok::<(), proact::auth::CredentialsError>(())
/// ```
#[derive(Clone, Default)]
pub struct Given {
    place: String,
    values: Vec<(Setting, SecretText)>,
}

impl Given {
    /// Nothing yet, in a place that errors call so.
    #[must_use]
    pub fn new(place: impl Into<String>) -> Self {
        Self { place: place.into(), values: Vec::new() }
    }

    /// Also this value, unless it is blank.
    #[must_use]
    pub fn with(mut self, setting: Setting, value: &str) -> Self {
        // Passwords may begin or end with anything.
        let value = match setting {
            Setting::AppPassword => value,
            _ => value.trim(),
        };
        if !value.trim().is_empty() {
            self.values.retain(|(other, _)| *other != setting);
            self.values.push((setting, value.into()));
        }
        self
    }

    /// What variables give. Their names count in any case (`microsoftAppID` is in samples of the field); the exact one wins.
    pub fn from_variables<K: AsRef<str>, V: AsRef<str>>(
        place: impl Into<String>,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables: Vec<(K, V)> = variables.into_iter().collect();
        let mut given = Self::new(place);
        for setting in Setting::ALL {
            let name = setting.name();
            let exact = |key: &str| key == name;
            let alike = |key: &str| key.eq_ignore_ascii_case(name);
            let by = |matches: &dyn Fn(&str) -> bool| {
                let filled = variables.iter().filter(|(_, value)| !value.as_ref().trim().is_empty());
                filled.into_iter().find(|(key, _)| matches(key.as_ref())).map(|(_, value)| value.as_ref())
            };
            if let Some(value) = by(&exact).or_else(|| by(&alike)) {
                given = given.with(setting, value);
            }
        }
        given
    }

    /// What the process' environment gives.
    #[must_use]
    pub fn from_environment() -> Self {
        let texts = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Self::from_variables("the environment", texts)
    }

    /// What errors call the place.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// A value, if this place gives it.
    #[must_use]
    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.values.iter().find(|(there, _)| *there == setting).map(|(_, value)| value.expose())
    }

    /// A value from the strongest of `places` that gives it; the strongest comes first.
    #[must_use]
    pub fn strongest(places: &[Self], setting: Setting) -> Option<&str> {
        strongest(places, setting).map(|(_, value)| value)
    }

    /// The password, from the file that is named if one is.
    fn password(&self) -> Result<Option<SecretText>, CredentialsError> {
        let place = || self.place.clone();
        match (self.get(Setting::AppPassword), self.get(Setting::AppPasswordFile)) {
            (None, None) => Ok(None),
            (Some(password), None) => Ok(Some(password.into())),
            (Some(_), Some(_)) => Err(CredentialsError::TwoPasswords { place: place() }),
            (None, Some(file)) => {
                let text = fs::read_to_string(file).map_err(|source| CredentialsError::PasswordFile {
                    place: place(),
                    file: file.into(),
                    source,
                })?;
                // Who writes such a file ends its line.
                let password = text.trim_end_matches(['\n', '\r']);
                if password.trim().is_empty() {
                    return Err(CredentialsError::PasswordFileEmpty { place: place(), file: file.into() });
                }
                Ok(Some(password.into()))
            }
        }
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.values.iter().map(|(setting, _)| setting.name()).collect();
        f.debug_struct("Given").field("place", &self.place).field("given", &names).finish()
    }
}

impl Credentials {
    /// What `places` give, the strongest first; `None` when they give none, which is a bot that only its own machine reaches.
    ///
    /// The endpoint of the `.bot` file that `botFilePath` names, if it names one, is stronger than all of them; what it leaves blank
    /// falls back to them.
    ///
    /// # Errors
    /// [`CredentialsError`] says what is missing or cannot be used, and where it was given.
    pub fn from_given(places: &[Given]) -> Result<Option<Self>, CredentialsError> {
        let mut all = Vec::with_capacity(places.len() + 1);
        all.extend(bot_file(places)?);
        all.extend_from_slice(places);
        credentials(&all)
    }

    /// What the process' environment gives.
    ///
    /// # Errors
    /// As [`from_given`](Self::from_given).
    pub fn from_environment() -> Result<Option<Self>, CredentialsError> {
        Self::from_given(&[Given::from_environment()])
    }
}

/// The strongest place that gives a value, and the value.
fn strongest(places: &[Given], setting: Setting) -> Option<(&Given, &str)> {
    places.iter().find_map(|given| Some((given, given.get(setting)?)))
}

/// What the chosen endpoint of the `.bot` file gives, if a file is named.
fn bot_file(places: &[Given]) -> Result<Option<Given>, CredentialsError> {
    let Some((_, path)) = strongest(places, Setting::BotFilePath) else { return Ok(None) };
    let mut file = BotFile::load(path)?;
    if file.is_encrypted() {
        let secret = strongest(places, Setting::BotFileSecret).map_or("", |(_, secret)| secret);
        file.decrypt(&secret.into())?;
    }
    let name = strongest(places, Setting::BotFileEndpoint).map_or(DEFAULT_ENDPOINT, |(_, name)| name);
    let endpoint = file.endpoint(name)?;
    let mut given = Given::new(format!("endpoint `{name}` of {path}"));
    if let Some(id) = endpoint.app_id() {
        given = given.with(Setting::AppId, id);
    }
    if let Some(password) = endpoint.app_password() {
        given = given.with(Setting::AppPassword, password.expose());
    }
    if let Some(service) = endpoint.channel_service() {
        given = given.with(Setting::ChannelService, service);
    }
    Ok(Some(given))
}

fn credentials(places: &[Given]) -> Result<Option<Credentials>, CredentialsError> {
    let missing = |given: Setting, place: &Given, missing: Setting| CredentialsError::Missing {
        given: given.name(),
        place: place.place.clone(),
        missing: missing.name(),
    };
    let id = strongest(places, Setting::AppId);
    let mut password = None;
    for given in places {
        if let Some(found) = given.password()? {
            password = Some((given, found));
            break;
        }
    }
    let tenant = strongest(places, Setting::AppTenantId);
    let ((id_place, id), (password_place, password)) = match (id, password) {
        (Some(id), Some(password)) => (id, password),
        (Some((place, _)), None) => return Err(missing(Setting::AppId, place, Setting::AppPassword)),
        (None, Some((place, _))) => return Err(missing(Setting::AppPassword, place, Setting::AppId)),
        (None, None) => match tenant {
            Some((place, _)) => return Err(missing(Setting::AppTenantId, place, Setting::AppId)),
            None => return Ok(None),
        },
    };
    if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(CredentialsError::AppId { place: id_place.place.clone() });
    }
    if password_place.get(Setting::AppId).is_some_and(|other| !other.eq_ignore_ascii_case(id)) {
        return Err(CredentialsError::AnotherApp {
            id_place: id_place.place.clone(),
            password_place: password_place.place.clone(),
        });
    }
    let mut found = Credentials::new(as_in_tokens(id), password);
    found.app_type = match strongest(places, Setting::AppType) {
        Some((place, text)) => app_type(place, text)?,
        None => match tenant {
            Some((place, _)) => return Err(missing(Setting::AppTenantId, place, Setting::AppType)),
            None => AppType::MultiTenant,
        },
    };
    found.tenant_id = match tenant {
        Some((place, text)) => Some(tenant_id(place, text)?),
        None => None,
    };
    if found.app_type == AppType::SingleTenant && found.tenant_id.is_none() {
        let place = strongest(places, Setting::AppType).map_or(id_place, |(place, _)| place);
        return Err(missing(Setting::AppType, place, Setting::AppTenantId));
    }
    if let Some((place, text)) = strongest(places, Setting::ChannelService) {
        found.cloud = cloud(place, text)?;
    }
    Ok(Some(found))
}

/// Tokens name apps in lower case, and are compared character by character.
fn as_in_tokens(id: &str) -> String {
    if uuid::Uuid::try_parse(id).is_ok() { id.to_ascii_lowercase() } else { id.to_owned() }
}

fn app_type(place: &Given, text: &str) -> Result<AppType, CredentialsError> {
    let place = || place.place.clone();
    match text.to_ascii_lowercase().as_str() {
        "multitenant" => Ok(AppType::MultiTenant),
        "singletenant" => Ok(AppType::SingleTenant),
        "userassignedmsi" => Err(CredentialsError::ManagedIdentity { place: place() }),
        _ => Err(CredentialsError::AppType { place: place() }),
    }
}

/// A GUID or a domain: it becomes a part of the token service's path.
fn tenant_id(place: &Given, text: &str) -> Result<String, CredentialsError> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if text.bytes().all(fine) && !text.starts_with('.') {
        Ok(text.to_owned())
    } else {
        Err(CredentialsError::TenantId { place: place.place.clone() })
    }
}

fn cloud(place: &Given, text: &str) -> Result<Cloud, CredentialsError> {
    if text.trim_end_matches('/').eq_ignore_ascii_case(GOVERNMENT) {
        Ok(Cloud::Government)
    } else {
        Err(CredentialsError::ChannelService { place: place.place.clone() })
    }
}

#[cfg(test)]
#[path = "given_tests.rs"]
mod tests;
