//! What can go wrong with state.

use super::StorageError;

/// Why state could not be read or saved. Stored values are never repeated in it: they are what people said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The activity lacks what the state's key is made of.
    #[error("missing activity.{field}: this state is kept by it")]
    Missing {
        /// The activity's field.
        field: &'static str,
    },
    /// This turn and someone else changed the same property.
    #[error(
        "{} of {key} changed on both sides meanwhile: change such properties with `Accessor::update`, which is made \
         again on the fresh value",
        properties.join(", ")
    )]
    Conflict {
        /// The state's key.
        key: String,
        /// The properties that both changed.
        properties: Vec<String>,
    },
    /// The stored value is not of the property's type.
    #[error(
        "the property {property} of {key} is not stored as a {expected}: migrate it or choose another name"
    )]
    Unreadable {
        /// The state's key.
        key: String,
        /// The property.
        property: String,
        /// The Rust type asked for.
        expected: &'static str,
    },
    /// The value cannot be written as JSON.
    #[error("the value for the property {property} cannot be JSON: {reason}")]
    Unwritable {
        /// The property.
        property: String,
        /// What the serializer says.
        reason: String,
    },
    /// What is stored under the key is no state.
    #[error("what is stored under {key} is not a JSON object: state needs a key of its own")]
    NotAnObject {
        /// The state's key.
        key: String,
    },
    /// The storage failed, or others wrote again and again while this turn tried to.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
