//! Cancel, reschedule, replay.

use futures_util::future::join_all;
use proact::testkit::{ChannelAnswer, Fault, Gate, Wait};
use serde_json::json;

use super::{code, met, to};
use crate::support::{answer, client, eventually};

fn later(text: &str) -> serde_json::Value {
    let mut body = to("c1", text);
    body["notBefore"] = json!("2100-01-01T00:00:00Z");
    body
}

#[tokio::test]
async fn what_is_cancelled_is_never_sent() {
    let (server, channel) = met().await;
    let id = server.send(later("Never.")).await;
    let story = server.notification(&id).await;
    assert_eq!(
        story["gates"],
        json!([{ "gate": "not_yet", "until": "2100-01-01T00:00:00Z" }]),
        "it says why it waits"
    );
    let cancelled = (200, json!({ "id": id, "state": "cancelled", "mayHaveArrived": false }));
    assert_eq!(server.act(&id, "cancel", json!({})).await, cancelled);
    assert_eq!(server.act(&id, "cancel", json!({})).await, cancelled, "again");
    let (status, problem) =
        server.act(&id, "reschedule", json!({ "notBefore": "2001-01-01T00:00:00Z" })).await;
    assert_eq!((status, code(&problem), &problem["state"]), (409, "too-late", &json!("cancelled")));
    let sent = server.send(to("c1", "Sent.")).await;
    server.becomes(&sent, "delivered").await;
    let (status, problem) = server.act(&sent, "cancel", json!({})).await;
    assert_eq!((status, code(&problem), &problem["state"]), (409, "too-late", &json!("delivered")));
    assert!(!channel.ledger().texts("c1").contains(&"Never."));
}

#[tokio::test]
async fn what_is_on_its_way_is_too_late_and_what_may_have_arrived_is_told() {
    let (server, channel) = met().await;
    let gate = Gate::closed();
    channel.script("c1", [ChannelAnswer::ok().behind(&gate)]);
    let id = server.send(to("c1", "On its way.")).await;
    channel.wait_for(|ledger| ledger.of("c1").any(|entry| entry.post.text() == "On its way.")).await;
    let (status, problem) = server.act(&id, "cancel", json!({})).await;
    assert_eq!((status, code(&problem), &problem["state"]), (409, "too-late", &json!("sending")));
    gate.open();
    server.becomes(&id, "delivered").await;

    // Then it waits for an hour, by the channel's word.
    let hour = Fault::Throttled(Wait::Seconds(3600));
    channel.script("c1", [Fault::AcceptedAndDropped, hour]);
    let id = server.send(to("c1", "Perhaps.")).await;
    let story = eventually("tried twice", async || {
        let story = server.notification(&id).await;
        (story["attempts"][1]["outcome"] == "retry" && story["state"] == "waiting").then_some(story)
    })
    .await;
    assert_eq!(
        (&story["attempts"][0]["outcome"], &story["mayHaveArrived"]),
        (&json!("unknown"), &json!(true))
    );
    let cancelled = json!({ "id": id, "state": "cancelled", "mayHaveArrived": true });
    assert_eq!(server.act(&id, "cancel", json!({})).await, (200, cancelled));
}

#[tokio::test]
async fn a_cancel_that_is_acknowledged_wins_every_race() {
    let (server, channel) = met().await;
    let mut outcomes = [0, 0];
    for round in 0..40 {
        let text = format!("Race {round}");
        let id = server.send(to("c1", &text)).await;
        let cancels = join_all((0..3).map(|_| server.act(&id, "cancel", json!({})))).await;
        let won = cancels.iter().any(|(status, _)| *status == 200);
        let state = if won { "cancelled" } else { "delivered" };
        server.becomes(&id, state).await;
        let shown = channel.ledger().texts("c1").contains(&text.as_str());
        assert_eq!(shown, !won, "{round}: {cancels:?}");
        outcomes[usize::from(won)] += 1;
    }
    // Which side wins is chance; that nobody is told wrongly is not.
    assert_eq!(outcomes.iter().sum::<i32>(), 40);
}

#[tokio::test]
async fn what_is_moved_to_now_goes_and_what_is_moved_away_stays() {
    let (server, channel) = met().await;
    let (now, away) = (server.send(later("Now.")).await, server.send(later("Away.")).await);
    let to = json!({ "notBefore": "2001-01-01T00:00:00Z" });
    let (status, answer) = server.act(&now, "reschedule", to).await;
    assert_eq!((status, &answer["state"]), (200, &json!("waiting")));
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Now.")).await;
    let (status, _) = server.act(&away, "reschedule", json!({ "notBefore": "2101-01-01T00:00:00Z" })).await;
    assert_eq!(status, 200);
    assert_eq!(server.notification(&away).await["dueAt"], "2101-01-01T00:00:00Z");
    for body in [json!({}), json!({ "notBefore": "soon" }), json!({ "notBefore": null, "now": true })] {
        assert_eq!(server.act(&away, "reschedule", body).await.0, 400);
    }
}

#[tokio::test]
async fn what_failed_is_replayed_once_under_a_key() {
    let (server, channel) = met().await;
    channel.script("c1", [Fault::Status(400)]);
    let id = server.send(to("c1", "Again.")).await;
    let story = server.becomes(&id, "failed").await;
    assert_eq!(
        (&story["attempts"][0]["outcome"], &story["attempts"][0]["status"]),
        (&json!("failed"), &json!(400))
    );
    let replay = async || {
        let request = client().post(format!("{}/v1/notifications/{id}/replay", server.url));
        answer(request.header("idempotency-key", "again").json(&json!({}))).await
    };
    let answers = join_all((0..20).map(|_| replay())).await;
    assert_eq!((answers[0].0, &answers[0].1["replayOf"]), (202, &json!(id)));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let new = answers[0].1["id"].as_str().unwrap();
    let story = server.becomes(new, "delivered").await;
    assert_eq!(story["replayOf"], json!(id));
    assert_eq!(channel.ledger().texts("c1").iter().filter(|text| **text == "Again.").count(), 1);
    let (status, problem) = server.act(new, "replay", json!({})).await;
    assert_eq!((status, code(&problem)), (409, "not-replayable"), "it was delivered");
    let (status, problem) = server.under_key("again", &to("c1", "Again.")).await;
    assert_eq!((status, code(&problem)), (409, "idempotency-key-reused"), "the key is a replay's");
}

#[tokio::test]
async fn none_of_it_is_done_to_what_is_not_there() {
    let (server, _channel) = met().await;
    for id in ["1", "0199", "00000000-0000-0000-0000-000000000000", "%FF", "%00"] {
        for (what, body) in [
            ("cancel", json!({})),
            ("replay", json!({})),
            ("reschedule", json!({ "notBefore": "2100-01-01T00:00:00Z" })),
        ] {
            let (status, problem) = server.act(id, what, body).await;
            assert_eq!((status, code(&problem)), (404, "notification-not-found"), "{id} {what}");
        }
    }
    let id = server.send(later("Later.")).await;
    for what in ["cancel", "replay"] {
        let (status, problem) = server.act(&id, what, json!({ "really": true })).await;
        assert_eq!((status, problem["field"].as_str()), (400, Some("really")));
    }
    assert_eq!(server.notification(&id).await["state"], "waiting");
}
