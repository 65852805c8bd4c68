//! One open stream.
//!
//! The socket takes its seat first and reads the store afterwards, so no commit falls between the two. It sends a
//! page at a time and reads the next one only when that page has gone, so a slow client costs one page of memory; one
//! that takes nothing for half a minute is let go. Its first frame tells the client where it stands, even with
//! nothing to show: a client that loses the socket right away can then come back to that place.
//!
//! A client that is let go, or that meets a store which cannot be read, loses nothing: it reconnects with its
//! watermark.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::commands::Place;
use super::hub::{Hub, Seat};
use super::leave::{By, Leave};
use crate::keys::ASKED_EVERY;
use crate::store::Store;

/// How long a frame may take to leave.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) struct Stream {
    pub(super) store: Store,
    pub(super) hub: Arc<Hub>,
    pub(super) place: Place,
    /// By whose leave it is open.
    pub(super) by: Option<By>,
    pub(super) leave: Leave,
    /// The number of the last activity that this client has.
    pub(super) sent: i64,
    pub(super) keep_alive: Duration,
    /// Whether it closes the conversation's other streams.
    pub(super) one_stream: bool,
    pub(super) stop: CancellationToken,
}

/// Why a socket ends, when not by the client.
enum End {
    /// The client is gone, or does not take what it is sent.
    Gone,
    /// The process stops, and may be back soon.
    Away,
    /// The store cannot be read.
    Failed,
    /// Another stream took its place.
    Collision,
    /// What opened it opens nothing any more.
    Over,
}

impl Stream {
    pub(super) async fn run(mut self, mut socket: WebSocket) {
        let mut seat = self.hub.sit(&self.place.id, self.one_stream);
        let Err(end) = self.serve(&mut socket, &mut seat).await else { return };
        let (code, reason) = match end {
            End::Gone => return,
            End::Away => (close_code::AWAY, "the channel is stopping"),
            End::Failed => (close_code::ERROR, "the channel cannot read its store"),
            End::Over => (close_code::POLICY, "what opened the stream has ended"),
            // The word that clients of the cloud know.
            End::Collision => (close_code::POLICY, "collision"),
        };
        let goodbye = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
        if timeout(CLOSE_TIMEOUT, socket.send(goodbye)).await.is_ok_and(|sent| sent.is_ok()) {
            // The client's own goodbye: without it, the connection would be reset under what it has yet to read.
            let _ = timeout(CLOSE_TIMEOUT, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
        }
    }

    /// Ends with `Ok` when the client says goodbye.
    async fn serve(&mut self, socket: &mut WebSocket, seat: &mut Seat) -> Result<(), End> {
        self.catch_up(socket, seat, true).await?;
        let mut idle_at = Instant::now() + self.keep_alive;
        let mut ask = interval(ASKED_EVERY);
        loop {
            if !self.leave.holds(self.by.as_ref()) {
                return Err(End::Over);
            }
            tokio::select! {
                _ = ask.tick(), if self.by.is_some() => continue,
                () = self.stop.cancelled() => return Err(End::Away),
                woken = seat.news.changed() => {
                    if woken.is_err() {
                        return Err(End::Gone);
                    }
                    let news = *seat.news.borrow_and_update();
                    if news.last_to_sit != seat.number {
                        return Err(End::Collision);
                    }
                    if news.newest <= self.sent {
                        continue;
                    }
                    self.catch_up(socket, seat, false).await?;
                }
                passing = seat.passing.recv() => match passing {
                    Ok(frame) => send(socket, frame).await?,
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return Err(End::Gone),
                },
                incoming = socket.recv() => match incoming {
                    // The client's keep-alive is answered in kind; clients send nothing else over the stream.
                    Some(Ok(Message::Text(text))) if text.is_empty() => send(socket, Utf8Bytes::default()).await?,
                    Some(Ok(Message::Close(_))) | None => return Ok(()),
                    Some(Ok(_)) => continue,
                    Some(Err(_)) => return Err(End::Gone),
                },
                () = sleep_until(idle_at) => send(socket, Utf8Bytes::default()).await?,
            }
            idle_at = Instant::now() + self.keep_alive;
        }
    }

    /// Sends everything that is stored and not sent yet.
    async fn catch_up(
        &mut self,
        socket: &mut WebSocket,
        seat: &Seat,
        mut even_if_empty: bool,
    ) -> Result<(), End> {
        loop {
            let newest = seat.news.borrow().newest;
            let frame = match seat.read(&self.store, &self.place, self.sent, newest).await {
                Ok(Some(frame)) => frame,
                Ok(None) => return Err(End::Gone),
                Err(error) => {
                    tracing::warn!(conversation = %self.place.id, %error, "a stream ends: it cannot be read on");
                    return Err(End::Failed);
                }
            };
            if even_if_empty || !frame.is_empty {
                send(socket, frame.text).await?;
            }
            self.sent = frame.watermark;
            even_if_empty = false;
            if !frame.full {
                return Ok(());
            }
        }
    }
}

async fn send(socket: &mut WebSocket, frame: Utf8Bytes) -> Result<(), End> {
    match timeout(SEND_TIMEOUT, socket.send(Message::Text(frame))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}
