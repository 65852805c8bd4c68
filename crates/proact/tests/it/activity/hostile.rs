//! Recorded activities, each spoiled in every place there is: the adapter answers 400 with the field's name, and the bot never sees them.

use bytes::Bytes;
use proact::{
    adapter::Adapter,
    turn::{Bot, BotError, TurnContext},
};
use serde_json::Value;

use super::{
    SAMPLES,
    shape::{ACTIVITY, Kind, places},
    wrong,
};

struct Unreached;

impl Bot for Unreached {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        panic!("reached by {:?}", ctx.activity());
    }
}

async fn refused(adapter: &Adapter, body: String) -> String {
    let answer = adapter.process(Bytes::from(body.clone())).await;
    assert_eq!(answer.status, 400, "{body}");
    let body: Value = serde_json::from_slice(&answer.body.unwrap()).unwrap();
    assert_eq!(body["error"]["code"], "BadArgument");
    body["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_recorded_activity_spoiled_anywhere_is_answered_400_with_the_fields_name() {
    let adapter = Adapter::builder(Unreached).build();
    let mut spoiled = 0;
    for (name, text) in SAMPLES {
        let json: Value = serde_json::from_str(text).unwrap();
        for place in places(&ACTIVITY, &json) {
            if matches!(place.kind, Kind::Any) {
                continue;
            }
            for value in wrong(place.kind) {
                let mut broken = json.clone();
                *broken.pointer_mut(&place.pointer).unwrap() = value;
                let message = refused(&adapter, broken.to_string()).await;
                assert!(message.starts_with(&format!("{}: ", place.path)), "{name}: {message}");
                assert!(!message.contains("secret"), "{name}: {message}");
                spoiled += 1;
            }
        }
    }
    assert!(spoiled > 1000, "{spoiled} is hardly every place");
}

#[tokio::test]
async fn what_is_too_deep_too_odd_or_twice_is_answered_400_too() {
    let adapter = Adapter::builder(Unreached).build();
    let deep =
        |field: &str| format!(r#"{{"type":"message","{field}":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    for (body, named) in [
        (deep("value"), "value"),
        (deep("channelData"), "channelData"),
        (r#"{"type":"message","text":"a","text":"b"}"#.to_owned(), "text"),
        (r#"{"type":"message","from":{"id":"a","id":"b"}}"#.to_owned(), "from.id"),
        (r#"{"type":"message","text":"\ud800"}"#.to_owned(), "text"),
        (r#"{"type":"message","value":1e999}"#.to_owned(), "value"),
        (r#"{"type":["message"]}"#.to_owned(), "type"),
    ] {
        let message = refused(&adapter, body.clone()).await;
        assert!(message.starts_with(&format!("{named}: ")), "{body}: {message}");
    }
}
