//! The configuration: read once, checked once, and then typed.
//!
//! From weak to strong: `config.default.toml`, which is built in and documents every key; `proact.toml`; `.env` and the environment
//! (`PROACT_*`); the flags. The bot's identity comes in the field's own names too ([`Config::credentials`]). A key that the defaults do not have is an error that names it, and so is a value that cannot be
//! used: nothing starts on half a configuration. Secrets never show in `Debug` or in an error.

mod credentials;
mod directline;
mod dotenv;
mod environment;
mod events;
mod raw;
mod reach;
mod trust;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

pub use dotenv::dotenv;
use figment::{
    Figment,
    providers::{Format, Toml},
    value::Dict,
};
use proact::{
    app,
    auth::{Credentials, CredentialsError, Given},
    directline::{Limits, Secret},
    egress::{Guard, Options},
    proactive::DeliveryOptions,
};
use raw::Raw;
pub use reach::Reach;
pub use trust::TrustTable;

/// Every key with its default and what it does.
pub const DEFAULT: &str = include_str!("../../../../config.default.toml");
/// The file that is read when no other is named.
const FILE: &str = "proact.toml";

/// Where a configuration comes from, beside the defaults.
#[derive(Default, Clone)]
pub struct Sources {
    /// The file named with `--config`; else `proact.toml` in the working folder, if there is one.
    pub file: Option<PathBuf>,
    /// The environment's variables.
    pub environment: Vec<(String, String)>,
    /// The variables of `.env`; see [`dotenv`].
    pub dotenv: Vec<(String, String)>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--bot-url`
    pub bot_url: Option<String>,
}

/// Without the variables, which hold secrets.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("file", &self.file)
            .field("listen", &self.listen)
            .field("data", &self.data)
            .field("bot_url", &self.bot_url)
            .finish_non_exhaustive()
    }
}

/// What the program goes by.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen, as it was given.
    pub listen: String,
    /// From where it is reached.
    pub reach: Reach,
    /// The data folder.
    pub data: PathBuf,
    /// The bot behind the channel, if it is not our own.
    pub bot_url: Option<String>,
    /// What is given of the bot's identity, the strongest place first. It is read by [`Config::credentials`].
    pub credentials: Vec<Given>,
    /// Whom a bot with credentials trusts.
    pub trust: TrustTable,
    /// Which jobs people reach; `None`: all while there are no credentials, their own once there are.
    pub visibility: Option<Visibility>,
    /// When a slow turn is answered.
    pub early_answer_after: Duration,
    /// How to deliver.
    pub delivery: DeliveryOptions,
    /// The channel's secret, if it is not to be made.
    pub secret: Option<Secret>,
    /// Whether each conversation of the channel has one stream at a time.
    pub one_stream: bool,
    /// How much the channel takes, and how long it keeps it.
    pub channel: Limits,
    /// How long a body may take.
    pub body_within: Duration,
    /// How much may be open at the same time.
    pub limits: app::Limits,
    /// Who signs what is sent to `/v1/events`.
    pub(crate) senders: crate::http::Senders,
    /// Whether `/v1` takes nobody without a key.
    pub keys_required: bool,
    /// How to log.
    pub log: Log,
    /// How long a stop may take.
    pub grace: Duration,
}

/// Which jobs `show` and `done` reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// All.
    All,
    /// Those of the sender's conversation.
    Own,
}

/// How to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// For machines instead of people.
    pub json: bool,
    /// What is logged.
    pub filter: String,
}

/// A configuration that cannot be used; its text is one line.
#[derive(Debug)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// The first thing that cannot be used, and where it came from.
    pub fn load(sources: Sources) -> Result<Self, Error> {
        let mut figment = Figment::from(Toml::string(DEFAULT));
        if let Some(file) = &sources.file {
            if !file.is_file() {
                return Err(Error(format!("--config: there is no file {}", file.display())));
            }
            figment = figment.merge(Toml::file_exact(file));
        } else if Path::new(FILE).is_file() {
            figment = figment.merge(Toml::file_exact(FILE));
        }
        figment = figment.merge(environment::Environment::new(".env", &sources.dotenv));
        figment = figment.merge(environment::Environment::new("the environment", &sources.environment));
        figment = figment.merge(Flags(&sources));
        let raw: Raw = figment.extract().map_err(|error| Error(explained(error)))?;
        let mut config = raw.checked()?;
        let fields = [("the environment", &sources.environment), (".env", &sources.dotenv)];
        let fields =
            fields.map(|(place, variables)| Given::from_variables(place, variables.iter().map(as_texts)));
        config.credentials.splice(0..0, fields);
        Ok(config)
    }

    /// The bot's identity, from the strongest place that gives it: the `.bot` file that `botFilePath` names, the environment, `.env`,
    /// the table `[credentials]`. `None`: none is given, and the bot is for its own machine alone. Files that are named are read now.
    ///
    /// # Errors
    /// [`CredentialsError`] says what is missing or wrong, and where it was given.
    pub fn credentials(&self) -> Result<Option<Credentials>, CredentialsError> {
        Credentials::from_given(&self.credentials)
    }

    /// Which jobs people reach, once it is known whether the bot has credentials.
    #[must_use]
    pub fn visibility(&self, credentials: Option<&Credentials>) -> Visibility {
        let unless_said = if credentials.is_some() { Visibility::Own } else { Visibility::All };
        self.visibility.unwrap_or(unless_said)
    }
}

fn as_texts((name, value): &(String, String)) -> (&str, &str) {
    (name, value)
}

/// The flags as a provider.
struct Flags<'a>(&'a Sources);

impl figment::Provider for Flags<'_> {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named("the flags")
    }

    fn data(&self) -> Result<figment::value::Map<figment::Profile, Dict>, figment::Error> {
        let Sources { listen, data, bot_url, .. } = self.0;
        let given = [
            ("listen", listen.clone()),
            ("data", data.as_ref().map(|path| path.display().to_string())),
            ("bot_url", bot_url.clone()),
        ];
        let values = given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
        Ok(figment::Profile::Default.collect(values.collect()))
    }
}

/// One line for people: which key, what is wrong, and where it stands.
fn explained(error: figment::Error) -> String {
    use figment::error::Kind;
    let Some(error) = error.into_iter().next() else { return "the configuration cannot be read".to_owned() };
    let problem = match &error.kind {
        Kind::UnknownField(..) => "no such key; config.default.toml has them all".to_owned(),
        // The value itself stays out: it may be a secret.
        Kind::InvalidType(_, expected) => format!("this must be {expected}"),
        Kind::InvalidValue(_, expected) => format!("this must be {expected}"),
        other => other.to_string().replace('\n', " "),
    };
    let source = error.metadata.as_ref().map_or_else(String::new, |source| match &source.source {
        Some(figment::Source::File(file)) => format!(" (in {})", file.display()),
        _ => format!(" (in {})", source.name),
    });
    let key = if error.path.is_empty() { "the configuration".to_owned() } else { error.path.join(".") };
    format!("{key}: {problem}{source}")
}

/// Says why the bot's URL cannot be used, before anything is opened.
fn checked_bot_url(url: String) -> Result<Option<String>, Error> {
    if url.is_empty() {
        return Ok(None);
    }
    match Guard::loopback_only(Options::default()).check(&url) {
        Ok(_) => Ok(Some(url)),
        Err(refused) => Err(Error(format!("bot_url: {refused}"))),
    }
}

#[cfg(test)]
mod tests;
