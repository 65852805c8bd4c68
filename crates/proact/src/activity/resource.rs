//! The bodies of the connector's requests and answers that are not activities.

use serde_json::Value;

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
