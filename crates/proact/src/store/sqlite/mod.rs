//! The SQLite engine: one file in WAL mode with `synchronous=FULL`, one writer thread, readers apart.
//!
//! Opening takes a lock file first (one process per file), asserts the bundled SQLite, migrates (an older file has a checked backup
//! beside it before), and then moves the log of an earlier process into the file with a sync of its own, so that nothing acts on
//! what is only in the page cache.

mod backup;
mod migrate;
mod private;
mod readers;
mod restore;
mod tx;
mod upgrade;
mod writer;

use std::{
    fs::{File, TryLockError},
    future::Future,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

pub use backup::{Backup, Existing};
pub use migrate::Migration;
pub use restore::Restored;
pub(super) use restore::{is_half_restored, restore};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{oneshot, watch};
pub use tx::Tx;

use super::{Change, Command, Error, Figures, Query, figures::Meter};
use crate::clock::Clock;

/// The SQLite that fixes the WAL-reset corruption of 3.7.0 to 3.51.2.
const OLDEST_SQLITE: i32 = 3_051_003;

/// What the folder of a backup that is not finished is called.
const UNFINISHED: &str = ".proact-backup-";

type Listener = Box<dyn Fn(&[Change]) + Send + Sync>;

/// What the writer shares with the handle.
pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) listeners: RwLock<Vec<Listener>>,
    /// Why nothing more is accepted; `None` while all is well.
    pub(super) failure: watch::Sender<Option<String>>,
    pub(super) meter: Meter,
    /// The last write was refused for want of room or permission.
    pub(super) refusing: AtomicBool,
}

pub(super) struct Engine {
    shared: Arc<Shared>,
    writer: writer::Handle,
    readers: readers::Pool,
    path: PathBuf,
    /// Backups under way are to stop.
    closing: Arc<AtomicBool>,
    /// Held until the engine is closed or dropped: the lock goes with the file handle.
    lock: Mutex<Option<File>>,
}

impl Engine {
    pub(super) fn open(path: &Path, extra: &[Migration], clock: Arc<dyn Clock>) -> Result<Self, Error> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(Error::Internal(format!(
                "SQLite {} can corrupt a write-ahead log; build with the bundled one",
                rusqlite::version()
            )));
        }
        let lock = lock(path)?;
        let open_error = |e: Error| match e {
            Error::Unavailable(why) => Error::Open { path: path.to_owned(), reason: why.to_string() },
            Error::Internal(reason) => Error::Open { path: path.to_owned(), reason },
            other => other,
        };
        restore::refuse_half_restored(path)?;
        private::prepare(path);
        let mut connection = connect(path, false).map_err(open_error)?;
        migrate::refuse_newer(&connection, extra).map_err(open_error)?;
        if migrate::is_upgrade(&connection, extra).map_err(open_error)? {
            let versions = backup::versions(&connection).map_err(Error::from).map_err(open_error)?;
            upgrade::back_up(path, &versions, clock.now())?;
        }
        migrate::run(&mut connection, extra).map_err(open_error)?;
        sync_anew(&connection).map_err(open_error)?;

        let readers = readers::Pool::start(path)?;
        let shared = Arc::new(Shared {
            clock,
            listeners: RwLock::default(),
            failure: watch::Sender::new(None),
            meter: Meter::default(),
            refusing: AtomicBool::new(false),
        });
        let writer = writer::Handle::start(connection, Arc::clone(&shared))?;
        let closing = Arc::new(AtomicBool::new(false));
        Ok(Self { shared, writer, readers, path: path.to_owned(), closing, lock: Mutex::new(Some(lock)) })
    }

    pub(super) fn commit<C: Command>(
        &self,
        command: C,
    ) -> impl Future<Output = Result<C::Outcome, Error>> + Send + use<C> {
        self.writer.commit(command)
    }

    pub(super) fn commit_later<C: Command>(&self, command: C) -> Result<(), Error> {
        self.writer.commit_later(command)
    }

    pub(super) fn read<Q: Query>(
        &self,
        query: Q,
    ) -> impl Future<Output = Result<Q::Answer, Error>> + Send + use<Q> {
        self.readers.read(query)
    }

    pub(super) fn subscribe(&self, listener: Listener) {
        self.shared.listeners.write().unwrap_or_else(|e| e.into_inner()).push(listener);
    }

    pub(super) async fn failure(&self) -> Error {
        let mut failure = self.shared.failure.subscribe();
        match failure.wait_for(Option::is_some).await {
            Ok(reason) => Error::broken(reason.clone().unwrap_or_default()),
            Err(_) => std::future::pending().await,
        }
    }

    pub(super) fn figures(&self) -> Figures {
        let bytes = |suffix: &str| {
            let mut name = self.path.as_os_str().to_owned();
            name.push(suffix);
            std::fs::metadata(name).map_or(0, |file| file.len())
        };
        self.shared.meter.figures(bytes(""), bytes("-wal"))
    }

    pub(super) fn is_refusing(&self) -> bool {
        self.shared.refusing.load(Ordering::Relaxed)
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    pub(super) async fn backup(&self, file: PathBuf, existing: Existing) -> Result<Backup, Error> {
        let (database, closing) = (self.path.clone(), Arc::clone(&self.closing));
        let (reply, made) = oneshot::channel();
        // A thread of its own: it takes as long as the data is large, and its readers are for short questions.
        thread::Builder::new()
            .name("store-backup".to_owned())
            .spawn(move || {
                let _ = reply.send(backup::make(&database, &file, existing, UNFINISHED, &closing));
            })
            .map_err(|e| Error::Internal(format!("cannot start a thread: {e}")))?;
        made.await.unwrap_or_else(|_| Err(Error::broken("a backup stopped")))
    }

    pub(super) async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.writer.close().await;
        // Whoever still holds a handle can no longer write: the file is free for another process.
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Backs up a file that another process may be using, or nobody.
pub(super) fn backup(database: &Path, file: &Path, existing: Existing) -> Result<Backup, Error> {
    restore::refuse_half_restored(database)?;
    backup::make(database, file, existing, UNFINISHED, &AtomicBool::new(false))
}

/// One process per file: an advisory lock on a file beside it, which the system drops when the process dies.
fn lock(path: &Path) -> Result<File, Error> {
    let lock_path = PathBuf::from(format!("{}.lock", path.display()));
    let cannot = |e: std::io::Error| Error::Open { path: lock_path.clone(), reason: e.to_string() };
    let file = private::private().create(true).truncate(false).open(&lock_path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(e)) => Err(cannot(e)),
    }
}

fn connect(path: &Path, read_only: bool) -> Result<Connection, Error> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if !read_only {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // In KiB, at most, and only as used. The writer's holds the leaves that keys made of digests scatter over, and no more: when a page is
    // split, SQLite goes through all that it holds at the end of the commit. A reader's holds what a page of a list and its index need.
    connection.pragma_update(None, "cache_size", if read_only { -8 * 1024 } else { -16 * 1024 })?;
    if read_only {
        // A reader opens the file writable (it may have to rebuild the log's index) but never writes.
        connection.pragma_update(None, "query_only", true)?;
    }
    Ok(connection)
}

/// Moves what an earlier process left in the log into the file, with a sync of both: its own syncs may have failed.
fn sync_anew(connection: &Connection) -> Result<(), Error> {
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy {
        let why = "another program has the file open (a backup under way, an SQLite shell?)";
        return Err(Error::Unavailable(crate::turn::Unavailable::new(why)));
    }
    Ok(())
}
