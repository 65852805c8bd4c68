//! The stream: a `WebSocket` that a ticket in its URL opens.

use axum::Extension;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::caller::{query_parameter, trusted};
use crate::app::Brought;
use crate::directline::Channel;
use crate::directline::commands::Place;
use crate::directline::error::Problem;
use crate::directline::queries::{Locate, Otherwise};
use crate::directline::sign::Unsigned;
use crate::directline::socket::Stream;

/// Bytes that a client may send in a frame: it only sends empty ones.
const INCOMING: usize = 4096;
/// Bytes of the buffer that reads a client's frames, held as long as the stream is open: what clients send is small.
const READ_BUFFER: usize = 512;
/// Bytes that are gathered before they are written: none, for each frame is whole.
const WRITE_BUFFER: usize = 0;

pub(super) async fn open(
    State(channel): State<Channel>,
    place: Place,
    RawQuery(query): RawQuery,
    brought: Option<Extension<Brought>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let inner = channel.inner();
    let ticket = query_parameter(query.as_deref(), "t").ok_or_else(Problem::unauthorized)?;
    let opens = inner.signer.check_ticket(&ticket, &place.id, channel.now())?;
    trusted(&opens.origins, &headers)?;
    if !inner.leave.holds(opens.by.as_ref()) {
        return Err(Unsigned::Expired.into());
    }
    let after = inner.hub.generation.read(query_parameter(query.as_deref(), "watermark").as_deref())?;
    let locate = Locate { place: place.clone(), after, otherwise: Otherwise::Now };
    let sent = inner.store.read(locate).await?.ok_or_else(Problem::unknown_conversation)?;
    let upgrade = upgrade.map_err(|rejection| {
        let mut status = rejection.into_response().status();
        if !status.is_client_error() {
            status = StatusCode::BAD_REQUEST;
        }
        Problem::new(status, "BadArgument", "open this URL as a WebSocket")
    })?;
    if inner.stop.is_cancelled() {
        return Err(Problem::stopping());
    }
    if !inner.hub.has_room(&place.id) {
        let message = "this conversation has as many streams as it may have: close one";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message));
    }
    let stream = Stream {
        store: inner.store.clone(),
        hub: inner.hub.clone(),
        place,
        by: opens.by,
        leave: inner.leave.clone(),
        sent,
        keep_alive: inner.keep_alive,
        one_stream: inner.one_stream,
        stop: inner.stop.clone(),
    };
    let tasks = inner.tasks.clone();
    Ok(upgrade
        .max_message_size(INCOMING)
        .max_frame_size(INCOMING)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .on_upgrade(move |socket| {
            tasks.track_future(async move {
                stream.run(socket).await;
                drop(brought);
            })
        }))
}
