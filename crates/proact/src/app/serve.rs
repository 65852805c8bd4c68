//! Serving a router over HTTP/1.1 on a listener, until told to stop.
//!
//! Promises: a client that never finishes its request's head is let go after [`HEAD_WITHIN`], and one that does not take what it is
//! sent after [`TAKEN_WITHIN`]; no address has more connections than its share, and all together no more than the [`Limits`] say, so
//! that those who are there keep being served; running out of file handles is waited out; once stopped, nothing more is accepted, and
//! every request that was read is answered before this ends (only then are the connections closed). A connection that fails is that
//! client's affair: it is logged at debug level at most.
//!
//! Who is over a limit is told so, as long as there are not too many of them; else the connection is closed without a word. The
//! connections of the process to itself (both ends have one address) are not counted: without them nothing would be delivered.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, response::Response};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{ServiceExt, service_fn};

use super::{
    Limits, Refusal, Shape,
    limits::{Addresses, Peer, Place},
};

/// How long a request's head may take, and how long a connection may be idle between requests: longer than any client of
/// ours keeps one, so that a request never meets a connection on its way out.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// How long a client may take nothing of what it is sent.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait when the system has no more file handles.
const PAUSE: Duration = Duration::from_millis(200);
/// How many clients over a limit are told so at the same time, and how long each has to ask.
const TOLD: usize = 64;
const TOLD_WITHIN: Duration = Duration::from_secs(2);

/// Serves `router` on `listener` within the default limits until `stop` is cancelled and every request under way is answered.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let shape: Shape = |_, refusal| refusal.in_channel_shape();
    serve_within(listener, router, stop, Limits::default(), shape).await;
}

/// Serves `router` on `listener` until `stop` is cancelled and every request under way is answered. `shape` is how who is over one of
/// the `limits` is told so.
pub async fn serve_within(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    limits: Limits,
    shape: Shape,
) {
    let connections = TaskTracker::new();
    let door = Door {
        addresses: Addresses::default(),
        all: Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS))),
        told: Arc::new(Semaphore::new(TOLD)),
        limits,
    };
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match door.enter(&stream, peer.ip()) {
                Ok(seat) => {
                    connections.spawn(connection(stream, router.clone(), stop.clone(), seat));
                }
                Err(refusal) => {
                    if let Ok(told) = Arc::clone(&door.told).try_acquire_owned() {
                        connections.spawn(tell(stream, refusal, shape, told));
                    }
                }
            },
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}

/// Who may have a connection.
struct Door {
    limits: Limits,
    addresses: Addresses,
    all: Arc<Semaphore>,
    told: Arc<Semaphore>,
}

/// A connection's share of the limits, until it is dropped.
struct Seat {
    /// Who is at the other end, unless it is the process itself.
    peer: Option<IpAddr>,
    _counted: Option<(Option<Place>, OwnedSemaphorePermit)>,
}

impl Door {
    fn enter(&self, stream: &TcpStream, peer: IpAddr) -> Result<Seat, Refusal> {
        let trusted = self.limits.trusts(peer);
        let own = stream.local_addr().is_ok_and(|here| here.ip() == peer);
        if own && !trusted {
            return Ok(Seat { peer: None, _counted: None });
        }
        let place = if trusted {
            None
        } else {
            let most = self.limits.connections_per_address;
            Some(self.addresses.enter(peer, most).ok_or(Refusal::TooMany)?)
        };
        // A proxy on this machine has the address of the process itself, which is never turned away.
        if own {
            return Ok(Seat { peer: Some(peer), _counted: None });
        }
        let among_all = Arc::clone(&self.all).try_acquire_owned().map_err(|_| Refusal::Full)?;
        Ok(Seat { peer: Some(peer), _counted: Some((place, among_all)) })
    }
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken, seat: Seat) {
    // Answers are small: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let peer = seat.peer;
    let service =
        TowerToHyperService::new(router.map_request(move |mut request: http::Request<Incoming>| {
            if let Some(peer) = peer {
                request.extensions_mut().insert(Peer(peer));
            }
            request.map(Body::new)
        }));
    let connection =
        builder(HEAD_WITHIN).serve_connection(TokioIo::new(impatient(stream)), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended with an error");
    }
}

/// Answers one request of a client that is over a limit.
async fn tell(stream: TcpStream, refusal: Refusal, shape: Shape, _told: OwnedSemaphorePermit) {
    let service = TowerToHyperService::new(service_fn(move |request: http::Request<Incoming>| {
        let answer: Response = shape(request.uri().path(), &refusal);
        std::future::ready(Ok::<_, std::convert::Infallible>(answer))
    }));
    let connection =
        builder(TOLD_WITHIN).keep_alive(false).serve_connection(TokioIo::new(impatient(stream)), service);
    // Whoever does not ask in time is not told.
    let _ = tokio::time::timeout(TOLD_WITHIN, connection).await;
}

fn builder(head_within: Duration) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_within);
    builder
}

/// The stream, which ends when the other side takes nothing for too long.
fn impatient(stream: TcpStream) -> std::pin::Pin<Box<TimeoutWriter<TcpStream>>> {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(TAKEN_WITHIN));
    Box::pin(stream)
}
