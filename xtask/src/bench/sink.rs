//! The sink: the channel of the measurement. It takes every post, says 200 and, if somebody listens, passes the text on with
//! the time at which it came. It runs on a thread of its own and does nothing else.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::wire::{Wire, find};

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{\"id\":\"1\"}";

/// What was posted, and when it had come.
pub(super) type Seen = (Instant, String);

#[derive(Clone)]
pub(super) struct Sink {
    address: String,
    listener: Arc<Listener>,
}

#[derive(Default)]
struct Listener {
    listens: AtomicBool,
    to: Mutex<Option<mpsc::UnboundedSender<Seen>>>,
}

impl Sink {
    pub(super) fn start() -> Result<Self> {
        let socket = std::net::TcpListener::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?.to_string();
        let listener = Arc::new(Listener::default());
        let shared = Arc::clone(&listener);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let socket = TcpListener::from_std(socket).expect("a listener of this runtime");
                while let Ok((stream, _)) = socket.accept().await {
                    tokio::spawn(take(Wire::new(stream), Arc::clone(&shared)));
                }
            });
        });
        Ok(Self { address, listener })
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
