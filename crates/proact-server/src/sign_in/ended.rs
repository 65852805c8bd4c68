//! Sessions that somebody has ended before their time was over.
//!
//! A session is signed and not stored, so what is stored is its end: until its time is over, in the data folder as `page.ended`, so that a
//! restart opens none of them again. An end counts from the moment it is asked for; if it cannot be written, who asked is told.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use proact::secret_file;

use super::session::Session;

/// The file within the data folder.
const FILE: &str = "page.ended";

/// The ended ones.
pub(super) struct Ended {
    path: PathBuf,
    /// When the time of each is over.
    ends: Mutex<HashMap<[u8; 16], i64>>,
    /// Held while the file is written, so that an older state of it never replaces a newer one.
    writing: Mutex<()>,
}

impl Ended {
    /// Those that are on record in the data folder.
    pub(super) fn open(data: &Path) -> Result<Self, String> {
        let path = data.join(FILE);
        let failed = |why: &str| {
            format!(
                "cannot read {}: {why}; if it is lost, remove it and run `proact rotate page`, or give page.key another value",
                path.display()
            )
        };
        let bytes = secret_file::read(&path).map_err(|error| failed(&error.to_string()))?.unwrap_or_default();
        let lines = str::from_utf8(&bytes).ok().and_then(|text| text.lines().map(read).collect());
        let ends = lines.ok_or_else(|| failed("it does not hold sessions that have ended"))?;
        Ok(Self { ends: Mutex::new(ends), writing: Mutex::new(()), path })
    }

    /// Whether it was ended.
    pub(super) fn has(&self, session: &Session) -> bool {
        locked(&self.ends).contains_key(&session.id)
    }

    /// Ends it. When this returns it is on disk.
    ///
    /// # Errors
    /// It could not be written: it has ended, and a restart would open it again.
    pub(super) fn end(&self, session: &Session, now: Timestamp) -> io::Result<()> {
        let _one_at_a_time = locked(&self.writing);
        let text: String = {
            let mut ends = locked(&self.ends);
            ends.retain(|_, ends| *ends > now.as_second());
            ends.insert(session.id, session.ends);
            ends.iter().map(|(id, ends)| format!("{} {ends}\n", URL_SAFE_NO_PAD.encode(id))).collect()
        };
        secret_file::write(&self.path, text.as_bytes())
    }
}

fn read(line: &str) -> Option<([u8; 16], i64)> {
    let (id, ends) = line.split_once(' ')?;
    Some((URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?, ends.parse().ok()?))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_has_ended_stays_so_until_its_time_is_over_and_is_then_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (Session { id: [1; 16], ends: 100 }, Session { id: [2; 16], ends: 200 });
        let ended = Ended::open(folder.path()).unwrap();
        ended.end(&one, at(50)).unwrap();
        assert!(ended.has(&one) && !ended.has(&other));
        let ended = Ended::open(folder.path()).unwrap();
        assert!(ended.has(&one) && !ended.has(&other), "after a restart");
        ended.end(&other, at(150)).unwrap();
        let lines = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert_eq!(lines.lines().count(), 1, "{lines}");
    }

    #[test]
    fn what_cannot_be_read_is_no_start_and_what_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let session = Session { id: [1; 16], ends: 100 };
        for garbage in ["x", "AAAA 5\n", "AQEBAQEBAQEBAQEBAQEBAQ x\n", "\u{0}"] {
            std::fs::write(folder.path().join(FILE), garbage).unwrap();
            let error = Ended::open(folder.path()).map(drop).unwrap_err();
            assert!(error.contains("page.ended") && error.contains("rotate page"), "{error}");
        }
        let ended = Ended::open(&folder.path().join("nowhere")).unwrap();
        assert!(ended.end(&session, at(50)).is_err());
        assert!(ended.has(&session));
    }
}
