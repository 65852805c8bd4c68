//! The gate: what a request must be before any route sees it.
//!
//! While there are no credentials, being on this machine is the only permission there is, and any web page that the person
//! has open could use it; once there are, it could use the person's. In this order, and whatever the route (web sockets too):
//!
//! 1. **Host** must be a name of this server, so that no other name can be pointed here (DNS rebinding).
//! 2. **Origin**, when there is one, must be this server's own, so that no page from elsewhere can read or post. Which names and origins
//!    those are is in [`Site`]. The scheme by which the client reaches the server is then an extension of the request
//!    (`http::uri::Scheme`), for routes that make URLs and cookies.
//! 3. **A stop under way** refuses new work, but not what the turns and sends under way still need.
//! 4. **The head** has a size at most, and an address has a number of requests open at most ([`Limits`]).
//! 5. **A body** must say that it is JSON, be no larger than allowed, and arrive within its time, as it is: nothing is
//!    unpacked. How deep and how many-membered it is is told before it is parsed ([`JsonLimits`]). The routes that take files
//!    take any kind, and more.
//!
//! The body is read here, whole: the routes behind the gate never wait for a slow client. What is refused is a [`Refusal`];
//! how it is written is the caller's choice, because routes differ in the shape of their errors.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, BodyDataStream, Bytes, HttpBody},
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use bytes::BytesMut;
use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderValue, Uri, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use super::{
    ClientAddress, Connection, JsonLimits, Limits, Refusal, Site,
    limits::{Addresses, Brought, Peer},
};
use crate::adapter::media_type;

const KIB: usize = 1024;

/// How a refusal is written, by the path that was asked for.
pub type Shape = fn(path: &str, refusal: &Refusal) -> Response;

/// What the gate lets through.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GateOptions {
    /// Bytes in a body at most. Default 1 MiB.
    pub body_limit: usize,
    /// Bytes of files that a request to a route for files may bring; such a body may be larger by what stands around
    /// them. The channel of an [`App`](super::App) sets it. Default 0: they are like any other.
    pub upload_limit: usize,
    /// How long a body may take to arrive. Default 15 s.
    pub body_within: Duration,
    /// What JSON may be beside its bytes.
    pub json: JsonLimits,
    /// How much may be open at the same time. Give [`serve`](super::serve) the same.
    pub limits: Limits,
    /// The names that the server answers to. Default: this machine's own.
    pub site: Site,
    /// How a refusal is written. Default: the channel's own shape, `{"error":{"code","message"}}`.
    pub shape: Shape,
}

impl Default for GateOptions {
    fn default() -> Self {
        Self {
            body_limit: 1024 * 1024,
            upload_limit: 0,
            body_within: Duration::from_secs(15),
            json: JsonLimits::default(),
            limits: Limits::default(),
            site: Site::default(),
            shape: |_, refusal| refusal.in_channel_shape(),
        }
    }
}

/// The gate in front of a router. Clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: GateOptions,
    stopping: AtomicBool,
    /// Requests from outside that are under way.
    under_way: TaskTracker,
    addresses: Addresses,
    /// `WebSocket`s that proxies brought, of each client and of all together: the connections of a proxy are not its clients'.
    sockets: Addresses,
    all_sockets: Arc<Semaphore>,
    /// Whether it was said that a proxy is not named, and that one does not say whom it speaks for.
    said_unnamed: AtomicBool,
    said_silent: AtomicBool,
    /// A permit for each KiB of bodies that may be there at once.
    bodies: Arc<Semaphore>,
}

impl Gate {
    /// An open gate.
    #[must_use]
    pub fn new(options: GateOptions) -> Self {
        let (stopping, under_way) = (AtomicBool::new(false), TaskTracker::new());
        let bodies = Arc::new(Semaphore::new((options.limits.body_bytes / KIB).min(Semaphore::MAX_PERMITS)));
        let all_sockets = Arc::new(Semaphore::new(options.limits.connections.min(Semaphore::MAX_PERMITS)));
        let inner = Inner {
            options,
            stopping,
            under_way,
            addresses: Addresses::default(),
            sockets: Addresses::default(),
            all_sockets,
            said_unnamed: AtomicBool::new(false),
            said_silent: AtomicBool::new(false),
            bodies,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Puts the gate in front of everything that `router` serves, its fallbacks included.
    pub fn in_front_of(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), pass))
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.inner.stopping.load(Ordering::Acquire)
    }

    /// Refuses new work from now on and waits for the requests under way. What a turn or a send under way still needs goes through:
    /// the channel's way to the bot (`/api/messages`) and the bot's way to the channel (`/v3/conversations`).
    pub async fn stop(&self) {
        self.inner.stopping.store(true, Ordering::Release);
        self.inner.under_way.close();
        self.inner.under_way.wait().await;
    }
}

impl Gate {
    /// Says once what keeps a proxy's clients from having limits of their own: nothing fails by it, so nobody would notice. `client` is
    /// what [`Limits::client`] made of the request.
    fn say_what_is_missing(&self, peer: Option<Peer>, client: Option<IpAddr>, request: &Request) {
        let Some(connection) = request.extensions().get::<Connection>() else { return };
        let (options, headers) = (&self.inner.options, request.headers());
        let proxy = connection.peer.ip().to_canonical();
        let brought = super::site::is_brought(headers);
        if !options.limits.trusts(proxy) {
            if connection.same_machine && brought && !self.inner.said_unnamed.swap(true, Ordering::Relaxed) {
                tracing::warn!(%proxy, "a proxy on this machine brings requests and is not named: all its clients together count as one, or not at all; name it in http.trusted_proxies, and have it set X-Forwarded-For");
            }
        } else if peer.is_some()
            && client.is_none()
            && (brought || options.site.is_public(headers))
            && !self.inner.said_silent.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%proxy, "the proxy does not say whom it speaks for, so none of its clients has limits of their own: have it set X-Forwarded-For to the address of its client");
        }
    }
}

impl Gate {
    /// A place for one more `WebSocket` of a proxy's client.
    fn brought(&self, client: IpAddr) -> Result<Brought, Refusal> {
        let most = self.inner.options.limits.connections_per_address;
        let place = self.inner.sockets.enter(client, most).ok_or(Refusal::TooMany)?;
        let among_all = Arc::clone(&self.inner.all_sockets).try_acquire_owned();
        Ok(Brought::new(place, among_all.map_err(|_| Refusal::Full)?))
    }
}

/// Whether this path stays open during a stop: the ways of the process to itself, and the questions about its health.
fn stays_open(path: &str) -> bool {
    matches!(path, "/api/messages" | "/healthz" | "/readyz")
        || path.starts_with("/v3/conversations/")
        || path.starts_with("/v3/attachments/")
}

/// What a body may be, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Allowed {
    kind: Kind,
    limit: usize,
}

/// What a body must say that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    /// JSON, or a CloudEvent in it, or many: no page can send those without asking first, as little as JSON.
    Events,
    Any,
}

impl Kind {
    fn takes(self, headers: &HeaderMap) -> bool {
        let said = |kinds: &[&str]| {
            media_type(headers).is_some_and(|said| kinds.iter().any(|kind| said.eq_ignore_ascii_case(kind)))
        };
        match self {
            Self::Any => true,
            Self::Json => said(&["application/json"]),
            Self::Events => said(&[
                "application/json",
                "application/cloudevents+json",
                "application/cloudevents-batch+json",
            ]),
        }
    }
}

/// A person's files come as they are, which only a bearer of a token can send; a bot's come in JSON, as Base64.
fn allowed(path: &str, options: &GateOptions) -> Allowed {
    /// What stands around files: an activity, and the names of parts.
    const AROUND: usize = 512 * 1024;
    let upload = options.upload_limit + AROUND;
    match path.strip_prefix("/v3/") {
        Some(rest) if rest.starts_with("directline/conversations/") && rest.ends_with("/upload") => {
            Allowed { kind: Kind::Any, limit: options.body_limit.max(upload) }
        }
        Some(rest) if rest.starts_with("conversations/") && rest.ends_with("/attachments") => {
            Allowed { kind: Kind::Json, limit: options.body_limit.max(upload / 3 * 4) }
        }
        // A form without a script, of one field.
        None if path == "/sign-in" || path == "/sign-out" => Allowed { kind: Kind::Any, limit: 4096 },
        None if path == "/v1/events" => Allowed { kind: Kind::Events, limit: options.body_limit },
        _ => Allowed { kind: Kind::Json, limit: options.body_limit },
    }
}

async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let options = &gate.inner.options;
    let peer = request.extensions().get().copied();
    let client = peer.and_then(|Peer(peer)| options.limits.client(peer, request.headers()));
    gate.say_what_is_missing(peer, client, &request);
    let Some(client) = client else { return let_in(&gate, request, next).await };
    request.extensions_mut().insert(ClientAddress(client));
    if request.headers().contains_key(header::UPGRADE)
        && peer.is_some_and(|Peer(peer)| options.limits.trusts(peer))
    {
        match gate.brought(client) {
            Ok(brought) => drop(request.extensions_mut().insert(brought)),
            Err(refusal) => return (options.shape)(request.uri().path(), &refusal),
        }
    }
    match gate.inner.addresses.enter(client, options.limits.requests_per_address) {
        Some(place) => let_in(&gate, request, next).await.map(|body| place.until_sent(body)),
        None => (options.shape)(request.uri().path(), &Refusal::TooMany),
    }
}

async fn let_in(gate: &Gate, mut request: Request, next: Next) -> Response {
    let stays_open = stays_open(request.uri().path());
    let _under_way = (!stays_open).then(|| gate.inner.under_way.token());
    let shape = gate.inner.options.shape;
    if !stays_open && gate.is_stopping() {
        return shape(request.uri().path(), &Refusal::Stopping);
    }
    let tls = request.extensions().get::<Connection>().is_some_and(|connection| connection.tls);
    let options = &gate.inner.options;
    let proxies = !options.limits.trusted_proxies.is_empty();
    let checked = options.site.check(request.uri(), request.headers(), tls, proxies).and_then(|scheme| {
        check_head(request.uri(), request.headers())?;
        Ok(scheme)
    });
    match checked {
        Ok(scheme) => drop(request.extensions_mut().insert(scheme)),
        Err(refusal) => return shape(request.uri().path(), &refusal),
    }
    // Most requests without a body say so at once; then there is nothing to read.
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let allowed = allowed(parts.uri.path(), &gate.inner.options);
    // What the process sends to itself is what it has accepted already.
    let counted = parts.extensions.get::<ClientAddress>().is_some();
    let mut room = Room { bodies: counted.then(|| Arc::clone(&gate.inner.bodies)), taken: None };
    match read(&parts.headers, body, allowed, gate.inner.options.body_within, &mut room).await {
        Ok(body) => match check_shape(&parts.headers, &body, allowed, &gate.inner.options) {
            Ok(()) => next.run(Request::from_parts(parts, Body::from(body))).await,
            Err(refusal) => shape(parts.uri.path(), &refusal),
        },
        Err(refusal) => shape(parts.uri.path(), &refusal),
    }
}

/// Checks what a parser would have to build of the body, if it is JSON of any kind.
fn check_shape(
    headers: &HeaderMap,
    body: &[u8],
    allowed: Allowed,
    options: &GateOptions,
) -> Result<(), Refusal> {
    let kind = media_type(headers).unwrap_or_default();
    if !kind.get(kind.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case("json")) {
        return Ok(());
    }
    // A file that comes in JSON is one string.
    let string = if allowed.limit > options.body_limit { allowed.limit } else { options.json.string };
    JsonLimits { string, ..options.json }.check(body)
}

/// Checks how much there is before a body. What is far beyond this, the connection refuses by itself.
fn check_head(uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    const URI: usize = 8 * 1024;
    const HEADERS: usize = 16 * 1024;
    let asked = uri.path_and_query().map_or(0, |asked| asked.as_str().len());
    if asked > URI {
        return Err(Refusal::UriTooLong { limit: URI });
    }
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > HEADERS {
        return Err(Refusal::HeadersTooLarge { limit: HEADERS });
    }
    let coded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().any(coded) {
        return Err(Refusal::Encoded);
    }
    Ok(())
}

/// What a body takes of the room that there is for all of them, until it is dropped.
struct Room {
    /// `None`: it does not count.
    bodies: Option<Arc<Semaphore>>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Makes room for a body of `bytes` in all.
    fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let Some(bodies) = &self.bodies else { return Ok(()) };
        let has = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Ok(more @ 1..) = u32::try_from(bytes.div_ceil(KIB).saturating_sub(has)) else { return Ok(()) };
        let more = Arc::clone(bodies).try_acquire_many_owned(more).map_err(|_| Refusal::Busy)?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }
}

/// The whole body, if it is one that is allowed.
async fn read(
    headers: &HeaderMap,
    body: Body,
    Allowed { kind, limit }: Allowed,
    within: Duration,
    room: &mut Room,
) -> Result<Bytes, Refusal> {
    if !kind.takes(headers) {
        return Err(Refusal::NotJson);
    }
    let announced = body.size_hint().lower();
    let mut chunks = body.into_data_stream();
    if announced > limit as u64 {
        see_out(chunks, within);
        return Err(Refusal::TooLarge { limit });
    }
    let whole = async {
        let mut whole = BytesMut::new();
        while let Some(chunk) = chunks.try_next().await.map_err(|_| Refusal::Broken)? {
            if whole.len() + chunk.len() > limit {
                see_out(chunks, within);
                return Err(Refusal::TooLarge { limit });
            }
            room.grow(whole.len() + chunk.len())?;
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    };
    tokio::time::timeout(within, whole).await.unwrap_or(Err(Refusal::TooSlow))
}

/// Takes what a client still sends of a body that is refused, for a while: a connection that ends under it is reset, and the
/// client never reads why.
fn see_out(mut chunks: BodyDataStream, within: Duration) {
    /// Bytes at most: who sends more is cut off.
    const MOST: usize = 64 * 1024 * 1024;
    tokio::spawn(tokio::time::timeout(within, async move {
        let mut left = MOST;
        while let Ok(Some(chunk)) = chunks.try_next().await {
            let Some(rest) = left.checked_sub(chunk.len()) else { break };
            left = rest;
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_their_room_and_give_it_back() {
        let bodies = Arc::new(Semaphore::new(4));
        let room = || Room { bodies: Some(Arc::clone(&bodies)), taken: None };
        let (mut first, mut second) = (room(), room());
        assert_eq!((first.grow(1), first.grow(1024), first.grow(1025)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(bodies.available_permits(), 2);
        assert_eq!((second.grow(2048), second.grow(2049)), (Ok(()), Err(Refusal::Busy)));
        drop(first);
        assert_eq!(second.grow(4096), Ok(()));
        assert_eq!(Room { bodies: None, taken: None }.grow(1 << 30), Ok(()), "the process itself");
        drop(second);
        assert_eq!(bodies.available_permits(), 4);
    }

    #[test]
    fn only_the_routes_for_files_take_more_and_other_than_json() {
        let options = GateOptions { upload_limit: 4 * 1024 * 1024, ..GateOptions::default() };
        let of = |path| allowed(path, &options);
        let upload = of("/v3/directline/conversations/c/upload");
        assert!(upload.kind == Kind::Any && upload.limit > options.upload_limit);
        let attachments = of("/v3/conversations/c/attachments");
        assert!(attachments.kind == Kind::Json && attachments.limit > options.upload_limit / 3 * 4);
        assert_eq!(of("/v1/events").kind, Kind::Events);
        for other in [
            "/v1/events/x",
            "/v3/directline/conversations/c/activities",
            "/v1/conversations/c/upload",
            "/page/upload",
            "/v3/conversations/c/activities/attachments/x",
        ] {
            assert_eq!(of(other), Allowed { kind: Kind::Json, limit: options.body_limit }, "{other}");
        }
    }
}
