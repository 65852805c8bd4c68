//! A provider that plays the Bot Framework's and the login service's part on loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::super::Gate;
use super::super::serve::locked;
use super::super::wire::{CuttableListener, Wire, Wires};
use super::serve::{App, Shared, router};
use super::{TestKey, TestToken};
use crate::auth::Cloud;
use crate::clock::{Clock, SystemClock};

/// The tenant in which multi-tenant bots of the public cloud get their tokens (`botframework.com`), by its id.
pub const PUBLIC_TENANT: &str = "d6d49420-f39b-4df7-a1dc-d59a935871db";
/// How long a wait may take before the test counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

/// An identity provider on loopback: what `login.botframework.com` and `login.microsoftonline.com` are to a bot. It has metadata, key
/// sets and a token endpoint, signs with real keys, and rotates them, goes down, refuses or dawdles when it is told to.
///
/// One signing key serves both parts. Clones are the same provider; it runs on a thread of its own and goes with the last of them.
///
/// ```
/// use std::sync::Arc;
/// use proact::auth::{Authenticator, Credentials};
/// use proact::egress::{Guard, Options};
/// use proact::testkit::{IdentityProvider, TestClock};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let clock = Arc::new(TestClock::default());
/// let provider = IdentityProvider::start_by(clock.clone());
/// let authenticator = Authenticator::builder(&Credentials::new("my-app", "a secret"))
///     .channel_metadata(provider.channel_metadata())
///     .clock(clock)
///     .build(&Guard::loopback_only(Options::default()))
///     .unwrap();
///
/// let good = provider.channel_token("my-app", "http://127.0.0.1:1/");
/// assert!(authenticator.verify(Some(good.bearer().as_bytes())).await.is_ok());
/// let bad = good.claim("aud", "another-app");
/// assert!(authenticator.verify(Some(bad.bearer().as_bytes())).await.is_err());
/// # });
/// ```
#[derive(Clone)]
pub struct IdentityProvider {
    inner: Arc<Inner>,
}

struct Inner {
    address: SocketAddr,
    shared: Arc<Shared>,
    wires: Wires,
    runtime: Handle,
    serving: Mutex<Option<JoinHandle<()>>>,
    /// Dropped with the provider, which ends its thread.
    _alive: oneshot::Sender<()>,
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its path.
    pub path: String,
}

impl std::fmt::Debug for IdentityProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityProvider").field("address", &self.inner.address).finish_non_exhaustive()
    }
}

impl IdentityProvider {
    /// Starts a provider on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If it cannot.
    #[must_use]
    pub fn start() -> Self {
        Self::start_by(Arc::new(SystemClock))
    }

    /// The same with a clock of its own, by which its tokens are dated.
    ///
    /// # Panics
    /// If it cannot.
    #[must_use]
    pub fn start_by(clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound listener has an address");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime for the provider");
        let handle = runtime.handle().clone();
        let (alive, gone) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("identity-provider".to_owned())
            .spawn(move || {
                // An error: it only ever ends by being dropped.
                let _ = runtime.block_on(gone);
            })
            .expect("a thread for the provider");
        let shared = Shared {
            origin: format!("http://{address}"),
            clock,
            keys: Mutex::new(vec![TestKey::numbered(0)]),
            rotations: Mutex::default(),
            apps: Mutex::default(),
            asked: Mutex::default(),
            changed: Notify::new(),
            failing: Mutex::default(),
            gate: Mutex::default(),
            replaced: Mutex::default(),
        };
        let inner = Inner {
            address,
            shared: Arc::new(shared),
            wires: Wires::default(),
            runtime: handle,
            serving: Mutex::default(),
            _alive: alive,
        };
        inner.serve(listener);
        Self { inner: Arc::new(inner) }
    }

    /// Scheme, host and port: `http://127.0.0.1:…`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.inner.shared.origin
    }

    /// Where the metadata of channels' keys is.
    #[must_use]
    pub fn channel_metadata(&self) -> String {
        format!("{}/v1/.well-known/openidconfiguration", self.origin())
    }

    /// Where the metadata of the login service is, for this tenant.
    #[must_use]
    pub fn login_metadata(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0/.well-known/openid-configuration", self.origin())
    }

    /// Where tokens are given to apps of this tenant.
    #[must_use]
    pub fn token_endpoint(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.origin())
    }

    /// An app that may ask for tokens, with its secret, in this tenant alone (an id, or `botframework.com`).
    pub fn register(&self, tenant: &str, app_id: &str, secret: &str) {
        let app = App { tenant: tenant.to_owned(), id: app_id.to_owned(), secret: secret.to_owned() };
        locked(&self.inner.shared.apps).push(app);
    }

    /// The key that signs now.
    ///
    /// # Panics
    /// If it was told to have none.
    #[must_use]
    pub fn key(&self) -> TestKey {
        locked(&self.inner.shared.keys).first().cloned().expect("a provider has a key")
    }

    /// Signs with a new key from now on, and lists it alone.
    pub fn rotate(&self) -> TestKey {
        let key = self.next_key();
        self.publish([key.clone()]);
        key
    }

    /// Signs with a new key from now on, and lists it before those of before.
    pub fn rotate_beside(&self) -> TestKey {
        let key = self.next_key();
        locked(&self.inner.shared.keys).insert(0, key.clone());
        key
    }

    /// Lists these keys, and signs with the first.
    pub fn publish(&self, keys: impl IntoIterator<Item = TestKey>) {
        *locked(&self.inner.shared.keys) = keys.into_iter().collect();
    }

    fn next_key(&self) -> TestKey {
        let mut rotations = locked(&self.inner.shared.rotations);
        *rotations += 1;
        TestKey::numbered(*rotations)
    }

    /// A channel's token for the bot `app_id`, valid for an hour: what comes with an activity whose `serviceUrl` is this.
    #[must_use]
    pub fn channel_token(&self, app_id: &str, service_url: &str) -> TestToken {
        let now = self.inner.shared.clock.now().as_second();
        TestToken::new(
            self.key(),
            json!({
                "iss": Cloud::Public.channel_issuer(), "aud": app_id, "serviceurl": service_url,
                "nbf": now, "exp": now + 3600
            }),
        )
    }

    /// The login service's token of the app `app_id` for `audience`, version 1.0, as the [token endpoint](Self::token_endpoint) gives it.
    #[must_use]
    pub fn app_token(&self, tenant: &str, app_id: &str, audience: &str) -> TestToken {
        self.inner.shared.app_token(&self.key(), tenant, app_id, audience)
    }

    /// The same, version 2.0.
    #[must_use]
    pub fn app_token_v2(&self, tenant: &str, app_id: &str, audience: &str) -> TestToken {
        self.app_token(tenant, app_id, audience)
            .claim("iss", format!("{}/{tenant}/v2.0", Cloud::Public.login()))
            .claim("ver", "2.0")
            .claim("azp", app_id)
            .without_claim("appid")
    }

    /// Answers everything with this status from now on; `None`: as it should.
    pub fn fail_with(&self, status: Option<u16>) {
        *locked(&self.inner.shared.failing) = status;
    }

    /// Answers nothing until `gate` is opened.
    pub fn hold(&self, gate: &Gate) {
        *locked(&self.inner.shared.gate) = Some(gate.clone());
    }

    /// Answers requests for this path with this body from now on, and status 200.
    pub fn replace(&self, path: &str, body: impl Into<String>) {
        locked(&self.inner.shared.replaced).insert(path.to_owned(), body.into());
    }

    /// Goes down: closes all connections and refuses new ones until [`up`](Self::up).
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
            let listener = TcpListener::bind(self.inner.address).expect("the port the provider had before");
            self.inner.serve(listener);
        }
    }

    /// What was asked for so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        locked(&self.inner.shared.asked).clone()
    }

    /// How often a path was asked for that ends so: `keys`, `token`, `configuration` (metadata).
    #[must_use]
    pub fn count(&self, end: &str) -> usize {
        locked(&self.inner.shared.asked).iter().filter(|asked| asked.path.ends_with(end)).count()
    }

    /// Waits until so many paths were asked for that end so. What was asked counts when it has come, not when it is answered.
    ///
    /// # Panics
    /// If that takes a minute.
    pub async fn wait_for(&self, end: &str, count: usize) {
        let waiting = async {
            loop {
                let mut changed = pin!(self.inner.shared.changed.notified());
                // Before the look, so that what comes after it is not missed.
                changed.as_mut().enable();
                if self.count(end) >= count {
                    return;
                }
                changed.await;
            }
        };
        // The limit runs on the provider's own clock: a test's may be paused.
        let limit = self.inner.runtime.spawn(async { tokio::time::sleep(STUCK).await });
        tokio::select! {
            () = waiting => {}
            _ = limit => panic!("what was waited for was not asked; what was: {:?}", self.asked()),
        }
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
