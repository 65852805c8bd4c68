//! `<data>/directline.keys`: the keys on disk, for their owner alone; and how they are rotated.

use std::io;
use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::path;
use super::ring::{PublicKey, RetiredKey, Ring, SigningKey};
use crate::secret_file::{self, Watched};

/// Why there are no keys to use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The file holds no usable keys.
    #[error("{path} holds no usable key: restore it, or remove it to have a new one made")]
    UnusableFile {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What becomes of the key that signed until a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Previous {
    /// It verifies until its tokens have expired: nothing is refused meanwhile.
    Retires,
    /// It, and every one before it, verifies nothing from now on: for keys that somebody else may have.
    Revoked,
}

/// Puts a new key in the place of the one that signs, in the data folder of a process that runs or does not. One that runs goes by it
/// within ten seconds. If there was none, one is made.
///
/// # Errors
/// [`IssuerError`] says which file is in the way, and what to do. The old key stays then.
pub fn rotate(data_folder: &Path, now: Timestamp, previous: Previous) -> Result<(), IssuerError> {
    let path = path(data_folder);
    let signing = make(&path)?;
    let ring = match (previous, read(&path)) {
        (Previous::Retires, before) => match before? {
            Some(before) => before.rotated(signing, now),
            None => Ring::new(signing),
        },
        // Whatever is there: it may be what must go.
        (Previous::Revoked, _) => Ring::new(signing),
    };
    write(&path, &ring)
}

/// The keys in the data folder, read again when they change; made if there are none yet.
pub(super) fn open(data_folder: &Path, now: Timestamp) -> Result<Watched<Ring>, IssuerError> {
    let path = path(data_folder);
    let make = || Ok(written(&Ring::new(SigningKey::make().ok_or_else(no_random)?)));
    let opened = Watched::open(&path, parse, make, now);
    let opened = opened.map_err(|source| IssuerError::Io { path: path.clone(), source })?;
    opened.ok_or(IssuerError::UnusableFile { path })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// PKCS #8, in Base64.
    signs: String,
    #[serde(default)]
    retired: Vec<WrittenRetired>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRetired {
    /// `RSAPublicKey`, in Base64.
    public: String,
    until: Timestamp,
}

fn no_random() -> io::Error {
    io::Error::other("there are no random bytes for a key")
}

fn make(path: &Path) -> Result<SigningKey, IssuerError> {
    SigningKey::make().ok_or_else(|| IssuerError::Io { path: path.to_owned(), source: no_random() })
}

fn read(path: &Path) -> Result<Option<Ring>, IssuerError> {
    let io = |source| IssuerError::Io { path: path.to_owned(), source };
    let Some(bytes) = secret_file::read(path).map_err(io)? else { return Ok(None) };
    // Why it cannot be read stays out: the parser's words could repeat what is in it.
    parse(&bytes).map(Some).ok_or_else(|| IssuerError::UnusableFile { path: path.to_owned() })
}

fn parse(bytes: &[u8]) -> Option<Ring> {
    let written: Written = serde_json::from_slice(bytes).ok()?;
    let signing = SigningKey::read(&STANDARD.decode(written.signs).ok()?)?;
    let retired = written.retired.into_iter().map(|key| {
        let der = STANDARD.decode(key.public).ok()?;
        Some(RetiredKey { public: PublicKey::new(der)?, until: key.until })
    });
    Some(Ring { signing, retired: retired.collect::<Option<_>>()? })
}

fn write(path: &Path, ring: &Ring) -> Result<(), IssuerError> {
    let failed = |source| IssuerError::Io { path: path.to_owned(), source };
    secret_file::write(path, &written(ring)).map_err(failed)
}

fn written(ring: &Ring) -> Vec<u8> {
    let retired = ring
        .retired
        .iter()
        .map(|key| WrittenRetired { public: STANDARD.encode(&key.public.der), until: key.until });
    let written = Written { signs: STANDARD.encode(ring.signing.pkcs8()), retired: retired.collect() };
    let mut text = serde_json::to_vec_pretty(&written).expect("text and times are JSON");
    text.push(b'\n');
    text
}
