//! What an activity says about itself: entities, reactions, highlights, the semantic action.

use serde_json::{Map, Value};

use super::ChannelAccount;

wire_struct! {
    /// Metadata about an activity: `mention`, `clientInfo`, `Place`, `streaminfo`, … (`entities`). All but the type
    /// is in `extra`.
    pub struct Entity {
        /// What the entity is.
        "type" entity_type: Option<String>,
    }
}

impl Entity {
    /// A mention of `mentioned`, written in the activity's text as `text`.
    pub fn mention(mentioned: &ChannelAccount, text: impl Into<String>) -> Self {
        let mut account = Map::new();
        for (key, value) in [("id", &mentioned.id), ("name", &mentioned.name)] {
            if let Some(value) = value {
                account.insert(key.into(), Value::String(value.clone()));
            }
        }
        let mut extra = Map::new();
        extra.insert("mentioned".into(), Value::Object(account));
        extra.insert("text".into(), Value::String(text.into()));
        Self { entity_type: Some("mention".into()), extra }
    }

    /// Whether it is a mention.
    pub fn is_mention(&self) -> bool {
        self.entity_type.as_deref() == Some("mention")
    }

    /// The id of the account that a mention is about.
    pub fn mentioned_id(&self) -> Option<&str> {
        self.mentioned("id")
    }

    /// The name of the account that a mention is about.
    pub fn mentioned_name(&self) -> Option<&str> {
        self.mentioned("name")
    }

    /// The part of the activity's text that a mention stands for.
    pub fn mention_text(&self) -> Option<&str> {
        if self.is_mention() { self.extra.get("text")?.as_str() } else { None }
    }

    fn mentioned(&self, key: &str) -> Option<&str> {
        if self.is_mention() { self.extra.get("mentioned")?.get(key)?.as_str() } else { None }
    }
}

wire_struct! {
    /// A reaction to a message (`reactionsAdded`, `reactionsRemoved`).
    pub struct MessageReaction {
        /// `like`, `plusOne` or what the channel offers.
        "type" reaction_type: Option<String>,
    }
}

wire_struct! {
    /// A part of the replied-to message that stands out (`textHighlights`).
    pub struct TextHighlight {
        /// The text.
        "text" text: Option<String>,
        /// Which of its occurrences is meant, from 1.
        "occurrence" occurrence: Option<i64>,
    }
}

wire_struct! {
    /// The programmatic action that goes with a request (`semanticAction`).
    pub struct SemanticAction {
        /// `start`, `continue` or `done`.
        "state" state: Option<String>,
        /// The action's id.
        "id" id: Option<String>,
        /// Its parameters by name, each an entity.
        "entities" entities: Option<Map<String, Value>>,
    }
}
