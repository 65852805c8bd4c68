//! A key from its making to its end, and who needs none.

use futures_util::StreamExt;
use proact::keys::Verb;
use serde_json::json;

use super::{Two, ask, closed, key};
use crate::support::{TestServer, client, eventually};

#[tokio::test]
async fn it_is_shown_once_and_opens_nothing_once_it_is_revoked_also_after_a_restart() {
    let server = closed().await;
    let one = key(&server, &[Verb::Read], &[], &[]).await;
    let other = key(&server, &[Verb::Read], &[], &[]).await;
    assert_eq!(ask(&server, Some(&one), "GET", "/v1/jobs", None).await.0, 200);
    let list = json!(server.parts().keys.list().await.unwrap()).to_string();
    assert!(!list.contains(&one) && !list.contains(&one[24..]), "{list}");
    let id = &one[7..23];
    assert!(list.contains(id), "{list}");
    let _ = server.parts().keys.revoke(id).await.unwrap();
    let (status, problem) = ask(&server, Some(&one), "GET", "/v1/jobs", None).await;
    assert_eq!((status, &problem["type"]), (401, &json!("urn:proact:problem:key-not-valid")));

    let data = server.data();
    for file in std::fs::read_dir(&data).unwrap().filter_map(Result::ok).filter(|file| file.path().is_file())
    {
        let bytes = std::fs::read(file.path()).unwrap();
        let secret = &one.as_bytes()[24..];
        assert!(
            !bytes.windows(secret.len()).any(|some| some == secret),
            "{:?} has the key itself",
            file.path()
        );
    }
    let (folder, _) = server.stop().await;
    let server = TestServer::on(folder, &[("PROACT_HTTP_REQUIRE_KEY", "always")]).await;
    assert_eq!(ask(&server, Some(&one), "GET", "/v1/jobs", None).await.0, 401);
    assert_eq!(ask(&server, Some(&other), "GET", "/v1/jobs", None).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn whatever_is_wrong_with_a_key_is_one_answer() {
    let server = closed().await;
    let good = key(&server, &[Verb::Read], &[], &[]).await;
    let mut changed = good.clone().into_bytes();
    *changed.last_mut().unwrap() ^= 1;
    let changed = String::from_utf8(changed).unwrap();
    let mut answers = Vec::new();
    for wrong in [
        &changed,
        &good[..good.len() - 1],
        "proact_",
        "proact_0000000000000000_x",
        "local_x",
        "x",
        "eyJhbGciOiJub25lIn0.e30.",
    ] {
        answers.push(ask(&server, Some(wrong), "GET", "/v1/jobs", None).await);
    }
    assert!(answers.iter().all(|answer| answer.0 == 401 && *answer == answers[0]), "{answers:?}");
    for headers in [&["Basic eDp5"][..], &[""], &["Bearer"], &["Bearer x", "Bearer x"]] {
        let mut request = client().get(format!("{}/v1/jobs", server.url));
        for header in headers {
            request = request.header("authorization", *header);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401, "{headers:?}");
        assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    }
    server.stop().await;
}

#[tokio::test]
async fn without_credentials_this_machine_needs_no_key_but_one_that_is_presented_counts() {
    let server = TestServer::start().await;
    let two = Two::of(&server).await;
    assert_eq!(server.get("/v1/jobs").await.0, 200);
    assert_eq!(ask(&server, Some("proact_0000000000000000_x"), "GET", "/v1/jobs", None).await.0, 401);
    let limited = key(&server, &[Verb::Read], &[], &["test/mine"]).await;
    let theirs = format!("/v1/jobs/{}", two.theirs.report);
    assert_eq!(ask(&server, Some(&limited), "GET", &theirs, None).await.0, 404);
    assert_eq!(ask(&server, Some(&limited), "GET", "/v1/status", None).await.0, 403);
    server.stop().await;
}

#[tokio::test]
async fn a_workers_token_opens_its_job_alone_where_a_key_is_required() {
    let server = closed().await;
    Two::of(&server).await;
    let place = proact::activity::ConversationKey::new("test", "mine").unwrap();
    let job = server.engine().start_job(place, proact::proactive::NewJob::new("report")).await.unwrap();
    let (token, n) = (job.token.as_str(), job.number);
    let progress = json!({"percent": 3});
    for (method, path, expected) in [
        ("POST", format!("/v1/jobs/{n}/progress"), 200),
        ("POST", format!("/v1/jobs/{}/progress", n - 1), 401),
        ("GET", format!("/v1/jobs/{n}"), 401),
        ("GET", "/v1/jobs".to_owned(), 401),
        ("POST", format!("/v1/jobs/{n}/cancel"), 401),
    ] {
        let body = (method == "POST").then_some(&progress).filter(|_| !path.ends_with("cancel"));
        let empty = json!({});
        let body = body.or((method == "POST").then_some(&empty));
        assert_eq!(ask(&server, Some(token), method, &path, body).await.0, expected, "{method} {path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_feed_tells_what_is_reached_and_ends_with_its_key() {
    let server = closed().await;
    let two = Two::of(&server).await;
    let limited = key(&server, &[Verb::Read], &[], &["test/mine"]).await;
    let response =
        client().get(format!("{}/v1/changes", server.url)).bearer_auth(&limited).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let (mut stream, mut seen) = (response.bytes_stream(), String::new());
    let operator = server.engine();
    let progress = || {
        let mut progress = proact::proactive::Progress::default();
        progress.percent = Some(7);
        progress
    };
    let _ = operator.job_progress(two.theirs.report, progress(), None).await.unwrap();
    let _ = operator.job_progress(two.mine.report, progress(), None).await.unwrap();
    while !seen.contains(&format!("\"number\":{}", two.mine.report)) {
        seen.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(!seen.contains("theirs"), "{seen}");
    let _ = server.parts().keys.revoke(&limited[7..23]).await.unwrap();
    let _ = operator.job_heartbeat(two.mine.report, None).await.unwrap();
    let _ = operator.job_progress(two.mine.report, progress(), None).await.unwrap();
    let rest: Vec<_> = stream.collect().await;
    assert!(rest.iter().flatten().all(|bytes| !bytes.starts_with(b"event: job")), "{rest:?}");
    server.stop().await;
}

#[tokio::test]
async fn readiness_names_no_conversation_to_who_has_no_key() {
    let server = closed().await;
    Two::of(&server).await;
    let all = key(&server, &[Verb::Read, Verb::Control], &[], &[]).await;
    let path = "/v1/pauses/conversation/test/theirs";
    assert_eq!(ask(&server, Some(&all), "PUT", path, Some(&json!({"reason": "why"}))).await.0, 200);
    let shown = ask(&server, Some(&all), "GET", "/readyz", None).await;
    assert!(shown.0 == 200 && shown.1.to_string().contains("theirs"), "{shown:?}");
    assert_eq!(ask(&server, None, "GET", "/readyz", None).await, (200, json!({"status": "ready"})));
    server.stop().await;
}

#[tokio::test]
async fn it_is_noted_when_a_key_was_used() {
    let server = closed().await;
    let one = key(&server, &[Verb::Read], &[], &[]).await;
    ask(&server, Some(&one), "GET", "/v1/jobs", None).await;
    eventually("the time of its use", async || server.parts().keys.list().await.unwrap()[0].used_at).await;
    server.stop().await;
}
