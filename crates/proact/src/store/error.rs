//! What a store refuses, and what to do about it.

use std::path::PathBuf;

use crate::turn::Unavailable;

/// Why a commit or a query was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process works on this file.
    #[error("{path} is in use by another process: stop it, or choose another data folder")]
    InUse {
        /// The lock that is held.
        path: PathBuf,
    },
    /// A newer version of the program wrote this file.
    #[error(
        "the data was written by a newer version ({set} schema {found}, this program knows {known}): use that version"
    )]
    Newer {
        /// Which set of tables.
        set: &'static str,
        /// The version in the file.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// The file or its folder cannot be used.
    #[error("cannot use {path} ({reason}): make it and its folder writable, or choose another data folder")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// No backup was made; nothing is left under its name but what was there before.
    #[error(
        "no backup was made to {path} ({reason}): choose a folder that can be written and has room, then try again"
    )]
    Backup {
        /// Where it was to be.
        path: PathBuf,
        /// What was in the way.
        reason: String,
    },
    /// There is a file of that name.
    #[error("{path} exists already: choose another name, or say that it is to be replaced")]
    BackupExists {
        /// The file.
        path: PathBuf,
    },
    /// The data is older than the program, and cannot be backed up: it is left as it is.
    #[error(
        "{path} is of an older version and was not upgraded, because no backup of it could be made first ({reason}): make room          beside it, then start again"
    )]
    BackupBeforeUpgrade {
        /// The data.
        path: PathBuf,
        /// What was in the way.
        reason: String,
    },
    /// This file cannot take the place of the data: nothing was changed.
    #[error("{path} cannot be restored ({reason}): choose another backup")]
    NotABackup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A restore stopped on its way.
    #[error("a restore of {path} stopped on its way: restore again, and it goes on")]
    HalfRestored {
        /// The data.
        path: PathBuf,
    },
    /// The write or read could not be made now (disk full, read-only, an I/O error): nothing was changed. Try again later.
    #[error("the store cannot take this now ({0}): make room or make it writable, then try again")]
    Unavailable(#[source] Unavailable),
    /// More work is waiting than the store takes on: nothing was changed. Try again later.
    #[error("the store cannot take this now ({0}): try again in a moment")]
    Overloaded(#[source] Unavailable),
    /// A sync failed, or the store was closed: nothing more is accepted.
    #[error("the store no longer accepts anything: {0}")]
    Broken(#[source] Unavailable),
    /// A command's record under its turn and ordinal says something else.
    #[error(
        "command {ordinal} of this turn is on record as `{recorded}` with other content: a turn that is run again must \
         give its commands in the same order with the same content"
    )]
    CommandDiffers {
        /// The command's place in the turn.
        ordinal: u32,
        /// The kind on record.
        recorded: String,
    },
    /// An idempotency key was used before, with other content: nothing was changed.
    #[error(
        "the idempotency key `{key}` was used before with other content: use a new key for another request"
    )]
    KeyReused {
        /// The key.
        key: String,
    },
    /// A value's ETag is no longer the one that was read: somebody else wrote in between.
    #[error("changed by somebody else since it was read: {}", keys.join(", "))]
    Conflict {
        /// The keys that changed.
        keys: Vec<String>,
    },
    /// What is stored cannot be read: the file was changed by something else, or there is a defect.
    #[error("what is stored is not what this program writes: {0}")]
    Corrupt(String),
    /// A defect: a statement that the database does not accept.
    #[error("the store failed: {0}")]
    Internal(String),
}

impl Error {
    /// Whether the same call may succeed later without a change to it.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Overloaded(_))
    }

    /// Nothing more is accepted. A turn that meets this is not answered with an apology: it did nothing, and its channel is to send it
    /// again, to the process that comes after this one.
    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self::Broken(Unavailable::new(reason))
    }

    /// More is waiting than can be taken on.
    pub(crate) fn overloaded() -> Self {
        Self::Overloaded(Unavailable::new("too much is waiting"))
    }

    /// Whether this means that a sync failed or the file is damaged: nothing that the process knows about the disk holds any longer.
    pub(crate) fn is_fatal(error: &rusqlite::Error) -> bool {
        use rusqlite::ffi;
        error.sqlite_error().is_some_and(|e| {
            matches!(e.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
                || matches!(e.code, ffi::ErrorCode::DatabaseCorrupt | ffi::ErrorCode::NotADatabase)
        })
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        if Self::is_fatal(&error) {
            return Self::broken(format!("the disk failed to sync or the file is damaged: {error}"));
        }
        match error.sqlite_error_code() {
            Some(
                Code::DiskFull
                | Code::ReadOnly
                | Code::SystemIoFailure
                | Code::CannotOpen
                | Code::DatabaseBusy
                | Code::PermissionDenied
                | Code::OutOfMemory,
            ) => Self::Unavailable(Unavailable::new(error.to_string())),
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}
