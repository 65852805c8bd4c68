//! A bot with a method for each kind of activity.

mod dispatch;

use std::future::Future;

use serde_json::Value;

use super::{Bot, BotError, InvokeResponse, TurnContext};
use crate::activity::{
    ChannelAccount, MessageReaction,
    invoke::{
        AdaptiveCardInvoke, FileConsent, LinkQuery, MessageExtensionAction, MessageExtensionQuery,
        SigninFailure, SigninState, TaskRequest, TokenExchangeRequest, TokenResponse,
    },
    teams::{TeamsChannelData, TeamsEvent},
};

type Result = std::result::Result<(), BotError>;
type InvokeResult = std::result::Result<InvokeResponse, BotError>;

/// The event of a finished sign-in.
const TOKENS_RESPONSE: &str = "tokens/response";

fn name_of(ctx: &TurnContext) -> &str {
    ctx.activity().name.as_deref().unwrap_or_default()
}

/// A [`Bot`] that implements only the methods it cares about.
///
/// An activity reaches the most special method there is for it; one that is not written goes on to the more general one that it names,
/// and at last to [`on_other`](Self::on_other), which does nothing. Only a `conversationUpdate` in which some came and others went, or a
/// `messageReaction` of both kinds, reaches two methods. An invoke that nobody handles is answered 501. One whose value is not what its
/// method wants is answered 400, with the field's name, and reaches none.
///
/// ```
/// use proact::{
///     activity::{ChannelAccount, invoke::{AdaptiveCardInvoke, AdaptiveCardResponse}},
///     turn::{ActivityHandler, BotError, InvokeResponse, TurnContext},
/// };
///
/// struct Greeter;
///
/// impl ActivityHandler for Greeter {
///     async fn on_members_added(&self, ctx: &TurnContext, members: &[ChannelAccount]) -> Result<(), BotError> {
///         for member in members {
///             ctx.send(format!("Welcome, {}.", member.name.as_deref().unwrap_or("friend"))).await?;
///         }
///         Ok(())
///     }
///
///     async fn on_adaptive_card_action(&self, _: &TurnContext, action: AdaptiveCardInvoke) -> Result<InvokeResponse, BotError> {
///         Ok(AdaptiveCardResponse::message(format!("You pressed {}.", action.verb())).into())
///     }
/// }
/// ```
pub trait ActivityHandler: Send + Sync + 'static {
    // Messages.

    /// A message. Goes on to [`on_other`](Self::on_other).
    fn on_message(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// A message was changed. Goes on to [`on_other`](Self::on_other).
    fn on_message_update(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// A message was edited: `messageUpdate`, and in Teams its event `editMessage`. Goes on to
    /// [`on_message_update`](Self::on_message_update).
    fn on_message_edit(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_message_update(ctx)
    }

    /// Teams: a deleted message was brought back (event `undeleteMessage`). Goes on to
    /// [`on_message_update`](Self::on_message_update).
    fn on_message_undelete(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_message_update(ctx)
    }

    /// A message was deleted: the one with the activity's id. Goes on to [`on_other`](Self::on_other).
    fn on_message_delete(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// Reactions to a message changed: the one with the activity's `replyToId`. Goes on to [`on_other`](Self::on_other).
    fn on_message_reaction(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// Reactions were added. Goes on to [`on_message_reaction`](Self::on_message_reaction).
    fn on_reactions_added(
        &self,
        ctx: &TurnContext,
        reactions: &[MessageReaction],
    ) -> impl Future<Output = Result> + Send {
        let _ = reactions;
        self.on_message_reaction(ctx)
    }

    /// Reactions were taken back. Goes on to [`on_message_reaction`](Self::on_message_reaction).
    fn on_reactions_removed(
        &self,
        ctx: &TurnContext,
        reactions: &[MessageReaction],
    ) -> impl Future<Output = Result> + Send {
        let _ = reactions;
        self.on_message_reaction(ctx)
    }

    // Who is in the conversation.

    /// The conversation changed and none of the more special methods is for it. Goes on to [`on_other`](Self::on_other).
    fn on_conversation_update(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// Members joined the conversation; the bot itself is not among them. Does nothing unless written.
    fn on_members_added(
        &self,
        ctx: &TurnContext,
        members: &[ChannelAccount],
    ) -> impl Future<Output = Result> + Send {
        let _ = (ctx, members);
        async { Ok(()) }
    }

    /// Members left the conversation; the bot itself is not among them. Does nothing unless written.
    fn on_members_removed(
        &self,
        ctx: &TurnContext,
        members: &[ChannelAccount],
    ) -> impl Future<Output = Result> + Send {
        let _ = (ctx, members);
        async { Ok(()) }
    }

    /// Teams: something happened to a channel of the team (`channelCreated`, `channelRenamed`, …). Goes on to
    /// [`on_conversation_update`](Self::on_conversation_update).
    fn on_teams_channel(
        &self,
        ctx: &TurnContext,
        event: TeamsEvent,
        data: &TeamsChannelData,
    ) -> impl Future<Output = Result> + Send {
        let _ = (event, data);
        self.on_conversation_update(ctx)
    }

    /// Teams: something happened to the team (`teamRenamed`, `teamArchived`, …). Goes on to
    /// [`on_conversation_update`](Self::on_conversation_update).
    fn on_teams_team(
        &self,
        ctx: &TurnContext,
        event: TeamsEvent,
        data: &TeamsChannelData,
    ) -> impl Future<Output = Result> + Send {
        let _ = (event, data);
        self.on_conversation_update(ctx)
    }

    /// The bot was installed or uninstalled. Goes on to [`on_other`](Self::on_other).
    fn on_installation_update(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// The bot was installed (`add`) or got a new version (`add-upgrade`). Goes on to
    /// [`on_installation_update`](Self::on_installation_update).
    fn on_installation_add(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_installation_update(ctx)
    }

    /// The bot was uninstalled (`remove`), or its old version was (`remove-upgrade`). Goes on to
    /// [`on_installation_update`](Self::on_installation_update).
    fn on_installation_remove(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_installation_update(ctx)
    }

    /// The bot was added to (`add`) or removed from (`remove`) a person's contacts: see the activity's `action`. Goes on to
    /// [`on_other`](Self::on_other).
    fn on_contact_relation_update(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    // Everything else that is no call.

    /// An event with this name. Names that mean nothing to the bot are to be ignored (A5002). Goes on to
    /// [`on_other`](Self::on_other).
    fn on_event(&self, ctx: &TurnContext, name: &str) -> impl Future<Output = Result> + Send {
        let _ = name;
        self.on_other(ctx)
    }

    /// A person signed in: the event `tokens/response`. Goes on to [`on_event`](Self::on_event).
    fn on_token_response(
        &self,
        ctx: &TurnContext,
        token: TokenResponse,
    ) -> impl Future<Output = Result> + Send {
        let _ = token;
        self.on_event(ctx, TOKENS_RESPONSE)
    }

    /// The person is writing. Goes on to [`on_other`](Self::on_other).
    fn on_typing(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// The conversation is over: see the activity's `code`. Goes on to [`on_other`](Self::on_other).
    fn on_end_of_conversation(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// Control of the conversation passes on. Goes on to [`on_other`](Self::on_other).
    fn on_handoff(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// A request to do something, to be answered with a `commandResult`. Goes on to [`on_other`](Self::on_other).
    fn on_command(&self, ctx: &TurnContext, name: &str) -> impl Future<Output = Result> + Send {
        let _ = name;
        self.on_other(ctx)
    }

    /// The answer to a command. Goes on to [`on_other`](Self::on_other).
    fn on_command_result(&self, ctx: &TurnContext, name: &str) -> impl Future<Output = Result> + Send {
        let _ = name;
        self.on_other(ctx)
    }

    /// Diagnosis. Goes on to [`on_other`](Self::on_other).
    fn on_trace(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// A private hint about a message. Goes on to [`on_other`](Self::on_other).
    fn on_suggestion(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// A person's data is to be deleted. Goes on to [`on_other`](Self::on_other).
    fn on_delete_user_data(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// An activity of a type that this version does not know, which is to be ignored (A2014). Goes on to
    /// [`on_other`](Self::on_other).
    fn on_unrecognized(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        self.on_other(ctx)
    }

    /// What no method was written for. Does nothing unless written.
    fn on_other(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        let _ = ctx;
        async { Ok(()) }
    }

    // Calls that wait for an answer.

    /// An invoke with this name, which no more special method was written for. The typed way to handle others is [`Invokes`](super::Invokes).
    /// Answers 501 unless written, or what [`TurnContext::set_invoke_response`] was given.
    fn on_invoke(&self, ctx: &TurnContext, name: &str) -> impl Future<Output = InvokeResult> + Send {
        let _ = (ctx, name);
        async { Ok(InvokeResponse::not_implemented()) }
    }

    /// A button of an Adaptive Card (`Action.Execute`): answer with an
    /// [`AdaptiveCardResponse`](crate::activity::invoke::AdaptiveCardResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_adaptive_card_action(
        &self,
        ctx: &TurnContext,
        action: AdaptiveCardInvoke,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = action;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: a dialog is opened: answer with a [`TaskResponse`](crate::activity::invoke::TaskResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_task_fetch(
        &self,
        ctx: &TurnContext,
        request: TaskRequest,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = request;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: a dialog is sent off: answer with a [`TaskResponse`](crate::activity::invoke::TaskResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_task_submit(
        &self,
        ctx: &TurnContext,
        request: TaskRequest,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = request;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: a message extension searches: answer with a
    /// [`MessageExtensionResponse`](crate::activity::invoke::MessageExtensionResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_message_extension_query(
        &self,
        ctx: &TurnContext,
        query: MessageExtensionQuery,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = query;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: a result was chosen; `item` is the `value` of its tap. Answer with a
    /// [`MessageExtensionResponse`](crate::activity::invoke::MessageExtensionResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_message_extension_select_item(
        &self,
        ctx: &TurnContext,
        item: Value,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = item;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: the dialog of an extension is opened: answer with a
    /// [`MessageExtensionResponse`](crate::activity::invoke::MessageExtensionResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_message_extension_fetch_task(
        &self,
        ctx: &TurnContext,
        action: MessageExtensionAction,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = action;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: the dialog of an extension is sent off: answer with a
    /// [`MessageExtensionResponse`](crate::activity::invoke::MessageExtensionResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_message_extension_submit_action(
        &self,
        ctx: &TurnContext,
        action: MessageExtensionAction,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = action;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: a link is to be shown as a card: answer with a
    /// [`MessageExtensionResponse`](crate::activity::invoke::MessageExtensionResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_message_extension_query_link(
        &self,
        ctx: &TurnContext,
        link: LinkQuery,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = link;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: the same for a person who has not installed the app: answer with a
    /// [`MessageExtensionResponse`](crate::activity::invoke::MessageExtensionResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_message_extension_anonymous_query_link(
        &self,
        ctx: &TurnContext,
        link: LinkQuery,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = link;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: the person lets the bot upload the file: answer [`InvokeResponse::ok`]. Goes on to [`on_invoke`](Self::on_invoke).
    fn on_file_consent_accept(
        &self,
        ctx: &TurnContext,
        consent: FileConsent,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = consent;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: the person does not let the bot upload the file: answer [`InvokeResponse::ok`]. Goes on to [`on_invoke`](Self::on_invoke).
    fn on_file_consent_decline(
        &self,
        ctx: &TurnContext,
        consent: FileConsent,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = consent;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// A sign-in by a page came back with a code: answer [`InvokeResponse::ok`]. Goes on to [`on_invoke`](Self::on_invoke).
    fn on_signin_verify_state(
        &self,
        ctx: &TurnContext,
        state: SigninState,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = state;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Single sign-on, the client has a token: answer [`InvokeResponse::ok`], or a
    /// [`TokenExchangeFailure`](crate::activity::invoke::TokenExchangeFailure), after which the client asks the person. Goes on to [`on_invoke`](Self::on_invoke).
    fn on_signin_token_exchange(
        &self,
        ctx: &TurnContext,
        request: TokenExchangeRequest,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = request;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: single sign-on failed at the client: answer [`InvokeResponse::ok`]. Goes on to [`on_invoke`](Self::on_invoke).
    fn on_signin_failure(
        &self,
        ctx: &TurnContext,
        failure: SigninFailure,
    ) -> impl Future<Output = InvokeResult> + Send {
        let _ = failure;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: the bot's settings are opened: answer with a [`ConfigResponse`](crate::activity::invoke::ConfigResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_config_fetch(&self, ctx: &TurnContext, data: Value) -> impl Future<Output = InvokeResult> + Send {
        let _ = data;
        self.on_invoke(ctx, name_of(ctx))
    }

    /// Teams: the bot's settings are sent off: answer with a [`ConfigResponse`](crate::activity::invoke::ConfigResponse). Goes on to [`on_invoke`](Self::on_invoke).
    fn on_config_submit(&self, ctx: &TurnContext, data: Value) -> impl Future<Output = InvokeResult> + Send {
        let _ = data;
        self.on_invoke(ctx, name_of(ctx))
    }
}

impl<H: ActivityHandler> Bot for H {
    async fn on_turn(&self, ctx: &TurnContext) -> Result {
        dispatch::activity(self, ctx).await
    }
}
