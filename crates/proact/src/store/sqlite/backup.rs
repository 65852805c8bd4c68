//! An online backup: a copy of the database that is one committed point of it, whole, and checked.
//!
//! The pages are copied by SQLite's backup API within one read transaction. In WAL mode a reader holds up no writer, however long
//! it takes, and sees one point however much is written meanwhile. (Without the transaction, the API would begin anew after each
//! commit and never end under load. `VACUUM INTO` reads the same way, but makes every row and index anew: several times the
//! processor time, on the machine that is to go on serving.) What it costs: the log cannot be reset meanwhile and grows.
//!
//! In this order: copied into a folder of its own beside the target; made one file that needs no log; read back (every page,
//! index and reference, and the versions of all sets); synced; renamed, which replaces nothing unless that was asked for; the folder
//! synced. Whatever fails, nothing is left under the target's name but what was there before.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, backup::StepResult, ffi};
use tempfile::{TempDir, TempPath};

use crate::store::Error;

/// Pages copied between two looks at whether to stop.
const STEP: i32 = 1024;
/// What a file of SQLite begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// What to do about a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Existing {
    /// It stays, and there is no backup.
    Keep,
    /// If it is a database (an older backup), it is replaced at the end, whole by whole. Anything else stays.
    Replace,
}

/// A backup that was made and read back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backup {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The version of each set of tables in it, by name.
    pub versions: Vec<(String, u32)>,
}

/// Backs up `database`, which may be in use, to `target`.
pub(super) fn make(
    database: &Path,
    target: &Path,
    existing: Existing,
    prefix: &str,
    stop: &AtomicBool,
) -> Result<Backup, Error> {
    let cannot = |reason: String| Error::Backup { path: target.to_owned(), reason };
    let folder = folder_of(target)
        .ok_or_else(|| cannot("it does not name a file in a folder that there is".to_owned()))?;
    check_target(database, target, existing)?;
    let copied = Copied::of(database, &folder, prefix, stop).map_err(|why| match why {
        CopyError::Source(reason) => cannot(format!("{} cannot be read: {reason}", database.display())),
        CopyError::Copy(reason) => cannot(reason),
    })?;
    let versions = copied.versions.clone();
    let bytes = copied.place(target, existing).map_err(|why| match why.kind() {
        io::ErrorKind::AlreadyExists => Error::BackupExists { path: target.to_owned() },
        _ => cannot(why.to_string()),
    })?;
    Ok(Backup { path: target.to_owned(), bytes, versions })
}

/// Why there is no copy.
#[derive(Debug)]
pub(super) enum CopyError {
    /// What was to be copied cannot be read, or is damaged.
    Source(String),
    /// The copy cannot be written.
    Copy(String),
}

/// A checked copy under a name of its own. Dropped, it goes.
#[derive(Debug)]
pub(super) struct Copied {
    /// Whatever SQLite puts beside the file goes with it.
    folder: TempDir,
    pub(super) file: PathBuf,
    pub(super) versions: Vec<(String, u32)>,
}

impl Copied {
    /// Copies `source` into `folder`.
    pub(super) fn of(
        source: &Path,
        folder: &Path,
        prefix: &str,
        stop: &AtomicBool,
    ) -> Result<Self, CopyError> {
        let from = read_only(source).map_err(of_source)?;
        // From here to the end one point is read.
        from.execute_batch("BEGIN").map_err(of_source)?;
        let versions = versions(&from).map_err(of_source)?;
        let folder = private_folder(folder, prefix).map_err(|e| CopyError::Copy(e.to_string()))?;
        let file = folder.path().join("proact.db");
        let copied = Self { folder, file, versions };
        new_private_file(&copied.file).map_err(|e| CopyError::Copy(e.to_string()))?;
        copied.fill(&from, stop)?;
        copied.check().map_err(CopyError::Source)?;
        Ok(copied)
    }

    fn fill(&self, from: &Connection, stop: &AtomicBool) -> Result<(), CopyError> {
        let of_copy = |e: rusqlite::Error| CopyError::Copy(e.to_string());
        let mut to = Connection::open(&self.file).map_err(of_copy)?;
        // Nobody relies on this file before it is checked and synced as a whole.
        to.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(())).map_err(of_copy)?;
        to.pragma_update(None, "synchronous", "OFF").map_err(of_copy)?;
        let backup = rusqlite::backup::Backup::new(from, &mut to).map_err(of_copy)?;
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(CopyError::Copy("the store is being closed".to_owned()));
            }
            match backup.step(STEP).map_err(of_either)? {
                StepResult::Done => break,
                StepResult::More => {}
                // Nobody else knows this file.
                _ => return Err(CopyError::Copy("another program has the copy open".to_owned())),
            }
        }
        drop(backup);
        drop(to);
        // It says of itself that it has a log, as the original does; a backup is one file that can be read from anywhere.
        let to = Connection::open(&self.file).map_err(of_copy)?;
        let mode: String = to
            .pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0))
            .map_err(of_either)?;
        if mode == "delete" { Ok(()) } else { Err(CopyError::Copy(format!("it stays in {mode} mode"))) }
    }

    /// Reads all of it back.
    fn check(&self) -> Result<(), String> {
        let connection = read_only(&self.file).map_err(|e| e.to_string())?;
        check(&connection)?;
        let found = versions(&connection).map_err(|e| e.to_string())?;
        if found == self.versions {
            Ok(())
        } else {
            Err("its versions are not those of the original".to_owned())
        }
    }

    /// Syncs it and gives it its name. Answers its size.
    pub(super) fn place(self, target: &Path, existing: Existing) -> io::Result<u64> {
        let file = OpenOptions::new().write(true).open(&self.file)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        let unnamed = TempPath::try_from_path(&self.file)?;
        match existing {
            Existing::Keep => unnamed.persist_noclobber(target)?,
            Existing::Replace => unnamed.persist(target)?,
        }
        drop(self.folder);
        if let Some(folder) = folder_of(target) {
            sync_folder(&folder)?;
        }
        Ok(bytes)
    }
}

/// What is wrong with a database, if something is: each page and index, and every reference between tables.
fn check(connection: &Connection) -> Result<(), String> {
    let text = |e: rusqlite::Error| e.to_string();
    let whole: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(text)?;
    if whole != "ok" {
        return Err(format!("it is damaged: {}", whole.replace('\n', " ")));
    }
    let mut dangling = connection.prepare("PRAGMA foreign_key_check").map_err(text)?;
    if dangling.exists([]).map_err(text)? {
        return Err("it is damaged: a row refers to one that is not there".to_owned());
    }
    Ok(())
}

/// The version of each set of tables, by name; none in a database of another program.
pub(super) fn versions(connection: &Connection) -> rusqlite::Result<Vec<(String, u32)>> {
    let ours = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'")?
        .exists([])?;
    if !ours {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT name, version FROM schema_version ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

pub(super) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

/// A time in a file's name.
pub(super) fn stamp(now: Timestamp) -> String {
    now.strftime("%Y%m%dT%H%M%S%.3fZ").to_string()
}

/// The folder that a file is or will be in, if there is one.
pub(super) fn folder_of(file: &Path) -> Option<PathBuf> {
    file.file_name()?;
    let folder = file.parent()?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.is_dir().then(|| folder.to_owned())
}

/// Makes a rename in it durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows has no handle of a folder to sync; its file system journals names.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn private_folder(within: &Path, prefix: &str) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(within)
}

/// What people said to each other is in it: it is its owner's alone.
fn new_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file that is there is never lost by mistake: only a database is replaced, and not the one that is backed up.
fn check_target(database: &Path, target: &Path, existing: Existing) -> Result<(), Error> {
    let cannot = |reason: &str| Error::Backup { path: target.to_owned(), reason: reason.to_owned() };
    match (fs::symlink_metadata(target), existing) {
        (Err(e), _) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        (Err(e), _) => return Err(cannot(&e.to_string())),
        (Ok(_), Existing::Keep) => return Err(Error::BackupExists { path: target.to_owned() }),
        (Ok(file), Existing::Replace) if !file.is_file() => return Err(cannot("it is no file")),
        (Ok(_), Existing::Replace) => {}
    }
    if fs::canonicalize(target).ok() == fs::canonicalize(database).ok() {
        return Err(cannot("it is the data itself"));
    }
    let mut first = [0; MAGIC.len()];
    let read = File::open(target).and_then(|mut file| io::Read::read_exact(&mut file, &mut first));
    if read.is_err() || first != MAGIC {
        return Err(cannot("it is there and is no backup, so it is not replaced"));
    }
    Ok(())
}

fn of_source(error: rusqlite::Error) -> CopyError {
    CopyError::Source(error.to_string())
}

/// While copying, damage and failures to read are the source's.
fn of_either(error: rusqlite::Error) -> CopyError {
    let of_source = error.sqlite_error().is_some_and(|e| {
        matches!(e.code, ffi::ErrorCode::DatabaseCorrupt | ffi::ErrorCode::NotADatabase)
            || matches!(e.extended_code, ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ)
    });
    if of_source { CopyError::Source(error.to_string()) } else { CopyError::Copy(error.to_string()) }
}
