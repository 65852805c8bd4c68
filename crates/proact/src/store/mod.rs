//! The store accepts one [`Command`] at a time, whole or not at all, and answers when it is durable.
//!
//! What it promises, in this order:
//!
//! 1. A command's rows are in the file *and synced* before [`Store::commit`] answers. Several commands that must stand
//!    or fall together are one command: a tuple, a `Vec` or an `Option` of commands is a command.
//! 2. All writes of the process go through one thread that puts whatever is waiting into one transaction and one sync
//!    (group commit), then answers everyone. A command that fails takes only its own savepoint with it.
//! 3. A full or read-only disk fails the write ([`Error::Unavailable`]); reading goes on, and writing does when there is
//!    room again. A *failed sync* is never forgiven: what was in that commit gets no answer at all, nothing after it
//!    is accepted ([`Error::Broken`]), and [`Store::failure`] resolves so that the process can end.
//! 4. Readers have connections of their own and never wait for the writer.
//!
//! One process owns the file; a second one is refused ([`Error::InUse`]).

mod bot_state;
mod command;
mod error;
mod figures;
mod sqlite;

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use bot_state::WriteState;
pub use command::{Command, Effect, Keyed, Query, Read, Writes};
pub use error::Error;
pub use figures::{Figures, Times};
pub use sqlite::{Backup, Existing, Migration, Restored, Tx};

use crate::{clock::Clock, loops::Loops, state::CommitScope};

/// What a commit changed; told to subscribers after the sync, in commit order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Change {
    /// A job was started or changed its state.
    Job {
        /// The job's number.
        number: u64,
    },
    /// A notification was accepted or changed its state.
    Notification {
        /// The notification's id.
        id: uuid::Uuid,
    },
    /// Activities were added to a conversation of the built-in channel.
    Channel {
        /// The conversation's id.
        conversation: String,
        /// The newest sequence number.
        seq: i64,
    },
    /// The hold of a restore was lifted: what waits from before it may go.
    Released,
}

/// A handle to the store: cheap to clone, shared by everything in the process.
#[derive(Clone)]
pub struct Store {
    engine: Arc<sqlite::Engine>,
    scope: CommitScope,
    loops: Loops,
}

impl Store {
    /// Opens (or makes) the store in the file at `path`.
    ///
    /// Takes the lock of the file, migrates it with the store's own migrations and `extra` ones (a file that has data gets a checked
    /// backup beside it first), and syncs what an earlier process left behind before anything can act on it.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it, [`Error::Newer`] when a newer version of the program wrote it,
    /// [`Error::BackupBeforeUpgrade`] when an older one did and no backup can be made, [`Error::HalfRestored`] when a restore stopped on
    /// its way, [`Error::Open`] when the folder or the file cannot be used.
    pub fn open(path: &Path, extra: &[Migration], clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let engine = sqlite::Engine::open(path, extra, clock)?;
        Ok(Self { engine: Arc::new(engine), scope: CommitScope::new(), loops: Loops::default() })
    }

    /// Commits `command`, whole or not at all, and answers when it is durable.
    ///
    /// The command is handed to the writer when this is *called*; dropping the future does not take it back.
    ///
    /// # Errors
    /// The command's own refusal, or [`Error::Unavailable`], [`Error::Overloaded`], [`Error::Broken`].
    pub fn commit<C: Command>(
        &self,
        command: C,
    ) -> impl Future<Output = Result<C::Outcome, Error>> + Send + use<C> {
        self.engine.commit(command)
    }

    /// Commits `command` without anybody waiting for it: for bookkeeping that may be lost in a crash.
    ///
    /// # Errors
    /// [`Error::Overloaded`] or [`Error::Broken`] when it could not be queued.
    pub fn commit_later<C: Command>(&self, command: C) -> Result<(), Error> {
        self.engine.commit_later(command)
    }

    /// Runs `query` on a reader's connection, on what is committed now.
    ///
    /// # Errors
    /// The query's own, or [`Error::Unavailable`].
    pub fn read<Q: Query>(&self, query: Q) -> impl Future<Output = Result<Q::Answer, Error>> + Send + use<Q> {
        self.engine.read(query)
    }

    /// Has `listener` called after each commit with what it changed, on the writer's thread: it must only pass on.
    pub fn subscribe(&self, listener: impl Fn(&[Change]) + Send + Sync + 'static) {
        self.engine.subscribe(Box::new(listener));
    }

    /// Resolves when a sync has failed. The process must end: what the disk holds is no longer known.
    pub async fn failure(&self) -> Error {
        self.engine.failure().await
    }

    /// The loops that work on it, of every room: whether one of them has died.
    #[must_use]
    pub fn loops(&self) -> &Loops {
        &self.loops
    }

    /// What it has done since it was opened, and how long it took.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.engine.figures()
    }

    /// Whether writes are taken. After one was refused for want of room or permission, this tries another, so that the answer is of now.
    pub async fn takes_writes(&self) -> bool {
        !self.engine.is_refusing() || self.commit(command::Touch).await.is_ok()
    }

    /// The clock that stamps what is written.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.engine.clock())
    }

    /// Which saves can share one commit: those with an equal scope.
    #[must_use]
    pub fn scope(&self) -> CommitScope {
        self.scope.clone()
    }

    /// Backs up to `file` while everything goes on: one committed point of the data, read back and checked, synced, readable by its
    /// owner only. Until all of that is done nothing has this name, and whatever fails leaves nothing behind.
    ///
    /// Writes and reads are not held up; the log cannot be reset meanwhile and grows. It goes on when the future is dropped, and
    /// stops when the store is closed.
    ///
    /// # Errors
    /// [`Error::BackupExists`], or [`Error::Backup`] with what was in the way.
    pub fn backup(
        &self,
        file: PathBuf,
        existing: Existing,
    ) -> impl Future<Output = Result<Backup, Error>> + Send + use<> {
        let engine = Arc::clone(&self.engine);
        async move { engine.backup(file, existing).await }
    }

    /// Waits for what is queued, moves the log into the file and closes it. Later commits are refused.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

/// Backs up the database at `database`, whether a process works on it or none, as [`Store::backup`] does. It reads only, takes no lock
/// that a process that works on it would want, and migrates nothing. It takes as long as the data is large: not for a runtime's threads.
///
/// # Errors
/// [`Error::BackupExists`], [`Error::HalfRestored`], or [`Error::Backup`] with what was in the way.
pub fn backup(database: &Path, file: &Path, existing: Existing) -> Result<Backup, Error> {
    sqlite::backup(database, file, existing)
}

/// Whether a restore of `database` stopped on its way: [`Store::open`] refuses it then, whatever is there.
#[must_use]
pub fn is_half_restored(database: &Path) -> bool {
    sqlite::is_half_restored(database)
}

/// Puts a copy of the backup `file` in the place of `database`, all or nothing, and keeps what was there under another name beside it.
///
/// Before that, everything in the file is read and checked, the copy is migrated to the versions of this program, and the command that
/// `command` makes is applied to it: it is given the data that is to be replaced, if that can be read at all. The file itself stays
/// as it is. It takes as long as the data is large: not for a runtime's threads.
///
/// # Errors
/// [`Error::InUse`] when a process works on the data, [`Error::NotABackup`] and [`Error::Newer`] when the file cannot take its place,
/// [`Error::Open`] when the folder cannot be written. Nothing has changed then, unless the data is from then on
/// [`Error::HalfRestored`]: then make room and restore again.
pub fn restore<C: Command>(
    file: &Path,
    database: &Path,
    extra: &[Migration],
    clock: &Arc<dyn Clock>,
    command: impl FnOnce(Option<&rusqlite::Connection>) -> C,
) -> Result<Restored<C::Outcome>, Error> {
    sqlite::restore(file, database, extra, clock, command)
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}
