//! Members and conversations, as bots see and make them.

use serde_json::{Value, json};

use super::world::{SECRET, Socket, Talk, World, code, texts};

/// A conversation of many people.
async fn crowd(world: &World, people: usize) -> String {
    let members: Vec<_> =
        (0..people).map(|n| json!({"id": format!("u{n:04}"), "name": format!("U {n}")})).collect();
    let (status, made) =
        world.bot_calls("POST", "", Some(&json!({"isGroup": true, "members": members}))).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

fn ids(members: &Value) -> Vec<&str> {
    members.as_array().unwrap().iter().map(|member| member["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn members_are_the_bot_and_who_has_joined() {
    let world = World::new().await;
    let talk = world.talk().await;
    let (status, members) = world.bot_calls("GET", &format!("/{}/members", talk.id), None).await;
    assert_eq!(
        (status, members),
        (
            200,
            json!([{"id": "bot", "name": "Proact", "role": "bot"}, {"id": "u", "name": "Uma", "role": "user"}])
        )
    );
    let (status, one) = world.bot_calls("GET", &format!("/{}/members/u", talk.id), None).await;
    assert_eq!((status, one["name"].as_str()), (200, Some("Uma")));
    assert_eq!(world.bot_calls("GET", &format!("/{}/members/bot", talk.id), None).await.1["role"], "bot");
    let (_, said) = world.say(&talk, "hi").await;
    let of_it =
        format!("/{}/activities/{}/members", talk.id, said["id"].as_str().unwrap().replace('|', "%7C"));
    let (status, members) = world.bot_calls("GET", &of_it, None).await;
    assert_eq!((status, ids(&members)), (200, vec!["bot", "u"]));
    for (path, expected) in [
        (format!("/{}/members/nobody", talk.id), "MemberNotFound"),
        ("/none/members/bot".to_owned(), "ConversationNotFound"),
        ("/none/members".to_owned(), "ConversationNotFound"),
        ("/none/pagedmembers".to_owned(), "ConversationNotFound"),
        (format!("/{}/activities/none/members", talk.id), "ActivityNotFound"),
    ] {
        let (status, answer) = world.bot_calls("GET", &path, None).await;
        assert_eq!((status, code(&answer)), (404, expected), "{path}");
    }
}

#[tokio::test]
async fn pages_go_through_everyone_once() {
    let world = World::new().await;
    let id = crowd(&world, 250).await;
    for size in ["1", "7", "100", "251", "500", ""] {
        let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let path = format!("/{id}/pagedmembers?pageSize={size}&continuationToken={token}");
            let (status, page) = world.bot_calls("GET", &path, None).await;
            assert_eq!(status, 200, "{page}");
            let on_it = page["members"].as_array().unwrap().len();
            assert!(on_it <= size.parse().unwrap_or(100), "the bot counts: {on_it} on a page of {size}");
            seen.extend(ids(&page["members"]).iter().map(ToString::to_string));
            pages += 1;
            match page["continuationToken"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        let expected: Vec<_> =
            std::iter::once("bot".to_owned()).chain((0..250).map(|n| format!("u{n:04}"))).collect();
        assert_eq!(seen, expected, "pages of {size}");
        let size = size.parse().unwrap_or(100_usize);
        assert_eq!(pages, 251_usize.div_ceil(size), "pages of {size}");
    }
    for query in ["pageSize=0", "pageSize=501", "pageSize=x", "continuationToken=!!", "continuationToken=_w"]
    {
        let (status, answer) = world.bot_calls("GET", &format!("/{id}/pagedmembers?{query}"), None).await;
        assert_eq!((status, code(&answer)), (400, "BadArgument"), "{query}");
    }
}

#[tokio::test]
async fn who_is_taken_out_is_told_of_and_joins_again_with_their_next_word() {
    let world = World::new().await;
    let talk = world.talk().await;
    assert_eq!(world.bot_calls("DELETE", &format!("/{}/members/u", talk.id), None).await.0, 200);
    let seen = world.bot.wait_for(|seen| seen.iter().any(|update| !update.members_removed.is_empty())).await;
    assert_eq!(seen.last().unwrap().members_removed[0].id.as_deref(), Some("u"));
    let (status, answer) = world.bot_calls("DELETE", &format!("/{}/members/u", talk.id), None).await;
    assert_eq!((status, code(&answer)), (404, "MemberNotFound"));
    let (status, answer) = world.bot_calls("DELETE", &format!("/{}/members/bot", talk.id), None).await;
    assert_eq!((status, code(&answer)), (400, "BadArgument"));
    let joined = |seen: &[proact::activity::Activity]| {
        seen.iter().filter(|update| update.members_added.iter().any(|m| m.id.as_deref() == Some("u"))).count()
    };
    assert_eq!(joined(&world.bot.seen()), 1);
    assert_eq!(world.say(&talk, "hi").await.0, 200);
    assert_eq!(joined(&world.bot.seen()), 2);
}

#[tokio::test]
async fn a_bot_begins_a_conversation_that_a_client_then_opens() {
    let world = World::new().await;
    let parameters = json!({"isGroup": false, "bot": {"id": "bot"}, "members": [{"id": "dl_1", "name": "Uma"}],
        "activity": {"type": "message", "text": "Your order is here."}, "topicName": "x", "tenantId": "y"});
    let (status, made) = world.bot_calls("POST", "", Some(&parameters)).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["activityId"], format!("{id}|0000001"));
    assert_eq!(made["serviceUrl"], format!("{}/", world.base));

    let user = proact::directline::User::new("dl_1", None).unwrap();
    let issued = world.channel.issue_token(Some(id), &user).await.unwrap();
    let (status, started) = world.post("conversations", &issued.token, &json!({})).await;
    assert_eq!((status, started["conversationId"].as_str()), (200, Some(id)));
    let talk = Talk::of(&started);
    let mut socket = Socket::open(&talk).await;
    assert_eq!(texts(&socket.activities(1).await), ["Your order is here."]);
    assert_eq!(world.say(&talk, "thanks").await.0, 200);
    assert_eq!(texts(&socket.activities(2).await), ["thanks", "echo: thanks"]);
    let kinds: Vec<_> = world.bot.seen().iter().map(|seen| seen.activity_type.as_str().to_owned()).collect();
    assert_eq!(kinds, ["message"], "a bot knows whom it has put there");

    for (body, expected, field) in [
        (json!({"members": [{}]}), "MissingProperty", "members[0].id"),
        (json!({"members": [{"id": "a"}, {"id": "b\n"}]}), "BadArgument", "members[1].id"),
        (json!({"members": {}}), "BadArgument", "members"),
        (json!({"activity": {}}), "MissingProperty", "activity.type"),
        (json!({"activity": {"type": "typing"}}), "BadArgument", "activity.type"),
        (json!([]), "BadArgument", "not a JSON object"),
    ] {
        let (status, answer) = world.bot_calls("POST", "", Some(&body)).await;
        assert_eq!((status, code(&answer)), (400, expected), "{body}");
        assert!(answer["error"]["message"].as_str().unwrap().starts_with(field), "{answer}");
    }
}

#[tokio::test]
async fn all_conversations_are_listed_page_by_page() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..150 {
        made.push(crowd(&world, 1).await);
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let (status, page) = world.bot_calls("GET", &format!("?continuationToken={token}"), None).await;
        assert_eq!(status, 200, "{page}");
        for conversation in page["conversations"].as_array().unwrap() {
            assert_eq!(ids(&conversation["members"]), ["bot", "u0000"]);
            seen.push(conversation["id"].as_str().unwrap().to_owned());
        }
        match page["continuationToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    made.sort();
    seen.sort();
    assert_eq!(seen, made);
    assert_eq!(world.bot_calls("GET", "?continuationToken=!", None).await.0, 400);
}

#[tokio::test]
async fn the_past_comes_along_under_its_own_ids_and_times_once() {
    let world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    socket.activities(1).await;
    let past = json!({"activities": [
        {"type": "message", "id": "teams:1", "timestamp": "2020-12-24T18:00:00Z", "text": "help",
            "from": {"id": "u", "name": "Uma", "role": "user"}, "conversation": {"id": "elsewhere"}},
        {"type": "conversationUpdate", "id": "teams:2"},
        {"type": "message", "id": "teams:3", "timestamp": "2020-12-24T18:00:05Z", "text": "how?"},
    ]});
    let path = format!("/{}/activities/history", talk.id);
    let (status, answer) = world.bot_calls("POST", &path, Some(&past)).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["id"].is_string());
    let came = socket.activities(2).await;
    assert_eq!(texts(&came), ["help", "how?"]);
    assert_eq!((came[0]["id"].as_str(), came[0]["from"]["id"].as_str()), (Some("teams:1"), Some("u")));
    assert_eq!(came[0]["timestamp"], "2020-12-24T18:00:00.000Z");
    assert_eq!(came[0]["conversation"]["id"].as_str(), Some(&*talk.id));
    assert_eq!(came[1]["from"]["id"], "bot");
    let (status, answer) = world.bot_calls("POST", &path, Some(&past)).await;
    assert_eq!((status, answer.get("id")), (200, None), "it is there already");
    world.channel.forget().await.unwrap();
    assert_eq!(world.history(&talk).await.len(), 3);
    assert_eq!(world.bot.messages().len(), 0, "a past is not handed over");
    let (status, _) = world.bot_calls("DELETE", &format!("/{}/activities/teams%3A3", talk.id), None).await;
    assert_eq!(status, 200);
    assert_eq!(socket.activities(1).await[0]["id"], "teams:3");

    for (body, expected, field) in [
        (
            json!({"activities": [{"type": "message"}, {"text": "x"}]}),
            "MissingProperty",
            "activities[1].type",
        ),
        (
            json!({"activities": [{"type": "message", "timestamp": "noon"}]}),
            "BadArgument",
            "activities[0].timestamp",
        ),
        (json!({"activities": [{"type": "endOfConversation"}]}), "BadArgument", "activities[0].type"),
        (json!({"activities": 5}), "BadArgument", "activities"),
        (json!("secret"), "BadArgument", "not a JSON object"),
        (json!({"activities": vec![json!({"type": "message"}); 501]}), "BadArgument", "activities"),
    ] {
        let (status, answer) = world.bot_calls("POST", &path, Some(&body)).await;
        assert_eq!((status, code(&answer)), (400, expected), "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().starts_with(field), "{answer}");
    }
    assert_eq!(world.get(&format!("conversations/{}", talk.id), SECRET).await.0, 200);
}
