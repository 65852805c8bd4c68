//! The writer: one thread, group commit.
//!
//! It takes whatever is waiting, applies each command in a savepoint of its own (but those that are refused before they write, or never), commits
//! once (one sync), tells the subscribers, then answers everyone. The order is the promise: nobody hears of a command before its sync has returned.
//!
//! When the commit fails for want of room, everything in it is undone and answered so; the next one is tried afresh. When a
//! *sync* fails, the commands of that commit get no answer ever, the failure is announced, and nothing more is taken.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, atomic::Ordering, mpsc},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{
    Connection,
    hooks::{CheckpointMode, Wal},
};
use tokio::sync::oneshot;

use super::{Shared, Tx};
use crate::{
    store::{Command, Error, Writes},
    turn::Unavailable,
};

/// Commands in one commit at most: bounds how long the first of them waits.
const BATCH: usize = 512;
/// How long a commit waits for company when the one before it had some: a sync for each of many that come at once costs all of them
/// more than this. A command that comes alone waits for nobody.
const COMPANY: Duration = Duration::from_micros(300);
/// Commands that may wait before more are refused.
const QUEUE: usize = 16 * 1024;
/// Pages in the log (4 KiB each) after which it is moved into the file.
const CHECKPOINT_PAGES: i32 = 4000;

/// A command on its way through the writer, its types erased.
trait Pending: Send {
    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<(), Error>;
    fn needs_savepoint(&self) -> bool;
    fn committed(self: Box<Self>);
    fn failed(self: Box<Self>, error: Error);
}

struct Waiting<C: Command> {
    command: Option<C>,
    outcome: Option<C::Outcome>,
    reply: oneshot::Sender<Result<C::Outcome, Error>>,
}

impl<C: Command> Pending for Waiting<C> {
    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if let Some(command) = self.command.take() {
            self.outcome = Some(command.apply(tx)?);
        }
        Ok(())
    }

    fn needs_savepoint(&self) -> bool {
        self.command.as_ref().is_some_and(|command| command.writes() == Writes::Many)
    }

    fn committed(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            let _ = self.reply.send(Ok(outcome));
        }
    }

    fn failed(self: Box<Self>, error: Error) {
        let _ = self.reply.send(Err(error));
    }
}

enum Message {
    Command(Box<dyn Pending>),
    Close(oneshot::Sender<()>),
}

pub(super) struct Handle {
    queue: mpsc::SyncSender<Message>,
    shared: Arc<Shared>,
}

impl Handle {
    pub(super) fn start(connection: Connection, shared: Arc<Shared>) -> Result<Self, Error> {
        // Checkpoints are ours, not SQLite's own: that one would swallow a failed sync of the file.
        connection.wal_hook(Some(checkpoint_when_long));
        let (queue, waiting) = mpsc::sync_channel(QUEUE);
        let handle = Self { queue, shared: Arc::clone(&shared) };
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                // A command that panics leaves a transaction open that nobody can judge: as after a failed sync, nothing more is
                // accepted, and its commit gets no answer.
                let ended = catch_unwind(AssertUnwindSafe(|| run(connection, &waiting, &shared)));
                if ended.is_err() {
                    let reason = "the store's writer panicked: this is a defect";
                    shared.failure.send_replace(Some(reason.to_owned()));
                    refuse_for_ever(&waiting, Vec::new(), reason);
                }
            })
            .map_err(|e| Error::Internal(format!("cannot start the writer thread: {e}")))?;
        Ok(handle)
    }

    pub(super) fn commit<C: Command>(
        &self,
        command: C,
    ) -> impl Future<Output = Result<C::Outcome, Error>> + Send + use<C> {
        let (reply, answer) = oneshot::channel();
        let queued = self.send(command, reply);
        async move {
            queued?;
            match answer.await {
                Ok(result) => result,
                // The writer ended without a word on this command: nothing definite may be said.
                Err(_) => std::future::pending().await,
            }
        }
    }

    pub(super) fn commit_later<C: Command>(&self, command: C) -> Result<(), Error> {
        self.send(command, oneshot::channel().0)
    }

    fn send<C: Command>(
        &self,
        command: C,
        reply: oneshot::Sender<Result<C::Outcome, Error>>,
    ) -> Result<(), Error> {
        let pending = Waiting { command: Some(command), outcome: None, reply };
        self.queue.try_send(Message::Command(Box::new(pending))).map_err(|e| match e {
            mpsc::TrySendError::Full(_) => Error::overloaded(),
            mpsc::TrySendError::Disconnected(_) => Error::broken("it was closed"),
        })?;
        self.shared.meter.queued();
        Ok(())
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let queue = self.queue.clone();
        // The queue may be full at this moment; waiting for a place must not hold up the runtime.
        let sent = tokio::task::spawn_blocking(move || queue.send(Message::Close(done))).await;
        if matches!(sent, Ok(Ok(()))) {
            let _ = closed.await;
        }
    }
}

fn run(connection: Connection, waiting: &mpsc::Receiver<Message>, shared: &Shared) {
    let mut batch: Vec<Box<dyn Pending>> = Vec::with_capacity(BATCH);
    let mut in_company = false;
    while let Ok(first) = waiting.recv() {
        let closing = gather(first, waiting, &mut batch, in_company.then(|| Instant::now() + COMPANY));
        in_company = batch.len() > 1;
        shared.meter.taken(batch.len());
        if let Err(reason) = commit(&connection, &mut batch, shared) {
            shared.failure.send_replace(Some(reason.clone()));
            refuse_for_ever(waiting, batch, &reason);
            return;
        }
        if let Some(done) = closing {
            if let Err(e) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                && Error::is_fatal(&e)
            {
                shared.failure.send_replace(Some(format!("the disk failed to sync: {e}")));
            }
            drop(connection);
            let _ = done.send(());
            // Whoever still has a handle is refused, not left without an answer.
            refuse_for_ever(waiting, Vec::new(), "it was closed");
            return;
        }
    }
}

/// Takes what waits into `batch`, and until `deadline` what comes. Answers who asked to close, if somebody did.
fn gather(
    first: Message,
    waiting: &mpsc::Receiver<Message>,
    batch: &mut Vec<Box<dyn Pending>>,
    deadline: Option<Instant>,
) -> Option<oneshot::Sender<()>> {
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Message::Command(pending) => batch.push(pending),
            Message::Close(done) => return Some(done),
        }
        if batch.len() == BATCH {
            return None;
        }
        next = waiting.try_recv().ok().or_else(|| {
            let left = deadline?.checked_duration_since(Instant::now())?;
            waiting.recv_timeout(left).ok()
        });
    }
    None
}

/// One commit of the whole batch. `Err` says why nothing more may be accepted; `batch` then holds what stays unanswered.
fn commit(connection: &Connection, batch: &mut Vec<Box<dyn Pending>>, shared: &Shared) -> Result<(), String> {
    if batch.is_empty() {
        return Ok(());
    }
    if let Err(e) = connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut s| s.execute([])) {
        return undone(connection, batch, &e, shared);
    }
    let (before, started) = (connection.total_changes(), Instant::now());
    let mut tx = Tx::new(connection, shared.clock.now().as_millisecond());
    let alone = batch.len() == 1;
    let mut applied = Vec::with_capacity(batch.len());
    let mut broke_word = false;
    let mut rest = std::mem::take(batch).into_iter();
    while let Some(mut pending) = rest.next() {
        if connection.is_autocommit() {
            // SQLite undid the whole transaction by itself (disk full, I/O error): nobody in it was served.
            shared.meter.refused(1);
            pending.failed(undone_with_another());
            continue;
        }
        let mark = tx.mark();
        // A command alone in its transaction needs no savepoint: the transaction is one. Nor does one that is refused before it writes.
        let savepoint = !alone && pending.needs_savepoint();
        let unchanged = connection.total_changes();
        match in_savepoint(connection, savepoint, || pending.apply(&mut tx)) {
            Ok(()) => applied.push(pending),
            Err(Error::Broken(reason)) => {
                // A sync can fail before the commit too, when a large transaction spills into the log.
                batch.extend(applied);
                batch.push(pending);
                batch.extend(rest);
                return Err(reason.to_string());
            }
            Err(error) => {
                tx.rewind(mark);
                if !alone
                    && !savepoint
                    && !connection.is_autocommit()
                    && connection.total_changes() != unchanged
                {
                    broke_word = true;
                    // Half of it must not stand, so nothing of this commit does.
                    tracing::error!(%error, "a command failed after a write, where it said that it would not");
                    let _ = connection.execute_batch("ROLLBACK");
                }
                pending.failed(error);
            }
        }
    }
    if connection.is_autocommit() {
        // A command that broke its word says nothing about the disk.
        if !broke_word {
            shared.refusing.store(true, Ordering::Relaxed);
        }
        shared.meter.refused(applied.len());
        applied.into_iter().for_each(|pending| pending.failed(undone_with_another()));
        return Ok(());
    }
    if applied.is_empty() {
        let _ = connection.execute_batch("ROLLBACK");
        return Ok(());
    }
    let wrote = connection.total_changes() != before;
    failpoint!(BeforeCommit);
    let written = tx.write_tallies().and_then(|()| connection.prepare_cached("COMMIT")?.execute([]));
    if let Err(e) = written {
        *batch = applied;
        return undone(connection, batch, &e, shared);
    }
    failpoint!(AfterCommit);
    // What wrote nothing says nothing about the disk.
    if wrote {
        shared.refusing.store(false, Ordering::Relaxed);
        shared.meter.committed(applied.len(), started.elapsed());
    }
    let (changes, afterwards) = tx.into_effects();
    if !changes.is_empty() {
        let listeners = shared.listeners.read().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().for_each(|listener| listener(&changes));
    }
    failpoint!(AfterTold);
    afterwards.into_iter().for_each(|act| act());
    for pending in applied {
        pending.committed();
    }
    Ok(())
}

fn undone_with_another() -> Error {
    Error::Unavailable(Unavailable::new("another write of the same commit failed"))
}

fn in_savepoint(
    connection: &Connection,
    savepoint: bool,
    apply: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    if savepoint {
        connection.prepare_cached("SAVEPOINT command")?.execute([])?;
    }
    let result = apply();
    if savepoint && !connection.is_autocommit() {
        if result.is_err() {
            connection.prepare_cached("ROLLBACK TO command")?.execute([])?;
        }
        connection.prepare_cached("RELEASE command")?.execute([])?;
    }
    result
}

/// The commit did not happen: say so to everyone in it, unless a sync failed, of which nothing may be said.
fn undone(
    connection: &Connection,
    batch: &mut Vec<Box<dyn Pending>>,
    error: &rusqlite::Error,
    shared: &Shared,
) -> Result<(), String> {
    if Error::is_fatal(error) {
        return Err(format!("the disk failed to sync: {error}"));
    }
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    shared.refusing.store(true, Ordering::Relaxed);
    shared.meter.refused(batch.len());
    for pending in batch.drain(..) {
        pending.failed(Error::Unavailable(Unavailable::new(error.to_string())));
    }
    Ok(())
}

/// Holds the commands of the failed commit unanswered and refuses all that come, until the process ends.
fn refuse_for_ever(waiting: &mpsc::Receiver<Message>, unanswered: Vec<Box<dyn Pending>>, reason: &str) {
    while let Ok(message) = waiting.recv() {
        match message {
            Message::Command(pending) => pending.failed(Error::broken(reason)),
            Message::Close(done) => {
                let _ = done.send(());
            }
        }
    }
    drop(unanswered);
}

/// Moves a long log into the file, as far as no reader needs it. Only a failed sync is an error here: the commit itself has happened,
/// and what could not be moved stays in the log.
fn checkpoint_when_long(wal: &Wal, pages: i32) -> rusqlite::Result<()> {
    if pages < CHECKPOINT_PAGES {
        return Ok(());
    }
    match wal.checkpoint_v2(CheckpointMode::PASSIVE) {
        Err(e) if Error::is_fatal(&e) => Err(e),
        _ => Ok(()),
    }
}
