//! Where a turn's activities go.

use futures_util::future::BoxFuture;

use super::{BotError, SendError, TurnContext};
use crate::activity::{
    Activity, ConversationParameters, ConversationReference, ConversationResourceResponse, ResourceResponse,
};

/// The channel took an activity.
#[derive(Debug, Clone, Default)]
pub struct Delivered {
    /// The HTTP status that it answered with, if it is reached by HTTP.
    pub status: Option<u16>,
    /// What it answered.
    pub response: ResourceResponse,
}

/// Sends a turn's activities; an adapter's connector, or a test's list.
pub trait Outbound: Send + Sync + 'static {
    /// Sends one activity, which says where it goes (service URL, conversation, `replyToId`). `id`, if given, lets a channel
    /// that takes ids take the activity once.
    fn deliver<'a>(
        &'a self,
        activity: &'a Activity,
        id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Delivered, SendError>>;

    /// Puts the activity in the place of the one with its id, which is there.
    fn update<'a>(&'a self, activity: &'a Activity) -> BoxFuture<'a, Result<Delivered, SendError>>;

    /// Deletes the activity that the reference names, which it does.
    fn delete<'a>(
        &'a self,
        reference: &'a ConversationReference,
    ) -> BoxFuture<'a, Result<Delivered, SendError>>;

    /// Creates a conversation at the channel behind `service_url`. What it answers has the conversation's id.
    fn create_conversation<'a>(
        &'a self,
        service_url: &'a str,
        parameters: &'a ConversationParameters,
    ) -> BoxFuture<'a, Result<ConversationResourceResponse, SendError>>;
}

/// Takes what the turn of a message of the outbox sends beside that message: one notification sends one activity, so it
/// becomes a notification of its own.
pub trait Beside: Send + Sync + 'static {
    /// Puts `activity` on record as the turn's next command: durable when this returns, and once however often the turn is run.
    fn take<'a>(&'a self, ctx: &'a TurnContext, activity: Activity) -> BoxFuture<'a, Result<(), BotError>>;
}

/// The last word on a message of the outbox: asked when the next thing to happen is that its bytes leave.
pub trait Leave: Send + Sync + 'static {
    /// Whether it may still be sent. After `true`, it counts as sent, or perhaps sent.
    fn may_leave(&self) -> bool;
}
