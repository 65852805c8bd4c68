//! The members of a JSON body, read by name, each at most once, and nothing beside them.
//!
//! Each is kept as it came until it is read, so that an activity in it loses nothing. Unknown members are refused instead of ignored: one
//! that is misspelt must not be as if it had not been said. Errors name the member.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::problem::Problem;

/// The members of an object.
#[derive(Debug)]
pub(super) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads a body; one without a byte has no members.
    pub(super) fn of(body: &'a [u8]) -> Result<Self, Problem> {
        if body.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let object = "this must be a JSON object, such as {}";
        serde_json::from_slice(body).map_err(|error| Problem::body(format!("{object} ({error})")))
    }

    /// Reads an object within a body; `name` is what it is called there.
    pub(super) fn within(name: &str, object: &'a RawValue) -> Result<Self, Problem> {
        serde_json::from_str(object.get()).map_err(|_| Problem::field(name, "this must be an object"))
    }

    /// Takes the member `name`, if it is there and not `null`.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<&'a RawValue>, Problem> {
        let mut found = None;
        while let Some(at) = self.0.iter().position(|(key, _)| key == name) {
            if found.replace(self.0.swap_remove(at).1).is_some() {
                return Err(Problem::field(name, "give it once"));
            }
        }
        Ok(found.filter(|value| value.get() != "null"))
    }

    /// The member `name`, of any type that is read from JSON; `what` says what it must be.
    pub(super) fn read<T: DeserializeOwned>(&mut self, name: &str, what: &str) -> Result<Option<T>, Problem> {
        let Some(value) = self.take(name)? else { return Ok(None) };
        let wrong = |_| Problem::field(name, format!("this must be {what}"));
        serde_json::from_str(value.get()).map(Some).map_err(wrong)
    }

    /// The member `name`, which must be there.
    pub(super) fn need<T: DeserializeOwned>(&mut self, name: &str, what: &str) -> Result<T, Problem> {
        self.read(name, what)?.ok_or_else(|| Problem::field(name, format!("this is missing: give {what}")))
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.read(name, "a string")
    }

    /// One of some words.
    pub(super) fn word<T>(
        &mut self,
        name: &str,
        words: impl Iterator<Item = &'static str>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(word) = self.text(name)? else { return Ok(None) };
        let wrong = || {
            let words: Vec<_> = words.collect();
            Problem::field(name, format!("this must be one of {}", words.join(", ")))
        };
        parse(&word).map(Some).ok_or_else(wrong)
    }

    /// A time.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<jiff::Timestamp>, Problem> {
        self.read(name, "a time with its offset, such as 2030-01-31T08:55:00Z")
    }

    /// Nothing may be left; `here` is what the object is called, with a dot, if it is within another.
    pub(super) fn end(self, here: &str) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(Problem::field(&format!("{here}{name}"), "there is no such member here")),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
            members.push(entry);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_and_nothing_is_left() {
        let mut members = Members::of(br#"{"a":1,"b":null,"c":"x"}"#).unwrap();
        assert_eq!(members.read::<u8>("a", "a number").unwrap(), Some(1));
        assert_eq!(members.text("b").unwrap(), None);
        assert!(members.need::<String>("d", "a string").is_err());
        assert!(members.end("").is_err(), "c is left");
        assert!(Members::of(br#"{"a":1,"a":2}"#).unwrap().take("a").is_err());
        assert!(Members::of(b"").unwrap().end("").is_ok());
        for wrong in ["[]", "null", "{", "1", "{\"a\":1}x", "\u{0}"] {
            assert!(Members::of(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_and_words_say_what_they_must_be() {
        let mut members = Members::of(br#"{"t":"tomorrow","w":"later","n":1}"#).unwrap();
        assert!(members.time("t").is_err());
        let parse = |word: &str| (word == "now").then_some(());
        let problem = members.word("w", ["now"].into_iter(), parse).unwrap_err();
        assert!(format!("{problem:?}").contains("one of now"));
        assert!(members.text("n").is_err());
    }
}
