//! Why credentials cannot be used.

use std::{io, path::PathBuf};

use super::BotFileError;

/// Why what was given of the bot's identity cannot be used. Its text is one line that says what to do, and never shows a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// One half of what belongs together is there.
    #[error("{given} is given (in {place}), and {missing} is not: give both, or neither")]
    Missing {
        /// What is there.
        given: &'static str,
        /// Where.
        place: String,
        /// What is not.
        missing: &'static str,
    },
    /// The id is no id.
    #[error(
        "MicrosoftAppId (in {place}) must be visible ASCII characters without spaces: it is mostly a GUID"
    )]
    AppId {
        /// Where it was given.
        place: String,
    },
    /// The type is none that there is.
    #[error("MicrosoftAppType (in {place}) must be MultiTenant or SingleTenant")]
    AppType {
        /// Where it was given.
        place: String,
    },
    /// A managed identity has no password.
    #[error(
        "MicrosoftAppType (in {place}) is UserAssignedMSI, which is not supported yet: use SingleTenant or MultiTenant \
         with a client secret"
    )]
    ManagedIdentity {
        /// Where it was given.
        place: String,
    },
    /// The tenant is neither a GUID nor a domain.
    #[error("MicrosoftAppTenantId (in {place}) must be the tenant's GUID or domain")]
    TenantId {
        /// Where it was given.
        place: String,
    },
    /// The cloud is none that is known.
    #[error(
        "ChannelService (in {place}) must be https://botframework.azure.us (Azure Government), or left out for the public \
         cloud"
    )]
    ChannelService {
        /// Where it was given.
        place: String,
    },
    /// A password and a file of one.
    #[error("MicrosoftAppPassword and MicrosoftAppPasswordFile are both given (in {place}): leave one out")]
    TwoPasswords {
        /// Where they were given.
        place: String,
    },
    /// The password's file cannot be read.
    #[error("MicrosoftAppPasswordFile (in {place}): cannot read {file} ({source})")]
    PasswordFile {
        /// Where it was named.
        place: String,
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The password's file is empty.
    #[error("MicrosoftAppPasswordFile (in {place}): {file} is empty")]
    PasswordFileEmpty {
        /// Where it was named.
        place: String,
        /// The file.
        file: PathBuf,
    },
    /// The password belongs to another app.
    #[error(
        "MicrosoftAppId is taken from {id_place}, and MicrosoftAppPassword from {password_place}, which is for another app \
         id: give both in one place"
    )]
    AnotherApp {
        /// Where the id was given.
        id_place: String,
        /// Where the password was given, with another id.
        password_place: String,
    },
    /// The `.bot` file cannot be used.
    #[error(transparent)]
    BotFile(#[from] BotFileError),
}
