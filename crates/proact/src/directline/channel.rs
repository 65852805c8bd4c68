//! The channel's handle.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use super::claims::{Claims, LIFETIME_SECONDS};
use super::commands::{Closed, IsDue, Kept, Place};
use super::error::Problem;
use super::files::Files;
use super::hand_over::ToBot;
use super::held::{HeldRow, ReadGeneration};
use super::hub::Hub;
use super::leave::{By, Leave};
use super::options::{Limits, Options};
use super::queries::{DueConversations, IsOpen, Locate, NewestRow, NextDue, Otherwise};
use super::quota::Quota;
use super::repeated::Repeated;
use super::sign::Signer;
use super::watermark::{Generation, Watermark};
use super::{User, forget, routes};
use crate::app::JsonLimits;
use crate::auth::Authenticator;
use crate::egress::Refused;
use crate::store::{self, Change, Store};

/// Conversations that are resumed at once.
const RESUMED_AT_ONCE: usize = 8;

/// A Direct Line channel; cheap to clone, and clones are the same channel.
#[derive(Clone)]
pub struct Channel(Arc<Inner>);

/// A channel that somebody else keeps, or not.
pub(super) struct WeakChannel(Weak<Inner>);

impl WeakChannel {
    pub(super) fn upgrade(&self) -> Option<Channel> {
        self.0.upgrade().map(Channel)
    }
}

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) signer: Signer,
    pub(super) hub: Arc<Hub>,
    pub(super) to_bot: ToBot,
    pub(super) base_url: Url,
    pub(super) bots: Option<Authenticator>,
    pub(super) leave: Leave,
    pub(super) keep_alive: Duration,
    pub(super) one_stream: bool,
    pub(super) limits: Limits,
    pub(super) json: JsonLimits,
    pub(super) quota: Quota,
    pub(super) files: Files,
    pub(super) repeated: Repeated,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// The newest row that an earlier process wrote; 0 once it has been seen to.
    left_behind: AtomicI64,
    /// Whether what is old is being forgotten already.
    forgets: AtomicBool,
}

/// Why a channel cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The base URL is not one.
    #[error("the channel's own URL is not usable ({reason}): give an absolute http or https one")]
    BaseUrl {
        /// What the parser says.
        reason: String,
    },
    /// The bot's URL may not be called.
    #[error("the bot's URL is not usable: {0}")]
    BotUrl(#[from] Refused),
    /// The store cannot be read, or lacks the channel's tables.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A token, and what goes with it on the wire.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedToken {
    /// The token.
    pub token: String,
    /// The conversation it opens.
    pub conversation_id: String,
    /// The person it speaks for.
    pub user_id: String,
    /// How long it is good for, in seconds.
    #[serde(rename = "expires_in")]
    pub expires_in: i64,
}

impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedToken")
            .field("conversation_id", &self.conversation_id)
            .field("user_id", &self.user_id)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// There is no such conversation.
    #[error("there is no conversation of this id here: ask for a new one")]
    UnknownConversation,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Channel {
    /// Opens the channel on what is stored. Nothing happens until its routes are served and [`resume`](Self::resume)
    /// is called.
    ///
    /// # Errors
    /// [`OpenError`] says which option is not usable.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let Options {
            store,
            guard,
            base_url,
            bot_url,
            secret,
            bots,
            keys,
            sessions,
            files,
            keep_alive,
            one_stream,
            limits,
            json,
        } = options;
        let bad_base = |reason: &str| OpenError::BaseUrl { reason: reason.to_owned() };
        let base = Url::parse(&base_url).map_err(|error| bad_base(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(bad_base("its scheme is neither http nor https"));
        }
        let bot_url = guard.check(&bot_url)?;
        let left_behind = store.read(NewestRow).await?;
        let generation = Generation::named(store.read(ReadGeneration).await?);
        let hub = Arc::new(Hub::of(generation));
        let woken = Arc::clone(&hub);
        store.subscribe(move |changes| {
            for change in changes {
                if let Change::Channel { conversation, seq } = change {
                    woken.wake(conversation, *seq);
                }
            }
        });
        Ok(Self(Arc::new(Inner {
            signer: Signer::new(&secret),
            hub,
            to_bot: ToBot { guard, bot_url, service_url: base_url, store: store.clone() },
            store,
            base_url: base,
            bots,
            leave: Leave { keys, sessions },
            keep_alive,
            one_stream,
            quota: Quota::new(&limits),
            limits,
            json,
            files: Files::new(files),
            repeated: Repeated::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            left_behind: AtomicI64::new(left_behind),
            forgets: AtomicBool::new(false),
        })))
    }

    /// How much is taken, and how long it is kept.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The routes under `/v3/directline` for clients, and under `/v3/conversations` and `/v3/attachments` for bots.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Hands the bot what an earlier process had stored and not handed over: in order within each conversation, under
    /// the same ids. Call it once, when the bot can be reached; later calls find nothing to do. From then on what is
    /// older than its [`Limits`] is forgotten, a round about every ten minutes. What a restore holds is left due, until
    /// this is called after its release.
    ///
    /// # Errors
    /// When the store cannot be read: what was not handed over then is still due at the next start.
    pub async fn resume(&self) -> Result<(), store::Error> {
        if !self.0.forgets.swap(true, Ordering::Relaxed) {
            let weak = WeakChannel(Arc::downgrade(&self.0));
            let always = forget::always(weak, self.0.store.clock(), self.0.stop.clone());
            self.0.tasks.spawn(self.0.store.loops().watch("the channel's pruning", always));
        }
        let up_to = self.0.left_behind.swap(0, Ordering::Relaxed);
        let from = match self.0.store.read(HeldRow).await? {
            Some(held) => {
                self.0.left_behind.store(held, Ordering::Relaxed);
                held
            }
            None => 0,
        };
        let places = self.0.store.read(DueConversations { from, up_to }).await?;
        if !places.is_empty() {
            tracing::info!(conversations = places.len(), "handing over what an earlier process left behind");
        }
        let each = futures_util::stream::iter(places)
            .map(|place| self.resume_one(place, from, up_to))
            .buffer_unordered(RESUMED_AT_ONCE)
            .fold(Ok(()), async |all, one| all.and(one));
        self.0.tasks.track_future(each).await
    }

    /// Forgets what is older than its [`Limits`], now and until nothing is left to forget: history, ids, files, silent
    /// conversations. It goes in small steps with pauses, so that nothing that is due waits for it.
    ///
    /// # Errors
    /// When the store cannot be written or read: what is left is forgotten in the next round.
    pub async fn forget(&self) -> Result<(), store::Error> {
        forget::once(self).await
    }

    async fn resume_one(&self, place: Place, from: i64, up_to: i64) -> Result<(), store::Error> {
        let mut after = 0;
        while let Some(kept) = self.0.store.read(NextDue { place: place.clone(), after, from, up_to }).await?
        {
            after = kept.seq;
            let (to_bot, stop, to, seq) =
                (self.0.to_bot.clone(), self.0.stop.clone(), place.clone(), kept.seq);
            // Its client may send it again meanwhile: then one of the two hands it over, and both get the answer.
            let handed = async move {
                if !to_bot.store.commit(IsDue { place: to.clone(), seq }).await? {
                    return Ok(());
                }
                Ok(to_bot.patiently(&to, &kept, &stop).await.ok_or_else(Problem::stopping)??)
            };
            // What the bot refused is on record, and what comes after it is due all the same.
            let _ = self.0.repeated.once(&place, seq, handed).await;
            if self.0.stop.is_cancelled() {
                break;
            }
        }
        Ok(())
    }

    /// Issues a token for `user`, for a new conversation (which begins when a client starts it) or for one that there
    /// is.
    ///
    /// It asks nobody for permission: that is for the caller to have done.
    ///
    /// # Errors
    /// [`IssueError::UnknownConversation`] when there is no such conversation.
    pub async fn issue_token(
        &self,
        conversation: Option<&str>,
        user: &User,
    ) -> Result<IssuedToken, IssueError> {
        self.issue(conversation, user, None).await
    }

    /// The same, good for as long as `session` holds: [`Options::sessions`] is asked about it.
    ///
    /// # Errors
    /// [`IssueError::UnknownConversation`] when there is no such conversation.
    pub async fn issue_token_within(
        &self,
        session: &str,
        conversation: Option<&str>,
        user: &User,
    ) -> Result<IssuedToken, IssueError> {
        self.issue(conversation, user, Some(By::Session(session.to_owned()))).await
    }

    async fn issue(
        &self,
        conversation: Option<&str>,
        user: &User,
        by: Option<By>,
    ) -> Result<IssuedToken, IssueError> {
        let conversation_id = match conversation {
            None => new_conversation_id(),
            Some(id) => {
                let place = Place::new(id).ok_or(IssueError::UnknownConversation)?;
                self.locate(&place).await?.ok_or(IssueError::UnknownConversation)?;
                id.to_owned()
            }
        };
        let token = self.0.signer.token(&Claims::new(&conversation_id, Some(user), self.now()).by(by));
        Ok(IssuedToken { token, conversation_id, user_id: user.id.clone(), expires_in: LIFETIME_SECONDS })
    }

    /// Stops: streams are closed so that their clients reconnect, clients' new activities are refused with `503`, and
    /// what is being handed over is waited for. The bot can still answer, so keep the routes served until this
    /// returns.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.store.clock().now()
    }

    /// Whether something can be sent to the conversation.
    pub(super) async fn is_open(&self, place: &Place) -> Result<Result<(), Closed>, store::Error> {
        self.0.store.read(IsOpen { place: place.clone() }).await
    }

    /// The number of the newest activity; `None` when there is no such conversation.
    pub(super) async fn locate(&self, place: &Place) -> Result<Option<i64>, store::Error> {
        let (after, otherwise) = (Watermark::Absent, Otherwise::Now);
        self.0.store.read(Locate { place: place.clone(), after, otherwise }).await
    }

    /// Hands over `join` before what comes after it; should that fail, it is tried again with nobody waiting.
    pub(super) async fn tell(&self, place: &Place, join: Kept) {
        if !self.0.to_bot.first_try(place, &join).await {
            self.tell_later(place.clone(), vec![join]);
        }
    }

    /// Hands over `joins` in order, with nobody waiting.
    pub(super) fn tell_later(&self, place: Place, joins: Vec<Kept>) {
        if joins.is_empty() {
            return;
        }
        let channel = self.clone();
        self.0.tasks.spawn(async move {
            for join in joins {
                if channel.0.to_bot.patiently(&place, &join, &channel.0.stop).await.is_none() {
                    break;
                }
            }
        });
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("base_url", &self.0.base_url.as_str()).finish_non_exhaustive()
    }
}

/// Not to be guessed, and safe in a URL: clients put it there as it is.
pub(super) fn new_conversation_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
