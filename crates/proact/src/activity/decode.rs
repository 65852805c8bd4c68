//! Bytes to activities and back.
//!
//! Decoding fails on bytes that are not a JSON object with a `type`, on a known field of the wrong type or that comes
//! twice, and on nesting deeper than 128. It does not fail on anything unknown. Encoding does not fail.

use serde::de::{DeserializeOwned, IgnoredAny};

use super::Activity;
use super::wire::split_path;

/// Why bytes are not an activity. No message repeats text from the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are not JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// The bytes are JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A field is missing, of the wrong type, there twice, or not to be read.
    #[error("{field}: {problem}")]
    Field {
        /// The path to the field, such as `membersAdded[2].id`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Something is wrong in a field this crate does not know; in practice, it is nested too deeply.
    #[error("{0}")]
    Unreadable(String),
}

impl DecodeError {
    /// The path to the field that is to blame, such as `membersAdded[2].id`.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Field { field, .. } => Some(field),
            _ => None,
        }
    }
}

impl Activity {
    /// Reads an activity from the body of a request.
    ///
    /// # Errors
    /// [`DecodeError`], when the body is not a JSON object, has no `type` (A2010), or has a known field of the wrong
    /// type.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode(bytes)
    }

    /// Writes the activity as JSON: the known fields that are present, then the unknown ones.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("writing JSON with text keys to memory does not fail")
    }
}

/// Reads any object of the protocol as an activity is read.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(bytes).map_err(|error| explain(bytes, &error))
}

/// The path went into the error's text and made its category `Data`; so the bytes are looked at once more.
#[cold]
fn explain(bytes: &[u8], error: &serde_json::Error) -> DecodeError {
    if let Err(syntax) = serde_json::from_slice::<IgnoredAny>(bytes) {
        return DecodeError::NotJson(syntax.to_string());
    }
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return DecodeError::NotAnObject;
    }
    let message = error.to_string();
    match split_path(&message) {
        (Some(field), problem) => DecodeError::Field { field: field.to_owned(), problem: problem.to_owned() },
        (None, _) => DecodeError::Unreadable(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &str) -> DecodeError {
        Activity::decode(body.as_bytes()).expect_err(body)
    }

    #[test]
    fn the_field_is_named() {
        for (body, field) in [
            (r#"{}"#, "type"),
            (r#"{"type":null}"#, "type"),
            (r#"{"type":""}"#, "type"),
            (r#"{"type":7}"#, "type"),
            (r#"{"type":"message","text":1}"#, "text"),
            (r#"{"type":"message","text":"a","text":"b"}"#, "text"),
            (r#"{"type":"message","text":null,"text":"b"}"#, "text"),
            (r#"{"type":"message","conversation":{"id":5}}"#, "conversation.id"),
            (r#"{"type":"message","conversation":"x"}"#, "conversation"),
            (r#"{"type":"message","membersAdded":[{},{},{"id":true}]}"#, "membersAdded[2].id"),
            (r#"{"type":"message","membersAdded":[{},null]}"#, "membersAdded[1]"),
            (r#"{"type":"message","membersAdded":{}}"#, "membersAdded"),
            (
                r#"{"type":"message","suggestedActions":{"actions":[{"title":[]}]}}"#,
                "suggestedActions.actions[0].title",
            ),
            (
                r#"{"type":"message","relatesTo":{"conversation":{"isGroup":"yes"}}}"#,
                "relatesTo.conversation.isGroup",
            ),
            (r#"{"type":"message","listenFor":["a",{}]}"#, "listenFor[1]"),
            (r#"{"type":"message","text":"\ud800"}"#, "text"),
        ] {
            assert_eq!(error(body).field(), Some(field), "{body}");
        }
    }

    #[test]
    fn what_a_person_wrote_is_not_repeated() {
        for body in [
            r#"{"type":"message","conversation":"secret"}"#,
            r#"{"type":"message","conversation":{"isGroup":"secret\", expected a secret: secret"}}"#,
            r#"{"type":"message","attachments":"secret"}"#,
            r#"{"type":"message","textHighlights":[{"occurrence":"secret"}]}"#,
            r#"{"type":"message","semanticAction":{"entities":"secret"}}"#,
            r#""secret""#,
            r#"{"type":"message","secret":{"secret""#,
        ] {
            let error = error(body);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        assert_eq!(
            error(r#"{"type":"message","conversation":{"id":5}}"#).to_string(),
            "conversation.id: invalid type: integer `5`, expected a string at line 1 column 40"
        );
    }

    #[test]
    fn what_is_no_object_is_told_from_what_is_no_json() {
        assert_eq!(error(" [1]"), DecodeError::NotAnObject);
        assert_eq!(error("5"), DecodeError::NotAnObject);
        assert_eq!(error("null"), DecodeError::NotAnObject);
        for body in ["", "{", r#"{"type":"message""#, r#"{"type":"message",}"#, r#"{"type":"message"} x"#] {
            assert!(matches!(error(body), DecodeError::NotJson(_)), "{body}");
        }
        assert!(matches!(Activity::decode(b"{\"type\":\"\xff\"}"), Err(DecodeError::Field { .. })));
    }

    #[test]
    fn depth_is_limited() {
        let deep =
            |field: &str| format!(r#"{{"type":"message","{field}":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(matches!(error(&deep("unknown")), DecodeError::Unreadable(_)));
        assert_eq!(error(&deep("value")).field(), Some("value"));
    }
}
