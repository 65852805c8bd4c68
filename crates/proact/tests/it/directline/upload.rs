//! Files: sent along, served back to who knows their address, and gone after their time.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::bot::Mood;
use super::world::{SECRET, Socket, Talk, World, code, texts};

const ACTIVITY: &str = "application/vnd.microsoft.activity";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// A body that nobody should send.
enum Body {
    Raw(&'static str, Vec<u8>),
    Form(Form),
}

async fn upload(
    world: &World,
    talk: &Talk,
    query: &str,
    request: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
) -> (u16, Value) {
    let url = format!("{}/v3/directline/conversations/{}/upload{query}", world.base, talk.id);
    // Over a connection of its own: one whose body was refused half-way is of no use to the next.
    let http = reqwest::Client::new();
    let response = request(http.post(url).bearer_auth(&talk.token)).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn file(name: &str, kind: &str, bytes: &'static [u8]) -> Part {
    Part::bytes(bytes).file_name(name.to_owned()).mime_str(kind).unwrap()
}

/// As the real client sends it: the activity as a part of its own kind, then the files.
fn form(activity: &Value) -> Form {
    Form::new()
        .part("activity", Part::text(activity.to_string()).file_name("blob").mime_str(ACTIVITY).unwrap())
}

#[tokio::test]
async fn a_form_brings_its_activity_and_files_that_are_served_back_as_downloads() {
    let world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    socket.activities(1).await;
    let activity = json!({"type": "message", "text": "look", "from": {"id": "u"}, "channelData": {"clientActivityID": "c1"}});
    let form = form(&activity)
        .part("file", file("grüße.png", "image/png", PNG))
        .part("file", file("../../evil.html", "text/html", b"<script>alert(1)</script>"));
    let (status, sent) = upload(&world, &talk, "?userId=u", |request| request.multipart(form)).await;
    assert_eq!(status, 200, "{sent}");

    let came = socket.activities(2).await;
    assert_eq!(texts(&came), ["look", "echo: look"]);
    assert_eq!(came[0]["id"], sent["id"]);
    let attachments = came[0]["attachments"].as_array().unwrap();
    assert_eq!(attachments[0]["contentType"], "image/png");
    assert_eq!(attachments[0]["name"], "grüße.png");
    assert_eq!(attachments[1]["name"], "evil.html", "a name is no path");
    let handed = world.bot.messages().pop().unwrap();
    assert_eq!(serde_json::to_value(&handed.attachments).unwrap(), came[0]["attachments"]);

    let get = |n: usize| world.http.get(attachments[n]["contentUrl"].as_str().unwrap()).send();
    for (n, kind, bytes) in
        [(0, "image/png", PNG), (1, "application/octet-stream", b"<script>alert(1)</script>")]
    {
        let response = get(n).await.unwrap();
        assert_eq!(response.status(), 200, "no header opens it: its address does");
        let headers = response.headers();
        assert_eq!(headers["content-type"], kind);
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename="));
        assert!(headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
        assert_eq!(&*response.bytes().await.unwrap(), bytes);
    }
    let url = attachments[0]["contentUrl"].as_str().unwrap();
    let id = url.split('/').nth_back(2).unwrap();
    let (status, info) = world.call("GET", &format!("/v3/attachments/{id}"), None, None).await;
    assert_eq!(
        (status, info),
        (
            200,
            json!({"name": "grüße.png", "type": "image/png", "views": [{"viewId": "original", "size": PNG.len()}]})
        )
    );
    assert!(id.len() > 40, "not to be guessed: {id}");
}

#[tokio::test]
async fn a_file_takes_the_place_at_which_its_activity_announces_it() {
    let world = World::new().await;
    let talk = world.talk().await;
    let activity = json!({"type": "message", "from": {"id": "u"}, "attachments": [
        {"contentType": "application/vnd.microsoft.card.hero", "name": "a.png", "content": {}},
        {"contentType": "image/png", "name": "a.png", "thumbnailUrl": "data:image/png;base64,AA==", "x": 1},
        {"contentType": "image/png", "name": "b.png"},
        {"contentType": "image/png", "name": "a.png", "contentUrl": "https://there.example/a.png"}
    ]});
    let form = form(&activity)
        .part("file", file("b.png", "image/png", PNG))
        .part("file", file("c.png", "image/png", PNG))
        .part("file", file("a.png", "image/png", PNG));
    assert_eq!(upload(&world, &talk, "?userId=u", |request| request.multipart(form)).await.0, 200);
    let handed = serde_json::to_value(&world.bot.messages().pop().unwrap().attachments).unwrap();
    let shown: Vec<_> = handed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str(), one["contentUrl"].as_str()))
        .collect();
    let here = |n: usize| shown[n].1.is_some_and(|url| url.starts_with(&world.base));
    assert_eq!(shown.iter().map(|(name, _)| name.unwrap()).collect::<String>(), "a.pnga.pngb.pnga.pngc.png");
    assert_eq!((shown[0].1, here(1), here(2), here(4)), (None, true, true, true));
    assert_eq!(shown[3].1, Some("https://there.example/a.png"));
    assert_eq!(
        (&handed[1]["thumbnailUrl"], &handed[1]["x"]),
        (&json!("data:image/png;base64,AA=="), &json!(1))
    );
}

#[tokio::test]
async fn a_body_is_a_file() {
    let world = World::new().await;
    let talk = world.talk().await;
    let (status, sent) = upload(&world, &talk, "?userId=u", |request| {
        let request = request.header("Content-Type", "image/jpeg");
        request.header("Content-Disposition", r#"name="file"; filename="badjoke.jpg""#).body(PNG)
    })
    .await;
    assert_eq!(status, 200, "{sent}");
    let (status, _) = upload(&world, &talk, "?userId=u", |request| request.body(PNG)).await;
    assert_eq!(status, 200, "nobody has to say what it is");
    let handed = world.bot.messages();
    assert_eq!(handed[0].from_id(), Some("u"));
    let shown: Vec<_> = handed
        .iter()
        .map(|message| {
            (message.attachments[0].name.as_deref(), message.attachments[0].content_type.as_deref())
        })
        .collect();
    assert_eq!(shown, [(Some("badjoke.jpg"), Some("image/jpeg")), (None, Some("application/octet-stream"))]);
}

#[tokio::test]
async fn who_a_token_names_is_who_sends() {
    let world = World::new().await;
    let (_, made) = world.post("tokens/generate", SECRET, &json!({"user": {"id": "dl_1"}})).await;
    let (_, started) = world.post("conversations", made["token"].as_str().unwrap(), &json!({})).await;
    let talk = Talk::of(&started);
    let form = form(&json!({"type": "message", "from": {"id": "mallory"}}))
        .part("file", file("a", "text/plain", b"x"));
    assert_eq!(upload(&world, &talk, "?userId=mallory", |request| request.multipart(form)).await.0, 200);
    assert_eq!(world.bot.messages().pop().unwrap().from_id(), Some("dl_1"));
}

#[tokio::test]
async fn files_outlive_the_process_and_are_gone_after_a_day() {
    let mut world = World::new().await;
    let talk = world.talk().await;
    assert_eq!(upload(&world, &talk, "?userId=u", |request| request.body(PNG)).await.0, 200);
    let url = world.history(&talk).await[1]["attachments"][0]["contentUrl"].as_str().unwrap().to_owned();
    world.kill_and_restart().await;
    let path = url.split_once("/v3").unwrap().1;
    let get = async |world: &World| {
        let response = world.http.get(format!("{}/v3{path}", world.base)).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap())
    };
    assert_eq!(get(&world).await, (200, PNG.into()));
    let files = || std::fs::read_dir(world.files()).unwrap().count();
    world.clock.advance(Duration::from_secs(24 * 3600 - 1));
    world.channel.forget().await.unwrap();
    assert_eq!((get(&world).await.0, files()), (200, 1));
    world.clock.advance(Duration::from_secs(1));
    let (status, gone) = get(&world).await;
    assert_eq!(status, 404);
    assert_eq!(code(&serde_json::from_slice(&gone).unwrap()), "AttachmentNotFound");
    world.clock.advance(Duration::from_secs(1));
    world.channel.forget().await.unwrap();
    assert_eq!(files(), 0, "its bytes are gone too");
    assert_eq!(world.history(&talk).await.len(), 3, "what was said stays");
}

#[tokio::test]
async fn bots_send_files_too() {
    let world = World::new().await;
    let talk = world.talk().await;
    let path = format!("/{}/attachments", talk.id);
    let body = json!({"type": "image/png", "name": "a.png", "originalBase64": "iVBORw==", "thumbnailBase64": "iVA="});
    let (status, made) = world.bot_calls("POST", &path, Some(&body)).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap();
    let (_, info) = world.call("GET", &format!("/v3/attachments/{id}"), None, None).await;
    assert_eq!(info["views"], json!([{"viewId": "original", "size": 4}, {"viewId": "thumbnail", "size": 2}]));
    for (view, bytes) in [("original", &b"\x89PNG"[..]), ("thumbnail", b"\x89P")] {
        let response =
            world.http.get(format!("{}/v3/attachments/{id}/views/{view}", world.base)).send().await.unwrap();
        assert_eq!(&*response.bytes().await.unwrap(), bytes);
    }
    for (id, view) in
        [(id, "other"), ("00x", "original"), ("..%2F..%2Fproact.db", "original"), ("%FF", "original")]
    {
        let (status, answer) =
            world.call("GET", &format!("/v3/attachments/{id}/views/{view}"), None, None).await;
        assert_eq!((status, code(&answer)), (404, "AttachmentNotFound"), "{id} {view}");
    }
    for (body, status, expected) in [
        (json!({}), 400, "MissingProperty"),
        (json!({"originalBase64": "!"}), 400, "BadArgument"),
        (json!({"originalBase64": "", "name": 5}), 400, "BadArgument"),
        (json!({"originalBase64": "A".repeat(4 * 1024 * 1024 / 3 * 4 + 4)}), 413, "MessageSizeTooBig"),
    ] {
        let (answered, answer) = world.bot_calls("POST", &path, Some(&body)).await;
        assert_eq!((answered, code(&answer)), (status, expected));
    }
    let (status, answer) =
        world.bot_calls("POST", "/none/attachments", Some(&json!({"originalBase64": ""}))).await;
    assert_eq!((status, code(&answer)), (404, "ConversationNotFound"));
}

#[tokio::test]
async fn what_cannot_be_an_upload_leaves_nothing_behind() {
    let world = World::with(|options| {
        options.limits.upload_bytes = 100_000;
        options.limits.upload_files = 2;
    })
    .await;
    let talk = world.talk().await;
    let named = json!({"type": "message", "from": {"id": "u"}});
    let half = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nhalf".to_vec();
    let second = Part::text(named.to_string()).mime_str(ACTIVITY).unwrap();
    let deep = (0..70).fold(json!(1), |inside, _| json!([inside]));
    let deep = json!({"type": "message", "from": {"id": "u"}, "value": deep});
    let many: Vec<_> = (0..50_100).collect();
    let many = json!({"type": "message", "from": {"id": "u"}, "value": many});
    let with = |activity: &Value, files: &[usize]| {
        Body::Form(files.iter().fold(form(activity), |form, bytes| {
            form.part("file", Part::bytes(vec![0; *bytes]).file_name("a.bin"))
        }))
    };
    let cases = [
        ("empty", Body::Raw("image/png", Vec::new()), 400, "MissingProperty"),
        ("no boundary", Body::Raw("multipart/form-data", vec![1]), 400, "BadArgument"),
        ("not whole", Body::Raw("multipart/form-data; boundary=b", half), 400, "BadArgument"),
        ("no form", Body::Raw("multipart/form-data; boundary=b", b"hello".to_vec()), 400, "BadArgument"),
        ("other parts", Body::Raw("multipart/mixed; boundary=b", vec![1]), 415, "UnsupportedMediaType"),
        ("a huge body", Body::Raw("image/png", vec![0; 100_001]), 413, "MessageSizeTooBig"),
        ("a huge form", with(&named, &[600_000]), 413, "MessageSizeTooBig"),
        ("huge together", with(&named, &[60_000, 60_000]), 413, "MessageSizeTooBig"),
        ("too many files", with(&named, &[1, 1, 1]), 400, "BadArgument"),
        ("no files", with(&named, &[]), 400, "MissingProperty"),
        ("two activities", Body::Form(form(&named).part("activity", second)), 400, "BadArgument"),
        ("too deep", with(&deep, &[1]), 400, "BadArgument"),
        ("too many items", with(&many, &[1]), 413, "MessageSizeTooBig"),
        ("no type", with(&json!({"text": "x"}), &[1]), 400, "MissingProperty"),
        ("not for clients", with(&json!({"type": "trace"}), &[1]), 400, "BadArgument"),
    ];
    for (what, body, status, expected) in cases {
        let request = |request: reqwest::RequestBuilder| match body {
            Body::Raw(kind, bytes) => request.header("Content-Type", kind).body(bytes),
            Body::Form(form) => request.multipart(form),
        };
        let (answered, answer) = upload(&world, &talk, "", request).await;
        assert_eq!(answered, status, "{what}: {answer}");
        assert_eq!(code(&answer), expected, "{what}");
    }
    let other = world.talk().await;
    let foreign = Talk { id: other.id.clone(), ..talk.clone() };
    let (status, answer) = upload(&world, &foreign, "?userId=u", |request| request.body(PNG)).await;
    assert_eq!((status, code(&answer)), (403, "Forbidden"));
    let anyone = Talk { token: SECRET.to_owned(), ..talk.clone() };
    let (status, answer) = upload(&world, &anyone, "", |request| request.body(PNG)).await;
    assert_eq!((status, code(&answer)), (400, "MissingProperty"), "nobody sends it");
    let nowhere = Talk { id: "none".to_owned(), ..anyone };
    let (status, answer) = upload(&world, &nowhere, "?userId=u", |request| request.body(PNG)).await;
    assert_eq!((status, code(&answer)), (404, "ConversationNotFound"));
    assert_eq!(world.bot.messages().len(), 0);
    assert!(!world.files().exists(), "not a byte was written");
}

#[tokio::test]
async fn an_upload_that_comes_again_is_taken_once_and_its_bytes_too() {
    let world = World::new().await;
    let talk = world.talk().await;
    world.bot.mood(Mood::Status(500));
    let send = || {
        let activity =
            json!({"type": "message", "from": {"id": "u"}, "channelData": {"clientActivityID": "c1"}});
        let form = form(&activity).part("file", file("a.png", "image/png", PNG));
        upload(&world, &talk, "", |request| request.multipart(form))
    };
    let (status, answer) = send().await;
    assert_eq!((status, code(&answer)), (502, "BotError"));
    world.bot.mood(Mood::Kind);
    let (first, second) = (send().await, send().await);
    assert_eq!((first.0, &first), (200, &second));
    assert_eq!(world.history(&talk).await.len(), 3, "the welcome, the file, the echo");
    assert_eq!(std::fs::read_dir(world.files()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_channel_without_a_folder_takes_no_files() {
    let world = World::with(|options| options.files = None).await;
    let talk = world.talk().await;
    let (status, answer) = upload(&world, &talk, "?userId=u", |request| request.body(PNG)).await;
    assert_eq!((status, code(&answer)), (403, "UploadsNotAllowed"));
    assert_eq!(world.history(&talk).await.len(), 1);
    world.channel.forget().await.unwrap();
}
