//! What an operator holds back.

use serde_json::{Value, json};

use super::{code, met, to};
use crate::support::{TestServer, say};

#[tokio::test]
async fn each_scope_holds_back_and_lets_go() {
    let (server, channel) = met().await;
    say(&channel, &channel.user("other"), "other", &server.bot(), "show").await;
    for (n, path, scope) in [
        (1, "/v1/pauses/all", json!({ "scope": "all" })),
        (2, "/v1/pauses/channel/test", json!({ "scope": "channel", "channelId": "test" })),
        (
            3,
            "/v1/pauses/conversation/test/c1",
            json!({ "scope": "conversation", "conversation": { "channelId": "test", "id": "c1" } }),
        ),
    ] {
        let (status, pause) = server.put(path, json!({ "reason": "maintenance" })).await;
        assert_eq!(
            (status, &pause["reason"], &pause["scope"]),
            (200, &json!("maintenance"), &scope["scope"])
        );
        let (_, again) = server.put(path, json!({ "reason": "another" })).await;
        assert_eq!(again, pause, "one that is in force stays as it is");
        assert_eq!(server.get("/v1/pauses").await.1, json!({ "items": [pause], "next": null }));
        let text = format!("Held back {n}");
        let id = server.send(to("c1", &text)).await;
        let story = server.notification(&id).await;
        assert_eq!(
            (&story["state"], &story["gates"]),
            (&json!("waiting"), &json!([{ "gate": "paused", "scope": scope }]))
        );
        if n == 3 {
            let id = server.send(to("other", "Not held back.")).await;
            server.becomes(&id, "delivered").await;
        }
        assert!(!channel.ledger().texts("c1").contains(&text.as_str()));
        assert_eq!(server.delete(path).await.0, 204);
        channel.wait_for(|ledger| ledger.texts("c1").contains(&text.as_str())).await;
        let (status, problem) = server.delete(path).await;
        assert_eq!((status, code(&problem)), (404, "not-paused"));
    }
}

#[tokio::test]
async fn it_holds_across_a_restart_and_for_ids_of_any_form() {
    let (server, channel) = met().await;
    let id = "19:a/b c?d@thread.v2;ü";
    say(&channel, &channel.user(id), id, &server.bot(), "show").await;
    let path = "/v1/pauses/conversation/test/19%3Aa%2Fb%20c%3Fd%40thread.v2%3B%C3%BC";
    let (status, pause) = server.put(path, json!({})).await;
    assert_eq!((status, &pause["conversation"]["id"]), (200, &json!(id)), "{pause}");
    let held = server.send(to(id, "Later.")).await;
    let (folder, _) = server.stop().await;
    let server = TestServer::on(folder, &[]).await;
    assert_eq!(server.get("/v1/pauses").await.1["items"][0]["conversation"]["id"], id);
    assert_eq!(server.notification(&held).await["state"], "waiting");
    assert_eq!(server.delete(path).await.0, 204);
    channel.wait_for(|ledger| ledger.texts(id).contains(&"Later.")).await;
}

#[tokio::test]
async fn what_names_nothing_pauses_nothing() {
    let (server, _channel) = met().await;
    for (path, status) in [
        ("/v1/pauses/everything", 404),
        ("/v1/pauses/channel/", 404),
        ("/v1/pauses/channel/%FF", 400),
        ("/v1/pauses/conversation/test", 404),
        ("/v1/pauses/conversation/test/c1/more", 404),
    ] {
        assert_eq!(server.put(path, json!({})).await.0, status, "{path}");
    }
    for body in
        [json!([]), json!({ "reason": 1 }), json!({ "reason": "x".repeat(501) }), json!({ "until": "noon" })]
    {
        assert_eq!(server.put("/v1/pauses/all", body).await.0, 400);
    }
    assert_eq!(server.get("/v1/pauses?scope=all").await.0, 400);
    assert_eq!(server.get("/v1/pauses").await.1, json!({ "items": [], "next": null }));
}

#[tokio::test]
async fn a_page_leads_to_the_next_oldest_first_also_while_pauses_go() {
    let (server, _channel) = met().await;
    for n in 1..=5 {
        server.put(&format!("/v1/pauses/conversation/test/{n}"), json!({ "reason": n.to_string() })).await;
    }
    let reasons = |page: &Value| -> Vec<_> {
        page["items"].as_array().unwrap().iter().map(|pause| pause["reason"].clone()).collect()
    };
    let (_, first) = server.get("/v1/pauses?limit=2").await;
    assert_eq!(reasons(&first), ["1", "2"]);
    // What the cursor stands on is taken back, and so is one that is to come.
    for gone in ["2", "4"] {
        assert_eq!(server.delete(&format!("/v1/pauses/conversation/test/{gone}")).await.0, 204);
    }
    let next = |page: &Value| page["next"].as_str().unwrap().to_owned();
    let (_, second) = server.get(&format!("/v1/pauses?limit=1&cursor={}", next(&first))).await;
    assert_eq!(reasons(&second), ["3"]);
    let (_, last) = server.get(&format!("/v1/pauses?limit=1&cursor={}", next(&second))).await;
    assert_eq!((reasons(&last), &last["next"]), (vec![json!("5")], &json!(null)));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=", "cursor"),
        ("cursor=b17", "cursor"),
        ("cursor=W10", "cursor"),
        ("limit=1&limit=2", "limit"),
        ("state=all", "state"),
    ] {
        let (status, problem) = server.get(&format!("/v1/pauses?{query}")).await;
        assert_eq!(
            (status, code(&problem), &problem["field"]),
            (400, "invalid-parameter", &json!(field)),
            "{query}"
        );
    }
    let (_, status) = server.get("/v1/status").await;
    assert_eq!((&status["paused"], reasons(&json!({ "items": status["pauses"] })).len()), (&json!(3), 3));
}
