//! Conversations that the bot creates.
//!
//! In this order: the channel creates it → the journal remembers how to reach it, durably → its first turn, whose activity is an event
//! named `CreateConversation`, with the new conversation's id as its own. Immediate and not durable, as any proactive turn with a
//! closure: a channel has no key by which it would create a conversation once, so nothing is tried again from here. What failed after
//! the channel had created it says so, with the reference: nothing that exists gets lost.

use std::sync::Arc;

use super::{Adapter, JournalError};
use crate::{
    activity::{
        Activity, ActivityType, CREATE_CONVERSATION, ConversationAccount, ConversationKey,
        ConversationParameters, ConversationReference, MissingField,
    },
    auth::Caller,
    egress,
    turn::{BotError, NewTurn, Outgoing, SendError, TurnContext, TurnKey, TurnKind},
};

/// A conversation to create, and where.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewConversation {
    /// The channel, such as `msteams`.
    pub channel_id: String,
    /// The channel's service URL, as it came with an activity of that channel (of the same tenant and region, on Teams).
    pub service_url: String,
    /// Who takes part, and what begins it.
    pub parameters: ConversationParameters,
}

impl NewConversation {
    /// A conversation to create on a channel, behind its service URL.
    #[must_use]
    pub fn new(
        channel_id: impl Into<String>,
        service_url: impl Into<String>,
        parameters: ConversationParameters,
    ) -> Self {
        Self { channel_id: channel_id.into(), service_url: service_url.into(), parameters }
    }
}

/// Why there is no new conversation, or no turn in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// What is needed to create it is missing. Nothing was created.
    #[error("the conversation cannot be created: {0}")]
    Missing(#[from] MissingField),
    /// The service URL may not be called. Nothing was created.
    #[error("the conversation cannot be created: {0}")]
    Refused(#[from] egress::Refused),
    /// The channel, or the way to it, failed. There may be a conversation all the same if
    /// [`SendError::bytes_may_have_left`].
    #[error("the channel did not say that it created the conversation")]
    Channel(#[source] SendError),
    /// The conversation was created, but could not be put on record, and its first turn was not run. Keep the reference.
    #[error("the conversation was created, but could not be remembered; its first turn was not run")]
    NotRemembered {
        /// How to reach it.
        reference: Box<ConversationReference>,
        /// What happened.
        source: JournalError,
    },
    /// The conversation was created and is remembered; the closure, middleware or the saving of state failed.
    #[error("the first turn of the new conversation failed")]
    Turn {
        /// How to reach it.
        reference: Box<ConversationReference>,
        /// What happened.
        source: BotError,
    },
    /// The adapter is stopping. Nothing was created.
    #[error("the adapter is stopping")]
    Stopping,
}

impl Adapter {
    /// Has the channel create a conversation, remembers how to reach it, and runs `closure` in its first turn: middleware, state and
    /// all. Answers how to reach it; from now on it can be [notified](crate::proactive::Proactive::notify).
    ///
    /// Some channels have one conversation for each person: they answer with that one. In the turn of a conversation with one person,
    /// that person is the activity's sender, so that [user state](crate::state::BotState::user) is theirs.
    ///
    /// ```
    /// # use proact::adapter::{Adapter, CreateError, NewConversation};
    /// use proact::activity::{Activity, ChannelAccount, ConversationParameters};
    ///
    /// # async fn example(adapter: Adapter, came: Activity) -> Result<(), CreateError> {
    /// # let (bot, person) = (came.recipient.clone().unwrap_or_default(), came.from.clone().unwrap_or_default());
    /// # let service_url = came.service_url.clone().unwrap_or_default();
    /// let parameters = ConversationParameters::one_to_one(bot, person);
    /// let reference = adapter
    ///     .create_conversation(NewConversation::new("msteams", service_url, parameters), async |ctx| {
    ///         ctx.send("Between the two of us: your report is there.").await?;
    ///         Ok(())
    ///     })
    ///     .await?;
    /// # let _ = reference;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`CreateError`].
    pub async fn create_conversation<F, R>(
        &self,
        new: NewConversation,
        closure: F,
    ) -> Result<ConversationReference, CreateError>
    where
        F: FnOnce(TurnContext) -> R + Send + 'static,
        R: Future<Output = Result<(), BotError>> + Send + 'static,
    {
        let _counted = self.inner.turns.token();
        if self.inner.closing.is_cancelled() {
            return Err(CreateError::Stopping);
        }
        let NewConversation { channel_id, service_url, parameters } = new;
        if channel_id.is_empty() {
            return Err(MissingField("channelId").into());
        }
        let guard = self.inner.connector.guard();
        guard.check_for(&channel_id, &service_url)?;
        let created = self.inner.outbound.create_conversation(&service_url, &parameters).await;
        let created = created.map_err(CreateError::Channel)?;

        // The channel's own word on where it is; if that may not be called, it is where it was created.
        let told = created.service_url.filter(|url| !url.is_empty());
        let service_url = match told.as_deref().map(|url| guard.check_for(&channel_id, url)) {
            None => service_url,
            Some(Ok(_)) => told.unwrap_or(service_url),
            Some(Err(refused)) => {
                tracing::warn!(%refused, "a new conversation's service URL is not taken: it stays where it was created");
                service_url
            }
        };
        let key = ConversationKey::new(channel_id, created.id.unwrap_or_default())?;
        let reference = reference_to(&key, service_url, &parameters);
        if let Err(source) = self.inner.journal.remember(&reference).await {
            return Err(CreateError::NotRemembered { reference: Box::new(reference), source });
        }

        let ctx = TurnContext::new(NewTurn {
            activity: Box::new(creation(&reference, &parameters)),
            conversation: key,
            key: TurnKey::unique(),
            kind: TurnKind::Proactive,
            caller: Caller::itself(),
            outgoing: Outgoing::Send(Arc::clone(&self.inner.outbound)),
            services: Arc::clone(&self.inner.services),
            reply_ids: false,
        });
        self.inner.journal.attach(&ctx);
        match self.speak(ctx, closure).await {
            Ok(()) => Ok(reference),
            Err(source) => Err(CreateError::Turn { reference: Box::new(reference), source }),
        }
    }
}

fn reference_to(
    key: &ConversationKey,
    service_url: String,
    parameters: &ConversationParameters,
) -> ConversationReference {
    let conversation = ConversationAccount {
        id: Some(key.conversation_id().to_owned()),
        is_group: parameters.is_group,
        tenant_id: parameters.tenant_id.clone(),
        name: parameters.topic_name.clone(),
        ..ConversationAccount::default()
    };
    // With more than one, it is to nobody in particular.
    let user = match parameters.members.as_slice() {
        [person] if parameters.is_group != Some(true) => Some(person.clone()),
        _ => None,
    };
    ConversationReference {
        user,
        bot: parameters.bot.clone(),
        conversation: Some(conversation),
        channel_id: Some(key.channel_id().to_owned()),
        service_url: Some(service_url),
        ..ConversationReference::default()
    }
}

/// The event that begins the first turn (as Bot Framework's SDKs make it).
fn creation(reference: &ConversationReference, parameters: &ConversationParameters) -> Activity {
    let mut activity = Activity::new(ActivityType::Event);
    activity.apply_reference_incoming(reference);
    activity.name = Some(CREATE_CONVERSATION.to_owned());
    activity.id = reference.conversation.as_ref().and_then(|conversation| conversation.id.clone());
    activity.channel_data.clone_from(&parameters.channel_data);
    activity
}
