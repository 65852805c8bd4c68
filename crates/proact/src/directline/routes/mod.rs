//! The channel's HTTP routes: one file a resource.

mod activities;
mod body;
mod caller;
mod connector;
mod conversations;
mod stream;
mod tokens;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};

use super::Channel;
use super::error::Problem;

pub(super) fn router(channel: Channel) -> Router {
    let clients = Router::new()
        .route("/tokens/generate", post(tokens::generate))
        .route("/tokens/refresh", post(tokens::refresh))
        .route("/conversations", post(conversations::start))
        .route("/conversations/{conversation}", get(conversations::reconnect))
        .route("/conversations/{conversation}/activities", get(activities::list).post(activities::send))
        .route("/conversations/{conversation}/stream", get(stream::open));
    let bots = Router::new()
        .route("/{conversation}/activities", post(connector::send))
        .route("/{conversation}/activities/{activity}", post(connector::reply));
    // Each with an end of its own: under these paths the channel answers in its own shape, whatever it is merged
    // with.
    let closed =
        |routes: Router<Channel>| routes.method_not_allowed_fallback(no_such_method).fallback(no_such_route);
    Router::new()
        .nest("/v3/directline", closed(clients))
        .nest("/v3/conversations", closed(bots))
        .with_state(channel)
}

async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "NotFound", "this channel has no such route")
}

async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "this route does not take this method")
}
