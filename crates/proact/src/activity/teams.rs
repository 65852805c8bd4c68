//! What Teams puts into `channelData`.

use serde_json::Value;

use super::{Activity, DecodeError};

wire_struct! {
    /// Teams' `channelData`, as far as it is documented.
    pub struct TeamsChannelData {
        /// What happened, for a `conversationUpdate`, `messageUpdate` or `messageDelete`.
        "eventType" event_type: Option<TeamsEvent>,
        /// The team.
        "team" team: Option<TeamInfo>,
        /// The channel within the team.
        "channel" channel: Option<ChannelInfo>,
        /// The tenant.
        "tenant" tenant: Option<TenantInfo>,
        /// The meeting.
        "meeting" meeting: Option<MeetingInfo>,
        /// On a message of the bot's: whether people are notified by a feed entry or a call.
        "notification" notification: Option<Value>,
        /// What the message was sent with, or the settings of the app: shapes of their own.
        "settings" settings: Option<Value>,
    }
}

wire_struct! {
    /// A team.
    pub struct TeamInfo {
        /// Its id within Teams: `19:…@thread.tacv2`.
        "id" id: Option<String>,
        /// Its name.
        "name" name: Option<String>,
        /// The id of its group in Microsoft Entra ID.
        "aadGroupId" aad_group_id: Option<String>,
        /// The tenant.
        "tenantId" tenant_id: Option<String>,
    }
}

wire_struct! {
    /// A channel of a team.
    pub struct ChannelInfo {
        /// Its id: `19:…@thread.tacv2`.
        "id" id: Option<String>,
        /// Its name; absent for the general one.
        "name" name: Option<String>,
        /// `standard`, `private` or `shared`.
        "type" channel_type: Option<String>,
    }
}

wire_struct! {
    /// A tenant.
    pub struct TenantInfo {
        /// Its id.
        "id" id: Option<String>,
    }
}

wire_struct! {
    /// A meeting.
    pub struct MeetingInfo {
        /// Its id.
        "id" id: Option<String>,
    }
}

open_enum! {
    /// What happened in Teams (`channelData.eventType`).
    pub enum TeamsEvent {
        /// A channel was made.
        ChannelCreated = "channelCreated",
        /// A channel got another name.
        ChannelRenamed = "channelRenamed",
        /// A channel was deleted.
        ChannelDeleted = "channelDeleted",
        /// A channel was brought back.
        ChannelRestored = "channelRestored",
        /// A channel was shared with a team.
        ChannelShared = "channelShared",
        /// A channel is no longer shared with a team.
        ChannelUnshared = "channelUnshared",
        /// Somebody joined a private or shared channel.
        ChannelMemberAdded = "channelMemberAdded",
        /// Somebody left a private or shared channel.
        ChannelMemberRemoved = "channelMemberRemoved",
        /// Somebody joined the team.
        TeamMemberAdded = "teamMemberAdded",
        /// Somebody left the team.
        TeamMemberRemoved = "teamMemberRemoved",
        /// The team got another name.
        TeamRenamed = "teamRenamed",
        /// The team was archived.
        TeamArchived = "teamArchived",
        /// The team was taken out of the archive.
        TeamUnarchived = "teamUnarchived",
        /// The team was deleted.
        TeamDeleted = "teamDeleted",
        /// The team was deleted for good.
        TeamHardDeleted = "teamHardDeleted",
        /// The team was brought back.
        TeamRestored = "teamRestored",
        /// A message was edited.
        EditMessage = "editMessage",
        /// A deleted message was brought back.
        UndeleteMessage = "undeleteMessage",
        /// A message was deleted.
        SoftDeleteMessage = "softDeleteMessage",
    }
}

impl Activity {
    /// What Teams put into `channelData`; nothing where there is none.
    ///
    /// # Errors
    /// When it is not what Teams documents; the error names the field.
    pub fn teams(&self) -> Result<TeamsChannelData, DecodeError> {
        Ok(self.channel_data_as::<Option<_>>()?.unwrap_or_default())
    }

    /// What happened in Teams, if it is an activity of Teams that says so.
    pub fn teams_event(&self) -> Option<TeamsEvent> {
        if self.channel() != Some("msteams") {
            return None;
        }
        Some(self.channel_data.as_ref()?.get("eventType")?.as_str()?.into())
    }
}
