//! Who takes part in a conversation, and the conversation itself.

wire_struct! {
    /// A person or a bot as a channel knows it (`from`, `recipient`, `membersAdded`, …).
    pub struct ChannelAccount {
        /// The account's id within the channel (`from.id` and `recipient.id` are always sent by channels).
        "id" id: Option<String>,
        /// A name to show; not unique.
        "name" name: Option<String>,
        /// The account's object id in Microsoft Entra ID.
        "aadObjectId" aad_object_id: Option<String>,
        /// `user`, `bot`, `skill` or a newer role.
        "role" role: Option<String>,
        /// The user id of an agentic account.
        "agenticUserId" agentic_user_id: Option<String>,
        /// The application id of an agentic account.
        "agenticAppId" agentic_app_id: Option<String>,
        /// The tenant the account belongs to.
        "tenantId" tenant_id: Option<String>,
    }
}

impl ChannelAccount {
    /// The account with this id and nothing else.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// The account under this name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The account in this role.
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }
}

wire_struct! {
    /// A conversation as a channel knows it. Channels add fields of their own; they are in `extra`.
    pub struct ConversationAccount {
        /// Whether more than two take part.
        "isGroup" is_group: Option<bool>,
        /// The channel's word for its kind; Teams says `personal`, `groupChat` or `channel`.
        "conversationType" conversation_type: Option<String>,
        /// The tenant the conversation belongs to.
        "tenantId" tenant_id: Option<String>,
        /// The conversation's id within the channel; never absent where it counts (Activity protocol A2080).
        "id" id: Option<String>,
        /// A name to show.
        "name" name: Option<String>,
        /// The object id in Microsoft Entra ID.
        "aadObjectId" aad_object_id: Option<String>,
        /// `user`, `bot` or a newer role.
        "role" role: Option<String>,
    }
}

impl ConversationAccount {
    /// The conversation with this id and nothing else.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }
}
