//! Starting a conversation, and who joins it.

use proact::activity::{Activity, ActivityType};
use serde_json::json;

use super::world::{SECRET, Socket, Talk, World, texts};

fn joins(seen: &[Activity]) -> Vec<(&str, &str)> {
    seen.iter()
        .filter(|activity| activity.activity_type == ActivityType::ConversationUpdate)
        .map(|update| (update.from_id().unwrap(), update.members_added[0].id.as_deref().unwrap()))
        .collect()
}

#[tokio::test]
async fn the_bot_joins_then_the_person_each_once() {
    let mut world = World::new().await;
    let user = json!({"user": {"id": "dl_1", "name": "Uma"}});
    let (_, made) = world.post("tokens/generate", SECRET, &user).await;
    let token = made["token"].as_str().unwrap();
    assert_eq!(world.bot.seen().len(), 0, "a token alone starts nothing");

    // Directline.js sends these very bodies.
    let (status, first) = world.post("conversations", token, &json!({"user": {}, "locale": "de-DE"})).await;
    assert_eq!(status, 201);
    let seen = world.bot.wait_for(|seen| seen.len() == 2).await;
    assert_eq!(joins(&seen), [("dl_1", "bot"), ("dl_1", "dl_1")]);
    assert_eq!(seen[1].locale.as_deref(), Some("de-DE"));
    assert_eq!(
        seen[0].id.as_deref(),
        Some(&*format!("{}|0000001", made["conversationId"].as_str().unwrap()))
    );

    let (status, again) = world.call("POST", "/v3/directline/conversations", Some(token), None).await;
    assert_eq!((status, &again["conversationId"]), (200, &first["conversationId"]));
    // The bot was told; that it has answered shows when somebody hears it.
    assert_eq!(Socket::open(&Talk::of(&again)).await.activities(1).await.len(), 1);
    world.kill_and_restart().await;
    let (status, again) = world.post("conversations", token, &json!({})).await;
    assert_eq!((status, &again["conversationId"]), (200, &first["conversationId"]));
    let talk = Talk::of(&again);
    assert_eq!(world.say(&talk, "hi").await.0, 200);
    assert_eq!(joins(&world.bot.seen()).len(), 2);

    let shown = world.history(&talk).await;
    assert_eq!(texts(&shown), ["Welcome to Proact, Uma.", "hi", "echo: hi"], "joins are not shown");
    assert_eq!(texts(&Socket::open(&talk).await.activities(3).await), texts(&shown));
}

#[tokio::test]
async fn a_person_who_was_not_known_joins_with_their_first_activity() {
    let world = World::new().await;
    let (status, started) = world.call("POST", "/v3/directline/conversations", Some(SECRET), None).await;
    assert_eq!(status, 201);
    let talk = Talk::of(&started);
    world.bot.wait_for(|seen| seen.len() == 1).await;
    for (user, text) in [("a", "one"), ("b", "two"), ("a", "three")] {
        let activity = json!({"type": "message", "from": {"id": user, "name": user}, "text": text});
        let path = format!("conversations/{}/activities", talk.id);
        assert_eq!(world.post(&path, SECRET, &activity).await.0, 200);
    }
    let seen = world.bot.seen();
    assert_eq!(joins(&seen), [(&*talk.id, "bot"), ("a", "a"), ("b", "b")]);
    let kinds: Vec<_> = seen.iter().map(|activity| activity.activity_type.as_str()).collect();
    assert_eq!(
        kinds,
        ["conversationUpdate", "conversationUpdate", "message", "conversationUpdate", "message", "message"]
    );
}

#[tokio::test]
async fn at_once_it_is_still_once() {
    let world = World::new().await;
    let (_, made) = world.post("tokens/generate", SECRET, &json!({"user": {"id": "dl_1"}})).await;
    let token = made["token"].as_str().unwrap();
    let body = json!({});
    let starts = (0..16).map(|_| world.post("conversations", token, &body));
    let mut statuses: Vec<_> =
        futures_util::future::join_all(starts).await.into_iter().map(|(status, _)| status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[14..], [200, 201]);
    assert_eq!(statuses[0], 200);
    assert_eq!(
        world
            .post(
                &format!("conversations/{}/activities", made["conversationId"].as_str().unwrap()),
                token,
                &json!({"type": "message", "text": "hi"})
            )
            .await
            .0,
        200
    );
    let seen = world.bot.wait_for(|seen| joins(seen).len() == 2).await;
    assert_eq!(joins(&seen), [("dl_1", "bot"), ("dl_1", "dl_1")]);
}
