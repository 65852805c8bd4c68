//! A person in a conversation, as the channel speaks for them to the bot.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use uuid::Uuid;

use crate::activity::{Activity, ActivityType, ChannelAccount, ConversationAccount};

/// A person in a conversation: builds activities as a channel does and posts them to a bot.
///
/// Every activity that is built has an id of its own; posting one again repeats it, as channels do that got no answer.
#[derive(Clone, Debug)]
pub struct FakeUser {
    service_url: String,
    channel: String,
    conversation: String,
    user: String,
    bot: String,
    http: reqwest::Client,
}

/// What the bot answered.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

impl Posted {
    /// Whether the bot acknowledged the activity.
    #[must_use]
    pub fn acknowledged(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The bot gave no answer: it may have handled the activity or not.
#[derive(Debug, thiserror::Error)]
#[error("the bot gave no answer")]
pub struct NoAnswer(#[source] reqwest::Error);

impl FakeUser {
    pub(super) fn new(service_url: String, conversation: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client without TLS has nothing that can fail to load");
        Self {
            service_url,
            channel: "test".to_owned(),
            conversation: conversation.to_owned(),
            user: "user".to_owned(),
            bot: "bot".to_owned(),
            http,
        }
    }

    /// The same person on another channel (`webchat`, `msteams`, …).
    #[must_use]
    pub fn on(self, channel: &str) -> Self {
        Self { channel: channel.to_owned(), ..self }
    }

    /// Another person in the same conversation.
    #[must_use]
    pub fn named(self, user: &str) -> Self {
        Self { user: user.to_owned(), ..self }
    }

    /// The same person in another conversation, over the same connections.
    #[must_use]
    pub fn in_conversation(&self, conversation: &str) -> Self {
        Self { conversation: conversation.to_owned(), ..self.clone() }
    }

    /// An activity of any type from this person to the bot.
    #[must_use]
    pub fn activity(&self, activity_type: ActivityType) -> Activity {
        self.address(Activity::new(activity_type))
    }

    /// A message.
    #[must_use]
    pub fn message(&self, text: &str) -> Activity {
        self.address(Activity::message(text))
    }

    /// An event.
    #[must_use]
    pub fn event(&self, name: &str, value: impl Into<Value>) -> Activity {
        self.address(Activity::event(name, value))
    }

    /// A `conversationUpdate`: the person and the bot join.
    #[must_use]
    pub fn joined(&self) -> Activity {
        let mut activity = self.activity(ActivityType::ConversationUpdate);
        activity.members_added = vec![ChannelAccount::new(&self.bot), ChannelAccount::new(&self.user)];
        activity
    }

    /// Fills in what a channel fills in: id, time, where it comes from and whom it is for.
    #[must_use]
    pub fn address(&self, activity: Activity) -> Activity {
        let conversation = ConversationAccount { id: Some(self.conversation.clone()), ..Default::default() };
        Activity { timestamp: Some(jiff::Timestamp::now().to_string()), ..activity }
            .with_id(Uuid::now_v7().to_string())
            .with_channel(&self.channel)
            .with_service_url(&self.service_url)
            .with_conversation(conversation)
            .with_from(ChannelAccount::new(&self.user))
            .with_recipient(ChannelAccount::new(&self.bot))
    }

    /// Posts an activity to the bot's messaging endpoint.
    ///
    /// # Errors
    /// If the bot gave no answer.
    pub async fn post(&self, bot_url: &str, activity: &Activity) -> Result<Posted, NoAnswer> {
        let request = self.http.post(bot_url).header("content-type", "application/json");
        let response = request.body(activity.encode()).send().await.map_err(NoAnswer)?;
        let status = response.status().as_u16();
        Ok(Posted { status, body: response.bytes().await.map_err(NoAnswer)? })
    }

    /// Says something to the bot.
    ///
    /// # Errors
    /// If the bot gave no answer.
    pub async fn say(&self, bot_url: &str, text: &str) -> Result<Posted, NoAnswer> {
        self.post(bot_url, &self.message(text)).await
    }
}
