//! One connection, from its TLS handshake to its end.
//!
//! With TLS, who comes from another machine speaks TLS or is not heard. From this very machine plain HTTP is taken too, at the same port:
//! the bot and the channel inside call each other so, and the command line the server. Nothing of it leaves the machine.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{Router, body::Body, response::Response};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt, service_fn};

use super::{Refusal, Shape, Tls, limits::Peer, seated::Seated, serve::Seat};

/// How long a request's head may take, and how long a connection may be idle between requests: longer than any client of
/// ours keeps one, so that a request never meets a connection on its way out.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of a head that a connection keeps before it is whole: room for what the [gate](super::Gate) takes, and to tell who sends more.
const HEAD: usize = 32 * 1024;
/// How long a TLS handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what it is sent.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// How long each client over a limit has to ask.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// The first byte of a TLS handshake (RFC 8446, 5.1); no HTTP method begins with it.
const HANDSHAKE: u8 = 22;

/// The connection that a request came over: an extension of each request that is [served](super::serve).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// Who is at its other end: the client, or a proxy in front of it.
    pub peer: SocketAddr,
    /// Whether the other end is this machine itself.
    pub same_machine: bool,
    /// Whether it is encrypted.
    pub tls: bool,
}

impl Connection {
    pub(super) fn new(stream: &TcpStream, peer: SocketAddr) -> Self {
        let same_machine = stream.local_addr().is_ok_and(|local| is_same_machine(peer.ip(), local.ip()));
        Self { peer, same_machine, tls: false }
    }
}

/// Whether both ends are one machine: a loopback address, or the one address at both ends. Who is elsewhere cannot have either, because
/// what is sent to it does not come back.
fn is_same_machine(peer: IpAddr, local: IpAddr) -> bool {
    let (peer, local) = (peer.to_canonical(), local.to_canonical());
    peer.is_loopback() || peer == local
}

/// Answers the requests of a connection until it ends. Its seat is taken until the connection is closed, whoever has it then.
pub(super) async fn answer(
    stream: TcpStream,
    connection: Connection,
    seat: Seat,
    tls: Option<Tls>,
    router: Router,
    stop: CancellationToken,
) {
    // Answers are small: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return requests(stream, connection, seat, router, stop).await };
    let taken = tokio::select! {
        taken = tokio::time::timeout(HANDSHAKE_WITHIN, begin(&tls, stream, connection)) => taken,
        () = stop.cancelled() => return,
    };
    let peer = connection.peer;
    match taken {
        Ok(Ok(Begun::Tls(stream))) => {
            requests(*stream, Connection { tls: true, ..connection }, seat, router, stop).await;
        }
        Ok(Ok(Begun::Plain(stream))) => requests(stream, connection, seat, router, stop).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
}

enum Begun {
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    Plain(TcpStream),
}

async fn begin(tls: &Tls, stream: TcpStream, connection: Connection) -> io::Result<Begun> {
    let mut first = [0];
    // A connection that ends before its first byte is plain, and over.
    if connection.same_machine && !(stream.peek(&mut first).await? == 1 && first[0] == HANDSHAKE) {
        return Ok(Begun::Plain(stream));
    }
    Ok(Begun::Tls(Box::new(tls.accept(stream).await?)))
}

async fn requests<S>(stream: S, connection: Connection, seat: Seat, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let counted = seat.peer;
    let service =
        TowerToHyperService::new(router.map_request(move |mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(connection);
            if let Some(peer) = counted {
                request.extensions_mut().insert(Peer(peer));
            }
            request.map(Body::new)
        }));
    let connection = builder(HEAD_WITHIN)
        .serve_connection(TokioIo::new(impatient(Seated { stream, _seat: seat })), service);
    let connection = connection.with_upgrades();
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

/// Answers one request of a client that is over a limit. One that speaks TLS is not told: a handshake costs more than it is to have.
pub(super) async fn tell(stream: TcpStream, refusal: Refusal, shape: Shape, _told: OwnedSemaphorePermit) {
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
    builder.timer(TokioTimer::new()).header_read_timeout(head_within).max_buf_size(HEAD);
    builder
}

/// The stream, which ends when the other side takes nothing for too long.
fn impatient<S: AsyncRead + AsyncWrite>(stream: S) -> std::pin::Pin<Box<TimeoutWriter<S>>> {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(TAKEN_WITHIN));
    Box::pin(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_machine_is_loopback_or_one_address_at_both_ends() {
        let same = |peer: &str, local: &str| is_same_machine(peer.parse().unwrap(), local.parse().unwrap());
        for (peer, local) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.2", "127.0.0.1"),
            ("::1", "::1"),
            ("::ffff:127.0.0.1", "::"),
            ("10.0.0.5", "10.0.0.5"),
            ("::ffff:10.0.0.5", "10.0.0.5"),
        ] {
            assert!(same(peer, local), "{peer} {local}");
        }
        for (peer, local) in
            [("10.0.0.6", "10.0.0.5"), ("10.0.0.5", "127.0.0.1"), ("fe80::1", "::1"), ("::", "10.0.0.5")]
        {
            assert!(!same(peer, local), "{peer} {local}");
        }
    }
}
