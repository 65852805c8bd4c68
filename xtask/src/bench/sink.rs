//! The sink: the channel of the measurement. It takes every post, says 200 and, if somebody listens, passes the text on with
//! the time at which it came. It runs on a thread of its own and does nothing else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::wire::{Wire, find};

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{\"id\":\"1\"}";

/// What was posted, and when it had come.
pub(super) type Seen = (Instant, String);

#[derive(Clone)]
pub(super) struct Sink {
    address: SocketAddr,
    listener: Arc<Listener>,
    runtime: tokio::runtime::Handle,
    /// Cancelled when it is closed: its connections and its socket go.
    door: Arc<Mutex<CancellationToken>>,
}

#[derive(Default)]
struct Listener {
    listens: AtomicBool,
    to: Mutex<Option<mpsc::UnboundedSender<Seen>>>,
    taken: AtomicU64,
}

impl Sink {
    pub(super) fn start() -> Result<Self> {
        Self::start_many(1)?.pop().context("a sink")
    }

    /// Several hosts that are served and counted together.
    pub(super) fn start_many(count: usize) -> Result<Vec<Self>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (handle, listener) = (runtime.handle().clone(), Arc::new(Listener::default()));
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        (0..count)
            .map(|_| {
                let sink = Self {
                    address: SocketAddr::from(([127, 0, 0, 1], 0)),
                    listener: Arc::clone(&listener),
                    runtime: handle.clone(),
                    door: Arc::default(),
                };
                let address = sink.serve()?;
                Ok(Self { address, ..sink })
            })
            .collect()
    }

    fn serve(&self) -> Result<SocketAddr> {
        let socket = std::net::TcpListener::bind(self.address)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let (shared, door) = (Arc::clone(&self.listener), CancellationToken::new());
        *self.door.lock().expect("no panic holds it") = door.clone();
        self.runtime.spawn(async move {
            let socket = TcpListener::from_std(socket).expect("a listener of this runtime");
            while let Some(Ok((stream, _))) = door.run_until_cancelled(socket.accept()).await {
                let (door, shared) = (door.clone(), Arc::clone(&shared));
                tokio::spawn(async move { door.run_until_cancelled(take(Wire::new(stream), shared)).await });
            }
        });
        Ok(address)
    }

    /// Refuses connections from now on, and drops those there are.
    pub(super) fn close(&self) {
        self.door.lock().expect("no panic holds it").cancel();
    }

    /// Takes connections again, at the same address; nothing if it does.
    pub(super) fn open(&self) -> Result<()> {
        if self.door.lock().expect("no panic holds it").is_cancelled() {
            self.serve()?;
        }
        Ok(())
    }

    /// How many posts it has taken, it and those that were started with it.
    pub(super) fn taken(&self) -> u64 {
        self.listener.taken.load(Ordering::SeqCst)
    }

    pub(super) fn service_url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Everything that comes from now on.
    pub(super) fn listen(&self) -> mpsc::UnboundedReceiver<Seen> {
        let (tell, seen) = mpsc::unbounded_channel();
        *self.listener.to.lock().expect("no panic holds it") = Some(tell);
        self.listener.listens.store(true, Ordering::SeqCst);
        seen
    }

    pub(super) fn stop_listening(&self) {
        self.listener.listens.store(false, Ordering::SeqCst);
    }
}

async fn take(wire: Result<Wire>, listener: Arc<Listener>) -> Result<()> {
    let mut wire = wire?;
    while let Some(message) = wire.read().await? {
        if listener.listens.load(Ordering::Relaxed) {
            let seen = (Instant::now(), text(wire.body(&message)));
            if let Some(to) = listener.to.lock().expect("no panic holds it").as_ref() {
                let _ = to.send(seen);
            }
        }
        listener.taken.fetch_add(1, Ordering::Relaxed);
        wire.write(ANSWER).await?;
    }
    Ok(())
}

/// The activity's text, as written in its JSON.
fn text(body: &[u8]) -> String {
    const BEFORE: &[u8] = b"\"text\":\"";
    let Some(start) = find(body, BEFORE).map(|place| place + BEFORE.len()) else { return String::new() };
    let end = find(&body[start..], b"\"").unwrap_or(0);
    String::from_utf8_lossy(&body[start..start + end]).into_owned()
}
