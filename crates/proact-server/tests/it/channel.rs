//! The channel behind the server's gate: files pass it, and its settings reach the channel.

use serde_json::{Value, json};

use crate::support::{Chat, TestServer, answer, client};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// A conversation, and a token for it.
async fn open(server: &TestServer) -> (String, String) {
    let secret = std::fs::read_to_string(server.data().join("directline.secret")).unwrap();
    let start =
        client().post(format!("{}/v3/directline/conversations", server.url)).bearer_auth(secret.trim());
    let (status, started) = answer(start.json(&json!({"user": {"id": "dl_1"}}))).await;
    assert_eq!(status, 201, "{started}");
    let text = |name: &str| started[name].as_str().unwrap().to_owned();
    (text("conversationId"), text("token"))
}

async fn upload(server: &TestServer, kind: &str, bytes: Vec<u8>) -> (u16, Value, String) {
    let (id, token) = open(server).await;
    let url = format!("{}/v3/directline/conversations/{id}", server.url);
    let sent =
        client().post(format!("{url}/upload")).bearer_auth(&token).header("content-type", kind).body(bytes);
    let (status, sent) = answer(sent).await;
    let (_, set) = answer(client().get(format!("{url}/activities")).bearer_auth(&token)).await;
    let activities = set["activities"].as_array().unwrap();
    let url = activities.iter().find_map(|activity| activity["attachments"][0]["contentUrl"].as_str());
    (status, sent, url.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_picture_larger_than_any_json_comes_back_as_it_was() {
    let server = TestServer::start().await;
    let bytes = [PNG, &vec![7; 3 * 1024 * 1024]].concat();
    let (status, sent, url) = upload(&server, "image/png", bytes.clone()).await;
    assert_eq!(status, 200, "{sent}");
    assert!(url.starts_with(&server.url), "where the client itself reaches it: {url}");
    let response = client().get(&url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
    assert_eq!(headers.get_all("x-content-type-options").iter().count(), 1);
    assert_eq!(response.bytes().await.unwrap(), bytes);
    server.stop().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_other_routes_take_no_files() {
    let server = TestServer::with(&[("PROACT_DIRECTLINE_UPLOAD_BYTES", "1000")]).await;
    let (status, answered, _) = upload(&server, "image/png", vec![0; 1001]).await;
    assert_eq!((status, answered["error"]["code"].as_str()), (413, Some("MessageSizeTooBig")));
    assert_eq!(upload(&server, "image/png", vec![0; 1000]).await.0, 200);
    let (id, token) = open(&server).await;
    let url = format!("{}/v3/directline/conversations/{id}/activities", server.url);
    let (status, _) =
        answer(client().post(url).bearer_auth(token).header("content-type", "image/png").body(PNG)).await;
    assert_eq!(status, 415);
    server.stop().await;
}

#[tokio::test]
async fn files_are_for_who_may_send_and_pages_of_others_may_not() {
    let server = TestServer::start().await;
    let (id, token) = open(&server).await;
    let url = format!("{}/v3/directline/conversations/{id}/upload", server.url);
    assert_eq!(answer(client().post(&url).body(PNG)).await.0, 401);
    let foreign = client().post(&url).bearer_auth(token).header("origin", "https://evil.example").body(PNG);
    assert_eq!(answer(foreign).await.0, 403);
    let chat = Chat::open(&server.url, None, None).await;
    chat.say("show").await;
    server.stop().await;
}
