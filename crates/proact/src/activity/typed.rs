//! `value`, `channelData`, entities and card contents as the author's own serde types.
//!
//! Reading fails with a [`DecodeError`] that names the field from the activity down (`value.stars`, `entities[1].geo.latitude`). It does
//! not repeat what serde quotes of the body; what an author's own `Deserialize` says in words of its own is kept as it is. Reading leaves
//! the JSON where it was, so that nothing that the author's type does not know is lost. Writing fails only when a type cannot
//! be JSON (a map with keys that are no text).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::wire::{redact, split_path};
use super::{Activity, Attachment, CardAction, DecodeError, Entity};

/// A value of the author's could not be written as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: cannot be written as JSON: {problem}")]
pub struct EncodeError {
    field: &'static str,
    problem: String,
}

impl EncodeError {
    /// The field that it was for, such as `channelData`.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

impl Activity {
    /// `value` as a type of the author's; absent reads like `null`, so ask for an `Option` where it may be absent.
    ///
    /// ```
    /// # use proact::activity::Activity;
    /// #[derive(serde::Deserialize)]
    /// struct Rating { stars: u8 }
    ///
    /// let activity = Activity::event("rated", serde_json::json!({"stars": 5}));
    /// assert_eq!(activity.value_as::<Rating>()?.stars, 5);
    ///
    /// let wrong = Activity::event("rated", serde_json::json!({"stars": "many"}));
    /// assert_eq!(wrong.value_as::<Rating>().err().unwrap().field(), Some("value.stars"));
    /// # Ok::<(), proact::activity::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// When it is not what the type wants; the error names the field.
    pub fn value_as<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        read("value", self.value.as_ref())
    }

    /// `channelData` as a type of the author's; see [`value_as`](Self::value_as).
    ///
    /// # Errors
    /// When it is not what the type wants; the error names the field.
    pub fn channel_data_as<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        read("channelData", self.channel_data.as_ref())
    }

    /// The entities of this type (`clientInfo`, `Place`, …), each as a type of the author's.
    ///
    /// # Errors
    /// When one of them is not what the type wants; the error names the field.
    pub fn entities_as<T: DeserializeOwned>(&self, entity_type: &str) -> Result<Vec<T>, DecodeError> {
        let of_type = |entity: &&Entity| entity.entity_type.as_deref() == Some(entity_type);
        let numbered = self.entities.iter().enumerate().filter(|(_, entity)| of_type(entity));
        numbered.map(|(i, entity)| entity.read_at(&format!("entities[{i}]"))).collect()
    }

    /// With a value of the author's as `value`.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub fn with_value_of<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, EncodeError> {
        Ok(self.with_value(write("value", value)?))
    }

    /// With a value of the author's as `channelData`.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub fn with_channel_data_of<T: Serialize + ?Sized>(self, data: &T) -> Result<Self, EncodeError> {
        Ok(self.with_channel_data(write("channelData", data)?))
    }
}

impl Entity {
    /// An entity made of a value of the author's: a JSON object. Its `type` is `entity_type`, whatever the value says.
    ///
    /// # Errors
    /// When it cannot be a JSON object.
    pub fn of<T: Serialize + ?Sized>(entity_type: impl Into<String>, value: &T) -> Result<Self, EncodeError> {
        let Value::Object(mut extra) = write("entities", value)? else {
            return Err(EncodeError { field: "entities", problem: "not an object".to_owned() });
        };
        extra.remove("type");
        Ok(Self { entity_type: Some(entity_type.into()), extra })
    }

    /// The entity as a type of the author's.
    ///
    /// # Errors
    /// When it is not what the type wants; the error names the field.
    pub fn read_as<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.read_at("entity")
    }

    fn read_at<T: DeserializeOwned>(&self, field: &str) -> Result<T, DecodeError> {
        let mut whole = self.extra.clone();
        if let Some(name) = &self.entity_type {
            whole.insert("type".to_owned(), Value::String(name.clone()));
        }
        read(field, Some(&Value::Object(whole)))
    }
}

impl Attachment {
    /// `content` as a type of the author's.
    ///
    /// # Errors
    /// When it is not what the type wants; the error names the field.
    pub fn content_as<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        read("content", self.content.as_ref())
    }

    /// Content of this media type, made of a value of the author's.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub fn inline_of<T: Serialize + ?Sized>(
        content_type: impl Into<String>,
        content: &T,
    ) -> Result<Self, EncodeError> {
        Ok(Self::inline(content_type, write("content", content)?))
    }
}

impl CardAction {
    /// With a value of the author's as what the button sends.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub fn with_value_of<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, EncodeError> {
        self.value = Some(write("value", value)?).filter(|value| !value.is_null());
        Ok(self)
    }
}

/// Reads a member of an activity; the error begins its path with `field`.
pub(super) fn read<T: DeserializeOwned>(field: &str, value: Option<&Value>) -> Result<T, DecodeError> {
    let json = value.unwrap_or(&Value::Null);
    serde_path_to_error::deserialize(json).map_err(|error| {
        if json.is_null() {
            return DecodeError::Field { field: field.to_owned(), problem: "missing".to_owned() };
        }
        explain(field, error.path(), &error.inner().to_string())
    })
}

fn write<T: Serialize + ?Sized>(field: &'static str, value: &T) -> Result<Value, EncodeError> {
    serde_json::to_value(value).map_err(|error| EncodeError { field, problem: error.to_string() })
}

/// Puts together where it happened: the way from the root that was followed, and what the protocol's types and serde add in words.
#[cold]
fn explain(root: &str, followed: &Path, message: &str) -> DecodeError {
    let mut field = root.to_owned();
    for segment in followed.iter() {
        match segment {
            Segment::Seq { index } => field.push_str(&format!("[{index}]")),
            Segment::Map { key } => push(&mut field, key),
            Segment::Enum { variant } => push(&mut field, variant),
            Segment::Unknown => {}
        }
    }
    let (inner, problem) = split_path(message);
    if let Some(inner) = inner.filter(|inner| !field.ends_with(&format!(".{inner}"))) {
        push_path(&mut field, inner);
    }
    let missing = problem.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    if let Some((name, _)) = missing {
        push(&mut field, name);
        return DecodeError::Field { field, problem: "missing".to_owned() };
    }
    DecodeError::Field { field, problem: redact(problem.to_owned()) }
}

fn push_path(field: &mut String, inner: &str) {
    // The protocol's types say the whole way from their own root; what of it was followed already is not said twice.
    let overlap = (1..=inner.len()).rev().filter(|n| inner.is_char_boundary(*n)).find(|n| {
        let ends_a_step = matches!(inner.as_bytes().get(*n), None | Some(b'.' | b'['));
        ends_a_step && field.ends_with(&format!(".{}", &inner[..*n]))
    });
    let rest = &inner[overlap.unwrap_or(0)..];
    if !rest.is_empty() && !rest.starts_with(['.', '[']) {
        field.push('.');
    }
    field.push_str(rest);
}

/// A member's name; one that a person may have written is not repeated.
fn push(field: &mut String, name: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@' | '$');
    field.push('.');
    field.push_str(if name.len() <= 64 && name.chars().all(plain) { name } else { "?" });
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::activity::ChannelAccount;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read only to see how reading fails")]
    struct Order {
        id: u32,
        lines: Vec<Line>,
        buyer: Option<ChannelAccount>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read only to see how reading fails")]
    struct Line {
        size: Size,
        by_name: Option<HashMap<String, u8>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Size {
        Small,
    }

    fn failure(value: Value) -> (String, String) {
        match Activity::event("order", value).value_as::<Order>() {
            Err(DecodeError::Field { field, problem }) => (field, problem),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_error_names_the_field_and_repeats_nothing() {
        for (value, field) in [
            (json!(null), "value"),
            (json!("secret"), "value"),
            (json!({"lines": []}), "value.id"),
            (json!({"id": "secret", "lines": []}), "value.id"),
            (json!({"id": 1, "lines": {}}), "value.lines"),
            (json!({"id": 1, "lines": [{"size": "secret"}]}), "value.lines[0].size"),
            (json!({"id": 1, "lines": [{"size": "small"}, {}]}), "value.lines[1].size"),
            (
                json!({"id": 1, "lines": [{"size": "small", "by_name": {"a secret": "x"}}]}),
                "value.lines[0].by_name.?",
            ),
            (json!({"id": 1, "lines": [], "buyer": {"name": ["secret"]}}), "value.buyer.name"),
            (json!({"id": 1, "lines": [], "buyer": "secret"}), "value.buyer"),
        ] {
            let (found, problem) = failure(value.clone());
            assert_eq!(found, field, "{value}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let order = json!({"id": 1, "lines": [{"size": "small"}], "more": [null]});
        let activity =
            Activity::message("x").with_value_of(&order).unwrap().with_channel_data_of(&[1, 2]).unwrap();
        assert_eq!(activity.value_as::<Order>().unwrap().id, 1);
        assert_eq!(activity.value, Some(order), "what the type does not know stays");
        assert_eq!(activity.channel_data_as::<[u8; 2]>(), Ok([1, 2]));
        assert_eq!(Activity::message("x").value_as::<Option<Order>>().unwrap().map(|order| order.id), None);

        let place = Entity::of("Place", &json!({"type": "other", "name": "Bern"})).unwrap();
        let activity = Activity::message("x").with_entity(place.clone()).with_entity(Entity::default());
        assert_eq!(
            activity.entities_as::<Value>("Place").unwrap(),
            [json!({"type": "Place", "name": "Bern"})]
        );
        assert_eq!(
            place.read_as::<HashMap<String, u8>>().unwrap_err().field().unwrap().split('.').next(),
            Some("entity")
        );
        let error = activity.entities_as::<HashMap<String, u8>>("Place").unwrap_err();
        assert!(error.field().unwrap().starts_with("entities[0]."), "{error}");
    }

    #[test]
    fn what_cannot_be_json_says_so() {
        let map = HashMap::from([([1, 2], 3)]);
        let error = Activity::message("x").with_value_of(&map).unwrap_err();
        assert_eq!(error.field(), "value");
        assert_eq!(Entity::of("x", &5).unwrap_err().field(), "entities");
    }
}
