//! What bots call: sending once, and where there is nothing to send to.

use proact::activity::Activity;
use proact::connector::{ConnectorClient, Target};
use proact::egress::{Guard, Options};
use serde_json::json;

use super::world::{World, code, texts};

#[tokio::test]
async fn the_same_key_is_taken_once_also_after_a_restart() {
    let mut world = World::new().await;
    let (talk, other) = (world.talk().await, world.talk().await);
    let (status, first) = world.bot_says(&talk, "done", Some("n1")).await;
    assert_eq!(status, 200);
    assert_eq!(world.bot_says(&talk, "done", Some("n1")).await, (200, first.clone()));
    world.kill_and_restart().await;
    assert_eq!(world.bot_says(&talk, "done", Some("n1")).await, (200, first.clone()));
    assert_ne!(world.bot_says(&talk, "done too", Some("n2")).await.1, first);
    assert_ne!(world.bot_says(&other, "done", Some("n1")).await.1, first, "keys are a conversation's own");
    assert_eq!(texts(&world.history(&talk).await), ["Welcome to Proact, Uma.", "done", "done too"]);
    assert_eq!(texts(&world.history(&other).await), ["Welcome to Proact, Uma.", "done"]);
}

#[tokio::test]
async fn the_same_key_at_once_is_still_taken_once() {
    let world = World::new().await;
    let talk = world.talk().await;
    let sends = (0..32).map(|n| world.bot_says(&talk, "done", Some(if n % 2 == 0 { "a" } else { "b" })));
    let answers = futures_util::future::join_all(sends).await;
    let ids: std::collections::HashSet<_> = answers.iter().map(|(_, answer)| answer.to_string()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(world.history(&talk).await.len(), 3);
}

#[tokio::test]
async fn our_own_connector_client_gets_through() {
    let world = World::new().await;
    let talk = world.talk().await;
    let client = ConnectorClient::new(Guard::loopback_only(Options::default()));
    let target = Target { service_url: &format!("{}/", world.base), conversation_id: &talk.id };
    let activity = Activity::message("hello");
    let to = format!("{}|0000003", talk.id);
    let reply = client.reply_to_activity(&target, &to, &activity, None).await.unwrap();
    let sent = client.send_to_conversation(&target, &activity, Some("k")).await.unwrap();
    assert_eq!(client.send_to_conversation(&target, &activity, Some("k")).await.unwrap(), sent);
    let history = world.history(&talk).await;
    assert_eq!(history[1]["id"].as_str(), reply.id.as_deref());
    assert_eq!(history[1]["replyToId"].as_str(), Some(&*to));
    assert_eq!((history[2]["id"].as_str(), history[2].get("replyToId")), (sent.id.as_deref(), None));
    assert_eq!(history.len(), 3);

    let nowhere = Target { conversation_id: "none", ..target };
    let error = client.send_to_conversation(&nowhere, &activity, None).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let world = World::new().await;
    let talk = world.talk().await;
    let url = format!("{}/v3/conversations/{}/activities", world.base, talk.id);
    for key in ["", &"x".repeat(256)] {
        let request = world.http.post(&url).header("Idempotency-Key", key).json(&json!({"type": "message"}));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(code(&response.json().await.unwrap()), "BadArgument");
    }
    assert_eq!(
        world
            .call("POST", "/v3/conversations/none/activities/x", None, Some(&json!({"type": "message"})))
            .await
            .0,
        404
    );
    for (method, path, status) in [
        ("GET", "/v3/conversations/x/members".to_owned(), 404),
        ("GET", "/v3/directline/session/other".to_owned(), 404),
        ("GET", "/v3/directline/session/getsessionid".to_owned(), 401),
        ("DELETE", format!("/v3/conversations/{}/activities", talk.id), 405),
    ] {
        let (answered, answer) = world.call(method, &path, None, None).await;
        assert_eq!(answered, status, "{method} {path}");
        code(&answer);
    }
    assert_eq!(world.history(&talk).await.len(), 1);
}
