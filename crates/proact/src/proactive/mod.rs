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

mod agenda;
mod attempt;
mod backoff;
mod beside;
mod blocks;
mod breaker;
mod clock_back;
mod control;
mod conversation;
mod conversation_queries;
mod counts;
mod deliver;
mod desk;
mod diagram;
mod dispatcher;
mod enqueue;
mod error;
mod ext;
mod flight;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod gate;
mod head;
pub(crate) mod hold;
mod job;
mod job_commands;
mod job_control;
mod job_event;
#[cfg(all(test, feature = "testkit"))]
mod job_model_tests;
mod job_progress;
mod job_progress_delivery;
mod job_queries;
mod job_state;
mod job_token;
mod job_watch;
mod job_worker;
mod journal;
mod lanes;
mod measure;
mod neutral;
mod new;
mod new_job;
mod notification;
mod notification_queries;
mod outcome;
mod page;
mod pause;
mod probe;
mod profile;
mod prune;
mod reach;
mod recent_turns;
mod recorded;
mod release;
mod scan;
mod state;
#[cfg(test)]
mod statement_tests;
mod sweep;
mod take;
mod target;
mod template;
mod turn_rows;

use std::sync::Arc;

pub use backoff::Backoff;
pub use breaker::OpenBreaker;
pub use control::{Cancelled, Replayed, Rescheduled};
pub use conversation::{ConversationView, StoredConversation};
pub use conversation_queries::{ConversationInfo, Dead};
pub use counts::Counts;
pub use dispatcher::DeliveryOptions;
pub use enqueue::Accepted;
pub use error::Error;
pub use ext::{Jobs, ProactiveTurn};
pub use gate::Gate;
pub use hold::{Counters, GAP, Held, Hold};
pub use job::{Completion, Job, JobProgress, Reported};
pub use job_control::{JobEnd, StartedJob};
pub use job_event::{EventAnswer, JobEvent, JobNews, Webhook};
pub use job_progress::ProgressWay;
pub use job_queries::JobFilter;
pub use job_state::JobState;
pub use job_token::JobToken;
pub use job_worker::{WorkerAnswer, WorkerReport, WorkerView};
pub use journal::Journal;
pub use measure::DeliveryFigures;
pub use new::{Content, NewNotification};
pub use new_job::{NewJob, Progress};
pub use notification::{
    Attempt, AttemptOutcome, Cause, FromTemplate, Moment, Notification, Policy, Priority,
};
pub use notification_queries::NotificationFilter;
pub use page::Page;
pub use pause::{Pause, PauseMark, PauseScope};
pub(crate) use reach::LONGEST as LONGEST_REACH;
pub use reach::{NoPlace, Place, Reach};
pub(crate) use release::Summary;
pub use release::{HeldLane, HeldSummary, Release, Released};
pub use state::NotificationState;
pub use template::{Template, TemplateError, TemplateInfo};

use crate::{
    activity::ConversationKey,
    adapter::Adapter,
    store::{Keyed, Store},
};

/// The handle to jobs, notifications and their delivery. Cheap to clone.
#[derive(Clone)]
pub struct Proactive {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
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
        let dispatcher = dispatcher::Dispatcher::open(store.clone(), options).await?;
        Ok(Self { inner: Arc::new(Inner { owed: journal::Owed::default(), turns, dispatcher, store }) })
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

    fn desk(&self) -> Arc<desk::Desk> {
        Arc::clone(self.inner.dispatcher.desk())
    }

    /// What a commit needs to remember a reference.
    fn remembering(&self, remember: Option<conversation::Remember>) -> Option<conversation::RememberAt> {
        remember.map(|remember| conversation::RememberAt { desk: self.desk(), remember })
    }

    /// The store underneath.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
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

    /// One notification with its activity, its attempts and what keeps it waiting at this moment, or `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn notification(&self, id: uuid::Uuid) -> Result<Option<Notification>, Error> {
        let found = self.inner.store.read(notification_queries::ById(id)).await?;
        let Some(notification_queries::Shown { mut notification, own }) = found else { return Ok(None) };
        if notification.state == NotificationState::Waiting {
            notification.gates = Some(own.gates(&self.desk(), &notification));
        }
        Ok(Some(notification))
    }

    /// A page of notifications, newest first, without activities and attempts.
    ///
    /// # Errors
    /// What the store says.
    pub async fn notifications(&self, filter: NotificationFilter) -> Result<Page<Notification>, Error> {
        Ok(self.inner.store.read(filter).await?)
    }

    /// Accepts a notification: durable when this returns, sent when its lane and its moment allow. Under an idempotency key that was used
    /// before with the same content it answers with what that made.
    ///
    /// # Errors
    /// What cannot be meant or sent, an idempotency key that was used for something else, or what the store says.
    pub async fn notify(&self, notification: NewNotification) -> Result<Accepted, Error> {
        self.enqueue(notification, None, None).await
    }

    async fn enqueue(
        &self,
        notification: NewNotification,
        turn: Option<journal::InTurn>,
        remember: Option<conversation::Remember>,
    ) -> Result<Accepted, Error> {
        if let Err(error) = notification.check(self.inner.store.clock().now()) {
            // A request that comes again, after its expiry, gets the answer of the first one.
            return self.accepted_before(&notification).await?.ok_or(error);
        }
        let command = enqueue::Enqueue::new(&self.desk(), notification)?;
        let (key, not_a_start) = turn.map_or((None, None), |turn| (Some(turn.key), turn.not_a_start));
        let digest = key.map(|_| command.digest()).unwrap_or_default();
        let command = (not_a_start, Keyed { key, kind: "notify", digest, command });
        let (_, (_, accepted)) = self.inner.store.commit((self.remembering(remember), command)).await?;
        failpoint!(AfterCommand);
        Ok(accepted)
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
