//! The connector client against the fake channel.

mod routes;

use std::time::Duration;

use proact::activity::Activity;
use proact::connector::{Class, ConnectorClient, Error, RetryAfter, Target};
use proact::egress::{Guard, Options};
use proact::testkit::{ChannelAnswer, FakeChannel};
use proptest::prelude::*;

fn connector() -> ConnectorClient {
    ConnectorClient::new(Guard::loopback_only(Options {
        timeout: Duration::from_secs(2),
        max_response_bytes: 4096,
        ..Options::default()
    }))
}

async fn send(channel: &FakeChannel) -> Result<Option<String>, Error> {
    let target = Target { service_url: &channel.service_url(), conversation_id: "c" };
    connector().send_to_conversation(&target, &Activity::message("hi"), None).await.map(|answer| answer.id)
}

#[tokio::test]
async fn an_activity_arrives_as_it_was_written() {
    let channel = FakeChannel::start();
    let service_url = channel.service_url();
    let target = Target { service_url: &service_url, conversation_id: "19:x@thread|y" };
    let activity = Activity::message("hi").with_channel_data(serde_json::json!({ "a": [1, null] }));
    let connector = connector();
    let first = connector.send_to_conversation(&target, &activity, None).await.unwrap();
    let second =
        connector.reply_to_activity(&target, "1:0;messageid=1", &activity, Some("k1")).await.unwrap();

    let ledger = channel.ledger();
    assert_eq!((first.id.as_deref(), second.id.as_deref()), (Some(&*ledger[0].id), Some(&*ledger[1].id)));
    assert_eq!(ledger[0].body, activity.encode());
    assert_eq!(ledger[0].conversation, "19:x@thread|y");
    assert_eq!((ledger[0].reply_to.as_deref(), ledger[0].idempotency_key.as_deref()), (None, None));
    assert_eq!(ledger[1].reply_to.as_deref(), Some("1:0;messageid=1"));
    assert_eq!(ledger[1].idempotency_key.as_deref(), Some("k1"));
    assert_eq!(ledger[1].headers["content-type"], "application/json");
}

#[tokio::test]
async fn an_activity_is_updated_and_deleted_under_its_id() {
    let channel = FakeChannel::start();
    let service_url = channel.service_url();
    let target = Target { service_url: &service_url, conversation_id: "19:x@thread|y" };
    let connector = connector();
    for text in ["first", "second", "third"] {
        connector.send_to_conversation(&target, &Activity::message(text), None).await.unwrap();
    }
    let ids: Vec<_> = channel.ledger().iter().map(|entry| entry.id.clone()).collect();
    let changed = Activity::message("changed");
    let updated = connector.update_activity(&target, &ids[1], &changed).await.unwrap();
    assert_eq!(updated.id.as_ref(), Some(&ids[1]), "it keeps its id");
    connector.delete_activity(&target, &ids[0]).await.unwrap();
    let answer = ChannelAnswer::status(204).accepting().with_body("");
    channel.script("19:x@thread|y", [answer, ChannelAnswer::status(404), ChannelAnswer::cut()]);
    connector.delete_activity(&target, &ids[2]).await.unwrap();
    let gone = connector.delete_activity(&target, "gone").await.unwrap_err();
    assert_eq!(gone.class(), Class::Permanent);
    assert!(connector.update_activity(&target, &ids[1], &changed).await.unwrap_err().is_unknown());
    for id in ["", "."] {
        let refused = connector.update_activity(&target, id, &changed).await.unwrap_err();
        assert_eq!(refused.class(), Class::Refused);
    }

    let ledger = channel.ledger();
    assert_eq!(ledger.shown("19:x@thread|y"), ["changed"]);
    assert_eq!(ledger.texts("19:x@thread|y"), ["first", "second", "third"]);
    let methods: Vec<_> = ledger.iter().map(|entry| entry.method.as_str()).collect();
    assert_eq!(methods, ["POST", "POST", "POST", "PUT", "DELETE", "DELETE", "DELETE", "PUT"]);
    assert_eq!(ledger[3].body, changed.encode());
    assert_eq!(ledger[4].headers.get("content-type"), None, "there is no body to have a type");
}

#[tokio::test]
async fn the_service_urls_path_is_kept() {
    let channel = FakeChannel::start();
    let connector = connector();
    let base = channel.service_url_with_path();
    for service_url in [base.clone(), format!("{base}/")] {
        let target = Target { service_url: &service_url, conversation_id: "c" };
        connector.reply_to_activity(&target, "a", &"hi".into(), None).await.unwrap();
    }
    for entry in channel.ledger().iter() {
        assert_eq!(entry.path, "/base/path/v3/conversations/c/activities/a");
    }
    assert_eq!(channel.ledger().len(), 2);
}

#[tokio::test]
async fn success_needs_no_body() {
    let channel = FakeChannel::start();
    for status in [200, 201, 202] {
        let answer = ChannelAnswer::status(status);
        channel.script(
            "c",
            [
                answer.clone().with_body(""),
                answer.clone().with_body("<html>"),
                answer.clone().with_body("{\"ok\":true}"),
                answer.clone().with_body("x".repeat(5000)),
                ChannelAnswer::cut_after_head(status),
                answer,
            ],
        );
        for id in [false, false, false, false, false, true] {
            assert_eq!(send(&channel).await.unwrap().is_some(), id);
        }
    }
}

#[tokio::test]
async fn every_answer_has_its_class() {
    let channel = FakeChannel::start();
    let over = "Sun, 06 Nov 1994 08:49:37 GMT";
    let elsewhere = format!("{}v3/conversations/elsewhere/activities", channel.service_url());
    let cases = [
        (ChannelAnswer::throttled(Some("1.5")), Class::Throttled, Some(2)),
        (ChannelAnswer::throttled(None), Class::Throttled, None),
        (ChannelAnswer::throttled(Some("-3")), Class::Throttled, None),
        (ChannelAnswer::throttled(Some(over)).with_header("Date", over), Class::Throttled, Some(0)),
        (ChannelAnswer::status(412), Class::Throttled, None),
        (ChannelAnswer::status(503).with_header("Retry-After", "9"), Class::Busy, Some(9)),
        (ChannelAnswer::status(400), Class::Permanent, None),
        (ChannelAnswer::status(403), Class::Permanent, None),
        (ChannelAnswer::status(404), Class::Permanent, None),
        (ChannelAnswer::status(500).accepting(), Class::Unknown, None),
        (ChannelAnswer::status(502), Class::Unknown, None),
        (ChannelAnswer::status(504), Class::Unknown, None),
        (ChannelAnswer::redirect(&elsewhere), Class::Unknown, None),
        (ChannelAnswer::cut(), Class::Unknown, None),
        (ChannelAnswer::cut_unread(), Class::Unknown, None),
        (ChannelAnswer::garbage(), Class::Unknown, None),
        (ChannelAnswer::never(), Class::Unknown, None),
        (ChannelAnswer::cut_after_head(429), Class::Throttled, None),
    ];
    let count = cases.len();
    for (answer, class, seconds) in cases {
        channel.script("c", [answer.clone()]);
        let error = send(&channel).await.unwrap_err();
        assert_eq!(error.class(), class, "{answer:?}: {error}");
        assert_eq!(error.is_unknown(), class == Class::Unknown);
        assert_eq!(error.is_retryable(), matches!(class, Class::Throttled | Class::Busy));
        let after = seconds.map(|seconds| RetryAfter::After(Duration::from_secs(seconds)));
        assert_eq!(error.retry_after(), after, "{answer:?}");
    }
    assert_eq!(channel.ledger().len(), count, "nothing is sent twice or elsewhere");
}

#[tokio::test]
async fn a_refusal_is_told() {
    let channel = FakeChannel::start();
    channel.script("c", [ChannelAnswer::error(403, "MessageWritesBlocked", "blocked\r\nby user")]);
    let error = send(&channel).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(403), Some("MessageWritesBlocked")));
    assert!(error.to_string().starts_with("the channel answered 403 MessageWritesBlocked: blockedby user; "));
}

#[tokio::test]
async fn nothing_leaves_for_a_target_that_cannot_be() {
    let channel = FakeChannel::start();
    let service_url = channel.service_url();
    let refused = async |service_url, conversation_id, id| {
        let target = Target { service_url, conversation_id };
        let error = connector().send_to_conversation(&target, &"hi".into(), id).await.unwrap_err();
        assert_eq!(error.class(), Class::Refused, "{error}");
        assert!(!error.is_retryable() && !error.is_unknown());
    };
    refused("https://smba.trafficmanager.net/teams/", "c", None).await;
    refused("", "c", None).await;
    refused(&service_url, "..", None).await;
    refused(&service_url, "", None).await;
    refused(&service_url, "c", Some("line\nbreak")).await;
    assert!(channel.ledger().is_empty());

    channel.down().await;
    let error = send(&channel).await.unwrap_err();
    assert_eq!(error.class(), Class::Unreachable);
    assert!(error.is_retryable());
}

#[test]
fn any_id_arrives_as_it_was() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let channel = FakeChannel::start();
    let service_url = channel.service_url();
    let connector = connector();
    let ids = "[:;@|/%?#&+= \\\\.~a-c\\PC]{1,20}";
    proptest!(ProptestConfig::with_cases(128), |(conversation in ids, activity in ids)| {
        prop_assume!([&conversation, &activity].iter().all(|id| ![".", ".."].contains(&id.as_str())));
        let target = Target { service_url: &service_url, conversation_id: &conversation };
        runtime.block_on(connector.reply_to_activity(&target, &activity, &"hi".into(), None)).unwrap();
        let ledger = channel.ledger();
        let last = ledger.last().unwrap();
        prop_assert_eq!((&last.conversation, last.reply_to.as_ref()), (&conversation, Some(&activity)));
    });
}
