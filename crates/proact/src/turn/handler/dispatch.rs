//! Which method an activity is for.

use serde::de::DeserializeOwned;

use super::{ActivityHandler, InvokeResult, Result, TOKENS_RESPONSE, name_of};
use crate::{
    activity::{
        Activity, ActivityType, ChannelAccount,
        invoke::{FileConsent, InvokeName},
        teams::{TeamsChannelData, TeamsEvent},
    },
    turn::{InvokeResponse, TurnContext},
};

pub(super) async fn activity<H: ActivityHandler>(bot: &H, ctx: &TurnContext) -> Result {
    let activity = ctx.activity();
    match activity.activity_type {
        ActivityType::Message => bot.on_message(ctx).await,
        ActivityType::MessageUpdate => match activity.teams_event() {
            Some(TeamsEvent::UndeleteMessage) => bot.on_message_undelete(ctx).await,
            _ => bot.on_message_edit(ctx).await,
        },
        ActivityType::MessageDelete => bot.on_message_delete(ctx).await,
        ActivityType::MessageReaction => reactions(bot, ctx).await,
        ActivityType::ConversationUpdate => conversation(bot, ctx).await,
        ActivityType::InstallationUpdate => match activity.action.as_deref() {
            Some("add" | "add-upgrade") => bot.on_installation_add(ctx).await,
            Some("remove" | "remove-upgrade") => bot.on_installation_remove(ctx).await,
            _ => bot.on_installation_update(ctx).await,
        },
        ActivityType::ContactRelationUpdate => bot.on_contact_relation_update(ctx).await,
        ActivityType::Event => event(bot, ctx).await,
        ActivityType::Invoke => {
            let response = invoke(bot, ctx).await?;
            // Whoever answers through the context instead returns nothing to the point.
            if !response.is_not_implemented() {
                ctx.set_invoke_response(response);
            }
            Ok(())
        }
        ActivityType::Typing => bot.on_typing(ctx).await,
        ActivityType::EndOfConversation => bot.on_end_of_conversation(ctx).await,
        ActivityType::Handoff => bot.on_handoff(ctx).await,
        ActivityType::Command => bot.on_command(ctx, name_of(ctx)).await,
        ActivityType::CommandResult => bot.on_command_result(ctx, name_of(ctx)).await,
        ActivityType::Trace => bot.on_trace(ctx).await,
        ActivityType::Suggestion => bot.on_suggestion(ctx).await,
        ActivityType::DeleteUserData => bot.on_delete_user_data(ctx).await,
        ActivityType::InvokeResponse | ActivityType::Delay => bot.on_other(ctx).await,
        ActivityType::Other(_) => bot.on_unrecognized(ctx).await,
    }
}

async fn reactions<H: ActivityHandler>(bot: &H, ctx: &TurnContext) -> Result {
    let Activity { reactions_added: added, reactions_removed: removed, .. } = ctx.activity();
    if added.is_empty() && removed.is_empty() {
        return bot.on_message_reaction(ctx).await;
    }
    if !added.is_empty() {
        bot.on_reactions_added(ctx, added).await?;
    }
    if !removed.is_empty() {
        bot.on_reactions_removed(ctx, removed).await?;
    }
    Ok(())
}

async fn conversation<H: ActivityHandler>(bot: &H, ctx: &TurnContext) -> Result {
    let activity = ctx.activity();
    if !activity.members_added.is_empty() || !activity.members_removed.is_empty() {
        let others = |members: &[ChannelAccount]| -> Vec<ChannelAccount> {
            let bot = activity.recipient_id();
            members.iter().filter(|member| member.id.as_deref() != bot).cloned().collect()
        };
        let (added, removed) = (others(&activity.members_added), others(&activity.members_removed));
        if !added.is_empty() {
            bot.on_members_added(ctx, &added).await?;
        }
        if !removed.is_empty() {
            bot.on_members_removed(ctx, &removed).await?;
        }
        return Ok(());
    }
    let Some(event) = activity.teams_event() else { return bot.on_conversation_update(ctx).await };
    // What Teams sends beside its event may be of a newer shape; the event stands all the same.
    let data = || activity.teams().unwrap_or_else(|_| TeamsChannelData::default());
    match event {
        TeamsEvent::ChannelCreated
        | TeamsEvent::ChannelRenamed
        | TeamsEvent::ChannelDeleted
        | TeamsEvent::ChannelRestored
        | TeamsEvent::ChannelShared
        | TeamsEvent::ChannelUnshared
        | TeamsEvent::ChannelMemberAdded
        | TeamsEvent::ChannelMemberRemoved => bot.on_teams_channel(ctx, event, &data()).await,
        TeamsEvent::TeamMemberAdded
        | TeamsEvent::TeamMemberRemoved
        | TeamsEvent::TeamRenamed
        | TeamsEvent::TeamArchived
        | TeamsEvent::TeamUnarchived
        | TeamsEvent::TeamDeleted
        | TeamsEvent::TeamHardDeleted
        | TeamsEvent::TeamRestored => bot.on_teams_team(ctx, event, &data()).await,
        _ => bot.on_conversation_update(ctx).await,
    }
}

async fn event<H: ActivityHandler>(bot: &H, ctx: &TurnContext) -> Result {
    let name = name_of(ctx);
    if name == TOKENS_RESPONSE {
        // One without a token that can be read is an event like any other.
        if let Ok(token) = ctx.activity().value_as() {
            return bot.on_token_response(ctx, token).await;
        }
    }
    bot.on_event(ctx, name).await
}

async fn invoke<H: ActivityHandler>(bot: &H, ctx: &TurnContext) -> InvokeResult {
    /// The invoke's value, or the answer that it is not what it should be.
    fn value<T: DeserializeOwned>(ctx: &TurnContext) -> std::result::Result<T, InvokeResponse> {
        ctx.activity().value_as().map_err(|error| InvokeResponse::bad_request(&error))
    }
    macro_rules! with_value {
        ($method:ident) => {
            match value(ctx) {
                Ok(value) => bot.$method(ctx, value).await,
                Err(bad) => Ok(bad),
            }
        };
    }
    match InvokeName::from(name_of(ctx)) {
        InvokeName::AdaptiveCardAction => with_value!(on_adaptive_card_action),
        InvokeName::TaskFetch => with_value!(on_task_fetch),
        InvokeName::TaskSubmit => with_value!(on_task_submit),
        InvokeName::MessageExtensionQuery => with_value!(on_message_extension_query),
        InvokeName::MessageExtensionSelectItem => with_value!(on_message_extension_select_item),
        InvokeName::MessageExtensionFetchTask => with_value!(on_message_extension_fetch_task),
        InvokeName::MessageExtensionSubmitAction => with_value!(on_message_extension_submit_action),
        InvokeName::MessageExtensionQueryLink => with_value!(on_message_extension_query_link),
        InvokeName::MessageExtensionAnonymousQueryLink => {
            with_value!(on_message_extension_anonymous_query_link)
        }
        InvokeName::FileConsent => match value::<FileConsent>(ctx) {
            Ok(consent) => match consent.action.as_deref() {
                Some("accept") => bot.on_file_consent_accept(ctx, consent).await,
                Some("decline") => bot.on_file_consent_decline(ctx, consent).await,
                _ => Ok(InvokeResponse::error(
                    400,
                    "BadArgument",
                    "value.action: neither `accept` nor `decline`",
                )),
            },
            Err(bad) => Ok(bad),
        },
        InvokeName::SigninVerifyState => with_value!(on_signin_verify_state),
        InvokeName::SigninTokenExchange => with_value!(on_signin_token_exchange),
        InvokeName::SigninFailure => with_value!(on_signin_failure),
        InvokeName::ConfigFetch => with_value!(on_config_fetch),
        InvokeName::ConfigSubmit => with_value!(on_config_submit),
        InvokeName::Other(_) => bot.on_invoke(ctx, name_of(ctx)).await,
    }
}
