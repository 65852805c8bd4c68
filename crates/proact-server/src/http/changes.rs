//! `GET /v1/changes`: what changed, after its commit, as server-sent events.
//!
//! A listener is told `reset` first and whenever it fell behind, and then reads the lists anew: nothing is kept for anyone, so a
//! slow listener costs nothing. Between two resets it sees every change of a job or a notification, as it is when it is read
//! (two changes in a row may both show the newer state), as far as its key reaches. The stream ends within two seconds of the key, or of the
//! page's session, that opened it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
    routing::get,
};
use futures_util::{Stream, StreamExt, stream};
use proact::{
    keys::{ASKED_EVERY, Verb},
    proactive::{Cause, Notification},
    store::{Change, Store},
};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::{
    Access, Api,
    right::{About, Presented, Right},
};

/// Changes that a listener may be behind.
const BEHIND: usize = 1024;
/// How long one that fell behind is left in peace: lists that are read anew all the time help nobody.
const PEACE: Duration = Duration::from_millis(250);
/// How often an idle line is kept open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    Job(u64),
    Notification(uuid::Uuid),
    /// A hold was lifted: much may have changed at once.
    Released,
}

/// The feed that the store fills.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    feed: broadcast::Sender<Changed>,
    stop: CancellationToken,
}

impl Changes {
    /// Listens to `store` from now on. When `stop` is cancelled, the streams end.
    pub(crate) fn of(store: &Store, stop: CancellationToken) -> Self {
        let (feed, _) = broadcast::channel(BEHIND);
        let fed = Arc::new(feed.clone());
        store.subscribe(move |changes| {
            if fed.receiver_count() == 0 {
                return;
            }
            for change in changes {
                let changed = match change {
                    Change::Job { number } => Changed::Job(*number),
                    Change::Notification { id, .. } => Changed::Notification(*id),
                    Change::Released => Changed::Released,
                    _ => continue,
                };
                // Nobody listens any more: nobody misses it.
                let _ = fed.send(changed);
            }
        });
        Self { feed, stop }
    }
}

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/changes", get(listen))
}

async fn listen(
    State(api): State<Api>,
    right: Right,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let presented = Presented::of(&headers, Verb::Read, About::Jobs);
    let stopped = api.changes.stop.clone().cancelled_owned();
    // Listening begins before the reset is said: what changes while the lists are read is told afterwards.
    let listener = api.changes.feed.subscribe();
    let first = stream::once(async { reset() });
    let access = api.access.clone();
    let over = ended(access.clone(), presented.clone());
    let rest = stream::unfold((api, right, listener), |(api, right, mut listener)| async move {
        let event = next(&api, &right, &mut listener).await?;
        Some((event, (api, right, listener)))
    });
    // Not even what comes before it is noticed that it is over.
    let rest = rest.take_while(move |_| std::future::ready(presented.holds(&access)));
    let events = first.chain(rest).take_until(stopped).take_until(over).map(Ok);
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// Resolves when what opened a stream opens nothing any more.
async fn ended(access: Access, presented: Presented) {
    while presented.holds(&access) {
        tokio::time::sleep(ASKED_EVERY).await;
    }
}

fn reset() -> Event {
    Event::default().event("reset").data("{}")
}

/// The next thing to say; `None` when the feed has ended.
async fn next(api: &Api, right: &Right, listener: &mut broadcast::Receiver<Changed>) -> Option<Event> {
    loop {
        let changed = match listener.recv().await {
            Ok(changed) => changed,
            Err(RecvError::Lagged(_)) => {
                tokio::time::sleep(PEACE).await;
                *listener = listener.resubscribe();
                return Some(reset());
            }
            Err(RecvError::Closed) => return None,
        };
        match read(api, right, changed).await {
            Ok(Some(event)) => return Some(event),
            // Deleted since, or not reached.
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "a change cannot be read; the listener reads the lists anew");
                tokio::time::sleep(PEACE).await;
                *listener = listener.resubscribe();
                return Some(reset());
            }
        }
    }
}

async fn read(
    api: &Api,
    right: &Right,
    changed: Changed,
) -> Result<Option<Event>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(match changed {
        Changed::Released => Some(reset()),
        Changed::Job(number) => match api.proactive.job(number).await? {
            Some(job) if right.job(&job) => Some(Event::default().event("job").json_data(&job)?),
            _ => None,
        },
        Changed::Notification(id) => match api.proactive.notification(id).await? {
            // An edit of a job's message is told by the job.
            Some(Notification { cause: Cause::Progress { edits: Some(_), .. }, .. }) => None,
            Some(notification) if !right.notification(&notification, &api.proactive).await? => None,
            Some(mut notification) => {
                // As in a list.
                notification.activity = None;
                notification.attempts = None;
                Some(Event::default().event("notification").json_data(&notification)?)
            }
            None => None,
        },
    })
}
