//! A bot with a method for each kind of activity.

use std::future::Future;

use super::{Bot, BotError, TurnContext};
use crate::activity::{ActivityType, ChannelAccount};

type Result = std::result::Result<(), BotError>;

/// A [`Bot`] that implements only the methods it cares about; each does nothing unless written.
///
/// ```
/// use proact::{activity::ChannelAccount, turn::{ActivityHandler, BotError, TurnContext}};
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
/// }
/// ```
pub trait ActivityHandler: Send + Sync + 'static {
    /// A message.
    fn on_message(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        let _ = ctx;
        async { Ok(()) }
    }

    /// Members joined the conversation; the bot itself is not among them.
    fn on_members_added(
        &self,
        ctx: &TurnContext,
        members: &[ChannelAccount],
    ) -> impl Future<Output = Result> + Send {
        let _ = (ctx, members);
        async { Ok(()) }
    }

    /// Members left the conversation; the bot itself is not among them.
    fn on_members_removed(
        &self,
        ctx: &TurnContext,
        members: &[ChannelAccount],
    ) -> impl Future<Output = Result> + Send {
        let _ = (ctx, members);
        async { Ok(()) }
    }

    /// An event with this name. Names that mean nothing to the bot are to be ignored (A5002).
    fn on_event(&self, ctx: &TurnContext, name: &str) -> impl Future<Output = Result> + Send {
        let _ = (ctx, name);
        async { Ok(()) }
    }

    /// An invoke with this name: answer it with [`TurnContext::set_invoke_response`], or the caller gets 501.
    fn on_invoke(&self, ctx: &TurnContext, name: &str) -> impl Future<Output = Result> + Send {
        let _ = (ctx, name);
        async { Ok(()) }
    }

    /// The bot was installed or uninstalled.
    fn on_installation_update(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        let _ = ctx;
        async { Ok(()) }
    }

    /// Reactions to a message were added or removed.
    fn on_message_reaction(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        let _ = ctx;
        async { Ok(()) }
    }

    /// The person is writing.
    fn on_typing(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        let _ = ctx;
        async { Ok(()) }
    }

    /// Any other activity: a `conversationUpdate` in which nobody came or went, an edited or deleted message, … and those of types that
    /// this version does not know, which are to be ignored (A2014).
    fn on_other(&self, ctx: &TurnContext) -> impl Future<Output = Result> + Send {
        let _ = ctx;
        async { Ok(()) }
    }
}

impl<H: ActivityHandler> Bot for H {
    async fn on_turn(&self, ctx: &TurnContext) -> Result {
        let activity = ctx.activity();
        let name = activity.name.as_deref().unwrap_or_default();
        match activity.activity_type {
            ActivityType::Message => self.on_message(ctx).await,
            ActivityType::ConversationUpdate => {
                if activity.members_added.is_empty() && activity.members_removed.is_empty() {
                    return self.on_other(ctx).await;
                }
                let others = |members: &[ChannelAccount]| -> Vec<ChannelAccount> {
                    let bot = activity.recipient_id();
                    members.iter().filter(|member| member.id.as_deref() != bot).cloned().collect()
                };
                let (added, removed) = (others(&activity.members_added), others(&activity.members_removed));
                if !added.is_empty() {
                    self.on_members_added(ctx, &added).await?;
                }
                if !removed.is_empty() {
                    self.on_members_removed(ctx, &removed).await?;
                }
                Ok(())
            }
            ActivityType::Event => self.on_event(ctx, name).await,
            ActivityType::Invoke => self.on_invoke(ctx, name).await,
            ActivityType::InstallationUpdate => self.on_installation_update(ctx).await,
            ActivityType::MessageReaction => self.on_message_reaction(ctx).await,
            ActivityType::Typing => self.on_typing(ctx).await,
            _ => self.on_other(ctx).await,
        }
    }
}
