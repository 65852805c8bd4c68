//! What is asked of an activity again and again. Nothing here changes it.

use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{Activity, ActivityType, DecodeError, DeliveryMode};

/// The name of the event that carries a proactive turn.
pub const CONTINUE_CONVERSATION: &str = "ContinueConversation";

/// The name of the event that carries the first turn of a conversation that the bot created.
pub const CREATE_CONVERSATION: &str = "CreateConversation";

impl Activity {
    /// The text; empty when there is none.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The channel's id.
    pub fn channel(&self) -> Option<&str> {
        self.channel_id.as_deref()
    }

    /// The conversation's id.
    pub fn conversation_id(&self) -> Option<&str> {
        self.conversation.as_ref()?.id.as_deref()
    }

    /// The sender's id.
    pub fn from_id(&self) -> Option<&str> {
        self.from.as_ref()?.id.as_deref()
    }

    /// The recipient's id.
    pub fn recipient_id(&self) -> Option<&str> {
        self.recipient.as_ref()?.id.as_deref()
    }

    /// Whether it is a message.
    pub fn is_message(&self) -> bool {
        matches!(self.activity_type, ActivityType::Message)
    }

    /// Whether it is an event, of this name.
    pub fn is_event(&self, name: &str) -> bool {
        matches!(self.activity_type, ActivityType::Event) && self.name.as_deref() == Some(name)
    }

    /// Whether it is the event that carries a proactive turn. Nobody sent it; a transcript skips it.
    pub fn is_continuation(&self) -> bool {
        self.is_event(CONTINUE_CONVERSATION)
    }

    /// Whether it is the event that carries the first turn of a conversation that the bot created. Nobody sent it.
    pub fn is_creation(&self) -> bool {
        self.is_event(CREATE_CONVERSATION)
    }

    /// Whether the sender wants the replies in the answer to its request.
    pub fn expects_replies(&self) -> bool {
        matches!(self.delivery_mode, Some(DeliveryMode::ExpectReplies))
    }

    /// `timestamp` as a time.
    ///
    /// # Errors
    /// When it is there and is not an ISO 8601 time with `Z` or an offset.
    pub fn sent_at(&self) -> Result<Option<Timestamp>, DecodeError> {
        instant("timestamp", self.timestamp.as_deref())
    }

    /// `localTimestamp` as a time at the sender's offset.
    ///
    /// # Errors
    /// When it is there and is not an ISO 8601 time with `Z` or an offset.
    pub fn local_sent_at(&self) -> Result<Option<Zoned>, DecodeError> {
        let text = self.local_timestamp.as_deref();
        let Some(time) = instant("localTimestamp", text)? else { return Ok(None) };
        let offset = text.and_then(|text| Pieces::parse(text).ok()?.to_numeric_offset());
        let zone = offset.map_or(TimeZone::UTC, TimeZone::fixed);
        Ok(Some(time.to_zoned(zone)))
    }

    /// `expiration` as a time: from then on it is too late to deliver the activity.
    ///
    /// # Errors
    /// When it is there and is not an ISO 8601 time with `Z` or an offset.
    pub fn expires_at(&self) -> Result<Option<Timestamp>, DecodeError> {
        instant("expiration", self.expiration.as_deref())
    }
}

fn instant(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, DecodeError> {
    // The parser's own message repeats the text.
    text.map(str::parse).transpose().map_err(|_: jiff::Error| DecodeError::Field {
        field: field.to_owned(),
        problem: "not an ISO 8601 time with an offset".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_kept() {
        let mut activity = Activity {
            timestamp: Some("2026-11-23T12:00:00.1234567Z".into()),
            local_timestamp: Some("2026-11-23T04:00:00.1234567-08:00".into()),
            ..Activity::default()
        };
        let sent = activity.sent_at().unwrap().unwrap();
        let local = activity.local_sent_at().unwrap().unwrap();
        assert_eq!(sent, local.timestamp());
        assert_eq!(local.offset().seconds(), -8 * 3600);
        assert_eq!(activity.expires_at(), Ok(None));
        assert_eq!(activity.timestamp.as_deref(), Some("2026-11-23T12:00:00.1234567Z"));

        activity.expiration = Some("secret".into());
        let error = activity.expires_at().unwrap_err();
        assert_eq!(error.to_string(), "expiration: not an ISO 8601 time with an offset");
    }
}
