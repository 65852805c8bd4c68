//! The connector's other routes, against a server that writes down what came, byte for byte, and answers as told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{StatusCode, header};
use proact::activity::{Activity, ChannelAccount, ConversationParameters};
use proact::connector::{AttachmentData, Class, ConnectorClient, Error, Target};
use proact::egress::{self, Guard, Options, Refused};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::connector;

/// Stands for a channel.
struct Desk {
    service_url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    came: Mutex<Vec<(String, Value)>>,
    answers: Mutex<VecDeque<Response>>,
}

impl Desk {
    async fn open() -> Self {
        let shared = Arc::<Shared>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service_url = format!("http://{}/teams", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { service_url, shared }
    }

    fn answer(&self, answers: impl IntoIterator<Item = Response>) {
        self.shared.answers.lock().unwrap().extend(answers);
    }

    fn target<'t>(&'t self, conversation_id: &'t str) -> Target<'t> {
        Target { service_url: &self.service_url, conversation_id }
    }

    /// What came since it was asked last: method and path as they came, and the body.
    fn came(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.shared.came.lock().unwrap())
    }

    fn lines(&self) -> Vec<String> {
        self.came().into_iter().map(|(line, _)| line).collect()
    }
}

async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    shared.came.lock().unwrap().push((line, serde_json::from_slice(&body).unwrap_or_default()));
    let answer = shared.answers.lock().unwrap().pop_front();
    answer.unwrap_or_else(|| StatusCode::IM_A_TEAPOT.into_response())
}

fn ok(body: Value) -> Response {
    axum::Json(body).into_response()
}

fn status(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

fn redirect(to: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, to.to_owned())]).into_response()
}

fn account(id: &str) -> ChannelAccount {
    ChannelAccount::new(id)
}

#[tokio::test]
async fn a_conversation_is_created_with_its_parameters() {
    let desk = Desk::open().await;
    desk.answer([
        ok(json!({ "id": "19:new", "activityId": "a1", "serviceUrl": "http://127.0.0.1/x" })),
        status(202),
        ok(json!({ "id": "" })),
        status(403),
    ]);
    let parameters = ConversationParameters::one_to_one(account("bot"), account("29:eva"))
        .with_tenant("t1")
        .with_activity("hello");
    let created = connector().create_conversation(&desk.service_url, &parameters).await.unwrap();
    assert_eq!((created.id.as_deref(), created.activity_id.as_deref()), (Some("19:new"), Some("a1")));
    assert_eq!(created.service_url.as_deref(), Some("http://127.0.0.1/x"));
    let sent = json!({
        "isGroup": false, "bot": {"id": "bot"}, "members": [{"id": "29:eva"}], "tenantId": "t1",
        "activity": {"type": "message", "text": "hello"}
    });
    assert_eq!(desk.came(), [("POST /teams/v3/conversations".to_owned(), sent)]);
    // It may have been created, but nobody can say which one it is.
    for _ in 0..2 {
        let error = connector().create_conversation(&desk.service_url, &parameters).await.unwrap_err();
        assert!(matches!(error, Error::Unexpected { .. }) && error.is_unknown(), "{error}");
        assert!(error.to_string().contains("the new conversation's id"), "{error}");
    }
    let error = connector().create_conversation(&desk.service_url, &parameters).await.unwrap_err();
    assert_eq!(error.class(), Class::Permanent);
}

#[tokio::test]
async fn a_thread_and_a_group_are_written_as_channels_read_them() {
    let thread = ConversationParameters::channel_thread(account("bot"), "19:channel", "first".into());
    let json = serde_json::to_value(&thread).unwrap();
    assert_eq!(json["channelData"], json!({ "channel": { "id": "19:channel" } }));
    assert_eq!((&json["isGroup"], &json["activity"]["text"]), (&json!(true), &json!("first")));
    assert_eq!(json.get("members"), None);
    let group = ConversationParameters::group(account("bot"), [account("a"), account("b")]).with_topic("us");
    let json = serde_json::to_value(&group).unwrap();
    assert_eq!((&json["members"][1]["id"], &json["topicName"]), (&json!("b"), &json!("us")));
}

#[tokio::test]
async fn each_route_is_where_the_protocol_has_it() {
    let desk = Desk::open().await;
    let eva = json!({ "id": "29:eva", "name": "Eva", "userPrincipalName": "eva@example.org" });
    let target = desk.target("19:x@thread|y");
    let connector = connector();

    desk.answer([ok(json!([eva])), ok(eva.clone()), status(204), status(200), ok(json!([eva]))]);
    let members = connector.members(&target).await.unwrap();
    assert_eq!(members[0].extra["userPrincipalName"], "eva@example.org", "what else is said is kept");
    let member = connector.member(&target, "29:eva/1").await.unwrap();
    assert_eq!(member.name.as_deref(), Some("Eva"));
    connector.delete_member(&target, "29:eva").await.unwrap();
    connector.delete_member(&target, "29:eva").await.unwrap();
    assert_eq!(connector.activity_members(&target, "1;a=2").await.unwrap(), members);

    desk.answer([ok(json!({ "id": "h" })), ok(json!({ "id": "f1" })), ok(json!({ "id": "f2" }))]);
    let history = vec![Activity::message("then"), Activity::message("now")];
    assert_eq!(connector.send_history(&target, history).await.unwrap().id.as_deref(), Some("h"));
    let mut file = AttachmentData {
        content_type: "image/png".to_owned(),
        name: "a.png".to_owned(),
        original: vec![0, 255, 1].into(),
        thumbnail: None,
    };
    assert_eq!(connector.upload_attachment(&target, &file).await.unwrap().id.as_deref(), Some("f1"));
    file.thumbnail = Some(vec![7].into());
    connector.upload_attachment(&target, &file).await.unwrap();
    assert!(!format!("{file:?}").contains("255"));

    let views =
        json!({ "name": "a.png", "type": "image/png", "views": [{ "viewId": "original", "size": 3 }] });
    desk.answer([ok(views)]);
    let info = connector.attachment_info(&desk.service_url, "f/1").await.unwrap();
    assert_eq!((info.content_type.as_deref(), info.views[0].size), (Some("image/png"), Some(3)));

    let base = "/teams/v3/conversations/19%3Ax%40thread%7Cy";
    let came = desk.came();
    let lines: Vec<&str> = came.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(
        lines,
        [
            format!("GET {base}/members"),
            format!("GET {base}/members/29%3Aeva%2F1"),
            format!("DELETE {base}/members/29%3Aeva"),
            format!("DELETE {base}/members/29%3Aeva"),
            format!("GET {base}/activities/1%3Ba%3D2/members"),
            format!("POST {base}/activities/history"),
            format!("POST {base}/attachments"),
            format!("POST {base}/attachments"),
            "GET /teams/v3/attachments/f%2F1".to_owned(),
        ]
    );
    assert_eq!(came[5].1["activities"][1]["text"], "now");
    assert_eq!(came[6].1, json!({ "type": "image/png", "name": "a.png", "originalBase64": "AP8B" }));
    assert_eq!(came[7].1["thumbnailBase64"], "Bw==");
}

#[tokio::test]
async fn pages_are_asked_for_one_by_one_and_only_as_far_as_they_are_wanted() {
    let desk = Desk::open().await;
    let page = |ids: &[&str], token: Value| {
        let members: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        ok(json!({ "members": members, "continuationToken": token }))
    };
    let target = desk.target("c");
    let ids = |members: Vec<ChannelAccount>| -> Vec<String> {
        members.into_iter().filter_map(|member| member.id).collect()
    };

    desk.answer([page(&["a", "b"], json!("t&1 +")), page(&[], json!("t2")), page(&["c"], json!(""))]);
    let all: Vec<_> = connector().paged_members(&target, Some(2)).try_collect().await.unwrap();
    assert_eq!(ids(all), ["a", "b", "c"]);
    let route = "GET /teams/v3/conversations/c/pagedmembers?pageSize=2";
    let lines = [
        route.to_owned(),
        format!("{route}&continuationToken=t%261+%2B"),
        format!("{route}&continuationToken=t2"),
    ];
    assert_eq!(desk.lines(), lines);

    desk.answer([page(&["a", "b"], json!("t1"))]);
    let first: Vec<_> = connector().paged_members(&target, None).take(2).try_collect().await.unwrap();
    assert_eq!((ids(first).len(), desk.lines().len()), (2, 1), "a page that nobody wants is not asked for");

    // A channel that errs in the middle, and one that would lead in a circle.
    desk.answer([page(&["a"], json!("t1")), status(503)]);
    let mut members = connector().paged_members(&target, None).boxed();
    assert!(members.next().await.unwrap().is_ok());
    assert_eq!(members.next().await.unwrap().unwrap_err().class(), Class::Busy);
    assert!(members.next().await.is_none());
    desk.answer([page(&["a"], json!("t1")), page(&["b"], json!("t1"))]);
    let circle: Result<Vec<_>, _> = connector().paged_members(&target, None).try_collect().await;
    assert!(matches!(circle, Err(Error::Unexpected { .. })));

    desk.came();
    let conversations = |id: &str, token: Value| {
        ok(
            json!({ "conversations": [{ "id": id, "members": [{ "id": "eva" }] }], "continuationToken": token }),
        )
    };
    desk.answer([conversations("c1", json!("t")), conversations("c2", json!(null))]);
    let all: Vec<_> = connector().conversations(&desk.service_url).try_collect().await.unwrap();
    assert_eq!((all.len(), all[1].members.len()), (2, 1));
    let route = "GET /teams/v3/conversations";
    assert_eq!(desk.lines(), [route.to_owned(), format!("{route}?continuationToken=t")]);
}

#[tokio::test]
async fn an_answer_to_a_question_must_be_one() {
    let desk = Desk::open().await;
    let ask = async |answer: Response| {
        desk.answer([answer]);
        connector().members(&desk.target("c")).await.unwrap_err()
    };
    for body in ["", "null", "{}", "<html>", "[{\"id\":5}]"] {
        let error = ask(body.into_response()).await;
        assert!(matches!(error, Error::Unexpected { status: 200, .. }), "{body}: {error}");
        assert!(error.is_unknown() && !error.is_retryable());
    }
    let error = ask(ok(json!([{ "id": "x".repeat(5000) }]))).await;
    assert!(matches!(error, Error::Unknown { reason: egress::Error::TooLarge { .. } }), "{error}");
    assert_eq!(ask(status(404)).await.class(), Class::Permanent);
    assert_eq!(ask(status(429)).await.class(), Class::Throttled);
    assert_eq!(ask(status(204)).await.class(), Class::Unknown);
    let error = ask(redirect("/teams/v3/elsewhere")).await;
    assert_eq!((error.status(), error.class()), (Some(302), Class::Unknown));
    desk.came();
    // Nothing leaves for what no path can carry, or for another host.
    for (service_url, id) in
        [(&*desk.service_url, ".."), (&*desk.service_url, ""), ("http://example.com", "c")]
    {
        let target = Target { service_url, conversation_id: id };
        assert_eq!(connector().members(&target).await.unwrap_err().class(), Class::Refused);
        let error =
            connector().attachment_info(service_url, if id == "c" { "f" } else { id }).await.unwrap_err();
        assert_eq!(error.class(), Class::Refused, "{error}");
    }
    assert!(desk.came().is_empty());
}

#[tokio::test]
async fn a_file_comes_down_up_to_its_size_and_by_the_guards_rules() {
    let desk = Desk::open().await;
    let connector =
        ConnectorClient::new(Guard::loopback_only(Options { max_response_bytes: 10, ..Options::default() }));
    let get = async |answers: Vec<Response>, most: usize| {
        desk.answer(answers);
        connector.attachment_content(&desk.service_url, "f 1", "original", most).await
    };
    let file = || ([(header::CONTENT_TYPE, "image/png")], vec![1_u8; 50]).into_response();
    let content = get(vec![file()], 50).await.unwrap();
    assert_eq!((content.content_type.as_deref(), content.bytes.len()), (Some("image/png"), 50));
    assert_eq!(desk.lines(), ["GET /teams/v3/attachments/f%201/views/original"]);

    let error = get(vec![file()], 49).await.unwrap_err();
    assert!(matches!(error, Error::Unknown { reason: egress::Error::TooLarge { limit: 49, .. } }), "{error}");
    assert_eq!(get(vec![status(404)], 50).await.unwrap_err().class(), Class::Permanent);

    desk.came();
    let content =
        get(vec![redirect("/files/1?sig=a%2Fb"), redirect("2"), redirect("3"), file()], 50).await.unwrap();
    assert_eq!(content.bytes.len(), 50);
    assert_eq!(desk.lines()[1..], ["GET /files/1?sig=a%2Fb", "GET /files/2", "GET /files/3"]);
    let circle = get((0..4).map(|_| redirect("/round")).collect(), 50).await.unwrap_err();
    assert!(matches!(circle, Error::Unexpected { status: 302, .. }), "{circle}");

    desk.came();
    for outside in
        ["http://169.254.169.254/latest", "https://example.com/f", "file:///etc/passwd", "//10.0.0.1/f"]
    {
        let error = get(vec![redirect(outside)], 50).await.unwrap_err();
        assert!(
            matches!(&error, Error::Refused(Refused::NotLoopback { .. } | Refused::Scheme { .. })),
            "{error}"
        );
    }
    assert_eq!(desk.came().len(), 4, "nothing else left");
}

#[test]
fn however_members_fall_into_pages_all_come_once_and_in_order() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let desk = runtime.block_on(Desk::open());
    proptest!(ProptestConfig::with_cases(64), |(pages in prop::collection::vec(0..4_usize, 1..8), most in 0..20_usize)| {
        let total: usize = pages.iter().sum();
        let mut next = 0..;
        let count = pages.len();
        let answers = pages.iter().enumerate().map(|(number, size)| {
            let members: Vec<Value> = next.by_ref().take(*size).map(|id| json!({ "id": id.to_string() })).collect();
            let token = if number + 1 < count { json!(format!("t{number}")) } else { json!(null) };
            ok(json!({ "members": members, "continuationToken": token }))
        });
        desk.answer(answers);
        let asked = runtime.block_on(connector().paged_members(&desk.target("c"), None).take(most).try_collect::<Vec<_>>());
        let ids: Vec<String> = asked.unwrap().into_iter().filter_map(|member| member.id).collect();
        let expected: Vec<String> = (0..total.min(most)).map(|id| id.to_string()).collect();
        prop_assert_eq!(ids, expected);
        let came = desk.came().len();
        prop_assert!(came <= count && (most < total || came == count || most == total), "{} of {}", came, count);
        desk.shared.answers.lock().unwrap().clear();
    });
}

#[test]
fn any_id_is_one_segment_of_every_route() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let desk = runtime.block_on(Desk::open());
    let ids = "[:;@|/%?#&+= \\\\.~a-c\\PC]{1,12}";
    proptest!(ProptestConfig::with_cases(64), |(a in ids, b in ids)| {
        prop_assume!([&a, &b].iter().all(|id| ![".", ".."].contains(&id.as_str())));
        runtime.block_on(async {
            let _ = connector().member(&desk.target(&a), &b).await;
            let _ = connector().attachment_content(&desk.service_url, &a, &b, 1).await;
            let _ = connector().activity_members(&desk.target(&a), &b).await;
        });
        for (line, at) in desk.lines().into_iter().zip([[3, 5], [3, 5], [3, 5]]) {
            let path = line.split_once(' ').unwrap().1;
            let decoded: Vec<String> = path
                .split('/')
                .skip(1)
                .map(|part| percent_encoding::percent_decode_str(part).decode_utf8().unwrap().into_owned())
                .collect();
            prop_assert_eq!((&decoded[at[0]], &decoded[at[1]]), (&a, &b), "{}", line);
        }
    });
}
