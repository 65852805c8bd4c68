//! The server's routes, one file a resource, as `docs/http-api.md` promises them.
//!
//! Every request passes the gate (`proact::app::Gate`): this machine only, same origin, JSON, capped. What may be done is decided in
//! `right.rs`. Errors are
//! `application/problem+json`, also for what no route knows and for a handler that panics; under `/v3` and on `/api/messages`
//! they have the shape of the channel's protocol.

mod changes;
mod conversations;
mod events;
mod health;
mod hold;
mod idempotency;
mod jobs;
mod keys;
mod members;
mod metrics;
mod new_job;
mod new_notification;
mod notification_batch;
mod notification_control;
mod notifications;
mod openapi;
mod page;
mod page_tokens;
mod pauses;
mod problem;
mod query;
mod right;
mod sign_in;
mod status;
mod templates;

use std::{any::Any, ops::Deref, sync::Arc};

use axum::{
    Router,
    extract::FromRef,
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
pub(crate) use changes::Changes;
pub(crate) use events::{Sender, Senders, SigningSecret};
pub(crate) use health::Health;
use proact::{
    app::{Gate, Parts, Refusal},
    directline::Channel,
    keys::Keys,
    proactive::Proactive,
};
pub(crate) use right::{Access, Right};
use tower::util::MapResponseLayer;
use tower_http::catch_panic::CatchPanicLayer;

use self::problem::Problem;

/// What the routes work with; a clone, of which each request takes some, counts one reference.
#[derive(Debug, Clone)]
pub(crate) struct Api(Arc<Rooms>);

impl From<Rooms> for Api {
    fn from(rooms: Rooms) -> Self {
        Self(Arc::new(rooms))
    }
}

impl Deref for Api {
    type Target = Rooms;

    fn deref(&self) -> &Rooms {
        &self.0
    }
}

/// The rooms behind the routes.
#[derive(Debug)]
pub(crate) struct Rooms {
    pub(crate) proactive: Proactive,
    pub(crate) channel: Channel,
    pub(crate) changes: Changes,
    pub(crate) gate: Gate,
    /// What decides who may do what.
    pub(crate) access: Access,
    /// Who signs events.
    pub(crate) senders: Senders,
    /// Everything together, for what concerns all rooms.
    pub(crate) parts: Parts,
    /// Which process this is.
    pub(crate) instance: Arc<str>,
}

/// The state of routes that need the engine alone.
pub(crate) trait Rooted: Clone + Send + Sync + 'static {}

impl Rooted for Api {}
impl Rooted for Control {}

/// The state of a data folder without a server.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    pub(crate) proactive: Proactive,
    pub(crate) keys: Keys,
}

impl FromRef<Control> for Proactive {
    fn from_ref(control: &Control) -> Self {
        control.proactive.clone()
    }
}

impl FromRef<Control> for Keys {
    fn from_ref(control: &Control) -> Self {
        control.keys.clone()
    }
}

impl FromRef<Api> for Keys {
    fn from_ref(api: &Api) -> Self {
        api.access.keys.clone()
    }
}

impl FromRef<Api> for Proactive {
    fn from_ref(api: &Api) -> Self {
        api.proactive.clone()
    }
}

/// The routes that need the engine alone. The command line asks them of the data folder itself when no server runs, so that both answer
/// alike.
pub(crate) fn control<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
    Keys: FromRef<S>,
{
    Router::new()
        .merge(jobs::log())
        .merge(notifications::routes())
        .merge(notification_batch::routes())
        .merge(notification_control::routes())
        .merge(pauses::routes())
        .merge(conversations::routes())
        .merge(templates::routes())
        .merge(status::routes())
        .merge(keys::routes())
}

/// All routes behind the gate; `channels` are those of the adapter and of the channel.
pub(crate) fn router(api: Api, channels: Router) -> Router {
    let gate = api.gate.clone();
    let guarded = Router::new()
        .merge(jobs::routes())
        .merge(new_job::routes())
        .merge(control())
        .merge(changes::routes())
        .merge(events::routes())
        .merge(hold::routes())
        .merge(metrics::routes())
        .route_layer(from_fn_with_state(api.clone(), right::check));
    let own = guarded
        .merge(page_tokens::routes())
        .merge(sign_in::routes())
        .merge(health::routes())
        .merge(openapi::routes())
        .method_not_allowed_fallback(async || Problem::no_such_method())
        .with_state(api.clone());
    let page = async move |method, uri: Uri, headers: HeaderMap| {
        // What it is made of is no secret; what it shows comes from routes that ask who it is for.
        if page::is_index(&uri) && api.access.asks_to_sign_in(&headers) {
            return sign_in::to_the_form();
        }
        // Who looks at it and is not signed in was led to the form.
        page::serve(method, uri, headers, api.access.sign_in.is_some()).await
    };
    let all = own.merge(channels).fallback(page).layer(CatchPanicLayer::custom(panicked));
    gate.in_front_of(all).layer(MapResponseLayer::new(with_security_headers))
}

/// Reads the body of `POST /v1/notifications`, for what tests the parser alone.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_new_notification(body: &[u8]) {
    let _ = members::Members::of(body).and_then(new_notification::read);
}

#[cfg(feature = "fuzzing")]
pub(crate) use events::fuzzing as events_fuzzing;

/// How the gate's refusals are written.
pub(crate) fn refusal(path: &str, refusal: &Refusal) -> Response {
    if is_of_the_channel(path) {
        refusal.in_channel_shape()
    } else {
        let mut response = Problem::refused(refusal).into_response();
        refusal.say_more(response.headers_mut());
        response
    }
}

fn is_of_the_channel(path: &str) -> bool {
    path == "/api/messages" || path == "/v3" || path.starts_with("/v3/")
}

fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<&str>().copied();
    let text = text.or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    Problem::internal(&text.unwrap_or("a handler panicked")).into_response()
}

/// Nothing is guessed from content, nothing is told to other sites, and no other site embeds an answer.
fn with_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    let resource = HeaderName::from_static("cross-origin-resource-policy");
    // A file that was sent along says for itself that its address is what opens it.
    headers.entry(resource).or_insert(HeaderValue::from_static("same-origin"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
