//! The protocol's objects as a table, written down a second time and independently of the types under test: what
//! fields they have, what JSON they may be, and what of it is the same after a round trip.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value};

use Kind::{Any, Count, Flag, List, Map as Names, Number, Object, Text, Texts};

/// What a known field holds.
pub(super) enum Kind {
    Text,
    Flag,
    Number,
    /// Below 65,536.
    Count,
    Any,
    Texts,
    Map,
    Object(&'static Shape),
    List(&'static Shape),
}

/// An object's known fields.
pub(super) struct Shape(pub(super) &'static [(&'static str, Kind)]);

static ACCOUNT: Shape = Shape(&[
    ("id", Text),
    ("name", Text),
    ("aadObjectId", Text),
    ("role", Text),
    ("agenticUserId", Text),
    ("agenticAppId", Text),
    ("tenantId", Text),
]);
static CONVERSATION: Shape = Shape(&[
    ("isGroup", Flag),
    ("conversationType", Text),
    ("tenantId", Text),
    ("id", Text),
    ("name", Text),
    ("aadObjectId", Text),
    ("role", Text),
]);
pub(super) static ATTACHMENT: Shape = Shape(&[
    ("contentType", Text),
    ("contentUrl", Text),
    ("content", Any),
    ("name", Text),
    ("thumbnailUrl", Text),
]);
pub(super) static ACTION: Shape = Shape(&[
    ("type", Text),
    ("title", Text),
    ("image", Text),
    ("imageAltText", Text),
    ("text", Text),
    ("displayText", Text),
    ("value", Any),
    ("channelData", Any),
]);
pub(super) static SUGGESTED: Shape = Shape(&[("to", Texts), ("actions", List(&ACTION))]);
static TYPED: Shape = Shape(&[("type", Text)]);
static HIGHLIGHT: Shape = Shape(&[("text", Text), ("occurrence", Number)]);
static SEMANTIC: Shape = Shape(&[("state", Text), ("id", Text), ("entities", Names)]);
pub(super) static REFERENCE: Shape = Shape(&[
    ("activityId", Text),
    ("user", Object(&ACCOUNT)),
    ("bot", Object(&ACCOUNT)),
    ("conversation", Object(&CONVERSATION)),
    ("channelId", Text),
    ("serviceUrl", Text),
    ("locale", Text),
    ("deliveryMode", Text),
]);
pub(super) static ACTIVITY: Shape = Shape(&[
    ("type", Text),
    ("id", Text),
    ("timestamp", Text),
    ("localTimestamp", Text),
    ("localTimezone", Text),
    ("callerId", Text),
    ("serviceUrl", Text),
    ("channelId", Text),
    ("from", Object(&ACCOUNT)),
    ("conversation", Object(&CONVERSATION)),
    ("recipient", Object(&ACCOUNT)),
    ("textFormat", Text),
    ("attachmentLayout", Text),
    ("membersAdded", List(&ACCOUNT)),
    ("membersRemoved", List(&ACCOUNT)),
    ("reactionsAdded", List(&TYPED)),
    ("reactionsRemoved", List(&TYPED)),
    ("topicName", Text),
    ("historyDisclosed", Flag),
    ("locale", Text),
    ("text", Text),
    ("speak", Text),
    ("inputHint", Text),
    ("summary", Text),
    ("suggestedActions", Object(&SUGGESTED)),
    ("attachments", List(&ATTACHMENT)),
    ("entities", List(&TYPED)),
    ("channelData", Any),
    ("action", Text),
    ("replyToId", Text),
    ("label", Text),
    ("valueType", Text),
    ("value", Any),
    ("name", Text),
    ("relatesTo", Object(&REFERENCE)),
    ("code", Text),
    ("expiration", Text),
    ("importance", Text),
    ("deliveryMode", Text),
    ("listenFor", Texts),
    ("textHighlights", List(&HIGHLIGHT)),
    ("semanticAction", Object(&SEMANTIC)),
]);

/// What remains of an object after decode → encode: all of it, but for known fields that are `null` and known lists
/// that are empty. Unknown fields, and what `Any` and `Map` fields hold, remain to the letter.
pub(super) fn canonical(shape: &Shape, json: &Value) -> Value {
    let mut result = Map::new();
    for (key, value) in json.as_object().expect("an object") {
        let kept = match shape.kind(key) {
            None | Some(Text | Flag | Number | Count | Any | Names | Texts) => value.clone(),
            Some(Object(inner)) if value.is_object() => canonical(inner, value),
            Some(List(inner)) if value.is_array() => {
                value.as_array().into_iter().flatten().map(|element| canonical(inner, element)).collect()
            }
            Some(Object(_) | List(_)) => value.clone(),
        };
        let dropped = match shape.kind(key) {
            None => false,
            Some(Texts | List(_)) => kept.is_null() || kept.as_array().is_some_and(Vec::is_empty),
            Some(_) => kept.is_null(),
        };
        if !dropped {
            result.insert(key.clone(), kept);
        }
    }
    Value::Object(result)
}

/// Where in a JSON object a known field, or an element of one, stands.
pub(super) struct Place {
    /// As [`DecodeError`](proact::activity::DecodeError) names it.
    pub(super) path: String,
    /// As RFC 6901 names it.
    pub(super) pointer: String,
    pub(super) kind: &'static Kind,
}

/// All places that are there, `null` or not; never none, for an activity has a type.
pub(super) fn places(shape: &'static Shape, json: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    collect(shape, json, "", "", &mut found);
    found
}

fn collect(shape: &'static Shape, json: &Value, path: &str, pointer: &str, found: &mut Vec<Place>) {
    for (name, kind) in shape.0 {
        let Some(value) = json.get(name) else { continue };
        let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        let pointer = format!("{pointer}/{name}");
        for (i, element) in value.as_array().into_iter().flatten().enumerate() {
            let (path, pointer) = (format!("{path}[{i}]"), format!("{pointer}/{i}"));
            match kind {
                List(inner) => {
                    collect(inner, element, &path, &pointer, found);
                    // An element is asked for by the kind it would have as a field.
                    found.push(Place { path, pointer, kind: &Names });
                }
                Texts => found.push(Place { path, pointer, kind: &Text }),
                _ => {}
            }
        }
        if let (Object(inner), true) = (kind, value.is_object()) {
            collect(inner, value, &path, &pointer, found);
        }
        found.push(Place { path, pointer, kind });
    }
}

impl Shape {
    fn kind(&self, name: &str) -> Option<&Kind> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind)
    }
}

/// Objects of a shape: known fields of the right type, `null` or absent, and unknown ones beside them.
pub(super) fn object(shape: &'static Shape) -> BoxedStrategy<Value> {
    let known: Vec<_> = shape.0.iter().map(|(name, kind)| field(shape, name, kind)).collect();
    let unknown = proptest::collection::btree_map(unknown_name(), anything(), 0..4);
    (known, unknown)
        .prop_map(move |(known, unknown): (Vec<Option<Value>>, BTreeMap<String, Value>)| {
            let mut json: Map<_, _> =
                unknown.into_iter().filter(|(name, _)| shape.kind(name).is_none()).collect();
            for ((name, _), value) in shape.0.iter().zip(known) {
                json.extend(value.map(|value| ((*name).to_owned(), value)));
            }
            Value::Object(json)
        })
        .boxed()
}

fn field(shape: &Shape, name: &str, kind: &'static Kind) -> BoxedStrategy<Option<Value>> {
    if std::ptr::eq(shape, &ACTIVITY) && name == "type" {
        let types = prop_oneof![Just("message".to_owned()), Just("Message".to_owned()), "\\PC{1,8}"];
        return types.prop_map(|name| Some(name.into())).boxed();
    }
    prop_oneof![5 => Just(None), 1 => Just(Some(Value::Null)), 3 => value(kind).prop_map(Some)].boxed()
}

fn value(kind: &'static Kind) -> BoxedStrategy<Value> {
    let text = || prop_oneof![Just(String::new()), Just("normal".to_owned()), "\\PC{0,8}"];
    match kind {
        Text => text().prop_map(Value::from).boxed(),
        Flag => any::<bool>().prop_map(Value::from).boxed(),
        Number => any::<i64>().prop_map(Value::from).boxed(),
        Count => any::<u16>().prop_map(Value::from).boxed(),
        Any => anything(),
        Texts => proptest::collection::vec(text(), 0..3).prop_map(Value::from).boxed(),
        Names => names(anything()),
        Object(shape) => object(shape),
        List(shape) => proptest::collection::vec(object(shape), 0..3).prop_map(Value::from).boxed(),
    }
}

/// Arbitrary JSON. Fractions are dyadic: `serde_json` reads others to within one unit in the last place only.
fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i16>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from), names(inner)]
    })
    .boxed()
}

fn names(values: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    proptest::collection::btree_map(unknown_name(), values, 0..3)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
        .boxed()
}

/// Names that no object knows, names that others know, and names that differ from a known one in case only.
fn unknown_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z:. \"\\\\é]{0,6}",
        proptest::sample::select(&["Text", "ID", "text", "id", "mentioned", "extra", "activity_type"][..])
            .prop_map(str::to_owned),
    ]
}
