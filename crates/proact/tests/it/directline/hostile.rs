//! Bodies and parameters that nobody should send, and a disk that takes nothing.

use proact::store::{Command, Error, Tx};
use serde_json::{Value, json};

use super::world::{SECRET, World, code};

#[tokio::test]
async fn wrong_activities_are_refused_by_name() {
    let world = World::new().await;
    let talk = world.talk().await;
    let path = format!("conversations/{}/activities", talk.id);
    for (body, expected, field) in [
        (json!({}), "MissingProperty", "type"),
        (json!({"type": null}), "MissingProperty", "type"),
        (json!({"type": "message"}), "MissingProperty", "from.id"),
        (json!({"type": "message", "from": {"id": ""}}), "MissingProperty", "from.id"),
        (json!({"type": "message", "from": {"id": "bot"}}), "BadArgument", "from.id"),
        (json!({"type": "message", "from": {"id": "a\nb"}}), "BadArgument", "from.id"),
        (json!({"type": "message", "from": {"id": 5}}), "BadArgument", "from.id"),
        (
            json!({"type": "message", "from": {"id": "u", "name": "n".repeat(300)}}),
            "BadArgument",
            "from.name",
        ),
        (json!({"type": "message", "from": "secret"}), "BadArgument", "from"),
        (json!({"type": "conversationUpdate", "from": {"id": "u"}}), "BadArgument", "type"),
        (json!({"type": "trace", "from": {"id": "u"}}), "BadArgument", "type"),
        (json!([]), "BadArgument", "not a JSON object"),
        (json!("secret"), "BadArgument", "not a JSON object"),
    ] {
        let (status, answer) = world.post(&path, SECRET, &body).await;
        assert_eq!((status, code(&answer)), (400, expected), "{body}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(field), "{body}: {message}");
        assert!(!message.contains("secret"));
    }
    assert_eq!(world.history(&talk).await.len(), 1);
    assert_eq!(world.bot.messages().len(), 0);
}

#[tokio::test]
async fn bodies_are_json_say_so_and_are_not_huge() {
    let world = World::new().await;
    let talk = world.talk().await;
    for path in [
        format!("/v3/directline/conversations/{}/activities", talk.id),
        format!("/v3/conversations/{}/activities", talk.id),
    ] {
        let post = || world.http.post(format!("{}{path}", world.base)).bearer_auth(SECRET);
        let body = r#"{"type":"message","from":{"id":"u"}}"#;
        let deep = format!(r#"{{"type":"message","x":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        let long = format!(r#"{{"type":"message","text":"{}"}}"#, "x".repeat(300 * 1024));
        for (kind, body, status) in [
            (None, body.to_owned(), 415),
            (Some("text/plain"), body.to_owned(), 415),
            (Some("application/x-www-form-urlencoded"), body.to_owned(), 415),
            (Some("application/json"), String::new(), 400),
            (Some("application/json"), "{".to_owned(), 400),
            (Some("application/json"), deep, 400),
            (Some("application/json"), long, 413),
            (Some("Application/JSON; charset=utf-8"), body.to_owned(), 200),
        ] {
            let mut request = post().body(body);
            if let Some(kind) = kind {
                request = request.header("Content-Type", kind);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), status, "{path} {kind:?}");
            let answer: Value = response.json().await.unwrap();
            if status != 200 {
                code(&answer);
            }
        }
        let bytes = post().header("Content-Type", "application/json").body(vec![0xff, 0xfe]);
        assert_eq!(bytes.send().await.unwrap().status(), 400);
    }
    assert_eq!(world.history(&talk).await.len(), 4);
}

#[tokio::test]
async fn what_bots_send_is_json_too_and_not_huge() {
    let world = World::new().await;
    let talk = world.talk().await;
    let (_, said) = world.bot_says(&talk, "said", None).await;
    let id = said["id"].as_str().unwrap().replace('|', "%7C");
    let long = format!(r#"{{"type":"message","text":"{}"}}"#, "x".repeat(300 * 1024));
    let huge = format!(r#"{{"originalBase64":"{}"}}"#, "A".repeat(6 * 1024 * 1024));
    for (method, path, large) in [
        ("POST", String::new(), &long),
        ("PUT", format!("/{}/activities/{id}", talk.id), &long),
        ("POST", format!("/{}/activities/history", talk.id), &long),
        ("POST", format!("/{}/attachments", talk.id), &huge),
    ] {
        for (kind, body, status) in [
            (None, "{}", 415),
            (Some("text/plain"), "{}", 415),
            (Some("multipart/form-data; boundary=b"), "{}", 415),
            (Some("application/json"), "{", 400),
            (Some("application/json"), "[1]", 400),
            (Some("application/json"), large, 413),
        ] {
            // Over a connection of its own: one whose body was refused half-way is of no use to the next.
            let http = reqwest::Client::new();
            let mut request =
                http.request(method.parse().unwrap(), format!("{}/v3/conversations{path}", world.base));
            if let Some(kind) = kind {
                request = request.header("Content-Type", kind);
            }
            let response = request.body(body.to_owned()).send().await.unwrap();
            assert_eq!(response.status(), status, "{method} {path} {kind:?}");
            code(&response.json().await.unwrap());
        }
    }
    assert_eq!(world.history(&talk).await.len(), 2);
}

#[tokio::test]
async fn watermarks_that_this_channel_did_not_give() {
    let world = World::new().await;
    let talk = world.talk().await;
    for garbage in ["x", "-1", "1.5", "%00", "99999999999999999999"] {
        for path in ["", "/activities"] {
            let path = format!("conversations/{}{path}?watermark={garbage}", talk.id);
            let (status, answer) = world.get(&path, &talk.token).await;
            assert_eq!((status, code(&answer)), (400, "BadArgument"), "{garbage}");
        }
    }
    for nothing in ["", "?watermark", "?watermark=", "?watermark=null", "?watermark=undefined", "?other=1"] {
        let (status, set) =
            world.get(&format!("conversations/{}/activities{nothing}", talk.id), &talk.token).await;
        assert_eq!(status, 200);
        assert_eq!(set["activities"].as_array().unwrap().len(), 1, "{nothing}: from the beginning");
    }
    let (_, set) =
        world.get(&format!("conversations/{}/activities?watermark=1000", talk.id), &talk.token).await;
    assert_eq!(set["activities"].as_array().unwrap().len(), 1, "one beyond the newest is void: read again");
    let watermark = set["watermark"].as_str().unwrap();
    let path = format!("conversations/{}/activities?watermark={watermark}", talk.id);
    let (_, set) = world.get(&path, &talk.token).await;
    assert_eq!(
        (set["activities"].as_array().unwrap().len(), set["watermark"].as_str()),
        (0, Some(watermark))
    );
}

#[tokio::test]
async fn paths_that_name_nothing() {
    let world = World::new().await;
    for conversation in ["%FF", "%00", "a%2Fb", &"x".repeat(2000), "'%20OR%201=1--"] {
        for path in ["", "/activities"] {
            let (status, answer) = world.get(&format!("conversations/{conversation}{path}"), SECRET).await;
            assert_eq!(status, 404, "{conversation}");
            code(&answer);
        }
        let path = format!("/v3/conversations/{conversation}/activities");
        let (status, answer) = world.call("POST", &path, None, Some(&json!({"type": "message"}))).await;
        assert_eq!(status, 404, "{conversation}");
        code(&answer);
    }
}

/// Lets the file grow to so many pages and no further.
struct Room(u32);

impl Command for Room {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        Ok(tx.connection().pragma_update_and_check(None, "max_page_count", self.0, |_| Ok(()))?)
    }
}

#[tokio::test]
async fn a_full_disk_takes_nothing_in_and_keeps_nothing_back() {
    let world = World::new().await;
    let talk = world.talk().await;
    world.store.commit(Room(1)).await.unwrap();
    let long = "x".repeat(100_000);
    let (status, answer) = world.say(&talk, &long).await;
    assert_eq!((status, code(&answer)), (503, "ServiceUnavailable"));
    let (status, answer) = world.bot_says(&talk, &long, Some("k")).await;
    assert_eq!((status, code(&answer)), (503, "ServiceUnavailable"));
    assert_eq!(world.bot.messages().len(), 0, "what is not stored is not handed over");
    assert_eq!(world.history(&talk).await.len(), 1, "reading goes on");

    world.store.commit(Room(1_000_000)).await.unwrap();
    assert_eq!(world.say(&talk, &long).await.0, 200);
    assert_eq!(world.bot_says(&talk, &long, Some("k")).await.0, 200, "its key was not kept either");
    assert_eq!(world.history(&talk).await.len(), 4);
}
