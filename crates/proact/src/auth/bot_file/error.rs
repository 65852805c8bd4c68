//! What can be wrong with a .bot file.

use std::{fmt, io, path::PathBuf};

/// Why a .bot file cannot be used. Its text names the file and the key, and never shows a value.
#[derive(Debug, thiserror::Error)]
#[error("{}{problem}", Named(.file.as_deref()))]
#[non_exhaustive]
pub struct BotFileError {
    /// The file, if it is one.
    pub file: Option<PathBuf>,
    /// What is wrong.
    pub problem: BotFileProblem,
}

/// What is wrong with a .bot file, its secret, or what was asked of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BotFileProblem {
    /// It cannot be read.
    #[error("cannot be read ({0}): check botFilePath")]
    Read(io::Error),
    /// It cannot be written.
    #[error("cannot be written ({0})")]
    Write(io::Error),
    /// It is larger than 4 MiB.
    #[error("is larger than a .bot file can be (4 MiB)")]
    TooLarge,
    /// It is no text.
    #[error("is not UTF-8 text")]
    NotText,
    /// It is not JSON.
    #[error("is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A key holds something else than it must.
    #[error("`{key}` must be {must}")]
    Shape {
        /// Such as `services[2].type`.
        key: String,
        /// What it must be.
        must: &'static str,
    },
    /// It is encrypted, and there is no secret.
    #[error("is encrypted, and no secret was given: set botFileSecret")]
    SecretMissing,
    /// The secret is no key.
    #[error("its secret (botFileSecret) is not the base64 of 32 bytes, which a key is")]
    SecretFormat,
    /// The secret is another file's.
    #[error("its secret (botFileSecret) is wrong: the padlock does not open with it")]
    SecretWrong,
    /// The padlock is no encrypted text.
    #[error("`padlock` is damaged: it holds nothing that was encrypted; restore the file")]
    Padlock,
    /// The padlock opens, and this value does not.
    #[error(
        "`{key}` cannot be decrypted, though the secret opens the padlock: it is damaged, or was written into the file \
         unencrypted; decrypt with a whole file, then edit, then encrypt"
    )]
    Value {
        /// Such as `services[0].appPassword`.
        key: String,
    },
    /// Encrypting what is encrypted would lose the secret that it is encrypted with.
    #[error("is encrypted already: decrypt it first")]
    EncryptedAlready,
    /// There is nothing to decrypt.
    #[error("is not encrypted")]
    NotEncrypted,
    /// There is no such service.
    #[error("has no service with the id or name `{wanted}`; it has {}", Listed(.there))]
    NoService {
        /// What was asked for.
        wanted: String,
        /// Ids and names that are there.
        there: Vec<String>,
    },
    /// There is no such endpoint.
    #[error(
        "has no endpoint with the id or name `{wanted}` (NODE_ENV says which one, `development` unless it is set); it has {}",
        Listed(.there)
    )]
    NoEndpoint {
        /// What was asked for.
        wanted: String,
        /// The names of the endpoints that are there.
        there: Vec<String>,
    },
}

struct Named<'a>(Option<&'a std::path::Path>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(file) => write!(f, "{}: ", file.display()),
            None => f.write_str("the .bot file: "),
        }
    }
}

struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("none"),
            there => f.write_str(&there.join(", ")),
        }
    }
}
