//! The database's files are their owner's alone: what people said to each other is in them.
//!
//! A database is made so before SQLite opens it, and its log and the log's index take after it. Files that are there already, from an
//! earlier version or an archive, are closed to others at every opening. Where that cannot be done (they belong to somebody else, or the
//! file system knows no such thing) a line in the log says so, and the data is opened all the same.

use std::{fs::OpenOptions, path::Path};

use crate::secret_file;

/// What stands beside a database, by what its name ends with.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", ".lock"];

/// Makes the database's file if there is none, and closes all of them to others.
pub(super) fn prepare(database: &Path) {
    // What is in the way here is in SQLite's way, too, which says what it is.
    let _ = private().create_new(true).open(database);
    close(database);
}

/// Closes the files that are there to others.
pub(super) fn close(database: &Path) {
    for end in BESIDE {
        let mut path = database.as_os_str().to_owned();
        path.push(end);
        match secret_file::keep_to_owner(Path::new(&path)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "others may be able to read this file: chmod 600 it");
            }
            _ => {}
        }
    }
}

/// How a file of these is opened for writing.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
