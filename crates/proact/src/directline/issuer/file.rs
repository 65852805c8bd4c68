//! `<data>/directline.keys`: the keys on disk, for their owner alone; and how they are rotated.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ring::{PublicKey, RetiredKey, Ring, SigningKey};
use super::{LOOKED_AT_EVERY_SECONDS, path};
use crate::secret_file;

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

/// The file, and what it held when it was looked at last.
pub(super) struct KeyFile {
    path: PathBuf,
    ring: ArcSwap<Ring>,
    /// When it was looked at last, in seconds since 1970.
    looked: AtomicI64,
    /// What it looked like then.
    seen: Mutex<Option<Seen>>,
}

/// What changes when a file is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    modified: Option<SystemTime>,
    /// Another file under the same name has another number.
    number: u64,
}

impl KeyFile {
    pub(super) fn open(data_folder: &Path, now: Timestamp) -> Result<Self, IssuerError> {
        let path = path(data_folder);
        // Looked at before it is read: what changes in between is read again, never missed.
        let mut seen = look(&path).ok();
        let ring = match read(&path)? {
            Some(ring) => ring,
            None => {
                let made = Ring::new(make(&path)?);
                write(&path, &made)?;
                seen = look(&path).ok();
                made
            }
        };
        Ok(Self {
            path,
            ring: ArcSwap::from_pointee(ring),
            looked: AtomicI64::new(now.as_second()),
            seen: Mutex::new(seen),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The keys, as of ten seconds ago at most. Looking costs one system call, reading a small file once per rotation: it is not worth
    /// a thread.
    pub(super) fn ring(&self, now: Timestamp) -> Arc<Ring> {
        let (now, looked) = (now.as_second(), self.looked.load(Ordering::Relaxed));
        let due = now < looked || now - looked >= LOOKED_AT_EVERY_SECONDS;
        // One of those who find it due looks.
        if due && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.look_again();
        }
        self.ring.load_full()
    }

    fn look_again(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let read = match look(&self.path) {
            Ok(now) if Some(&now) == seen.as_ref() => return,
            Ok(now) => read(&self.path).map(|ring| (ring, Some(now))),
            Err(source) => Err(IssuerError::Io { path: self.path.clone(), source }),
        };
        match read {
            Ok((Some(ring), now)) => {
                tracing::info!(kid = %ring.signing.public.kid, "the channel signs with another key now");
                self.ring.store(Arc::new(ring));
                *seen = now;
            }
            Ok((None, _)) => {
                tracing::warn!(path = %self.path.display(), "the channel's keys are gone: those in memory are used")
            }
            Err(error) => {
                tracing::warn!(%error, "the channel's keys are not read again: those in memory are used")
            }
        }
    }
}

fn look(path: &Path) -> io::Result<Seen> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = metadata.len();
    Ok(Seen { modified: metadata.modified().ok(), number })
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

fn make(path: &Path) -> Result<SigningKey, IssuerError> {
    let no_random = || io::Error::other("there are no random bytes for a key");
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
        Some(RetiredKey { public: PublicKey::new(der), until: key.until })
    });
    Some(Ring { signing, retired: retired.collect::<Option<_>>()? })
}

fn write(path: &Path, ring: &Ring) -> Result<(), IssuerError> {
    let retired = ring
        .retired
        .iter()
        .map(|key| WrittenRetired { public: STANDARD.encode(&key.public.der), until: key.until });
    let written = Written { signs: STANDARD.encode(ring.signing.pkcs8()), retired: retired.collect() };
    let mut text = serde_json::to_vec_pretty(&written).expect("text and times are JSON");
    text.push(b'\n');
    secret_file::write(path, &text).map_err(|source| IssuerError::Io { path: path.to_owned(), source })
}
