//! The heart: jobs, notifications, and the dispatcher that delivers them.
//!
//! What it promises, in this order:
//!
//! 1. What a call announces is committed and synced before it returns. *Job completed* and *its notification* are one commit.
//! 2. A turn's commands take effect once: they stand on record under (turn, ordinal), see [`ProactiveTurn`].
//! 3. An attempt is durable as begun before its bytes leave; its outcome is committed before the lane goes on.
//! 4. A lane (one conversation) has one attempt in flight and never overtakes itself. Other lanes never notice.
//! 5. When the process dies, what waits is found again; an attempt that was under way is recorded as *unknown*, and the
//!    notification's policy decides.
//!
//! [`Proactive`] is the handle that everything else uses. It implements the adapter's
//! [`TurnJournal`](crate::adapter::TurnJournal) and gives [`TurnContext`](crate::turn::TurnContext) its `jobs()` and `notify()` by [`ProactiveTurn`].

mod attempt;
mod backoff;
mod beside;
mod conversation;
mod deliver;
mod dispatcher;
mod enqueue;
mod error;
mod ext;
pub(crate) mod hold;
mod job;
mod job_commands;
mod job_queries;
mod journal;
mod lanes;
mod notification;
mod notification_queries;
mod prune;
mod recent_turns;
mod release;
mod turn_rows;

use std::sync::Arc;

pub use backoff::Backoff;
pub use conversation::StoredConversation;
pub use dispatcher::DeliveryOptions;
pub use enqueue::NewNotification;
pub use error::Error;
pub use ext::{Jobs, ProactiveTurn};
pub use hold::{Counters, GAP, Held, Hold};
pub use job::{Completion, Job, JobState};
pub use job_queries::JobFilter;
pub use journal::Journal;
pub use notification::{
    Attempt, AttemptOutcome, Cause, Moment, Notification, NotificationState, Policy, Priority,
};
pub use notification_queries::NotificationFilter;
pub(crate) use release::Summary;
pub use release::{HeldLane, HeldSummary, Release, Released};

use crate::{
    activity::{Activity, ConversationKey},
    adapter::Adapter,
    store::{Keyed, Store},
    turn::CommandKey,
};

/// One page of a list, newest first.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<u64>,
    /// How many there are on all pages, when it was asked for.
    pub total: Option<u64>,
}

/// The handle to jobs, notifications and their delivery. Cheap to clone.
#[derive(Clone)]
pub struct Proactive {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    conversations: conversation::Known,
    turns: recent_turns::StoredTurns,
    owed: journal::Owed,
    dispatcher: dispatcher::Dispatcher,
}

impl Proactive {
    /// Opens the engine on `store`: reads what the journal knows of the last day. Nothing is delivered before [`Self::start`].
    ///
    /// # Errors
    /// What the store says.
    pub async fn open(store: Store, options: DeliveryOptions) -> Result<Self, Error> {
        let turns = recent_turns::StoredTurns::load(&store).await?;
        let dispatcher = dispatcher::Dispatcher::new(store.clone(), options);
        Ok(Self {
            inner: Arc::new(Inner {
                conversations: conversation::Known::new(),
                owed: journal::Owed::default(),
                turns,
                dispatcher,
                store,
            }),
        })
    }

    /// Starts to deliver through `adapter`: first settles the attempts that an earlier process left open (as *unknown*), then goes on
    /// with everything that waits. Call it when the channel can be reached.
    ///
    /// # Errors
    /// What the store says.
    pub async fn start(&self, adapter: Adapter) -> Result<(), Error> {
        self.inner.dispatcher.start(adapter).await?;
        prune::start(self.inner.store.clone(), self.inner.dispatcher.stopping());
        Ok(())
    }

    /// Stops beginning attempts and waits for those under way.
    pub async fn stop(&self) {
        self.inner.dispatcher.stop().await;
    }

    /// The store underneath.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Completes a job from outside a turn: by the command line, the HTTP API, another system.
    ///
    /// Job and notification are one commit. With `within`, only a job of that conversation is found.
    ///
    /// # Errors
    /// What the store says; an unknown or finished job is not an error but an answer.
    pub async fn complete_job(
        &self,
        number: u64,
        message: Activity,
        within: Option<ConversationKey>,
    ) -> Result<Completion, Error> {
        self.complete(number, message, within, None, None).await
    }

    async fn complete(
        &self,
        number: u64,
        message: Activity,
        within: Option<ConversationKey>,
        key: Option<CommandKey>,
        remember: Option<conversation::Remember>,
    ) -> Result<Completion, Error> {
        let message = enqueue::outgoing(message)?;
        let scope = within.as_ref().map(ToString::to_string).unwrap_or_default();
        let content: [&[u8]; 3] = [&number.to_be_bytes(), message.as_bytes(), scope.as_bytes()];
        let digest = Keyed::<()>::digest(&content);
        let command = job_commands::Complete { number, within, message };
        let command = Keyed { key, kind: "job.complete", digest, command };
        let (_, completion) = self.inner.store.commit((remember, command)).await?;
        Ok(completion)
    }

    /// One job, or `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn job(&self, number: u64) -> Result<Option<Job>, Error> {
        Ok(self.inner.store.read(job_queries::ByNumber(number)).await?)
    }

    /// A page of the job log, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn jobs(&self, filter: JobFilter) -> Result<Page<Job>, Error> {
        Ok(self.inner.store.read(filter).await?)
    }

    /// One notification with its activity and attempts, or `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn notification(&self, id: uuid::Uuid) -> Result<Option<Notification>, Error> {
        Ok(self.inner.store.read(notification_queries::ById(id)).await?)
    }

    /// A page of notifications, newest first, without activities and attempts.
    ///
    /// # Errors
    /// What the store says.
    pub async fn notifications(&self, filter: NotificationFilter) -> Result<Page<Notification>, Error> {
        Ok(self.inner.store.read(filter).await?)
    }

    /// Accepts a notification: durable when this returns, sent when its lane and its moment allow.
    ///
    /// # Errors
    /// An activity that cannot be sent, or what the store says.
    pub async fn notify(&self, notification: NewNotification) -> Result<uuid::Uuid, Error> {
        self.enqueue(notification, None, None).await
    }

    async fn enqueue(
        &self,
        notification: NewNotification,
        key: Option<CommandKey>,
        remember: Option<conversation::Remember>,
    ) -> Result<uuid::Uuid, Error> {
        let command = enqueue::Enqueue::new(notification)?;
        let digest = Keyed::<()>::digest(&[command.content().as_bytes()]);
        let command = Keyed { key, kind: "notify", digest, command };
        let (_, accepted) = self.inner.store.commit((remember, command)).await?;
        Ok(accepted.id)
    }

    /// What is stored of a conversation, or `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn conversation(&self, key: ConversationKey) -> Result<Option<StoredConversation>, Error> {
        Ok(self.inner.store.read(conversation::ByKey(key)).await?)
    }

    /// Notes that the channel that this process itself serves is reached at `service_url` now. If that was elsewhere before (another
    /// port), what is stored about its conversations moves with it; a channel of the same name elsewhere stays as it is. Answers
    /// how many conversations moved.
    ///
    /// # Errors
    /// What the store says.
    pub async fn channel_reached_at(&self, channel_id: &str, service_url: &str) -> Result<u64, Error> {
        let (channel_id, service_url) = (channel_id.to_owned(), service_url.to_owned());
        Ok(self.inner.store.commit(conversation::ReachedAt { channel_id, service_url }).await?)
    }
}

impl std::fmt::Debug for Proactive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proactive").finish_non_exhaustive()
    }
}
