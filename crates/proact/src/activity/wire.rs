//! The one macro behind every protocol object, and what it leans on.
//!
//! A type declared with `wire_struct!` keeps unknown fields in `extra`, treats `null` in a known field as absent,
//! writes neither absent fields nor empty lists, and refuses a known field that comes twice. An error is led by the
//! field's path, which is put together while the error travels outwards; decoding that succeeds pays nothing for it.
//!
//! This stands in for `#[serde(flatten)]`, which buffers every object a second time before it reads it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::Serialize;

/// What a field of a protocol object can be: an optional value or a list.
pub(super) trait Field: Serialize + Sized {
    /// Reads the field's value, which may be `null`.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// The field of an object that does not mention it.
    fn missing<E: Error>() -> Result<Self, E>;

    /// Whether the field is left out when the object is written.
    fn is_absent(&self) -> bool;
}

impl<T: Serialize + for<'a> Deserialize<'a>> Field for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn missing<E: Error>() -> Result<Self, E> {
        Ok(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Serialize + for<'a> Deserialize<'a>> Field for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<List<T>>::deserialize(deserializer)?.map_or_else(Self::new, |list| list.0))
    }

    fn missing<E: Error>() -> Result<Self, E> {
        Ok(Self::new())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// A list whose errors say which element they are about.
struct List<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                loop {
                    match seq.next_element() {
                        Ok(Some(element)) => list.push(element),
                        Ok(None) => return Ok(List(list)),
                        Err(error) => return Err(at(&format!("[{}]", list.len()), error)),
                    }
                }
            }
        }

        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

/// Lets [`MapAccess::next_value`] read a [`Field`].
struct Read<T>(T);

impl<'de, T: Field> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Read)
    }
}

/// Reads the value of the field `name` into its slot; a slot that is already filled means the field came twice.
pub(super) fn fill<'de, T: Field, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    name: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(at(name, A::Error::custom("duplicate field")));
    }
    match map.next_value::<Read<T>>() {
        Ok(Read(value)) => {
            *slot = Some(value);
            Ok(())
        }
        Err(error) => Err(at(name, error)),
    }
}

/// The value of a slot once the object has been read.
pub(super) fn settle<T: Field, E: Error>(slot: Option<T>, name: &str) -> Result<T, E> {
    match slot {
        Some(value) => Ok(value),
        None => T::missing().map_err(|error| at(name, error)),
    }
}

/// The error, led by one more step of the path to where it happened.
#[cold]
#[inline(never)]
pub(super) fn at<E: Error>(step: &str, error: E) -> E {
    let message = redact(error.to_string());
    E::custom(match split_path(&message) {
        (Some(path), _) if !path.starts_with('[') => format!("{step}.{message}"),
        (Some(_), _) => format!("{step}{message}"),
        (None, _) => format!("{step}: {message}"),
    })
}

/// Takes a message that [`at`] made apart into path and problem.
///
/// A path has no blanks and no problem of serde's begins with a word and a colon, so the two cannot be confused.
pub(super) fn split_path(message: &str) -> (Option<&str>, &str) {
    match message.split_once(": ") {
        Some((path, problem)) if is_path(path) => (Some(path), problem),
        _ => (None, message),
    }
}

fn is_path(head: &str) -> bool {
    !head.is_empty() && head.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'[' | b']'))
}

/// Drops what serde quotes when it finds a string, or a name, where it wants another: it may be what a person wrote.
pub(super) fn redact(message: String) -> String {
    for (before, after, what) in [
        ("invalid type: string \"", "\", expected ", "invalid type: string"),
        ("invalid value: string \"", "\", expected ", "invalid value: string"),
        ("unknown variant `", "`, expected ", "unknown variant"),
        ("unknown field `", "`, expected ", "unknown field"),
    ] {
        let quoted = message.strip_prefix(before);
        if let Some((_, expected)) = quoted.and_then(|rest| rest.rsplit_once(after)) {
            return format!("{what}, expected {expected}");
        }
        if quoted.is_some() {
            return what.to_owned();
        }
    }
    message
}

/// Declares a protocol object: `"wireName" field: Type,` with an `Option` or a `Vec` for every field.
macro_rules! wire_struct {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* $wire:literal $field:ident: $ty:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $ty,)*
            /// The fields this crate does not know, as they came; they are written again. A key that is the name of
            /// a known field is not written.
            pub extra: serde_json::Map<String, serde_json::Value>,
        }

        const _: () = {
            use std::fmt;

            use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
            use serde::ser::{Serialize, SerializeMap, Serializer};

            use $crate::activity::wire::{self, Field};

            #[expect(non_camel_case_types, reason = "a variant bears the name of its field")]
            enum Key {
                $($field,)*
                Unknown(String),
            }

            impl<'de> Deserialize<'de> for Key {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct KeyVisitor;

                    impl Visitor<'_> for KeyVisitor {
                        type Value = Key;

                        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                            f.write_str("a field name")
                        }

                        fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
                            Ok(match key {
                                $($wire => Key::$field,)*
                                _ => Key::Unknown(key.to_owned()),
                            })
                        }
                    }

                    deserializer.deserialize_identifier(KeyVisitor)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct ObjectVisitor;

                    impl<'de> Visitor<'de> for ObjectVisitor {
                        type Value = $name;

                        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                            f.write_str("an object")
                        }

                        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                            $(let mut $field: Option<$ty> = None;)*
                            let mut extra = serde_json::Map::new();
                            while let Some(next_key) = map.next_key::<Key>()? {
                                match next_key {
                                    $(Key::$field => wire::fill(&mut $field, $wire, &mut map)?,)*
                                    Key::Unknown(name) => {
                                        extra.insert(name, map.next_value()?);
                                    }
                                }
                            }
                            Ok($name { $($field: wire::settle($field, $wire)?,)* extra })
                        }
                    }

                    deserializer.deserialize_map(ObjectVisitor)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let mut map = serializer.serialize_map(None)?;
                    $(if !self.$field.is_absent() {
                        map.serialize_entry($wire, &self.$field)?;
                    })*
                    for (key, value) in &self.extra {
                        if !matches!(key.as_str(), $($wire)|*) {
                            map.serialize_entry(key, value)?;
                        }
                    }
                    map.end()
                }
            }

            /// Shows what is there; an activity has some forty fields, most of them absent.
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    let mut shown = f.debug_struct(stringify!($name));
                    $(if !self.$field.is_absent() {
                        shown.field(stringify!($field), &self.$field);
                    })*
                    if !self.extra.is_empty() {
                        shown.field("extra", &self.extra);
                    }
                    shown.finish()
                }
            }
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(step: &str, inner: &str) -> String {
        at(step, <serde_json::Error as Error>::custom(inner)).to_string()
    }

    #[test]
    fn paths_grow_from_the_inside() {
        assert_eq!(
            message("id", "invalid type: map, expected a string"),
            "id: invalid type: map, expected a string"
        );
        assert_eq!(message("from", "id: duplicate field"), "from.id: duplicate field");
        assert_eq!(message("entities", "[2].type: x"), "entities[2].type: x");
        assert_eq!(message("[0]", "type: x at line 3 column 7"), "[0].type: x at line 3 column 7");
    }

    #[test]
    fn quoted_text_is_dropped_however_it_looks() {
        let wrong = r#"invalid type: string "secret\", expected nothing: invalid type: string \"x", expected a boolean"#;
        assert_eq!(message("isGroup", wrong), "isGroup: invalid type: string, expected a boolean");
    }
}
