//! Restoring a backup, and what becomes of what waits in it: in all rooms that an app has.
//!
//! A backup that is put in the place of the data starts a new generation that is held (see [`Hold`]): nothing that waits in it is sent,
//! no turn that is owed in it is run, and the bot is handed nothing of it, until [`Parts::release`] or [`release`] says what becomes of
//! it. What is accepted meanwhile goes as ever.

use std::{path::Path, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{DATABASE, Error, Parts, channel, folder};
use crate::{
    clock::Clock,
    keys::Revoked,
    proactive::{Counters, HeldSummary, Hold, Proactive, Release, Released, Summary},
    store::{self, Read},
};

/// Conversations that are named when a restore says what it holds.
const NAMED: u32 = 10;
/// Rows in one step of dropping.
const STEP: usize = 500;

/// What is held, in all rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Held {
    /// Notifications and turns.
    #[serde(flatten)]
    pub engine: HeldSummary,
    /// Activities of the built-in channel that the bot would be handed.
    pub activities: u64,
}

/// What became of what was held, in all rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Freed {
    /// Notifications and turns.
    #[serde(flatten)]
    pub engine: Released,
    /// Activities of the built-in channel that the bot is never handed.
    pub activities_dropped: u64,
}

/// A backup that is in the place of an app's data.
#[derive(Debug)]
#[non_exhaustive]
pub struct Restored {
    /// The file, where the data of before is, and the versions of what is in place now.
    pub store: store::Restored<()>,
    /// What would be sent now.
    pub held: Held,
    /// The last numbers that count as given: the next job has the number after it.
    pub counters: Counters,
    /// Whether the counters of the data of before could be read; if there was none or it is damaged, the jump begins at the backup's.
    pub counters_read: bool,
}

/// Puts the backup `file` in the place of the data in `folder`, held. The counters of jobs and notifications jump by `gap`. It takes as
/// long as the data is large: not for a runtime's threads.
///
/// # Errors
/// As [`store::restore`]: nothing has changed then.
pub fn restore(file: &Path, folder: &Path, gap: u64, clock: &Arc<dyn Clock>) -> Result<Restored, Error> {
    folder::make(folder).map_err(|source| Error::Data { path: folder.to_owned(), source })?;
    let mut counters_read = false;
    let command = |old: Option<&rusqlite::Connection>| {
        let last = old.and_then(|old| Counters::read(old).ok());
        counters_read = last.is_some();
        let hold = Hold { gap, last: last.unwrap_or_default() };
        // Damaged data cannot say what was revoked in it; the guide says to look at the list then.
        let revoked = old.and_then(|old| Revoked::read(old).ok()).unwrap_or_default();
        (((hold, revoked), channel::HOLD), (Read(Summary { lanes: NAMED }), Read(channel::COUNT_HELD)))
    };
    let restored = store::restore(file, &folder.join(DATABASE), &super::migrations(), clock, command)?;
    let (((counters, ()), ()), (summary, activities)) = restored.outcome;
    let engine = summary.ok_or_else(|| store::Error::Internal("a restore holds nothing".to_owned()))?;
    let store = store::Restored { replaced: restored.replaced, versions: restored.versions, outcome: () };
    Ok(Restored { store, held: Held { engine, activities }, counters, counters_read })
}

/// What is held, with the `lanes` conversations that have the most; `None` while nothing is.
///
/// # Errors
/// What the store says.
pub async fn held(proactive: &Proactive, lanes: u32) -> Result<Option<Held>, Error> {
    let Some(engine) = proactive.held_summary(lanes).await? else { return Ok(None) };
    let activities = proactive.store().read(channel::COUNT_HELD).await?;
    Ok(Some(Held { engine, activities }))
}

/// Ends the hold on data that no app runs on: what is to go goes when one does. `None` when nothing is held.
///
/// # Errors
/// What the store says: the hold then still stands, and what was dropped is dropped.
pub async fn release(proactive: &Proactive, release: Release) -> Result<Option<Freed>, Error> {
    let store = proactive.store();
    let before = release.drops_before(store.clock().now().as_millisecond());
    let mut activities_dropped = 0;
    loop {
        match store.commit(channel::drop_held(before, STEP)).await? {
            0 => break,
            dropped => activities_dropped += dropped,
        }
    }
    let released = proactive.release(release).await?;
    Ok(released.map(|engine| Freed { engine, activities_dropped }))
}

impl Parts {
    /// Ends the hold: what is to go goes from now on. `None` when nothing is held.
    ///
    /// # Errors
    /// As [`release`].
    pub async fn release(&self, wanted: Release) -> Result<Option<Freed>, Error> {
        let freed = release(&self.proactive, wanted).await?;
        if freed.is_some() {
            self.adapter.resume().await;
            channel::resume(&self.channel);
        }
        Ok(freed)
    }
}
