//! A clock that was set back holds up no retry: one waits no longer from then on than it was to wait from its last attempt.
//!
//! The time of a next try is written down by the clock, so a clock that goes back by an hour would have it wait an hour more. Here what was
//! tried "later than now" is taken as tried now, and its next try moves with it: `Retry-After` is not undercut, whatever was set. A time that
//! somebody asked for (`notBefore`, an expiry) is a time by the clock and stays. Looked at from the start on, in small steps, and whenever the
//! clock is seen to go back; it is looked at every half minute. A step that fails is made again.

use std::{sync::Arc, time::Duration};

use rusqlite::params;
use uuid::Uuid;

use super::desk::Desk;
use crate::store::{self, Change, Command, Tx};

/// Rows in one step.
const STEP: usize = 500;
/// How often the clock is looked at when nothing else does.
const LOOK: Duration = Duration::from_secs(30);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) async fn run(desk: Arc<Desk>) {
    loop {
        match desk.store.commit(Sooner { limit: STEP }).await {
            Ok(0) => {}
            Ok(moved) => {
                tracing::info!(moved, "the clock was set back: retries wait no longer for it");
                desk.read_anew();
                if moved == STEP {
                    continue;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot have retries follow the clock now");
                tokio::select! {
                    () = desk.stopping.cancelled() => return,
                    () = tokio::time::sleep(AGAIN) => continue,
                }
            }
        }
        loop {
            tokio::select! {
                () = desk.stopping.cancelled() => return,
                () = desk.went_back.notified() => break,
                // It says by itself that it went back.
                () = tokio::time::sleep(LOOK) => drop(desk.state()),
            }
        }
    }
}

/// Takes a few of those that were tried later than now as tried now. Answers how many.
struct Sooner {
    limit: usize,
}

impl Command for Sooner {
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, store::Error> {
        let moved = tx
            .prepare(
                "UPDATE notification SET due_at = max(0, due_at - (begun_at - ?1)), begun_at = ?1
                 WHERE seq IN (SELECT seq FROM notification INDEXED BY notification_tried
                    WHERE state = 'waiting' AND begun > 0 AND begun_at > ?1 LIMIT ?2)
                 RETURNING id",
            )?
            .query_map(params![tx.now(), self.limit as i64], |row| row.get(0))?
            .collect::<Result<Vec<Uuid>, _>>()?;
        let count = moved.len();
        for id in moved {
            tx.changed(Change::Notification { id });
        }
        Ok(count)
    }
}
