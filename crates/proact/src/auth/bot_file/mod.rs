//! `.bot` files: what a bot of 2018 and 2019 has its endpoints, app ids and passwords in.
//!
//! A file is JSON with a list of *services*. What is not known (properties, service types) is kept, in its order. Its secrets may be
//! encrypted: then `padlock` holds an encrypted GUID, by which a wrong secret is noticed before any value is touched. So a
//! [`BotFile`] is either encrypted as a whole or not at all.
//!
//! ```
//! use proact::auth::BotFile;
//!
//! let mut file = BotFile::parse(r#"{"name": "my bot", "services": [
//!     {"type": "endpoint", "name": "production", "id": "1", "appId": "8a1e…", "appPassword": "hunter2",
//!      "endpoint": "https://bot.example/api/messages"}]}"#)?;
//! let secret = BotFile::new_secret();
//! file.encrypt(&secret)?;
//! assert!(!file.to_json().contains("hunter2"));
//!
//! let mut again = BotFile::parse(&file.to_json())?;
//! again.decrypt(&secret)?;
//! let endpoint = again.endpoint("production")?;
//! assert_eq!(endpoint.app_id(), Some("8a1e…"));
//! assert_eq!(endpoint.app_password().unwrap().expose(), "hunter2");
//! # Ok::<(), proact::auth::BotFileError>(())
//! ```
//!
//! Whatever fails leaves the file as it was, in memory and on disk. Errors name the file and the key and show no value.
//!
//! Source: `botframework-config` 4.11 (`libraries/botframework-config` of `microsoft/botbuilder-js`), which opens what is written here.

mod cipher;
mod error;
mod json;
mod properties;
mod save;
mod service;
#[cfg(test)]
mod tests;

use std::{
    fmt::{self, Write as _},
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use cipher::Key;
pub use error::{BotFileError, BotFileProblem};
use json::{Json, Object};
use properties::{Way, each_secret};
use serde::Serialize;
pub use service::{Endpoint, Service};

use crate::activity::SecretText;

/// Bytes of a file at most. Real ones have some thousands.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A `.bot` file. `Debug` shows none of its values but names.
#[derive(Clone)]
pub struct BotFile {
    /// Where it was loaded from.
    path: Option<PathBuf>,
    root: Object,
}

impl BotFile {
    /// Reads a file, as it is: [decrypt](Self::decrypt) it if it [is encrypted](Self::is_encrypted).
    ///
    /// # Errors
    /// [`BotFileError`], which names the file.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, BotFileError> {
        let path = path.into();
        let read = || -> Result<Object, BotFileProblem> {
            let mut bytes = Vec::new();
            let file = File::open(&path).map_err(BotFileProblem::Read)?;
            file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(BotFileProblem::Read)?;
            parse(&bytes)
        };
        match read() {
            Ok(root) => Ok(Self { path: Some(path), root }),
            Err(problem) => Err(BotFileError { file: Some(path), problem }),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`BotFileError`].
    pub fn parse(text: &str) -> Result<Self, BotFileError> {
        let root = parse(text.as_bytes()).map_err(|problem| BotFileError { file: None, problem })?;
        Ok(Self { path: None, root })
    }

    /// A new secret for [`encrypt`](Self::encrypt): the base64 of 32 random bytes.
    #[must_use]
    pub fn new_secret() -> SecretText {
        Key::generate()
    }

    /// Where it was loaded from.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The bot's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.root.text("name").unwrap_or_default()
    }

    /// Whether its secrets are encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.root.text("padlock").is_some()
    }

    /// Its services, in their order.
    pub fn services(&self) -> impl Iterator<Item = Service<'_>> {
        let services = match self.root.get("services") {
            Some(Json::List(services)) => services.as_slice(),
            _ => &[],
        };
        services.iter().filter_map(|service| match service {
            Json::Object(service) => Some(Service(service)),
            _ => None,
        })
    }

    /// The service with this id; else the first one with this name.
    ///
    /// # Errors
    /// [`BotFileProblem::NoService`] says which there are.
    pub fn service(&self, id_or_name: &str) -> Result<Service<'_>, BotFileError> {
        by_id_then_name(self.services(), id_or_name).ok_or_else(|| {
            let there = self.services().map(|service| format!("{} ({})", service.name(), service.id()));
            self.error(BotFileProblem::NoService { wanted: id_or_name.to_owned(), there: there.collect() })
        })
    }

    /// The endpoint with this id; else the first one with this name, which by custom is `development` or `production`.
    ///
    /// # Errors
    /// [`BotFileProblem::NoEndpoint`] says which there are.
    pub fn endpoint(&self, id_or_name: &str) -> Result<Endpoint<'_>, BotFileError> {
        let endpoints = || self.services().filter(|service| service.as_endpoint().is_some());
        by_id_then_name(endpoints(), id_or_name).and_then(Service::as_endpoint).ok_or_else(|| {
            let there = endpoints().map(|endpoint| endpoint.name().to_owned()).collect();
            self.error(BotFileProblem::NoEndpoint { wanted: id_or_name.to_owned(), there })
        })
    }

    /// Encrypts every secret under a new padlock.
    ///
    /// # Errors
    /// [`BotFileProblem::EncryptedAlready`], [`BotFileProblem::SecretMissing`], [`BotFileProblem::SecretFormat`]; and
    /// [`BotFileProblem::Shape`] for a secret that is no text.
    pub fn encrypt(&mut self, secret: &SecretText) -> Result<(), BotFileError> {
        let encrypted = self.encrypted(secret).map_err(|problem| self.error(problem))?;
        self.root = encrypted;
        Ok(())
    }

    fn encrypted(&self, secret: &SecretText) -> Result<Object, BotFileProblem> {
        if self.is_encrypted() {
            return Err(BotFileProblem::EncryptedAlready);
        }
        let key = key_of(secret)?;
        let mut root = self.root.clone();
        change(&mut root, Way::Current, |key_name, value| match value {
            Json::Text(plain) => {
                *plain = key.encrypt(plain);
                Ok(())
            }
            _ => Err(BotFileProblem::Shape { key: key_name.to_owned(), must: "text, to be encrypted" }),
        })?;
        root.set("version", Json::Text("2.0".to_owned()));
        root.set("padlock", Json::Text(key.encrypt(&uuid::Uuid::new_v4().to_string())));
        Ok(root)
    }

    /// Decrypts every secret, and takes the padlock off. The oldest files (before version 2.0) become ones of version 2.0.
    ///
    /// # Errors
    /// [`BotFileProblem::NotEncrypted`], [`BotFileProblem::SecretMissing`], [`BotFileProblem::SecretFormat`],
    /// [`BotFileProblem::SecretWrong`], [`BotFileProblem::Padlock`], [`BotFileProblem::Value`].
    pub fn decrypt(&mut self, secret: &SecretText) -> Result<(), BotFileError> {
        let decrypted = self.decrypted(secret).map_err(|problem| self.error(problem))?;
        self.root = decrypted;
        Ok(())
    }

    fn decrypted(&self, secret: &SecretText) -> Result<Object, BotFileProblem> {
        let padlock = self.root.text("padlock").ok_or(BotFileProblem::NotEncrypted)?;
        if secret.expose().is_empty() {
            return Err(BotFileProblem::SecretMissing);
        }
        let mut root = self.root.clone();
        let value = |key_name: &str| BotFileProblem::Value { key: key_name.to_owned() };
        if cipher::is_encrypted(padlock) {
            let key = key_of(secret)?;
            opens(key.decrypt(padlock))?;
            change(&mut root, Way::Current, |name, it| match it {
                Json::Text(text) => {
                    *text = key.decrypt(text).ok_or_else(|| value(name))?;
                    Ok(())
                }
                // What is no text was never encrypted.
                _ => Ok(()),
            })?;
        } else if cipher::is_legacy(padlock) {
            opens(cipher::decrypt_legacy(padlock, secret))?;
            change(&mut root, Way::Legacy, |name, it| match it {
                Json::Text(text) => {
                    *text = cipher::decrypt_legacy(text, secret).ok_or_else(|| value(name))?;
                    Ok(())
                }
                _ => Ok(()),
            })?;
            number(&mut root);
            root.set("version", Json::Text("2.0".to_owned()));
        } else {
            return Err(BotFileProblem::Padlock);
        }
        root.set("padlock", Json::Text(String::new()));
        Ok(root)
    }

    /// It as text, as it is: indented by four spaces, with a line break at its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        written(&self.root)
    }

    /// Writes it to `path`: whole or not at all, on disk when this returns. The mode of a file that was there stays; a new one is its
    /// owner's alone (600).
    ///
    /// # Errors
    /// [`BotFileProblem::Write`].
    pub fn save(&self, path: &Path) -> Result<(), BotFileError> {
        save::replace(path, &self.to_json()).map_err(|error| BotFileError {
            file: Some(path.to_owned()),
            problem: BotFileProblem::Write(error),
        })
    }

    fn error(&self, problem: BotFileProblem) -> BotFileError {
        BotFileError { file: self.path.clone(), problem }
    }
}

impl fmt::Debug for BotFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BotFile")
            .field("path", &self.path)
            .field("name", &self.name())
            .field("encrypted", &self.is_encrypted())
            .field("services", &self.services().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

fn parse(bytes: &[u8]) -> Result<Object, BotFileProblem> {
    if bytes.len() as u64 > LARGEST {
        return Err(BotFileProblem::TooLarge);
    }
    // Visual Studio writes a mark before the text.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| BotFileProblem::NotText)?;
    let root = serde_json::from_str(text)
        .map_err(|error| BotFileProblem::NotJson { line: error.line(), column: error.column() })?;
    let shape = |key: &str, must| BotFileProblem::Shape { key: key.to_owned(), must };
    let Json::Object(mut root) = root else { return Err(shape("(the whole)", "an object")) };
    // What the padlock was called at first.
    if root.text("padlock").is_none() && root.text("secretKey").is_some() {
        root.rename("secretKey", "padlock");
    }
    match root.get("padlock") {
        None | Some(Json::Null | Json::Text(_)) => {}
        Some(_) => return Err(shape("padlock", "text")),
    }
    match root.get("services") {
        None | Some(Json::Null) => {}
        Some(Json::List(services)) => {
            for (at, service) in services.iter().enumerate() {
                let Json::Object(service) = service else {
                    return Err(shape(&format!("services[{at}]"), "an object"));
                };
                if service.text("type").is_none() {
                    return Err(shape(&format!("services[{at}].type"), "the service's type"));
                }
            }
        }
        Some(_) => return Err(shape("services", "a list")),
    }
    Ok(root)
}

fn key_of(secret: &SecretText) -> Result<Key, BotFileProblem> {
    if secret.expose().is_empty() {
        return Err(BotFileProblem::SecretMissing);
    }
    Key::of(secret).ok_or(BotFileProblem::SecretFormat)
}

/// A padlock holds a GUID: one that decrypts to something else was opened by chance.
fn opens(padlock: Option<String>) -> Result<(), BotFileProblem> {
    match padlock.map(|text| uuid::Uuid::try_parse(&text)) {
        Some(Ok(_)) => Ok(()),
        _ => Err(BotFileProblem::SecretWrong),
    }
}

/// Calls `each` with every secret of the file and its key, such as `services[0].appPassword`.
fn change(
    root: &mut Object,
    way: Way,
    mut each: impl FnMut(&str, &mut Json) -> Result<(), BotFileProblem>,
) -> Result<(), BotFileProblem> {
    let Some(Json::List(services)) = root.get_mut("services") else { return Ok(()) };
    for (at, service) in services.iter_mut().enumerate() {
        if let Json::Object(service) = service {
            each_secret(service, way, |name, value| each(&format!("services[{at}].{name}"), value))?;
        }
    }
    Ok(())
}

/// Gives the next number to each service that has no id, as `botframework-config` does with the oldest files.
fn number(root: &mut Object) {
    let Some(Json::List(services)) = root.get_mut("services") else { return };
    let ids = services.iter().filter_map(|service| match service {
        Json::Object(service) => service.text("id")?.parse::<u64>().ok(),
        _ => None,
    });
    let mut last = ids.max().unwrap_or_default();
    for service in services {
        if let Json::Object(service) = service
            && service.text("id").is_none()
        {
            last = last.saturating_add(1);
            service.set("id", Json::Text(last.to_string()));
        }
    }
}

fn by_id_then_name<'a>(services: impl Iterator<Item = Service<'a>>, wanted: &str) -> Option<Service<'a>> {
    let mut named = None;
    for service in services.filter(|_| !wanted.is_empty()) {
        if service.id() == wanted {
            return Some(service);
        }
        if named.is_none() && service.name() == wanted {
            named = Some(service);
        }
    }
    named
}

/// As `botframework-config` writes it, except that what is not ASCII is written as `\u…`: that library guesses a file's encoding when it
/// reads one, and is often wrong.
fn written(root: &Object) -> String {
    let text = pretty(root);
    let mut ascii = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_ascii() {
            ascii.push(char);
        } else {
            // It is within a string: JSON has nothing else that is not ASCII.
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

/// Indented by four spaces, with a line break at its end.
fn pretty(what: &Object) -> String {
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    what.serialize(&mut serde_json::Serializer::with_formatter(&mut text, indent))
        .expect("text, numbers and lists are JSON");
    text.push(b'\n');
    String::from_utf8(text).expect("JSON is UTF-8")
}
