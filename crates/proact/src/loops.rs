//! The loops that a process runs for as long as it lives: what delivers, sweeps, watches jobs, forgets, accepts connections.
//!
//! Promises: a loop that panics is not dead in silence, with the rest going on as if nothing were missing. [`Loops::failure`] resolves with its
//! name, so that the process can end and be started again; what was accepted is on disk and goes on then. Until it ends, [`Loops::died`] has
//! readiness say that it takes no work. A loop is not started anew in its place: what it had in memory is as doubtful as what
//! made it panic.

use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

/// The loops of one process, by which it is known whether each still runs. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Loops(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    died: OnceLock<Died>,
    told: CancellationToken,
}

/// A loop that panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} panicked, which is a defect: start the program again, nothing that was accepted is lost")]
pub struct Died(&'static str);

impl Died {
    /// What the loop is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.0
    }
}

impl Loops {
    /// Runs `work`; should it panic, that is told as `name`, and this ends.
    pub fn watch<W: Future<Output = ()>>(
        &self,
        name: &'static str,
        work: W,
    ) -> impl Future<Output = ()> + use<W> {
        let inner = Arc::clone(&self.0);
        #[cfg(feature = "failpoints")]
        let work = crate::failpoints::panicking(name, work);
        async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(name, "a loop of the process panicked: this is a defect");
                // The first one is what the others may have died of.
                let _ = inner.died.set(Died(name));
                inner.told.cancel();
            }
        }
    }

    /// The first one that died, if one has.
    #[must_use]
    pub fn died(&self) -> Option<Died> {
        self.0.died.get().copied()
    }

    /// Resolves when one has died. The process should then finish what is under way, as far as it can, and end.
    pub async fn failure(&self) -> Died {
        self.0.told.cancelled().await;
        match self.died() {
            Some(died) => died,
            // It is set before it is told.
            None => std::future::pending().await,
        }
    }
}

/// What a panic that was caught said; nothing if it was no text.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_that_panics_is_told_of_and_no_other() {
        let loops = Loops::default();
        loops.watch("what ends", async {}).await;
        assert_eq!(loops.died(), None, "an end is no death");
        let waiting = tokio::spawn({
            let loops = loops.clone();
            async move { loops.failure().await }
        });
        let dying = loops.clone();
        let dies = |name| dying.watch(name, async move { panic!("{name} goes") });
        dies("the first").await;
        dies("the second").await;
        assert_eq!(loops.died().map(|died| died.name()), Some("the first"));
        assert_eq!(waiting.await.unwrap().name(), "the first");
        assert_eq!(loops.failure().await.name(), "the first", "also for who asks later");
    }
}
