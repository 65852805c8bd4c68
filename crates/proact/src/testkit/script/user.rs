//! A person in a conversation.

use std::time::Duration;

use serde_json::Value;

use super::room::SERVICE_URL;
use super::{Script, TestAdapter};
use crate::activity::{
    Activity, ActivityType, ChannelAccount, ConversationAccount, ConversationKey, ConversationReference,
};
use crate::clock::Clock as _;

/// A person in a conversation with the bot. Cheap to clone; two in one conversation see the same.
///
/// Each of its methods that does something begins a [`Script`], which is to be awaited.
#[derive(Debug, Clone)]
pub struct TestUser {
    pub(super) test: TestAdapter,
    channel: String,
    conversation: ConversationAccount,
    account: ChannelAccount,
}

impl TestUser {
    pub(super) fn new(test: TestAdapter, channel: &str, id: &str) -> Self {
        Self {
            test,
            channel: channel.to_owned(),
            conversation: ConversationAccount::new(id),
            account: ChannelAccount::new(id).with_name(id),
        }
    }

    /// The same person in another conversation.
    #[must_use]
    pub fn in_conversation(&self, id: &str) -> Self {
        Self { conversation: ConversationAccount::new(id), ..self.clone() }
    }

    /// The same person in a conversation of several.
    #[must_use]
    pub fn in_group(&self, id: &str) -> Self {
        let conversation = ConversationAccount { is_group: Some(true), ..ConversationAccount::new(id) };
        Self { conversation, ..self.clone() }
    }

    /// The same person on another channel (`msteams`, `webchat`, …).
    #[must_use]
    pub fn on(&self, channel: &str) -> Self {
        Self { channel: channel.to_owned(), ..self.clone() }
    }

    /// The same person under a name to show; unless said otherwise it is the id.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self { account: self.account.clone().with_name(name), ..self.clone() }
    }

    /// The person's account.
    #[must_use]
    pub fn account(&self) -> &ChannelAccount {
        &self.account
    }

    /// The conversation, for [`notify`](crate::proactive::Proactive::notify).
    ///
    /// # Panics
    /// If its id is empty.
    #[must_use]
    pub fn conversation(&self) -> ConversationKey {
        let id = self.conversation.id.clone().unwrap_or_default();
        ConversationKey::new(&self.channel, id).expect("a conversation of a test has an id")
    }

    /// How the bot reaches the conversation, for
    /// [`continue_conversation`](crate::adapter::Adapter::continue_conversation).
    #[must_use]
    pub fn reference(&self) -> ConversationReference {
        self.address(Activity::default()).reference().without_activity()
    }

    /// What is seen of the bot's in the conversation now: all that it sent, updated where it was updated, and without what it deleted.
    #[must_use]
    pub fn shown(&self) -> Vec<Activity> {
        self.test.room().shown(&self.conversation())
    }

    /// The texts of the messages among [`shown`](Self::shown).
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let messages = self.shown().into_iter().filter(Activity::is_message);
        messages.map(|message| message.text.unwrap_or_default()).collect()
    }

    /// Fills in what a channel fills in, where nothing is said: id, time, where it comes from and whom it is for.
    #[must_use]
    pub fn address(&self, mut activity: Activity) -> Activity {
        let fill = |field: &mut Option<String>, value: &dyn Fn() -> String| {
            field.get_or_insert_with(value);
        };
        fill(&mut activity.id, &|| self.test.room().next_id());
        fill(&mut activity.timestamp, &|| self.test.room().clock.now().to_string());
        fill(&mut activity.channel_id, &|| self.channel.clone());
        fill(&mut activity.service_url, &|| SERVICE_URL.to_owned());
        activity.conversation.get_or_insert_with(|| self.conversation.clone());
        activity.from.get_or_insert_with(|| self.account.clone());
        activity.recipient.get_or_insert_with(|| ChannelAccount::new("bot").with_name("Bot"));
        activity
    }

    /// A `conversationUpdate` in which this person and the bot join.
    #[must_use]
    pub fn joining(&self) -> Activity {
        let bot = ChannelAccount::new("bot").with_name("Bot");
        let mut update = Activity::new(ActivityType::ConversationUpdate);
        update.members_added = vec![bot, self.account.clone()];
        self.address(update)
    }

    /// A script that this person begins.
    pub fn script(&self) -> Script {
        Script::new(self.clone())
    }
}

macro_rules! begin {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $of:ty),*);)+) => {
        /// Steps that begin a script; each is described where [`Script`] has it.
        impl TestUser {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $name(&self, $($argument: $of),*) -> Script {
                    self.script().$name($($argument),*)
                }
            )+
        }
    };
}

begin! {
    /// See [`Script::send`].
    send(activity: impl Into<Activity>);
    /// See [`Script::joins`].
    joins();
    /// See [`Script::event`].
    event(name: &str, value: impl Into<Value>);
    /// See [`Script::invoke`].
    invoke(name: &str, value: impl Into<Value>);
    /// See [`Script::expect`].
    expect(text: impl Into<String>);
    /// See [`Script::expect_containing`].
    expect_containing(part: impl Into<String>);
    /// See [`Script::expect_like`].
    expect_like(fields: impl Into<Value>);
    /// See [`Script::expect_that`].
    expect_that(what: impl Into<String>, holds: impl Fn(&Activity) -> bool + Send + 'static);
    /// See [`Script::expect_with`].
    expect_with(look: impl FnOnce(&Activity) + Send + 'static);
    /// See [`Script::expect_nothing`].
    expect_nothing();
    /// See [`Script::advance`].
    advance(by: Duration);
    /// See [`Script::channel_answers`].
    channel_answers(status: u16);
}
