//! A secret that is read again when its file is another one: so that it can be rotated under a process that runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use jiff::Timestamp;

/// How often the file is looked at, at most, in seconds.
pub(crate) const LOOKED_AT_EVERY_SECONDS: i64 = 10;

type Read<T> = Box<dyn Fn(&[u8]) -> Option<T> + Send + Sync>;

/// What a file holds, as of ten seconds ago at most, looked at when it is asked for. While the file is gone or unusable, what it held before
/// holds on, and the log says so.
pub struct Watched<T> {
    path: PathBuf,
    read: Read<T>,
    value: ArcSwap<T>,
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

impl<T> Watched<T> {
    /// What `path` holds, as `read` reads it; written by `make` if there is no such file yet. `None`: it holds nothing that can be read so,
    /// and is left alone.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(
        path: &Path,
        read: impl Fn(&[u8]) -> Option<T> + Send + Sync + 'static,
        make: impl FnOnce() -> io::Result<Vec<u8>>,
        now: Timestamp,
    ) -> io::Result<Option<Self>> {
        // Looked at before it is read: what changes in between is read again, never missed.
        let mut seen = look(path).ok();
        let bytes = match super::read(path)? {
            Some(bytes) => bytes,
            None => {
                let made = make()?;
                super::write(path, &made)?;
                seen = look(path).ok();
                made
            }
        };
        Ok(read(&bytes).map(|value| Self {
            path: path.to_owned(),
            read: Box::new(read),
            value: ArcSwap::from_pointee(value),
            looked: AtomicI64::new(now.as_second()),
            seen: Mutex::new(seen),
        }))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds. Looking costs one system call every ten seconds, reading a small file once per change: it is not worth a thread.
    pub fn get(&self, now: Timestamp) -> Arc<T> {
        let (now, looked) = (now.as_second(), self.looked.load(Ordering::Relaxed));
        let due = now < looked || now - looked >= LOOKED_AT_EVERY_SECONDS;
        // One of those who find it due looks.
        if due && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.look_again();
        }
        self.value.load_full()
    }

    fn look_again(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path.display();
        let now = match look(&self.path) {
            Ok(now) if Some(&now) == seen.as_ref() => return,
            Ok(now) => now,
            Err(error) => {
                return tracing::warn!(%path, %error, "a secret's file is gone: what it held is used on");
            }
        };
        match super::read(&self.path) {
            Ok(Some(bytes)) => match (self.read)(&bytes) {
                Some(value) => {
                    self.value.store(Arc::new(value));
                    tracing::info!(%path, "a secret was rotated: the new one is in use");
                }
                None => {
                    tracing::warn!(%path, "a secret's file is not usable: what it held before is used on")
                }
            },
            Ok(None) => return tracing::warn!(%path, "a secret's file is gone: what it held is used on"),
            Err(error) => {
                return tracing::warn!(%path, %error, "a secret's file cannot be read: what it held is used on");
            }
        }
        *seen = Some(now);
    }
}

impl<T> std::fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("path", &self.path).finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_read_and_an_unusable_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let read = |bytes: &[u8]| str::from_utf8(bytes).ok()?.parse::<u32>().ok();
        let at = |second| Timestamp::from_second(second).unwrap();
        let watched = Watched::open(&path, read, || Ok(b"1".to_vec()), at(0)).unwrap().unwrap();
        assert_eq!((*watched.get(at(0)), fs::read(&path).unwrap()), (1, b"1".to_vec()));
        let write = |text: &str| super::super::write(&path, text.as_bytes()).unwrap();
        write("2");
        assert_eq!((*watched.get(at(9)), *watched.get(at(10))), (1, 2));
        write("two");
        assert_eq!(*watched.get(at(20)), 2);
        fs::remove_file(&path).unwrap();
        assert_eq!(*watched.get(at(30)), 2);
        write("3");
        // A clock that was set back is no reason to wait.
        assert_eq!(*watched.get(at(5)), 3);
        write("three");
        assert!(Watched::open(&path, read, || Ok(Vec::new()), at(0)).unwrap().is_none());
        assert_eq!(fs::read(&path).unwrap(), b"three");
    }
}
