//! The activity handler: each kind of activity reaches the most special method, and what is not written goes on.

use std::sync::{Arc, Mutex};

use proact::{
    activity::{
        Activity, ActivityType, ChannelAccount, EndOfConversationCode, MessageReaction,
        invoke::TokenResponse,
        teams::{TeamsChannelData, TeamsEvent},
    },
    turn::{ActivityHandler, BotError, TurnContext},
};
use serde_json::{Value, json};

use super::book::{Book, message, post};

type Log = Arc<Mutex<Vec<String>>>;
type Done = Result<(), BotError>;

/// Has all the special methods.
struct Special(Log);

/// Has only the general ones.
struct General(Log);

fn note(log: &Log, what: impl Into<String>) -> Done {
    log.lock().unwrap().push(what.into());
    Ok(())
}

macro_rules! notes {
    ($($method:ident)*) => {
        $(async fn $method(&self, _: &TurnContext) -> Done {
            note(&self.0, stringify!($method))
        })*
    };
}

impl ActivityHandler for Special {
    notes! {
        on_message on_message_update on_message_edit on_message_undelete on_message_delete on_message_reaction
        on_conversation_update on_installation_update on_installation_add on_installation_remove
        on_contact_relation_update on_typing on_end_of_conversation on_handoff on_trace on_suggestion
        on_delete_user_data on_unrecognized on_other
    }

    async fn on_reactions_added(&self, _: &TurnContext, reactions: &[MessageReaction]) -> Done {
        note(&self.0, format!("added {}", reactions.len()))
    }
    async fn on_reactions_removed(&self, _: &TurnContext, reactions: &[MessageReaction]) -> Done {
        note(&self.0, format!("removed {}", reactions.len()))
    }
    async fn on_members_added(&self, _: &TurnContext, members: &[ChannelAccount]) -> Done {
        note(&self.0, format!("came {}", members.len()))
    }
    async fn on_members_removed(&self, _: &TurnContext, members: &[ChannelAccount]) -> Done {
        note(&self.0, format!("went {}", members.len()))
    }
    async fn on_teams_channel(&self, _: &TurnContext, event: TeamsEvent, data: &TeamsChannelData) -> Done {
        let name = data.channel.as_ref().and_then(|channel| channel.name.clone());
        note(&self.0, format!("channel {event} {}", name.unwrap_or_default()))
    }
    async fn on_teams_team(&self, _: &TurnContext, event: TeamsEvent, data: &TeamsChannelData) -> Done {
        let id = data.team.as_ref().and_then(|team| team.id.clone());
        note(&self.0, format!("team {event} {}", id.unwrap_or_default()))
    }
    async fn on_event(&self, _: &TurnContext, name: &str) -> Done {
        note(&self.0, format!("event {name}"))
    }
    async fn on_token_response(&self, _: &TurnContext, token: TokenResponse) -> Done {
        assert!(!format!("{token:?}").contains("secret"), "a token is not shown");
        note(&self.0, format!("token {}", token.token.unwrap().expose()))
    }
    async fn on_command(&self, _: &TurnContext, name: &str) -> Done {
        note(&self.0, format!("command {name}"))
    }
    async fn on_command_result(&self, _: &TurnContext, name: &str) -> Done {
        note(&self.0, format!("result {name}"))
    }
}

impl ActivityHandler for General {
    notes! { on_message_update on_message_reaction on_conversation_update on_installation_update on_other }

    async fn on_event(&self, _: &TurnContext, name: &str) -> Done {
        note(&self.0, format!("event {name}"))
    }
}

/// An activity of a type, with some fields of it.
fn of(activity_type: ActivityType, fields: Value) -> Activity {
    let mut json = serde_json::to_value(message("c", "t")).unwrap();
    json.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    // Each is another activity, and none a repetition.
    json["id"] = json!(uuid::Uuid::new_v4());
    json["type"] = json!(activity_type);
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn each_reaches_the_most_special_method_and_goes_on_to_the_general_one() {
    use ActivityType as T;
    let (special, general) = (Log::default(), Log::default());
    let adapters = [
        Book::default().adapter(Special(Arc::clone(&special))),
        Book::default().adapter(General(Arc::clone(&general))),
    ];
    let teams = |event: &str| json!({"channelId": "msteams", "channelData": {"eventType": event, "team": {"id": "19:t"}, "channel": {"id": "19:c", "name": "ops"}}});
    let other = "on_other";
    for (activity, reaches, goes_on_to) in [
        (of(T::Message, json!({})), "on_message", other),
        (of(T::MessageUpdate, json!({})), "on_message_edit", "on_message_update"),
        (of(T::MessageUpdate, teams("editMessage")), "on_message_edit", "on_message_update"),
        (of(T::MessageUpdate, teams("undeleteMessage")), "on_message_undelete", "on_message_update"),
        (
            of(T::MessageUpdate, json!({"channelData": {"eventType": "undeleteMessage"}})),
            "on_message_edit",
            "on_message_update",
        ),
        (of(T::MessageDelete, teams("softDeleteMessage")), "on_message_delete", other),
        (of(T::MessageReaction, json!({})), "on_message_reaction", "on_message_reaction"),
        (
            of(T::MessageReaction, json!({"reactionsAdded": [{"type": "like"}]})),
            "added 1",
            "on_message_reaction",
        ),
        (
            of(
                T::MessageReaction,
                json!({"reactionsAdded": [{"type": "like"}], "reactionsRemoved": [{}, {}]}),
            ),
            "added 1,removed 2",
            "on_message_reaction,on_message_reaction",
        ),
        (
            of(T::ConversationUpdate, json!({"topicName": "x"})),
            "on_conversation_update",
            "on_conversation_update",
        ),
        (of(T::ConversationUpdate, json!({"membersAdded": [{"id": "bot"}]})), "", ""),
        (
            of(
                T::ConversationUpdate,
                json!({"membersAdded": [{"id": "bot"}, {"id": "a"}, {}], "membersRemoved": [{"id": "b"}]}),
            ),
            "came 2,went 1",
            "",
        ),
        (
            of(T::ConversationUpdate, teams("channelRenamed")),
            "channel channelRenamed ops",
            "on_conversation_update",
        ),
        (
            of(T::ConversationUpdate, teams("teamHardDeleted")),
            "team teamHardDeleted 19:t",
            "on_conversation_update",
        ),
        (of(T::ConversationUpdate, teams("brandNew")), "on_conversation_update", "on_conversation_update"),
        (
            of(
                T::ConversationUpdate,
                json!({"channelId": "msteams", "channelData": {"eventType": "teamArchived", "team": 5}}),
            ),
            "team teamArchived ",
            "on_conversation_update",
        ),
        (
            of(
                T::ConversationUpdate,
                json!({"channelId": "other", "channelData": {"eventType": "teamArchived"}}),
            ),
            "on_conversation_update",
            "on_conversation_update",
        ),
        (
            of(T::InstallationUpdate, json!({"action": "add"})),
            "on_installation_add",
            "on_installation_update",
        ),
        (
            of(T::InstallationUpdate, json!({"action": "add-upgrade"})),
            "on_installation_add",
            "on_installation_update",
        ),
        (
            of(T::InstallationUpdate, json!({"action": "remove"})),
            "on_installation_remove",
            "on_installation_update",
        ),
        (of(T::InstallationUpdate, json!({})), "on_installation_update", "on_installation_update"),
        (of(T::ContactRelationUpdate, json!({"action": "add"})), "on_contact_relation_update", other),
        (of(T::Event, json!({"name": "n"})), "event n", "event n"),
        (
            of(T::Event, json!({"name": "tokens/response", "value": {"token": "secret"}})),
            "token secret",
            "event tokens/response",
        ),
        (
            of(T::Event, json!({"name": "tokens/response", "value": 5})),
            "event tokens/response",
            "event tokens/response",
        ),
        (of(T::Typing, json!({})), "on_typing", other),
        (
            of(T::EndOfConversation, json!({"code": EndOfConversationCode::UserCancelled})),
            "on_end_of_conversation",
            other,
        ),
        (of(T::Handoff, json!({})), "on_handoff", other),
        (of(T::Command, json!({"name": "n"})), "command n", other),
        (of(T::CommandResult, json!({"name": "n"})), "result n", other),
        (of(T::Trace, json!({})), "on_trace", other),
        (of(T::Suggestion, json!({})), "on_suggestion", other),
        (of(T::DeleteUserData, json!({})), "on_delete_user_data", other),
        (of("brandNew".into(), json!({})), "on_unrecognized", other),
        (of(T::InvokeResponse, json!({})), other, other),
    ] {
        for (adapter, log, expected) in
            [(&adapters[0], &special, reaches), (&adapters[1], &general, goes_on_to)]
        {
            assert_eq!(post(adapter, &activity).await.unwrap().status, 200);
            let found = std::mem::take(&mut *log.lock().unwrap()).join(",");
            assert_eq!(found, expected, "{activity:?}");
        }
    }
}

#[tokio::test]
async fn a_handler_without_methods_does_nothing() {
    struct Idle;
    impl ActivityHandler for Idle {}
    let adapter = Book::default().adapter(Idle);
    assert_eq!(post(&adapter, &message("c", "x")).await.unwrap().status, 200);
    let invoke = of(ActivityType::Invoke, json!({"name": "task/fetch", "value": {}}));
    assert_eq!(post(&adapter, &invoke).await.unwrap().status, 501);
}
