//! Forgets what the journal keeps for a day only (records of turns and of their commands) and what is known of events for a month, in
//! small steps that never hold up what is due.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    job_event::{self, ForgetEvents},
    recent_turns::KEPT,
    turn_rows::Forget,
};
use crate::store::Store;

/// Rows in one step.
const STEP: usize = 500;
/// The pause after a step that found something, and after one that found nothing more (and before the first: what an earlier process
/// owes is taken up meanwhile).
const NEXT_STEP: Duration = Duration::from_millis(50);
const NEXT_ROUND: Duration = Duration::from_secs(600);

pub(super) fn start(store: Store, stopping: CancellationToken) {
    let loops = store.loops().clone();
    tokio::spawn(loops.watch("the journal's pruning", async move {
        let mut pause = NEXT_ROUND;
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            let now = store.clock().now().as_millisecond();
            let turns = Forget { before: now - KEPT, limit: STEP };
            let events = ForgetEvents { before: now - job_event::KEPT, limit: STEP };
            pause = match store.commit((turns, events)).await {
                Ok((0, 0)) => NEXT_ROUND,
                Ok(_) => NEXT_STEP,
                Err(error) => {
                    tracing::warn!(%error, "cannot forget old turns and events now");
                    NEXT_ROUND
                }
            };
        }
    }));
}
