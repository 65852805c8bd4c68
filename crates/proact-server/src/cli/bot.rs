//! `proact bot`: what is in a `.bot` file, and its encryption.
//!
//! Secrets are shown only by `show --secrets`. The secret that a file is encrypted with is better in the environment (`botFileSecret`)
//! than on a command line, which other people of the machine can read.

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, Subcommand};
use proact::{
    activity::SecretText,
    auth::{BotFile, Given, Service, Setting},
};

use super::Failed;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Bot {
    /// Lists what a .bot file has
    List(Which),
    /// Shows one service as JSON, without its secrets
    Show(ShowArgs),
    /// Encrypts the secrets of a .bot file, in its place
    Encrypt(WithSecret),
    /// Decrypts the secrets of a .bot file, in its place: they are in the clear then
    Decrypt(WithSecret),
    /// Makes a secret to encrypt with, and prints it: keep it, without it the file is lost
    NewSecret,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The .bot file [default: botFilePath, from the environment, .env or the configuration]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The service's id, or else its name
    #[arg(value_name = "ID|NAME")]
    service: String,
    #[command(flatten)]
    with: WithSecret,
    /// With its secrets, decrypted
    #[arg(long)]
    secrets: bool,
}

#[derive(Debug, Args)]
pub(super) struct WithSecret {
    #[command(flatten)]
    which: Which,
    /// The file's secret; better in the environment, as botFileSecret
    #[arg(long, value_name = "SECRET", value_parser = secret, hide_env_values = true)]
    secret: Option<SecretText>,
}

fn secret(text: &str) -> Result<SecretText, std::convert::Infallible> {
    Ok(text.into())
}

impl Bot {
    pub(super) fn run(self, config: &Config) -> Result<String, Failed> {
        match self {
            Self::List(which) => which.load(config).map(|file| list(&file)),
            Self::Show(args) => args.show(config),
            Self::Encrypt(args) => args.encrypt(config),
            Self::Decrypt(args) => args.decrypt(config),
            Self::NewSecret => Ok(format!("{}\n", BotFile::new_secret().expose())),
        }
    }
}

impl Which {
    fn path(&self, config: &Config) -> Result<PathBuf, Failed> {
        let given = || Given::strongest(&config.credentials, Setting::BotFilePath).map(PathBuf::from);
        self.file.clone().or_else(given).ok_or_else(|| {
            Failed::because(&"which .bot file? Name it with --file, or set botFilePath").with_code(2)
        })
    }

    fn load(&self, config: &Config) -> Result<BotFile, Failed> {
        BotFile::load(self.path(config)?).map_err(|error| Failed::because(&error))
    }
}

impl WithSecret {
    /// The file's secret; empty when none is given, which the file then says itself.
    fn secret(&self, config: &Config) -> SecretText {
        let given =
            || Given::strongest(&config.credentials, Setting::BotFileSecret).unwrap_or_default().into();
        self.secret.clone().unwrap_or_else(given)
    }

    fn encrypt(&self, config: &Config) -> Result<String, Failed> {
        let secret = self.secret(config);
        if secret.expose().is_empty() {
            return Err(Failed::because(
                &"encrypt with which secret? Set botFileSecret; `proact bot new-secret` makes one",
            )
            .with_code(2));
        }
        let path = self.which.path(config)?;
        let mut file = self.which.load(config)?;
        file.encrypt(&secret).and_then(|()| file.save(&path)).map_err(|error| Failed::because(&error))?;
        Ok(format!("{} is encrypted.\n", path.display()))
    }

    fn decrypt(&self, config: &Config) -> Result<String, Failed> {
        let path = self.which.path(config)?;
        let mut file = self.which.load(config)?;
        file.decrypt(&self.secret(config))
            .and_then(|()| file.save(&path))
            .map_err(|error| Failed::because(&error))?;
        Ok(format!("{} is decrypted: its secrets are in the clear.\n", path.display()))
    }
}

impl ShowArgs {
    fn show(&self, config: &Config) -> Result<String, Failed> {
        let mut file = self.with.which.load(config)?;
        if self.secrets && file.is_encrypted() {
            file.decrypt(&self.with.secret(config)).map_err(|error| Failed::because(&error))?;
        }
        let service = file.service(&self.service).map_err(|error| Failed::because(&error).with_code(4))?;
        Ok(if self.secrets { service.with_secrets() } else { service.without_secrets() })
    }
}

/// One line for the file, and one for each service.
fn list(file: &BotFile) -> String {
    let rows: Vec<[String; 4]> = std::iter::once(["TYPE", "ID", "NAME", "ENDPOINT"].map(str::to_owned))
        .chain(file.services().map(row))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let state = if file.is_encrypted() { "encrypted" } else { "not encrypted" };
    let mut text = format!("{}, {state}\n", plain(file.name()));
    for [kind, id, name, endpoint] in &rows {
        let line = format!("{kind:0$}  {id:1$}  {name:2$}  {endpoint}", width(0), width(1), width(2));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn row(service: Service<'_>) -> [String; 4] {
    let endpoint = service.as_endpoint().map_or_else(String::new, |endpoint| {
        let url = endpoint.url().unwrap_or("-");
        endpoint.app_id().map_or_else(|| url.to_owned(), |id| format!("{url} as {id}"))
    });
    [
        plain(service.service_type()),
        plain(service.id()),
        plain(service.name()),
        endpoint.replace(char::is_control, "?"),
    ]
}

/// What comes from elsewhere: nothing in it may reach into the terminal.
fn plain(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.replace(char::is_control, "?") }
}
