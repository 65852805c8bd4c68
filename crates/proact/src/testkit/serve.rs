//! The fake channel's routes.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;
use tokio::sync::Notify;

use super::ledger::Answered;
use super::wire::Wire;
use super::{ChannelAnswer, Entry, Ledger, Post, Way};
use crate::clock::{Clock, SystemClock};

/// Larger than any channel takes.
const MAX_BODY: usize = 16 * 1024 * 1024;

pub(super) type Rule = Arc<dyn Fn(&Post) -> Option<ChannelAnswer> + Send + Sync>;

/// What the routes and the test share.
pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ledger: Mutex<Ledger>,
    pub(super) changed: Notify,
    pub(super) scripts: Mutex<HashMap<String, VecDeque<ChannelAnswer>>>,
    /// For the next requests of any conversation that has no script.
    pub(super) next: Mutex<VecDeque<ChannelAnswer>>,
    pub(super) rule: Mutex<Option<Rule>>,
    /// How updates and deletions are refused, if they are.
    pub(super) no_edits: Mutex<Option<ChannelAnswer>>,
    /// The ids given to activities by conversation and idempotency key, if the channel takes such keys.
    pub(super) taken: Mutex<Option<HashMap<(String, String), String>>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self::by(Arc::new(SystemClock))
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connector's routes, at the root and below the path `/base/path`.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let routes = Router::new()
        .route("/v3/conversations", post(create))
        .route("/v3/conversations/{conversation}/activities", post(send))
        .route(
            "/v3/conversations/{conversation}/activities/{activity}",
            post(reply).put(reply).delete(reply),
        );
    Router::new().nest("/base/path", routes.clone()).merge(routes).fallback(stray).with_state(shared)
}

/// What no connector has: the canary behind a redirect, or somebody who has lost their way.
async fn stray(State(shared): State<Arc<Shared>>, request: Request) -> StatusCode {
    let stray = format!("{} {}", request.method(), request.uri().path());
    locked(&shared.ledger).stray(stray);
    shared.changed.notify_waiters();
    StatusCode::NOT_FOUND
}

async fn create(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    shared.receive(wire, (String::new(), None), request).await
}

async fn send(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path(conversation): Path<String>,
    request: Request,
) -> Response {
    shared.receive(wire, (conversation, None), request).await
}

async fn reply(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Path((conversation, activity)): Path<(String, String)>,
    request: Request,
) -> Response {
    shared.receive(wire, (conversation, Some(activity)), request).await
}

impl Shared {
    pub(super) fn by(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            ledger: Mutex::default(),
            changed: Notify::new(),
            scripts: Mutex::default(),
            next: Mutex::default(),
            rule: Mutex::default(),
            no_edits: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    async fn receive(&self, wire: Wire, ids: (String, Option<String>), request: Request) -> Response {
        let unread = self.scripted_unread(&ids.0);
        let (head, body) = request.into_parts();
        let path = match head.extensions.get::<axum::extract::OriginalUri>() {
            Some(uri) => uri.path().to_owned(),
            None => head.uri.path().to_owned(),
        };
        let body = if unread { Ok(Bytes::new()) } else { to_bytes(body, MAX_BODY).await };
        let Ok(body) = body else {
            // The sender died in the middle of its request: no channel would have taken that.
            wire.cut();
            return Response::default();
        };

        // From here to the entry nothing waits, and the channel has one thread: numbers are in the ledger's order.
        let number = locked(&self.ledger).len() as u64 + 1;
        let post = Post::new(number, self.clock.now(), (head.method, path), ids, head.headers, body);
        let answer = self.decide(&post);
        let (id, repeated) = self.id_for(&post, &answer);
        let accepted = answer.accepted && !repeated;
        let entry = Arc::new(Entry { post, answer, accepted, id, answered: OnceLock::new() });
        locked(&self.ledger).push(Arc::clone(&entry));
        self.changed.notify_waiters();
        self.play(&wire, &entry).await
    }

    fn scripted_unread(&self, conversation: &str) -> bool {
        let cuts = |answer: &ChannelAnswer| matches!(answer.way, Way::CutUnread);
        let scripts = locked(&self.scripts);
        match scripts.get(conversation).and_then(VecDeque::front) {
            Some(scripted) => cuts(scripted),
            None => locked(&self.next).front().is_some_and(cuts),
        }
    }

    /// The conversation's script goes first, then what was said for the next ones, then the rule.
    fn decide(&self, post: &Post) -> ChannelAnswer {
        let scripted = locked(&self.scripts).get_mut(&post.conversation).and_then(VecDeque::pop_front);
        if let Some(answer) = scripted.or_else(|| locked(&self.next).pop_front()) {
            return answer;
        }
        let rule = locked(&self.rule).clone();
        if let Some(answer) = rule.and_then(|rule| rule(post)) {
            return answer;
        }
        match (&post.reply_to, post.is_new()) {
            (_, true) | (None, _) => ChannelAnswer::ok(),
            (Some(id), false) => match locked(&self.no_edits).clone() {
                Some(refusal) => refusal,
                None if locked(&self.ledger).has(&post.conversation, id) => ChannelAnswer::ok(),
                None => {
                    ChannelAnswer::error(404, "ActivityNotFoundInConversation", "there is no such activity")
                }
            },
        }
    }

    /// The activity's id, and whether it is one that people see already.
    fn id_for(&self, post: &Post, answer: &ChannelAnswer) -> (String, bool) {
        let fresh = match (&post.reply_to, post.is_new()) {
            (Some(id), false) => id.clone(),
            // A conversation's id, then.
            _ if post.conversation.is_empty() => format!("c{}", post.number),
            _ => format!("a{}", post.number),
        };
        let mut taken = locked(&self.taken);
        let (Some(taken), Some(key), true) = (taken.as_mut(), &post.idempotency_key, answer.accepted) else {
            return (fresh, false);
        };
        match taken.entry((post.conversation.clone(), key.clone())) {
            std::collections::hash_map::Entry::Occupied(known) => (known.get().clone(), true),
            std::collections::hash_map::Entry::Vacant(place) => (place.insert(fresh).clone(), false),
        }
    }

    /// Answers.
    async fn play(&self, wire: &Wire, entry: &Entry) -> Response {
        if let Some(gate) = &entry.answer.gate {
            gate.pass().await;
        }
        if !entry.answer.delay.is_zero() {
            tokio::time::sleep(entry.answer.delay).await;
        }
        // Before it leaves: what is counted from an answer is never counted from too late a moment.
        let _ = entry.answered.set(Answered { at: Instant::now(), wall: self.clock.now() });
        let build = |status: u16, headers: &[(String, String)], body| {
            let mut response = Response::builder().status(status).header("content-type", "application/json");
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(body).expect("the test scripted a status and headers that HTTP knows")
        };
        match &entry.answer.way {
            Way::Respond { status, headers, body } => {
                let body = body.clone().unwrap_or_else(|| json!({ "id": entry.id }).to_string().into());
                build(*status, headers, Body::from(body))
            }
            Way::Drip { status, body, piece, every } => {
                let every = *every;
                let pieces: Vec<Bytes> = body.chunks((*piece).max(1)).map(Bytes::copy_from_slice).collect();
                let dripping = stream::iter(pieces).then(move |piece| async move {
                    tokio::time::sleep(every).await;
                    Ok::<_, Infallible>(piece)
                });
                build(*status, &[], Body::from_stream(dripping))
            }
            Way::CutAfterHead { status } => {
                let cut = stream::once(async {
                    // So that the head has left before the connection breaks.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionAborted))
                });
                build(*status, &[("content-length".to_owned(), "1000".to_owned())], Body::from_stream(cut))
            }
            Way::Garbage(bytes) => {
                wire.say_instead(bytes.clone());
                Response::default()
            }
            Way::HalfClose => {
                wire.close_half();
                Response::default()
            }
            Way::Never => std::future::pending().await,
            Way::Cut | Way::CutUnread => {
                wire.cut();
                Response::default()
            }
        }
    }
}
