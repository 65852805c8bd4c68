//! Serving a router over HTTP/1.1 on a listener, until told to stop.
//!
//! Promises: a client that never finishes its TLS handshake or its request's head is let go after a while, and so is one that does not
//! take what it is sent ([`connection`]); no address has more connections than its share, and all together no more than the [`Limits`] say, so
//! that those who are there keep being served; running out of file handles is waited out; once stopped, nothing more is accepted, and
//! every request that was read is answered before this ends (only then are the connections closed). A connection that fails is that
//! client's affair: it is logged at debug level at most.
//!
//! Who is over a limit is told so, as long as there are not too many of them; else the connection is closed without a word. The
//! connections of the process to itself (both ends have one address) are not counted: without them nothing would be delivered.

use std::{fmt, io, net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Connection, Limits, Refusal, Shape, Tls, connection,
    limits::{Addresses, Place},
};

/// How long to wait when the system has no more file handles.
const PAUSE: Duration = Duration::from_millis(200);
/// How many clients over a limit are told so at the same time.
const TOLD: usize = 64;
/// How often the files of the certificate are looked at.
const RENEWED_EVERY: Duration = Duration::from_secs(60);

/// How connections are served.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServeOptions {
    /// How many there may be.
    pub limits: Limits,
    /// How who is over one of the limits is told so. Default: the channel's own shape.
    pub shape: Shape,
    /// What the server proves itself by. Without it (the default) it speaks plain HTTP.
    pub tls: Option<Tls>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), shape: |_, refusal| refusal.in_channel_shape(), tls: None }
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("limits", &self.limits)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Serves `router` on `listener` within the default limits until `stop` is cancelled and every request under way is answered.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve_within(listener, router, stop, ServeOptions::default()).await;
}

/// Serves `router` on `listener` until `stop` is cancelled and every request under way is answered.
pub async fn serve_within(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    ServeOptions { limits, shape, tls }: ServeOptions,
) {
    let connections = TaskTracker::new();
    let door = Door {
        addresses: Addresses::default(),
        all: Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS))),
        told: Arc::new(Semaphore::new(TOLD)),
        limits,
    };
    let mut renewal = tokio::time::interval(RENEWED_EVERY);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            _ = renewal.tick(), if tls.is_some() => {
                // Two small files, looked at once a minute and read when they changed: not worth a thread.
                tls.iter().for_each(Tls::renew);
                continue;
            }
        };
        match accepted {
            Ok((stream, peer)) => match door.enter(&stream, peer.ip()) {
                Ok(seat) => {
                    let (from, tls) = (Connection::new(&stream, peer), tls.clone());
                    let (router, stop) = (router.clone(), stop.clone());
                    connections.spawn(connection::answer(stream, from, seat, tls, router, stop));
                }
                Err(refusal) => {
                    if let Ok(told) = Arc::clone(&door.told).try_acquire_owned() {
                        connections.spawn(connection::tell(stream, refusal, shape, told));
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
pub(super) struct Seat {
    /// Who is at the other end, unless it is the process itself.
    pub(super) peer: Option<IpAddr>,
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
