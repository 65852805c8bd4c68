//! The fake channel.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};

use super::serve::{Shared, locked, router};
use super::wire::{CuttableListener, Wire, Wires};
use super::{ChannelAnswer, FakeUser, Ledger, Post};
use crate::clock::{Clock, SystemClock};

/// How long a wait may take before the test counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

/// A channel that plays its part on loopback, writes a ledger, and misbehaves as scripted. Clones are the same channel;
/// it goes with the last of them.
#[derive(Clone)]
pub struct FakeChannel {
    inner: Arc<Inner>,
}

struct Inner {
    address: SocketAddr,
    shared: Arc<Shared>,
    wires: Wires,
    runtime: Handle,
    serving: Mutex<Option<JoinHandle<()>>>,
    /// Dropped with the channel, which ends its thread.
    _alive: oneshot::Sender<()>,
}

impl std::fmt::Debug for FakeChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeChannel").field("address", &self.inner.address).finish_non_exhaustive()
    }
}

impl FakeChannel {
    /// Starts a channel on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If it cannot.
    #[must_use]
    pub fn start() -> Self {
        Self::start_by(Arc::new(SystemClock))
    }

    /// The same with a clock of its own, by which its ledger says when things came.
    ///
    /// # Panics
    /// If it cannot.
    #[must_use]
    pub fn start_by(clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound listener has an address");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime for the channel");
        let handle = runtime.handle().clone();
        let (alive, gone) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("fake-channel".to_owned())
            .spawn(move || {
                // An error: it only ever ends by being dropped.
                let _ = runtime.block_on(gone);
            })
            .expect("a thread for the channel");
        let inner = Inner {
            address,
            shared: Arc::new(Shared::by(clock)),
            wires: Wires::default(),
            runtime: handle,
            serving: Mutex::default(),
            _alive: alive,
        };
        inner.serve(listener);
        Self { inner: Arc::new(inner) }
    }

    /// The service URL, with a slash at its end.
    #[must_use]
    pub fn service_url(&self) -> String {
        format!("http://{}/", self.inner.address)
    }

    /// The same channel under a service URL with a path, without a slash at its end.
    #[must_use]
    pub fn service_url_with_path(&self) -> String {
        format!("http://{}/base/path", self.inner.address)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.inner.address.port()
    }

    /// Answers the next posts to a conversation so, one after the other; later ones as if nothing had been said. Requests to create a
    /// conversation are scripted under the empty id.
    pub fn script<A: Into<ChannelAnswer>>(&self, conversation: &str, answers: impl IntoIterator<Item = A>) {
        let answers = answers.into_iter().map(Into::into);
        locked(&self.inner.shared.scripts).entry(conversation.to_owned()).or_default().extend(answers);
    }

    /// Answers the next posts so, to whatever conversation without a script they go.
    pub fn script_next<A: Into<ChannelAnswer>>(&self, answers: impl IntoIterator<Item = A>) {
        locked(&self.inner.shared.next).extend(answers.into_iter().map(Into::into));
    }

    /// From now on the channel refuses updates and deletions so; without this it takes them for activities that it has, and answers
    /// 404 for others.
    pub fn refuse_edits(&self, refusal: impl Into<ChannelAnswer>) {
        *locked(&self.inner.shared.no_edits) = Some(refusal.into());
    }

    /// Answers posts that no script speaks for by a function of the request; where it gives `None`, as a channel should.
    pub fn answer_with(&self, rule: impl Fn(&Post) -> Option<ChannelAnswer> + Send + Sync + 'static) {
        *locked(&self.inner.shared.rule) = Some(Arc::new(rule));
    }

    /// Forgets scripts, rule and refusals, and answers as a channel should.
    pub fn behave(&self) {
        locked(&self.inner.shared.scripts).clear();
        locked(&self.inner.shared.next).clear();
        *locked(&self.inner.shared.no_edits) = None;
        *locked(&self.inner.shared.rule) = None;
    }

    /// From now on the channel takes `Idempotency-Key`: an activity that it accepted before under the same key in the same
    /// conversation is answered with the first one's id and not shown again.
    pub fn take_ids(&self) {
        locked(&self.inner.shared.taken).get_or_insert_default();
    }

    /// Everything that came so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        locked(&self.inner.shared.ledger).clone()
    }

    /// Waits until `done` says so, which is asked whenever something has come; returns the ledger as of then.
    ///
    /// `done` must not ask this channel for its ledger; it has it.
    ///
    /// # Panics
    /// If that takes a minute, with the ledger in the message.
    pub async fn wait_for(&self, mut done: impl FnMut(&Ledger) -> bool) -> Ledger {
        let waiting = async {
            loop {
                let mut changed = pin!(self.inner.shared.changed.notified());
                // Before the look, so that what comes after it is not missed.
                changed.as_mut().enable();
                {
                    let ledger = locked(&self.inner.shared.ledger);
                    if done(&ledger) {
                        return ledger.clone();
                    }
                }
                changed.await;
            }
        };
        // The limit runs on the channel's own clock: a test's may be paused.
        let limit = self.inner.runtime.spawn(async { tokio::time::sleep(STUCK).await });
        let guard = AbortOnDrop(limit.abort_handle());
        tokio::select! {
            ledger = waiting => { drop(guard); ledger }
            _ = limit => panic!("what was waited for has not come; the ledger: {:#?}", self.ledger()),
        }
    }

    /// A person in a conversation of this channel.
    #[must_use]
    pub fn user(&self, conversation: &str) -> FakeUser {
        FakeUser::new(self.service_url(), conversation)
    }

    /// Closes all connections, in the middle of whatever is on them.
    pub fn cut_all(&self) {
        self.inner.wires.cut_all();
    }

    /// Goes down: closes all connections and refuses new ones until [`up`](Self::up). The ledger stays.
    pub async fn down(&self) {
        let serving = locked(&self.inner.serving).take();
        if let Some(serving) = serving {
            serving.abort();
            // Until the listener is gone, connections would still be accepted.
            let _ = serving.await;
        }
        self.inner.wires.cut_all();
    }

    /// Comes up again on the same port.
    ///
    /// # Panics
    /// If the port was taken meanwhile.
    pub fn up(&self) {
        if locked(&self.inner.serving).is_none() {
            let listener = TcpListener::bind(self.inner.address).expect("the port the channel had before");
            self.inner.serve(listener);
        }
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Inner {
    fn serve(&self, listener: TcpListener) {
        listener.set_nonblocking(true).expect("a listener that can be waited for");
        let app = router(Arc::clone(&self.shared)).into_make_service_with_connect_info::<Wire>();
        let wires = self.wires.clone();
        let task = self.runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener of this runtime");
            let _ = axum::serve(CuttableListener { listener, wires }, app).await;
        });
        *locked(&self.serving) = Some(task);
    }
}
