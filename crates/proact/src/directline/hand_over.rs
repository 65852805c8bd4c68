//! Handing activities to the bot.
//!
//! An activity that is handed over was committed as *due* before. It ends *taken* when the bot answers 2xx, else
//! *rejected*; one that says so also ends its conversation then, so that the bot could still answer it. *Taken* is written without waiting: should it be lost in a crash, the bot is handed the activity once
//! more under the same id. *Rejected* is on disk before anyone is told.
//!
//! A person's activity is tried once, because the person is told and can send it again. What nobody would send again
//! (joins, and what an earlier process left behind) is tried for about a minute and a half; a stop leaves it due for
//! the next start.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::commands::{Kept, Place, Settle};
use super::error::Problem;
use super::frame;
use crate::egress::{self, Guard};
use crate::store::{self, Store};

/// How often it is tried where nobody would send it again.
const TRIES: u32 = 8;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The way to the bot.
#[derive(Debug, Clone)]
pub(super) struct ToBot {
    pub(super) guard: Guard,
    pub(super) bot_url: Url,
    pub(super) service_url: String,
    pub(super) store: Store,
}

/// Why the bot does not have it.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    #[error("the bot answered {0}")]
    Status(u16),
    #[error(transparent)]
    Egress(#[from] egress::Error),
}

impl NotTaken {
    /// Whether the bot has said for good that it does not want it.
    fn is_final(&self) -> bool {
        matches!(self, Self::Status(status) if (400..500).contains(status) && !matches!(status, 408 | 429))
    }
}

impl From<NotTaken> for Problem {
    fn from(why: NotTaken) -> Self {
        let code = if why.is_final() { "BotRejectedActivity" } else { "BotError" };
        Self::new(StatusCode::BAD_GATEWAY, code, format!("the bot did not take the activity: {why}"))
    }
}

impl ToBot {
    /// Hands over one activity, stored or not, once.
    pub(super) async fn post(&self, id: &str, at: i64, body: &str) -> Result<(), NotTaken> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = egress::Request {
            method: Method::POST,
            url: self.bot_url.clone(),
            headers,
            body: frame::handed_over(id, at, &self.service_url, body).into(),
        };
        let status = self.guard.send(request).await?.status;
        if (200..300).contains(&status) { Ok(()) } else { Err(NotTaken::Status(status)) }
    }

    async fn post_kept(&self, place: &Place, kept: &Kept) -> Result<(), NotTaken> {
        self.post(&frame::id(&place.id, kept.seq), kept.at, &kept.body).await
    }

    /// Hands over what a person sent: one try, and its end recorded.
    pub(super) async fn once(&self, place: &Place, kept: &Kept) -> Result<(), NotTaken> {
        let result = self.post_kept(place, kept).await;
        failpoint!(DirectLineHandedOver);
        self.settle(place, kept, result.as_ref().err()).await;
        result
    }

    /// One try, recorded only if it is the last one needed: `false` when there should be more.
    pub(super) async fn first_try(&self, place: &Place, kept: &Kept) -> bool {
        let result = self.post_kept(place, kept).await;
        let ended = result.as_ref().err().is_none_or(NotTaken::is_final);
        if ended {
            self.settle(place, kept, result.as_ref().err()).await;
        }
        ended
    }

    /// Hands over what nobody would send again, in several tries. `None` when `stop` came first: it is still due.
    pub(super) async fn patiently(
        &self,
        place: &Place,
        kept: &Kept,
        stop: &CancellationToken,
    ) -> Option<Result<(), NotTaken>> {
        let (mut pause, mut tried) = (Duration::from_secs(1), 1);
        loop {
            let result = self.post_kept(place, kept).await;
            match &result {
                Err(why) if !why.is_final() && tried < TRIES => {
                    tracing::debug!(conversation = %place.id, %why, "the bot is not there yet");
                }
                _ => {
                    self.settle(place, kept, result.as_ref().err()).await;
                    return Some(result);
                }
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
            tried += 1;
        }
    }

    async fn settle(&self, place: &Place, kept: &Kept, failed: Option<&NotTaken>) {
        let ends = frame::ends(&kept.body);
        let settle = Settle { place: place.clone(), seq: kept.seq, taken: failed.is_none(), ends };
        let recorded: Result<(), store::Error> = match failed {
            // Who ended a conversation is told when it has ended.
            None if ends => self.store.commit(settle).await,
            None => self.store.commit_later(settle),
            Some(why) => {
                tracing::warn!(conversation = %place.id, seq = kept.seq, %why, "the bot did not take an activity");
                self.store.commit(settle).await
            }
        };
        if let Err(error) = recorded {
            tracing::warn!(conversation = %place.id, seq = kept.seq, %error,
                "not recorded how an activity was handed over: the bot may be handed it again after the next start");
        }
    }
}
