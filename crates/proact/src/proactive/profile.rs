//! Channel profiles: what a channel's answers mean beyond their status.
//!
//! 403 has sub-codes. From Teams come `MessageWritesBlocked` (also as error 209: the person blocked or removed the bot),
//! `BotNotInConversationRoster` (the bot was removed) and "User is from different region" (the service URL is another region's, which
//! says nothing about the person). Sources: Microsoft's documentation of proactive messages in Teams and the issues it links to.
//! Where an answer says nothing more, the class of its status decides.

use crate::connector::{Class, Error};

/// What an attempt's error means for its notification and for those behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was not taken; another try can help.
    TryAgain,
    /// Its host cannot be reached, or not without a token that is not to be had: nobody's message gets there.
    Unreachable,
    /// The app is refused: nobody's message gets there.
    Credentials,
    /// Its conversation cannot be written to any more.
    Dead,
    /// It was refused for good.
    Permanent,
    /// The channel does not take edits, or not of this message.
    NoEdits,
    /// It may have been taken.
    Unknown,
}

/// Codes that say that the bot may not write into the conversation, and will not be allowed to by trying.
const GONE: &[&str] = &[
    "MessageWritesBlocked",
    "209",
    "BotNotInConversationRoster",
    "ConversationNotFound",
    "ConversationBlockedByUser",
];
/// Codes that say that the app itself is not let in.
const APP: &[&str] =
    &["Unauthorized", "AuthorizationFailed", "InvalidAuthenticationToken", "BotDisabledByAdmin"];

pub(super) fn verdict(error: &Error) -> Verdict {
    let code = error.code().unwrap_or_default();
    match (error.class(), error.status()) {
        (Class::Unreachable | Class::NoToken, _) => Verdict::Unreachable,
        (Class::Throttled | Class::Busy, _) => Verdict::TryAgain,
        (Class::Unknown, _) => Verdict::Unknown,
        (_, Some(401)) => Verdict::Credentials,
        (_, Some(403)) if APP.contains(&code) => Verdict::Credentials,
        (_, Some(403)) if GONE.contains(&code) => Verdict::Dead,
        (_, Some(404)) => Verdict::Dead,
        (Class::Permanent | Class::Refused, _) => Verdict::Permanent,
    }
}

/// The same for an edit of a message: where the message itself would be refused, it is the edit that is. Channels that cannot edit answer
/// 400, 404, 405 or 501; a message that is gone is 404 too, and says nothing about its conversation.
pub(super) fn verdict_of_edit(error: &Error) -> Verdict {
    match (verdict(error), error.status()) {
        (Verdict::Dead, Some(404)) | (Verdict::Permanent, _) | (_, Some(501)) => Verdict::NoEdits,
        (verdict, _) => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, code: &str) -> Verdict {
        let code = (!code.is_empty()).then(|| code.to_owned());
        verdict(&Error::Status { status, code, message: None, retry_after: None })
    }

    #[test]
    fn a_refusal_is_read_by_its_code() {
        assert_eq!(status(401, ""), Verdict::Credentials);
        assert_eq!(status(403, "AuthorizationFailed"), Verdict::Credentials);
        assert_eq!(status(403, "MessageWritesBlocked"), Verdict::Dead);
        assert_eq!(status(403, "209"), Verdict::Dead);
        assert_eq!(status(403, "BotNotInConversationRoster"), Verdict::Dead);
        assert_eq!(
            status(403, "BadArgument"),
            Verdict::Permanent,
            "another region says nothing about the person"
        );
        assert_eq!(status(403, ""), Verdict::Permanent);
        assert_eq!(status(404, ""), Verdict::Dead);
        assert_eq!(status(400, "Unauthorized"), Verdict::Permanent, "only where the status agrees");
        assert_eq!(status(429, ""), Verdict::TryAgain);
        assert_eq!(status(503, "MessageWritesBlocked"), Verdict::TryAgain);
        assert_eq!(status(502, ""), Verdict::Unknown);
    }

    #[test]
    fn an_edit_that_is_refused_says_nothing_about_the_conversation() {
        let status = |status, code: &str| {
            let code = (!code.is_empty()).then(|| code.to_owned());
            verdict_of_edit(&Error::Status { status, code, message: None, retry_after: None })
        };
        for refused in [400, 403, 404, 405, 409, 413, 415, 501] {
            assert_eq!(status(refused, ""), Verdict::NoEdits, "{refused}");
        }
        assert_eq!(status(403, "MessageWritesBlocked"), Verdict::Dead);
        assert_eq!(status(401, ""), Verdict::Credentials);
        assert_eq!(status(429, ""), Verdict::TryAgain);
        assert_eq!(status(412, ""), Verdict::TryAgain);
        assert_eq!(status(500, ""), Verdict::Unknown);
    }
}
