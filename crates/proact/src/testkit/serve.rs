//! The fake channel's routes.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;
use tokio::sync::Notify;

use super::wire::Wire;
use super::{ChannelAnswer, Entry, Ledger, Post, Way};

/// Larger than any channel takes.
const MAX_BODY: usize = 16 * 1024 * 1024;

pub(super) type Rule = Arc<dyn Fn(&Post) -> Option<ChannelAnswer> + Send + Sync>;

/// What the routes and the test share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) ledger: Mutex<Ledger>,
    pub(super) changed: Notify,
    pub(super) scripts: Mutex<HashMap<String, VecDeque<ChannelAnswer>>>,
    pub(super) rule: Mutex<Option<Rule>>,
    /// The ids given to activities by conversation and idempotency key, if the channel takes such keys.
    pub(super) taken: Mutex<Option<HashMap<(String, String), String>>>,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connector's routes, at the root and below the path `/base/path`.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let routes = Router::new().route("/v3/conversations/{conversation}/activities", post(send)).route(
        "/v3/conversations/{conversation}/activities/{activity}",
        post(reply).put(reply).delete(reply),
    );
    Router::new().nest("/base/path", routes.clone()).merge(routes).with_state(shared)
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
        let post = Post::new(number, head.method, path, ids, head.headers, body);
        let answer = self.decide(&post);
        let (id, repeated) = self.id_for(&post, &answer);
        let accepted = answer.accepted && !repeated;
        let entry = Arc::new(Entry { post, answer, accepted, id });
        locked(&self.ledger).push(Arc::clone(&entry));
        self.changed.notify_waiters();
        play(&wire, &entry).await
    }

    fn scripted_unread(&self, conversation: &str) -> bool {
        let scripts = locked(&self.scripts);
        let next = scripts.get(conversation).and_then(VecDeque::front);
        next.is_some_and(|answer| matches!(answer.way, Way::CutUnread))
    }

    /// The conversation's script goes first, then the rule.
    fn decide(&self, post: &Post) -> ChannelAnswer {
        let scripted = locked(&self.scripts).get_mut(&post.conversation).and_then(VecDeque::pop_front);
        if let Some(answer) = scripted {
            return answer;
        }
        let rule = locked(&self.rule).clone();
        rule.and_then(|rule| rule(post)).unwrap_or_else(ChannelAnswer::ok)
    }

    /// The activity's id, and whether it is one that people see already.
    fn id_for(&self, post: &Post, answer: &ChannelAnswer) -> (String, bool) {
        let fresh = match (&post.reply_to, post.is_new()) {
            (Some(id), false) => id.clone(),
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
}

/// Answers.
async fn play(wire: &Wire, entry: &Entry) -> Response {
    if let Some(gate) = &entry.answer.gate {
        gate.pass().await;
    }
    if !entry.answer.delay.is_zero() {
        tokio::time::sleep(entry.answer.delay).await;
    }
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
        Way::Never => std::future::pending().await,
        Way::Cut | Way::CutUnread => {
            wire.cut();
            Response::default()
        }
    }
}
