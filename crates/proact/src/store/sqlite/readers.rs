//! Readers: a few threads with a query-only connection each. They see what is committed and never wait for the writer.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, mpsc},
    thread,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::{Error, Query};

/// Enough to use both a slow page and a point look-up at once; reads are short.
const THREADS: usize = 2;
/// Reads that may wait before more are refused.
const QUEUE: usize = 4096;

const PANICKED: &str = "a read of the store panicked: this is a defect";

type Job = Box<dyn FnOnce(&Connection) + Send>;

pub(super) struct Pool {
    jobs: mpsc::SyncSender<Job>,
}

impl Pool {
    pub(super) fn start(path: &Path) -> Result<Self, Error> {
        let (jobs, queue) = mpsc::sync_channel::<Job>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..THREADS {
            let connection = super::connect(path, true)?;
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("store-reader-{n}"))
                .spawn(move || {
                    loop {
                        let next = queue.lock().unwrap_or_else(|e| e.into_inner()).recv();
                        let Ok(job) = next else { return };
                        job(&connection);
                    }
                })
                .map_err(|e| Error::Internal(format!("cannot start a reader thread: {e}")))?;
        }
        Ok(Self { jobs })
    }

    pub(super) fn read<Q: Query>(
        &self,
        query: Q,
    ) -> impl Future<Output = Result<Q::Answer, Error>> + Send + use<Q> {
        let (reply, answer) = oneshot::channel();
        let queued = self.jobs.try_send(Box::new(move |connection| {
            // The caller may have gone; then nobody wants to know.
            if !reply.is_closed() {
                // A question that panics is one without an answer, and the thread is there for the next: it changes nothing.
                let read = catch_unwind(AssertUnwindSafe(|| query.run(connection)));
                let _ = reply.send(read.unwrap_or_else(|_| Err(Error::Internal(PANICKED.to_owned()))));
            }
        }));
        async move {
            queued.map_err(|_| Error::overloaded())?;
            answer.await.unwrap_or_else(|_| Err(Error::broken("a reader stopped")))
        }
    }
}
