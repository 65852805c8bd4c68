//! Putting a backup in the place of the data.
//!
//! In this order: the lock of the data is taken, so that nobody uses it and nobody starts; the file is copied beside the data and
//! checked there, as a backup is; the copy is migrated, and a command is applied to it; a marker is written; the data that is there is renamed, with its
//! log; the copy gets the name of the data; the marker goes. Each of the last three is synced before the next.
//!
//! Until the marker is there, nothing has changed. While it is there, the data may be half of one and half of the other, and
//! no store opens it: a restore that is run again goes on where that one stopped, and keeps what it had put aside.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use rusqlite::{Connection, TransactionBehavior};

use super::{
    Migration, Tx,
    backup::{Copied, CopyError, Existing, folder_of, read_only, stamp, sync_folder},
    migrate, upgrade,
};
use crate::{
    clock::Clock,
    store::{Command, Error},
};

/// What the folder of an unfinished one is called.
const UNFINISHED: &str = ".proact-restore-";

/// A backup that is in its place.
#[derive(Debug)]
#[non_exhaustive]
pub struct Restored<T> {
    /// Where the data is now that was there before, if there was any. Its log, if it has one, is beside it.
    pub replaced: Option<PathBuf>,
    /// The version of each set of tables in the backup, by name.
    pub versions: Vec<(String, u32)>,
    /// What the command answered.
    pub outcome: T,
}

pub(in crate::store) fn restore<C: Command>(
    file: &Path,
    database: &Path,
    sets: &[Migration],
    clock: &Arc<dyn Clock>,
    command: impl FnOnce(Option<&Connection>) -> C,
) -> Result<Restored<C::Outcome>, Error> {
    let _lock = super::lock(database)?;
    // What is put aside is as private as what takes its place.
    super::private::close(database);
    let cannot = |e: io::Error| Error::Open { path: database.to_owned(), reason: e.to_string() };
    let refused = |reason| Error::NotABackup { path: file.to_owned(), reason };
    let folder = folder_of(database).ok_or_else(|| cannot(io::ErrorKind::NotFound.into()))?;
    upgrade::sweep(database, UNFINISHED);
    if !file.is_file() {
        return Err(refused("there is no such file".to_owned()));
    }
    if fs::canonicalize(file).ok() == fs::canonicalize(database).ok() {
        return Err(refused("it is the data itself".to_owned()));
    }
    let copied = Copied::of(file, &folder, UNFINISHED, &AtomicBool::new(false)).map_err(|why| match why {
        CopyError::Source(reason) => refused(reason),
        CopyError::Copy(reason) => Error::Open { path: database.to_owned(), reason },
    })?;
    if copied.versions.iter().all(|(set, _)| set != migrate::MAIN.set) {
        return Err(refused("it is not a database of this program".to_owned()));
    }
    let changed = Connection::open(&copied.file).map_err(Error::from).and_then(|mut connection| {
        // The command is written for the tables of this version; the backup itself stays as it is.
        migrate::run(&mut connection, sets)?;
        // What cannot be read is no reason not to restore: it may be why.
        let old = read_only(database).ok();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut writing = Tx::new(&tx, clock.now().as_millisecond());
        let outcome = command(old.as_ref()).apply(&mut writing)?;
        writing.write_tallies()?;
        drop(writing);
        tx.commit()?;
        Ok(outcome)
    });
    let outcome = changed.map_err(|why| match why {
        newer @ Error::Newer { .. } => newer,
        Error::Unavailable(why) => Error::Open { path: database.to_owned(), reason: why.to_string() },
        other => refused(other.to_string()),
    })?;
    let versions = copied.versions.clone();
    let marker = Marker::write(database, &stamp(clock.now())).map_err(cannot)?;
    let replaced = marker.put_aside(database).map_err(cannot)?;
    sync_folder(&folder).map_err(cannot)?;
    copied.place(database, Existing::Keep).map_err(cannot)?;
    marker.remove().map_err(cannot)?;
    sync_folder(&folder).map_err(cannot)?;
    Ok(Restored { replaced, versions, outcome })
}

/// Says that no restore stands half done.
pub(super) fn refuse_half_restored(database: &Path) -> Result<(), Error> {
    if is_half_restored(database) { Err(Error::HalfRestored { path: database.to_owned() }) } else { Ok(()) }
}

pub(in crate::store) fn is_half_restored(database: &Path) -> bool {
    marker_of(database).exists()
}

fn marker_of(database: &Path) -> PathBuf {
    with(database, ".restoring")
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The file that says that a restore is under way, and in it what the data of before is called.
struct Marker {
    path: PathBuf,
    aside: String,
}

impl Marker {
    /// Writes it, or goes on with the one of a restore that stopped on its way.
    fn write(database: &Path, stamp: &str) -> io::Result<Self> {
        let path = marker_of(database);
        if let Ok(aside) = fs::read_to_string(&path)
            && is_aside(&aside)
            && !with(database, &aside).exists()
        {
            return Ok(Self { path, aside });
        }
        // Once the data itself is aside, what is there is what that restore brought, and gets a name of its own.
        let aside = format!(".replaced-{stamp}");
        fs::write(&path, &aside)?;
        fs::OpenOptions::new().write(true).open(&path)?.sync_all()?;
        if let Some(folder) = folder_of(&path) {
            sync_folder(&folder)?;
        }
        Ok(Self { path, aside })
    }

    /// Renames the data with its log, the data itself last.
    fn put_aside(&self, database: &Path) -> io::Result<Option<PathBuf>> {
        let aside = with(database, &self.aside);
        for suffix in ["-wal", "-shm", ""] {
            match fs::rename(with(database, suffix), with(&aside, suffix)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(aside.exists().then_some(aside))
    }

    fn remove(self) -> io::Result<()> {
        fs::remove_file(self.path)
    }
}

/// A marker that was cut short names nothing; and nothing outside the folder can be meant.
fn is_aside(text: &str) -> bool {
    text.strip_prefix(".replaced-").is_some_and(|stamp| {
        !stamp.is_empty() && stamp.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
    })
}
