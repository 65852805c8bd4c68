//! One delivery: from the head of a lane to its outcome on record.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    attempt::{Begin, Delivery, Next, Settle, ToDeliver},
    beside::Accept,
    dispatcher::Shared,
    lanes::Entry,
    notification::{AttemptOutcome, Moment, NotificationState, Policy},
};
use crate::{
    adapter::{Adapter, NotSent, OutboxTurn, ProactiveEnd},
    connector, store,
    turn::{StateToSave, TurnKey},
};

/// How long to wait before an outcome that could not be written is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// How long to wait, in milliseconds, before a notification that could not be read or begun is taken up again.
const TRY_AGAIN: i64 = 1000;

/// What an attempt came to.
struct Ended {
    outcome: AttemptOutcome,
    status: Option<u16>,
    error: Option<String>,
    next: Next,
}

/// Delivers the head of a lane. Answers when to try again, or `None` when it is settled.
pub(super) async fn deliver(shared: &Shared, adapter: &Adapter, entry: Entry) -> Option<i64> {
    let read = shared.store.read(ToDeliver { seq: entry.seq, now: shared.now() }).await;
    let Delivery { activity, cause, policy, moment, since, reference } = match read {
        Ok(Some(delivery)) => delivery,
        // Cancelled, or settled some other way, since it was held.
        Ok(None) => return None,
        Err(error @ store::Error::Corrupt(_)) => {
            tracing::error!(notification = %entry.id, %error, "a notification cannot be read");
            return never_begun(shared, entry, NotificationState::Failed, error.to_string()).await;
        }
        Err(error) => {
            tracing::error!(notification = %entry.id, %error, "cannot read a notification; trying again");
            return Some(shared.now() + TRY_AGAIN);
        }
    };
    let Some(reference) = reference else {
        let reason = "the conversation is not known: the bot has not met it".to_owned();
        return never_begun(shared, entry, NotificationState::Suppressed, reason).await;
    };
    let takes_id = shared.options.takes_id(&reference);
    let number = OnceLock::new();
    let turn = OutboxTurn {
        key: TurnKey(*entry.id.as_bytes()),
        beside: Arc::new(Accept::beside(&shared.store, entry.id, &cause)),
        idempotency_key: takes_id.then(|| entry.id.to_string()),
        wait_for_place: match moment {
            Moment::AfterTurn => Some(shared.options.wait_for_turn),
            Moment::Interject => None,
        },
        reference,
    };
    let begin = async {
        match shared.store.commit(Begin { seq: entry.seq, id: entry.id }).await {
            Ok(Some(begun)) => Ok(number.set(begun).is_ok()),
            Ok(None) => Ok(false),
            Err(error) => Err(error.into()),
        }
    };
    let end = adapter.proactive_turn(turn, activity, begin).await;
    let Some(number) = number.into_inner() else {
        let ProactiveEnd::NotBegun(Some(error)) = end else { return None };
        tracing::error!(notification = %entry.id, %error, "cannot begin an attempt; trying again");
        return Some(shared.now() + TRY_AGAIN);
    };
    // A channel that takes ids takes each once, so sending again cannot show it twice.
    let policy = if takes_id { Policy::AtLeastOnce } else { policy };
    let (ended, state) = judge(shared, policy, since, number, end);
    if ended.outcome != AttemptOutcome::Delivered {
        let error = ended.error.as_deref().unwrap_or("");
        tracing::warn!(notification = %entry.id, attempt = number, outcome = %ended.outcome, error, "an attempt did not deliver");
    }
    let retry_at = match &ended.next {
        Next::Waiting { due_at, .. } => Some(*due_at),
        Next::Settled(..) => None,
    };
    settle(shared, entry, Some(number), ended, state).await;
    retry_at
}

/// Settles a notification for which no attempt can be begun.
async fn never_begun(shared: &Shared, entry: Entry, state: NotificationState, reason: String) -> Option<i64> {
    let next = Next::Settled(state, Some(reason));
    let ended = Ended { outcome: AttemptOutcome::NotSent, status: None, error: None, next };
    settle(shared, entry, None, ended, None).await;
    None
}

/// What the end of the proactive turn means for the attempt and for the notification.
fn judge(
    shared: &Shared,
    policy: Policy,
    since: i64,
    number: u32,
    end: ProactiveEnd,
) -> (Ended, Option<StateToSave>) {
    use AttemptOutcome as O;
    use NotificationState as S;
    let again = |outcome, status, error: String, retry_after| Ended {
        next: shared.options.try_again(number, since, shared.now(), &error, retry_after),
        outcome,
        status,
        error: Some(error),
    };
    let final_ = |outcome, state, status, error: String| Ended {
        outcome,
        status,
        next: Next::Settled(state, Some(error.clone())),
        error: Some(error),
    };
    let ended = match end {
        ProactiveEnd::Sent { delivered, state } => {
            let ended = Ended {
                outcome: O::Delivered,
                status: delivered.status,
                error: None,
                next: Next::Settled(S::Delivered, None),
            };
            return (ended, Some(state));
        }
        ProactiveEnd::NotBegun(_) => again(O::NotSent, None, "the turn was not begun".to_owned(), None),
        ProactiveEnd::NotSent(NotSent::Stopped) => {
            final_(O::NotSent, S::Suppressed, None, "stopped by middleware".to_owned())
        }
        ProactiveEnd::NotSent(NotSent::Failed(error)) => again(O::NotSent, None, error.to_string(), None),
        ProactiveEnd::Abandoned => {
            let text = "middleware stopped waiting while it was on its way".to_owned();
            unknown(policy, None, text, None, again, final_)
        }
        ProactiveEnd::Failed(error) => {
            let asked = error.retry_after().map(|asked| asked.delay(shared.store.clock().now()));
            by_channel(&error, asked, policy, again, final_)
        }
    };
    (ended, None)
}

/// The channel's answer (or silence), by the connector's own classification.
fn by_channel(
    error: &connector::Error,
    asked: Option<Duration>,
    policy: Policy,
    again: impl Fn(AttemptOutcome, Option<u16>, String, Option<Duration>) -> Ended,
    final_: impl Fn(AttemptOutcome, NotificationState, Option<u16>, String) -> Ended,
) -> Ended {
    let (status, text) = (error.status(), error.to_string());
    if error.is_unknown() {
        unknown(policy, status, text, asked, again, final_)
    } else if error.is_retryable() {
        again(AttemptOutcome::Retry, status, text, asked)
    } else {
        final_(AttemptOutcome::Failed, NotificationState::Failed, status, text)
    }
}

/// It may have arrived: the policy decides.
fn unknown(
    policy: Policy,
    status: Option<u16>,
    text: String,
    asked: Option<Duration>,
    again: impl Fn(AttemptOutcome, Option<u16>, String, Option<Duration>) -> Ended,
    final_: impl Fn(AttemptOutcome, NotificationState, Option<u16>, String) -> Ended,
) -> Ended {
    match policy {
        Policy::AtLeastOnce => again(AttemptOutcome::Unknown, status, text, asked),
        Policy::AtMostOnce => final_(AttemptOutcome::Unknown, NotificationState::Unknown, status, text),
    }
}

/// Writes the outcome; its state goes with it. A disk without room is waited for: until then the attempt stands as begun, and a
/// process that dies meanwhile leaves it to be recorded as unknown.
async fn settle(
    shared: &Shared,
    entry: Entry,
    number: Option<u32>,
    ended: Ended,
    mut state: Option<StateToSave>,
) {
    let Ended { outcome, status, error, next } = ended;
    loop {
        let command = Settle {
            seq: entry.seq,
            id: entry.id,
            number,
            outcome,
            status,
            error: error.clone(),
            next: next.clone(),
        };
        let changes = state.as_ref().map(StateToSave::changes).unwrap_or_default();
        let result = shared.store.commit((command, store::WriteState(changes))).await;
        match result {
            Ok(_) => return,
            Err(store::Error::Conflict { keys }) => {
                // Somebody changed the same values meanwhile: reapply what this turn changed, or keep theirs.
                let rebased = match &mut state {
                    Some(state) => state.rebase(&keys).await,
                    None => Ok(()),
                };
                if let Err(error) = rebased {
                    tracing::error!(notification = %entry.id, %error, "the state of a proactive turn was not saved");
                    state = None;
                }
            }
            Err(store::Error::Broken(_)) => std::future::pending().await,
            Err(error) => {
                tracing::error!(notification = %entry.id, %error, "cannot write an outcome; trying again");
                tokio::select! {
                    () = tokio::time::sleep(WRITE_AGAIN) => {}
                    () = shared.stopping.cancelled() => return,
                }
            }
        }
    }
}
