//! What an attempt came to, for the attempt and for its notification: the one place that decides it.
//!
//! | what came | attempt | counts as a try | then |
//! | --- | --- | --- | --- |
//! | the channel took it | delivered | yes | delivered |
//! | withdrawn before bytes left: cancelled, expired | not sent | no | cancelled, expired |
//! | withdrawn before bytes left: paused | not sent | no | waiting |
//! | middleware stopped it | not sent | no | suppressed |
//! | handler, state or template failed | not sent | yes | waiting, or failed |
//! | no token for the host | not sent | no | waiting; the host's breaker opens |
//! | host not resolved, connected or shaken hands with | not sent | no | waiting; the host's breaker opens |
//! | app refused for its credentials | retry | no | waiting; the host's breaker opens |
//! | throttled, busy | retry | yes | waiting, or failed |
//! | conversation gone, bot blocked or removed | failed | yes | failed; the conversation is dead until something comes from it |
//! | refused for good | failed | yes | failed |
//! | an edit that the channel does not take | failed | yes | suppressed |
//! | nobody can know | unknown | yes | by the policy: waiting or failed; unknown |

use std::time::Duration;

use super::{
    attempt::{Ended, Next, ending},
    breaker::millis,
    dispatcher::DeliveryOptions,
    gate::Gate,
    notification::{AttemptOutcome as O, Policy},
    profile::{self, Verdict},
    state::NotificationState as S,
};
use crate::{
    adapter::{NotSent, ProactiveEnd},
    turn::StateToSave,
};

/// What limits further tries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// Tries used, the last one included.
    pub(super) tries: u32,
    pub(super) expires_at: Option<i64>,
    pub(super) ends_at: i64,
}

/// What the end of an attempt means beside its own record.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    /// Nothing goes to the host for a while.
    pub(super) host_fails: Option<String>,
    /// The host gave an answer.
    pub(super) host_works: bool,
    /// Nothing goes to the conversation until something comes from it.
    pub(super) dead: Option<String>,
}

/// The attempt that is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    /// It edits a message that is there.
    pub(super) edits: bool,
    pub(super) policy: Policy,
    pub(super) ends: Ends,
    pub(super) now: i64,
}

impl DeliveryOptions {
    /// Another try after a wait, or the end when there were enough.
    pub(super) fn try_again(
        &self,
        ends: &Ends,
        now: i64,
        error: &str,
        retry_after: Option<Duration>,
    ) -> Next {
        if ends.tries >= self.backoff.max_tries {
            return Next::Settled(
                S::Failed,
                Some(format!("gave up after {} tries; the last: {error}", ends.tries)),
            );
        }
        let wait = self.backoff.wait(ends.tries.max(1), retry_after, rand::random());
        let due_at = now.saturating_add(millis(wait));
        if ends.expires_at.is_some_and(|at| at <= due_at) {
            let reason = format!("its expiry would pass before the next try; the last: {error}");
            return Next::Settled(S::Expired, Some(reason));
        }
        if ends.ends_at <= due_at {
            let reason = format!(
                "gave up: it would be older than {} s before the next try; the last: {error}",
                self.backoff.max_age.as_secs()
            );
            return Next::Settled(S::Failed, Some(reason));
        }
        Next::Waiting { due_at, reason: error.to_owned() }
    }

    /// Judges the end of an attempt. With it comes the state to save in the commit of the outcome.
    pub(super) fn judge(
        &self,
        tried: Tried,
        end: ProactiveEnd,
        withdrawn: Option<Gate>,
    ) -> (Ended, Meaning, Option<StateToSave>) {
        if let Some(gate) = withdrawn {
            return (not_let_go(tried, &gate), Meaning::default(), None);
        }
        let (ended, meaning) = match end {
            ProactiveEnd::Sent { delivered, state } => {
                let ended = Ended {
                    outcome: O::Delivered,
                    status: delivered.status,
                    error: None,
                    counts: true,
                    next: Next::Settled(S::Delivered, None),
                };
                return (ended, Meaning { host_works: true, ..Meaning::default() }, Some(state));
            }
            ProactiveEnd::NotBegun(_) => {
                (self.not_sent(tried, "the turn was not begun", false), Meaning::default())
            }
            ProactiveEnd::NotSent(NotSent::Stopped) => {
                let reason = "stopped by middleware".to_owned();
                let ended = Ended {
                    outcome: O::NotSent,
                    status: None,
                    error: Some(reason.clone()),
                    counts: false,
                    next: Next::Settled(S::Suppressed, Some(reason)),
                };
                (ended, Meaning::default())
            }
            ProactiveEnd::NotSent(NotSent::Failed(error)) => {
                (self.not_sent(tried, &error.to_string(), true), Meaning::default())
            }
            ProactiveEnd::Abandoned => {
                let text = "middleware stopped waiting while it was on its way";
                (self.unknown(tried, None, text, None), Meaning::default())
            }
            ProactiveEnd::Failed(error) => self.by_channel(tried, &error),
        };
        (ended, meaning, None)
    }

    /// The channel's answer, or silence.
    fn by_channel(&self, tried: Tried, error: &crate::connector::Error) -> (Ended, Meaning) {
        let (status, text) = (error.status(), error.to_string());
        let asked = || {
            let now = super::job_queries::time(tried.now);
            error.retry_after().map(|asked| asked.delay(now))
        };
        let mut meaning = Meaning { host_works: status.is_some(), ..Meaning::default() };
        let verdict = if tried.edits { profile::verdict_of_edit(error) } else { profile::verdict(error) };
        let ended = match verdict {
            Verdict::TryAgain => Ended {
                outcome: O::Retry,
                status,
                error: Some(text.clone()),
                counts: true,
                next: self.try_again(&tried.ends, tried.now, &text, asked()),
            },
            Verdict::Unreachable => {
                meaning.host_fails = Some(text.clone());
                self.not_sent(tried, &text, false)
            }
            Verdict::Credentials => {
                meaning.host_works = false;
                meaning.host_fails = Some(text.clone());
                Ended { outcome: O::Retry, status, ..self.not_sent(tried, &text, false) }
            }
            Verdict::Dead => {
                meaning.dead = Some(text.clone());
                for_good(status, text)
            }
            Verdict::Permanent => for_good(status, text),
            Verdict::NoEdits => {
                let reason = format!("the channel does not take the edit: {text}");
                Ended { next: Next::Settled(S::Suppressed, Some(reason)), ..for_good(status, text) }
            }
            Verdict::Unknown => self.unknown(tried, status, &text, asked()),
        };
        (ended, meaning)
    }

    /// No byte left. What is not its own fault is tried again as soon as its host is.
    fn not_sent(&self, tried: Tried, error: &str, counts: bool) -> Ended {
        let next = if counts {
            self.try_again(&tried.ends, tried.now, error, None)
        } else {
            Next::Waiting { due_at: tried.now, reason: error.to_owned() }
        };
        Ended { outcome: O::NotSent, status: None, error: Some(error.to_owned()), counts, next }
    }

    /// It may have arrived: the policy decides.
    fn unknown(&self, tried: Tried, status: Option<u16>, text: &str, asked: Option<Duration>) -> Ended {
        let next = match tried.policy {
            Policy::AtLeastOnce => self.try_again(&tried.ends, tried.now, text, asked),
            Policy::AtMostOnce => Next::Settled(S::Unknown, Some(text.to_owned())),
        };
        Ended { outcome: O::Unknown, status, error: Some(text.to_owned()), counts: true, next }
    }
}

fn for_good(status: Option<u16>, text: String) -> Ended {
    let next = Next::Settled(S::Failed, Some(text.clone()));
    Ended { outcome: O::Failed, status, error: Some(text), counts: true, next }
}

/// Withdrawn between its begin and the bytes.
fn not_let_go(tried: Tried, gate: &Gate) -> Ended {
    let reason = gate.to_string();
    let next = match ending(gate) {
        Some((state, reason)) => Next::Settled(state, Some(reason)),
        None => Next::Waiting { due_at: tried.now, reason: reason.clone() },
    };
    Ended { outcome: O::NotSent, status: None, error: Some(reason), counts: false, next }
}
