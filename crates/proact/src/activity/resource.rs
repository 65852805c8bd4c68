//! The bodies of the connector's requests and answers that are not activities.

use serde_json::{Value, json};

use super::{Activity, ChannelAccount};

wire_struct! {
    /// What a channel answers when it took an activity.
    pub struct ResourceResponse {
        /// The id the channel gave it; some channels give none.
        "id" id: Option<String>,
    }
}

impl ResourceResponse {
    /// The answer with this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }
}

wire_struct! {
    /// What a bot sends to create a conversation (`POST /v3/conversations`).
    pub struct ConversationParameters {
        /// Whether more than two are to take part.
        "isGroup" is_group: Option<bool>,
        /// The bot that creates it.
        "bot" bot: Option<ChannelAccount>,
        /// Who else takes part.
        "members" members: Vec<ChannelAccount>,
        /// The conversation's name.
        "topicName" topic_name: Option<String>,
        /// The tenant to create it in.
        "tenantId" tenant_id: Option<String>,
        /// Its first activity.
        "activity" activity: Option<Box<Activity>>,
        /// Data in the channel's own shape.
        "channelData" channel_data: Option<Value>,
    }
}

impl ConversationParameters {
    /// A conversation of the bot with one person.
    pub fn one_to_one(bot: ChannelAccount, person: ChannelAccount) -> Self {
        Self { is_group: Some(false), bot: Some(bot), members: vec![person], ..Self::default() }
    }

    /// A conversation of the bot with several people.
    pub fn group(bot: ChannelAccount, people: impl IntoIterator<Item = ChannelAccount>) -> Self {
        let members = people.into_iter().collect();
        Self { is_group: Some(true), bot: Some(bot), members, ..Self::default() }
    }

    /// A new thread in a channel of a team, begun by `first`, as Teams wants it: `channelData` names the channel.
    pub fn channel_thread(bot: ChannelAccount, channel_id: &str, first: Activity) -> Self {
        Self {
            is_group: Some(true),
            bot: Some(bot),
            activity: Some(Box::new(first)),
            channel_data: Some(json!({ "channel": { "id": channel_id } })),
            ..Self::default()
        }
    }

    /// In this tenant. Teams wants to be told for one to one.
    pub fn with_tenant(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// With this as the first activity.
    pub fn with_activity(mut self, activity: impl Into<Activity>) -> Self {
        self.activity = Some(Box::new(activity.into()));
        self
    }

    /// Under this name.
    pub fn with_topic(mut self, topic: impl Into<String>) -> Self {
        self.topic_name = Some(topic.into());
        self
    }
}

wire_struct! {
    /// What a channel answers when it created a conversation.
    pub struct ConversationResourceResponse {
        /// The id of the first activity, when there was one.
        "activityId" activity_id: Option<String>,
        /// Where to send to from now on.
        "serviceUrl" service_url: Option<String>,
        /// The conversation's id.
        "id" id: Option<String>,
    }
}

wire_struct! {
    /// A page of the conversations that the bot takes part in (`GET /v3/conversations`).
    pub struct ConversationsPage {
        /// What to ask for the next page with; absent on the last one.
        "continuationToken" continuation_token: Option<String>,
        /// What is on it.
        "conversations" conversations: Vec<ConversationMembers>,
    }
}

wire_struct! {
    /// A conversation and who takes part in it.
    pub struct ConversationMembers {
        /// The conversation's id.
        "id" id: Option<String>,
        /// Its members, of whom the bot may be one.
        "members" members: Vec<ChannelAccount>,
    }
}

wire_struct! {
    /// A page of a conversation's members (`GET /v3/conversations/{id}/pagedmembers`).
    pub struct MembersPage {
        /// What to ask for the next page with; absent on the last one.
        "continuationToken" continuation_token: Option<String>,
        /// What is on it.
        "members" members: Vec<ChannelAccount>,
    }
}

wire_struct! {
    /// Activities of the past, to be put into a conversation's history (`POST …/activities/history`).
    pub struct Transcript {
        /// The activities, oldest first.
        "activities" activities: Vec<Activity>,
    }
}

wire_struct! {
    /// What a channel knows of an attachment that it keeps (`GET /v3/attachments/{id}`).
    pub struct AttachmentInfo {
        /// Its name, of a file mostly.
        "name" name: Option<String>,
        /// Its media type.
        "type" content_type: Option<String>,
        /// The forms in which it can be had.
        "views" views: Vec<AttachmentView>,
    }
}

wire_struct! {
    /// A form in which an attachment can be had.
    pub struct AttachmentView {
        /// Its id: `original`, `thumbnail`, or one of the channel's own.
        "viewId" view_id: Option<String>,
        /// Its size in bytes.
        "size" size: Option<u64>,
    }
}
