//! Forgetting what is old, in small steps that never hold up what is due.
//!
//! A round goes through history by age, history by length, ids, files and silent conversations, and ends when nothing
//! is left to forget. Each step is a commit of a few rows, with a pause after it. A watermark that points at what was
//! forgotten gets what is left.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::channel::{Channel, WeakChannel};
use super::commands::{Expire, ForgetActivities, ForgetFiles, ForgetIds, ForgetLong, Place};
use super::files;
use super::queries::{FindFile, IdleConversations, LongConversations, Surplus, TooLong};
use crate::clock::Clock;
use crate::store;

/// Rows in one step.
const STEP: usize = 200;
/// The pause after a step.
const PAUSE: Duration = Duration::from_millis(20);
/// The time between two rounds.
const ROUND: Duration = Duration::from_secs(600);
/// How much longer than a row's time a file is left alone that no row knows: it may be on its way.
const SWEEP_AFTER: Duration = Duration::from_secs(3600);

/// A round at a time until the channel stops or is gone. What fails is taken up by the next round. Between two rounds it
/// holds nothing of the channel.
pub(super) async fn always(channel: WeakChannel, clock: Arc<dyn Clock>, stop: CancellationToken) {
    loop {
        let next = clock.now() + ROUND;
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep_until(next) => {}
        }
        let Some(channel) = channel.upgrade() else { return };
        tokio::select! {
            () = stop.cancelled() => return,
            done = once(&channel) => if let Err(error) = done {
                tracing::warn!(%error, "the channel cannot forget what is old now");
            }
        }
    }
}

/// One round.
pub(super) async fn once(channel: &Channel) -> Result<(), store::Error> {
    history_by_age(channel).await?;
    history_by_length(channel).await?;
    ids(channel).await?;
    files(channel).await?;
    conversations(channel).await
}

async fn history_by_age(channel: &Channel) -> Result<(), store::Error> {
    let Some(kept_for) = channel.limits().history_kept_for else { return Ok(()) };
    let mut after_row = 0;
    loop {
        let step = ForgetActivities { before: before(channel, kept_for), after_row, limit: STEP };
        let Some(next) = channel.inner().store.commit(step).await?.next_after_row else { return Ok(()) };
        after_row = next;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn history_by_length(channel: &Channel) -> Result<(), store::Error> {
    let Some(keep) = channel.limits().history_length else { return Ok(()) };
    let mut after = None;
    loop {
        let stretch = channel.inner().store.read(LongConversations { after, keep }).await?;
        for place in stretch.found {
            // How much is too much is found by a reader: the writer only takes it away.
            let too_long = TooLong { place: place.clone(), keep };
            let Surplus { up_to, pruned } = channel.inner().store.read(too_long).await?;
            let step = || ForgetLong { place: place.clone(), up_to, pruned, limit: STEP };
            while channel.inner().store.commit(step()).await? == STEP {
                tokio::time::sleep(PAUSE).await;
            }
        }
        after = stretch.last;
        if after.is_none() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ids(channel: &Channel) -> Result<(), store::Error> {
    let step = || ForgetIds { before: before(channel, channel.limits().ids_kept_for), limit: STEP };
    while channel.inner().store.commit(step()).await? == STEP {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn files(channel: &Channel) -> Result<(), store::Error> {
    let inner = channel.inner();
    if !inner.files.are_taken() {
        return Ok(());
    }
    let kept_for = inner.limits.files_kept_for;
    loop {
        let step = ForgetFiles { before: before(channel, kept_for), limit: STEP };
        let ids = inner.store.commit(step).await?;
        let more = ids.len() == STEP;
        inner.files.remove(ids).await;
        if !more {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    // What a crash left between the folder and the store.
    let names = match inner.files.older_than(kept_for + SWEEP_AFTER).await {
        Ok(names) => names,
        Err(error) => {
            tracing::warn!(%error, "the folder of files cannot be swept now");
            return Ok(());
        }
    };
    let mut left_over = Vec::new();
    for name in names {
        let id = files::id_of(&name);
        let Some(partition) = files::partition(id) else { continue };
        let find = FindFile { partition, id: id.to_owned(), since: i64::MIN };
        if inner.store.read(find).await?.is_none() {
            left_over.push(id.to_owned());
        }
    }
    inner.files.remove(left_over).await;
    Ok(())
}

async fn conversations(channel: &Channel) -> Result<(), store::Error> {
    let Some(kept_for) = channel.limits().conversations_kept_for else { return Ok(()) };
    let before = before(channel, kept_for);
    let mut after = None;
    loop {
        let stretch = channel.inner().store.read(IdleConversations { after, before }).await?;
        for place in stretch.found {
            expire(channel, place, before).await?;
        }
        after = stretch.last;
        if after.is_none() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Somebody who listens still is there, however silent.
async fn expire(channel: &Channel, place: Place, before: i64) -> Result<(), store::Error> {
    let inner = channel.inner();
    let step = || Expire { place: place.clone(), before, limit: STEP };
    while !inner.hub.is_listened_to(&place.id) && inner.store.commit(step()).await? {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// The time before which things are old, in milliseconds since 1970.
fn before(channel: &Channel, kept_for: Duration) -> i64 {
    let kept_for = i64::try_from(kept_for.as_millis()).unwrap_or(i64::MAX);
    channel.now().as_millisecond().saturating_sub(kept_for)
}
