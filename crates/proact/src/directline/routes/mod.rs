//! The channel's HTTP routes: one file a resource.

mod activities;
mod attachments;
mod body;
mod bots;
mod caller;
mod came;
mod connector;
mod conversations;
mod create;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
mod history;
mod key;
mod members;
mod reached;
mod stream;
mod tokens;
mod upload;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
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
        .route("/conversations/{conversation}/upload", post(upload::send))
        .route("/conversations/{conversation}/stream", get(stream::open))
        .route("/session/getsessionid", get(tokens::session));
    let bots = Router::new()
        .route("/", get(create::list).post(create::create))
        .route("/{conversation}/activities", post(connector::send))
        .route("/{conversation}/activities/history", post(history::add))
        .route(
            "/{conversation}/activities/{activity}",
            post(connector::reply).put(connector::update).delete(connector::delete),
        )
        .route("/{conversation}/activities/{activity}/members", get(members::of_activity))
        .route("/{conversation}/members", get(members::list))
        .route("/{conversation}/members/{member}", get(members::show).delete(members::remove))
        .route("/{conversation}/pagedmembers", get(members::page))
        .route("/{conversation}/attachments", post(attachments::add))
        .route_layer(from_fn_with_state(channel.clone(), bots::admit));
    let attachments = Router::new()
        .route("/{attachment}", get(attachments::info))
        .route("/{attachment}/views/{view}", get(attachments::view));
    // Each with an end of its own: under these paths the channel answers in its own shape, whatever it is merged
    // with. Bodies have the channel's own limits.
    let closed = |routes: Router<Channel>| {
        let routes = routes.method_not_allowed_fallback(no_such_method).fallback(no_such_route);
        routes.layer(DefaultBodyLimit::disable())
    };
    Router::new()
        .nest("/v3/directline", closed(clients))
        .nest("/v3/conversations", closed(bots))
        .nest("/v3/attachments", closed(attachments))
        .with_state(channel)
}

async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "NotFound", "this channel has no such route")
}

async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "this route does not take this method")
}
