//! What is kept for one scope: the token, the fetch under way, and what failed last.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt, Shared};
use jiff::Timestamp;

use super::fetch::{Failed, Issued, Login};
use crate::egress::{BearerToken, TokenError};

/// A token is replaced so long before it expires.
const EARLY: Duration = Duration::from_secs(300);
/// It is not given any more so long before it expires: it takes a while to arrive, and clocks differ.
const LAST_USE: Duration = Duration::from_secs(30);
/// After one that was refused, another is fetched at most this often.
const REPLACED_EVERY: Duration = Duration::from_secs(10);

type Fetch = Shared<BoxFuture<'static, Result<BearerToken, TokenError>>>;

pub(super) struct Slot {
    login: Arc<Login>,
    scope: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    under_way: Option<Fetch>,
    failed: Option<Failure>,
    replaced: Option<Timestamp>,
}

/// A clock that was set back does not make it stand longer.
struct Failure {
    at: Timestamp,
    until: Timestamp,
    error: TokenError,
}

struct Held {
    token: BearerToken,
    refresh_at: Timestamp,
    last_use: Timestamp,
}

impl Held {
    fn new(issued: Issued, asked_at: Timestamp) -> Self {
        let Issued { token, life } = issued;
        let early = EARLY.min(life / 2);
        let end = asked_at + life;
        Self { token, refresh_at: end - early, last_use: end - LAST_USE.min(early) }
    }
}

impl Slot {
    pub(super) fn new(login: Arc<Login>, scope: &str) -> Self {
        Self { login, scope: scope.to_owned(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn token(self: &Arc<Self>) -> Result<BearerToken, TokenError> {
        let fetch = {
            let mut state = self.state();
            let now = self.login.clock.now();
            let good = state.held.as_ref().filter(|held| now < held.last_use);
            let good = good.map(|held| (held.token.clone(), now < held.refresh_at));
            let failed = state.failed.as_ref().filter(|failed| failed.at <= now && now < failed.until);
            match (good, failed) {
                (Some((token, true)), _) | (Some((token, _)), Some(_)) => return Ok(token),
                (Some((token, false)), None) => {
                    // Beside: it is there when the old one ends.
                    drop(self.fetch(&mut state));
                    return Ok(token);
                }
                (None, Some(failed)) => return Err(failed.error.clone()),
                (None, None) => self.fetch(&mut state),
            }
        };
        fetch.await
    }

    /// The fetch under way, or a new one.
    fn fetch(self: &Arc<Self>, state: &mut State) -> Fetch {
        if let Some(under_way) = &state.under_way {
            return under_way.clone();
        }
        let slot = Arc::clone(self);
        // A task of its own: whoever waits may hang up.
        let task = tokio::spawn(async move {
            let asked_at = slot.login.clock.now();
            let result = slot.login.fetch(&slot.scope).await;
            slot.ends(result, asked_at)
        });
        let slot = Arc::clone(self);
        let fetch = async move {
            match task.await {
                Ok(result) => result,
                // It panicked, or its runtime ended: the next who asks tries anew.
                Err(_) => {
                    slot.state().under_way = None;
                    let host = slot.login.url.host_str().unwrap_or_default().to_owned();
                    Err(TokenError::Unavailable { host, why: "the fetch was given up".to_owned() })
                }
            }
        };
        let fetch = fetch.boxed().shared();
        state.under_way = Some(fetch.clone());
        fetch
    }

    fn ends(&self, result: Result<Issued, Failed>, asked_at: Timestamp) -> Result<BearerToken, TokenError> {
        let mut state = self.state();
        state.under_way = None;
        match result {
            Ok(issued) => {
                let token = issued.token.clone();
                state.held = Some(Held::new(issued, asked_at));
                state.failed = None;
                Ok(token)
            }
            Err(Failed { error, stands }) => {
                let at = self.login.clock.now();
                state.failed = Some(Failure { at, until: at + stands, error: error.clone() });
                Err(error)
            }
        }
    }

    pub(super) fn refused(&self, token: &BearerToken) {
        let mut state = self.state();
        let now = self.login.clock.now();
        // Of many who were refused with the same one, the first drops it.
        let current = state.held.as_ref().is_some_and(|held| held.token == *token);
        let lately = state.replaced.is_some_and(|at| now < at + REPLACED_EVERY && at <= now);
        if current && !lately {
            tracing::warn!(
                app_id = self.login.credentials.app_id,
                scope = self.scope,
                "a token was refused: fetching another"
            );
            state.held = None;
            state.failed = None;
            state.replaced = Some(now);
        }
    }
}
