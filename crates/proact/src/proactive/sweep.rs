//! The sweeper: ends what waited too long, and forgets what was settled long ago.
//!
//! What waits ends at its own expiry, or at the age limit that holds for every notification, also while it is gated and nobody looks at it.
//! What is settled is kept for the retention and then deleted. Both happen in small steps, each a commit of its own, so that what is due is
//! never held up. A step that fails is made again later; until then nothing is sent that should not be, because the begin of every
//! attempt asks too.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{
    attempt::{end_waiting, ending},
    breaker::millis,
    desk::Desk,
    gate::Gate,
    state::NotificationState,
};
use crate::store::{self, Command, Query, Tx};

/// Rows in one step.
const STEP: usize = 500;
/// The pause after a step of forgetting that found something, and after one that did not.
const NEXT_STEP: Duration = Duration::from_millis(50);
const NEXT_ROUND: Duration = Duration::from_secs(600);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) async fn run(desk: Arc<Desk>) {
    tokio::join!(end(&desk), forget(&desk));
}

async fn end(desk: &Desk) {
    loop {
        match desk.store.commit(End { limit: STEP }).await {
            Ok(STEP..) => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot end what waited too long now");
                pause(desk, AGAIN).await;
            }
        }
        // What is accepted from here on and ends earlier says so.
        desk.next_end.store(i64::MAX, Ordering::SeqCst);
        let next = match desk.store.read(NextEnd).await {
            Ok(next) => next.unwrap_or(i64::MAX),
            Err(_) => desk.now().saturating_add(millis(AGAIN)),
        };
        let next = desk.next_end.fetch_min(next, Ordering::SeqCst).min(next);
        let clock = desk.store.clock();
        let until = jiff::Timestamp::from_millisecond(next).ok();
        let sleep = async {
            match until {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = desk.stopping.cancelled() => return,
            () = desk.ends.notified() => {}
            () = sleep => {}
        }
    }
}

async fn forget(desk: &Desk) {
    let mut cursor = 0;
    let mut wait = NEXT_ROUND;
    loop {
        pause(desk, wait).await;
        if desk.stopping.is_cancelled() {
            return;
        }
        let before = desk.now().saturating_sub(millis(desk.options.retention));
        wait = match forget_step(desk, &mut cursor, before).await {
            Ok(true) => NEXT_STEP,
            Ok(false) => {
                cursor = 0;
                NEXT_ROUND
            }
            Err(error) => {
                tracing::warn!(%error, "cannot forget what was settled long ago now");
                NEXT_ROUND
            }
        };
    }
}

/// One step; whether there may be more.
async fn forget_step(desk: &Desk, cursor: &mut i64, before: i64) -> Result<bool, store::Error> {
    let found = desk.store.read(Old { after: *cursor, before, limit: STEP }).await?;
    let Some(last) = found.last else { return Ok(false) };
    if !found.settled.is_empty() {
        desk.store.commit(Forget(found.settled)).await?;
    }
    *cursor = last;
    Ok(true)
}

async fn pause(desk: &Desk, wait: Duration) {
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = desk.stopping.cancelled() => {}
    }
}

/// Ends a few of those whose time is over. Answers how many.
pub(super) struct End {
    pub(super) limit: usize,
}

impl Command for End {
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, store::Error> {
        let over = tx
            .prepare(
                "SELECT seq, id, expires_at FROM notification INDEXED BY notification_ends
                 WHERE state = 'waiting' AND ends_at <= ?1 ORDER BY ends_at LIMIT ?2",
            )?
            .query_map(params![tx.now(), self.limit as i64], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<Result<Vec<(i64, Uuid, Option<i64>)>, _>>()?;
        for (seq, id, expires_at) in &over {
            let expired = expires_at.is_some_and(|at| at <= tx.now());
            let gate = if expired { Gate::Expired } else { Gate::TooOld };
            if let Some((state, reason)) = ending(&gate) {
                end_waiting(tx, *seq, *id, state, &reason)?;
            }
        }
        Ok(over.len())
    }
}

struct NextEnd;

impl Query for NextEnd {
    type Answer = Option<i64>;

    fn run(self, connection: &Connection) -> Result<Option<i64>, store::Error> {
        Ok(connection
            .prepare_cached(
                "SELECT ends_at FROM notification INDEXED BY notification_ends WHERE state = 'waiting' ORDER BY ends_at LIMIT 1",
            )?
            .query_row([], |row| row.get(0))
            .optional()?)
    }
}

/// Looks through the oldest, in the order of acceptance.
struct Old {
    after: i64,
    before: i64,
    limit: usize,
}

struct FoundOld {
    last: Option<i64>,
    settled: Vec<i64>,
}

impl Query for Old {
    type Answer = FoundOld;

    fn run(self, connection: &Connection) -> Result<FoundOld, store::Error> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, created_at, settled_at FROM notification WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let rows = statement.query_map(params![self.after, self.limit as i64], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?))
        })?;
        let mut found = FoundOld { last: None, settled: Vec::new() };
        for row in rows {
            let (seq, created_at, settled_at) = row?;
            // What was accepted later was settled later.
            if created_at >= self.before {
                break;
            }
            found.last = Some(seq);
            if settled_at.is_some_and(|at| at < self.before) {
                found.settled.push(seq);
            }
        }
        Ok(found)
    }
}

/// Deletes these, if they are settled. Their attempts go with them.
struct Forget(Vec<i64>);

impl Command for Forget {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        for seq in self.0 {
            let state: Option<NotificationState> = tx
                .prepare(
                    "DELETE FROM notification WHERE seq = ?1 AND settled_at IS NOT NULL RETURNING state",
                )?
                .query_row([seq], |row| row.get(0))
                .optional()?;
            if let Some(state) = state {
                tx.tally(state.tally(), -1);
            }
        }
        Ok(())
    }
}
