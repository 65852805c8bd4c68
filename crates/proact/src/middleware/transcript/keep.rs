//! Forgetting what is too old.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::TranscriptStore;
use crate::clock::Clock;

/// Lines that are forgotten at once, and the pause before the next: nothing else is to wait for it.
const STEP: usize = 500;
const PAUSE: Duration = Duration::from_millis(50);
/// How often it is looked whether something is too old.
const ROUND: Duration = Duration::from_secs(600);

/// Forgets lines that are older than `keep`, now and every ten minutes, until `stop`. A store that fails is asked again the next time.
pub async fn keep_for(
    store: impl TranscriptStore,
    keep: Duration,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let forget = async {
        loop {
            let begun = clock.now();
            // Longer than time has been: nothing is too old.
            let before = begun.checked_sub(keep).unwrap_or(jiff::Timestamp::MIN);
            loop {
                match store.prune(before, STEP).await {
                    Ok(pruned) if pruned < STEP as u64 => break,
                    Ok(_) => tokio::time::sleep(PAUSE).await,
                    Err(error) => {
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::warn!(cause, "cannot forget old lines of transcripts now");
                        break;
                    }
                }
            }
            clock.sleep_until(begun.checked_add(ROUND).unwrap_or(jiff::Timestamp::MAX)).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = forget => {}
    }
}
