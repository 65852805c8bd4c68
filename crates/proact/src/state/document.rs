//! One state as a turn sees it: what was stored, what the turn made of it, and how.
//!
//! A state is one JSON object under one key; its members are the properties. No I/O happens here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Expect, StateChange, StateError, StoreItem};

/// A change that can be made again on another value: from the property's value, if it has one, to the new one.
pub(super) type Update = Arc<dyn Fn(Option<&Value>) -> Result<Value, StateError> + Send + Sync>;

/// How a turn changed a property.
enum How {
    /// It was set or deleted, on the strength of what the turn had seen.
    Written,
    /// It was only ever updated; the same can be done to a fresh value.
    Updated(Vec<Update>),
}

/// A state, loaded. What was stored and what is now share their memory until the first change.
pub(super) struct Document {
    key: String,
    etag: Option<String>,
    stored: Arc<Map<String, Value>>,
    now: Arc<Map<String, Value>>,
    how: BTreeMap<String, How>,
    /// What was last given out to be written.
    writing: Option<Arc<Map<String, Value>>>,
}

impl Document {
    pub(super) fn new(key: String, item: Option<StoreItem>) -> Result<Self, StateError> {
        let (etag, stored) = read(&key, item)?;
        let now = Arc::clone(&stored);
        Ok(Self { key, etag, stored, now, how: BTreeMap::new(), writing: None })
    }

    pub(super) fn get(&self, property: &str) -> Option<&Value> {
        self.now.get(property)
    }

    pub(super) fn set(&mut self, property: &str, value: Value) {
        self.how.insert(property.to_owned(), How::Written);
        Arc::make_mut(&mut self.now).insert(property.to_owned(), value);
    }

    pub(super) fn delete(&mut self, property: &str) {
        self.how.insert(property.to_owned(), How::Written);
        Arc::make_mut(&mut self.now).remove(property);
    }

    pub(super) fn clear(&mut self) {
        for property in self.now.keys() {
            self.how.insert(property.clone(), How::Written);
        }
        self.now = Arc::default();
    }

    /// Puts in what an update made of the present value; `again` makes it of another.
    pub(super) fn update(&mut self, property: &str, value: Value, again: Update) {
        Arc::make_mut(&mut self.now).insert(property.to_owned(), value);
        // An update of what was set before rests on that: it cannot be made again alone.
        let how = self.how.entry(property.to_owned()).or_insert_with(|| How::Updated(Vec::new()));
        if let How::Updated(updates) = how {
            updates.push(again);
        }
    }

    pub(super) fn is_changed(&self) -> bool {
        !Arc::ptr_eq(&self.stored, &self.now) && self.stored != self.now
    }

    /// What is to be written, if anything is.
    pub(super) fn change(&mut self, forced: bool) -> Option<StateChange> {
        if !forced && !self.is_changed() {
            return None;
        }
        let expect = self.etag.clone().map_or(Expect::Absent, Expect::ETag);
        self.writing = Some(Arc::clone(&self.now));
        Some(StateChange::put(&self.key, Value::Object(self.now.as_ref().clone()), expect))
    }

    /// What [`change`](Self::change) gave out has been written.
    pub(super) fn saved(&mut self, etag: Option<String>) {
        if let Some(written) = self.writing.take() {
            self.etag = etag;
            self.stored = written;
            self.how.clear();
        }
    }

    /// Puts this turn's changes onto what is stored now. Nothing changes if a property was changed on both sides.
    pub(super) fn rebase(&mut self, item: Option<StoreItem>) -> Result<(), StateError> {
        let (etag, fresh) = read(&self.key, item)?;
        let mut now = fresh.as_ref().clone();
        let mut torn = Vec::new();
        for property in self.touched() {
            let (was, ours, theirs) =
                (self.stored.get(&property), self.now.get(&property), fresh.get(&property));
            if let Some(How::Updated(updates)) = self.how.get(&property) {
                for update in updates {
                    let value = update(now.get(&property))?;
                    now.insert(property.clone(), value);
                }
            } else if ours == was || ours == theirs {
                // Not changed after all, or by both in the same way.
            } else if theirs != was {
                torn.push(property);
            } else if let Some(ours) = ours {
                now.insert(property, ours.clone());
            } else {
                now.remove(&property);
            }
        }
        if !torn.is_empty() {
            return Err(StateError::Conflict { key: self.key.clone(), properties: torn });
        }
        (self.etag, self.stored, self.now, self.writing) = (etag, fresh, Arc::new(now), None);
        Ok(())
    }

    /// All properties that this turn may have changed.
    fn touched(&self) -> BTreeSet<String> {
        let both = self.stored.keys().chain(self.now.keys());
        let differ = both.filter(|property| self.stored.get(*property) != self.now.get(*property));
        differ.chain(self.how.keys()).cloned().collect()
    }
}

type Read = (Option<String>, Arc<Map<String, Value>>);

fn read(key: &str, item: Option<StoreItem>) -> Result<Read, StateError> {
    match item {
        None => Ok((None, Arc::default())),
        Some(StoreItem { value: Value::Object(properties), etag }) => Ok((Some(etag), Arc::new(properties))),
        Some(_) => Err(StateError::NotAnObject { key: key.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(etag: &str, value: Value) -> Option<StoreItem> {
        Some(StoreItem { value, etag: etag.to_owned() })
    }

    fn loaded(value: Value) -> Document {
        Document::new("k".to_owned(), item("1", value)).unwrap()
    }

    fn add(document: &mut Document, by: i64) {
        let add = move |value: Option<&Value>| json!(value.and_then(Value::as_i64).unwrap_or(0) + by);
        let value = add(document.get("count"));
        document.update("count", value, Arc::new(move |value| Ok(add(value))));
    }

    fn put(value: Value, expect: Expect) -> Option<StateChange> {
        Some(StateChange::put("k", value, expect))
    }

    #[test]
    fn only_what_changed_is_written() {
        let mut document = loaded(json!({ "a": 1, "b": 2 }));
        assert_eq!(document.change(false), None);
        document.set("a", json!(5));
        document.delete("b");
        assert!(document.is_changed());
        document.set("a", json!(1));
        document.set("b", json!(2));
        assert_eq!(document.change(false), None, "back to what it was");
        document.delete("unknown");
        assert_eq!(document.change(false), None);
        let whole = json!({ "a": 1, "b": 2 });
        assert_eq!(document.change(true), put(whole, Expect::ETag("1".to_owned())));
    }

    #[test]
    fn a_new_state_expects_that_there_is_none() {
        let mut document = Document::new("k".to_owned(), None).unwrap();
        document.set("a", json!(1));
        assert_eq!(document.change(false), put(json!({ "a": 1 }), Expect::Absent));
        document.saved(Some("7".to_owned()));
        assert_eq!(document.change(false), None);
        document.clear();
        assert_eq!(document.change(false), put(json!({}), Expect::ETag("7".to_owned())));
    }

    #[test]
    fn a_change_made_while_writing_is_written_next() {
        let mut document = loaded(json!({}));
        document.set("a", json!(1));
        document.change(false).unwrap();
        document.set("a", json!(2));
        document.saved(Some("2".to_owned()));
        assert_eq!(document.change(false), put(json!({ "a": 2 }), Expect::ETag("2".to_owned())));
    }

    #[test]
    fn what_only_one_side_changed_is_kept() {
        let mut document = loaded(json!({ "ours": 1, "gone": 1, "theirs": 1, "their gone": 1, "same": 1 }));
        document.set("ours", json!(2));
        document.delete("gone");
        document.set("new", json!(2));
        document.set("same", json!(2));
        document.set("theirs", json!(1));
        document
            .rebase(item("9", json!({ "ours": 1, "gone": 1, "theirs": 9, "same": 2, "their new": 9 })))
            .unwrap();
        let merged = json!({ "ours": 2, "new": 2, "theirs": 9, "same": 2, "their new": 9 });
        assert_eq!(document.change(false), put(merged, Expect::ETag("9".to_owned())));
    }

    #[test]
    fn what_both_changed_is_a_conflict() {
        for theirs in [json!({ "a": 9, "b": 1 }), json!({ "b": 1 })] {
            let mut document = loaded(json!({ "a": 1, "b": 1 }));
            document.set("a", json!(2));
            document.set("b", json!(2));
            let error = document.rebase(item("9", theirs)).unwrap_err();
            assert!(matches!(error, StateError::Conflict { properties, .. } if properties == ["a"]));
        }
        let mut document = loaded(json!({ "a": 1 }));
        document.delete("a");
        assert!(document.rebase(item("9", json!({ "a": 2 }))).is_err());
        assert!(document.rebase(None).is_ok(), "deleted by both");
    }

    #[test]
    fn updates_are_made_again_on_the_fresh_value() {
        let mut document = loaded(json!({ "count": 1 }));
        add(&mut document, 1);
        add(&mut document, 10);
        document.rebase(item("8", json!({ "count": 100 }))).unwrap();
        assert_eq!(document.get("count"), Some(&json!(111)));
        document.rebase(item("9", json!({ "count": 200 }))).unwrap();
        assert_eq!(document.change(false), put(json!({ "count": 211 }), Expect::ETag("9".to_owned())));
        document.saved(Some("10".to_owned()));
        document.set("other", json!(1));
        document.rebase(item("11", json!({ "count": 300 }))).unwrap();
        assert_eq!(document.get("count"), Some(&json!(300)), "what was saved is not made again");
    }

    #[test]
    fn an_update_of_what_was_set_is_no_update() {
        let mut document = loaded(json!({ "count": 1 }));
        document.set("count", json!(5));
        add(&mut document, 1);
        assert!(document.rebase(item("9", json!({ "count": 2 }))).is_err());
        let mut document = loaded(json!({ "count": 1 }));
        add(&mut document, 1);
        document.set("count", json!(5));
        assert!(document.rebase(item("9", json!({ "count": 2 }))).is_err());
    }

    #[test]
    fn a_state_is_an_object() {
        let error = Document::new("k".to_owned(), item("1", json!([]))).err();
        assert!(matches!(error, Some(StateError::NotAnObject { .. })));
    }
}
