//! The protocol's types: what Proact reads from a channel and writes to it. No I/O happens here.
//!
//! Promises:
//! * **Nothing is lost.** A field, an activity type or a delivery mode that this crate does not know survives
//!   decode → encode, on the activity and on every object inside it (Activity protocol A2005).
//! * **Absent stays absent.** `null` in a known field means absent, and so does an empty list; neither is written
//!   again. Inside unknown fields, `value`, `content` and `channelData`, everything is kept as it came.
//! * **Failure names the field.** [`Activity::decode`] fails with a [`DecodeError`] that says where
//!   (`membersAdded[2].id`) and never repeats text from the body, so that it may be logged and answered.
//!
//! ```
//! use proact::activity::Activity;
//!
//! let activity = Activity::decode(br#"{"type":"message","text":"done 17","x-new":{"a":null}}"#)?;
//! assert!(activity.is_message());
//! assert_eq!(activity.text(), "done 17");
//! assert!(activity.extra.contains_key("x-new"));
//!
//! let wrong = Activity::decode(br#"{"type":"message","conversation":{"id":5}}"#).unwrap_err();
//! assert_eq!(wrong.field(), Some("conversation.id"));
//! # Ok::<(), proact::activity::DecodeError>(())
//! ```

#[macro_use]
mod wire;
#[macro_use]
mod open_enum;

mod account;
mod attachment;
mod build;
pub mod card;
mod decode;
mod entity;
mod envelope;
pub mod invoke;
mod key;
mod kinds;
mod known_entity;
mod mention;
mod read;
mod reference;
mod resource;
mod secret_text;
pub mod teams;
mod typed;

pub use account::{ChannelAccount, ConversationAccount};
pub use attachment::{Attachment, SuggestedActions};
pub use card::CardAction;
pub use decode::DecodeError;
#[cfg(feature = "directline")]
pub(crate) use decode::decode;
pub use entity::{Entity, MessageReaction, SemanticAction, TextHighlight};
pub use envelope::Activity;
pub use key::{ConversationKey, MissingField, PARTITIONS};
pub use kinds::{
    ActivityType, AttachmentLayout, DeliveryMode, EndOfConversationCode, Importance, InputHint, TextFormat,
};
pub use known_entity::{ClientInfo, GeoCoordinates, Place};
pub use read::{CONTINUE_CONVERSATION, CREATE_CONVERSATION};
pub use reference::ConversationReference;
pub use resource::{
    AttachmentInfo, AttachmentView, ConversationMembers, ConversationParameters,
    ConversationResourceResponse, ConversationsPage, MembersPage, ResourceResponse, Transcript,
};
pub use secret_text::SecretText;
pub use typed::EncodeError;
