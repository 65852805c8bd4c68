//! The page and its tokens.

use serde_json::json;

use crate::support::{TestServer, answer, client};

#[tokio::test]
async fn the_page_comes_with_a_policy_and_a_new_nonce() {
    let server = TestServer::start().await;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let response = client().get(&server.url).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["referrer-policy"], "no-referrer");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let scripts =
            policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap().to_owned();
        assert_eq!(scripts.trim(), "script-src 'self'");
        let text = response.text().await.unwrap();
        assert!(text.contains(&nonce) && !text.contains("__CSP_NONCE__"), "{text}");
        assert!(!text.contains("<script>") && !text.contains(" on"), "no inline script: {text}");
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn files_are_asked_for_again_but_not_sent_again() {
    let server = TestServer::start().await;
    for (file, kind) in
        [("page.js", "text/javascript"), ("page.css", "text/css"), ("icon.svg", "image/svg+xml")]
    {
        let url = format!("{}/{file}", server.url);
        let first = client().get(&url).send().await.unwrap();
        assert_eq!(first.status(), 200);
        assert!(first.headers()["content-type"].to_str().unwrap().starts_with(kind), "{file}");
        assert_eq!(first.headers()["cache-control"], "no-cache");
        let tag = first.headers()["etag"].clone();
        let again = client().get(&url).header("if-none-match", &tag).send().await.unwrap();
        assert_eq!(again.status(), 304, "{file}");
        let other = client().get(&url).header("if-none-match", "\"other\"").send().await.unwrap();
        assert_eq!(other.status(), 200, "{file}");
    }
}

#[tokio::test]
async fn a_token_is_for_one_conversation() {
    let server = TestServer::start().await;
    let ask = async |body| {
        answer(client().post(format!("{}/page/tokens", server.url)).header("origin", &server.url).json(&body))
            .await
    };
    let (status, issued) = ask(json!({ "userId": "dl_eva", "userName": "Eva" })).await;
    assert_eq!((status, &issued["userId"]), (200, &json!("dl_eva")));
    assert!(issued["token"].is_string() && issued["expires_in"].as_u64().unwrap() > 0);

    let chat = server.chat(None).await;
    let (status, known) = ask(json!({ "userId": "dl_eva", "conversationId": chat.id })).await;
    assert_eq!((status, &known["conversationId"]), (200, &json!(chat.id)));
    for (body, status, field) in [
        (json!({ "conversationId": "nowhere" }), 404, "conversationId"),
        (json!({ "conversationId": "" }), 404, "conversationId"),
        (json!({ "conversationId": 5 }), 400, "conversationId"),
        (json!({ "userId": "eva" }), 400, "userId"),
        (json!({ "userId": "dl_\n" }), 400, "userId"),
        (json!({ "userName": "E\u{7}va" }), 400, "userName"),
        (json!({ "user": "dl_eva" }), 400, "user"),
    ] {
        let (answered, problem) = ask(body.clone()).await;
        assert_eq!((answered, &problem["field"]), (status, &json!(field)), "{body}");
    }
}
