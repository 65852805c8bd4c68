//! The adapter inside another program: the example itself, and the bare service.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, body::Body, http::Request};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use proact::adapter::Adapter;
use proact::app::App;
use proact::state::{Accessor, BotState};
use proact::testkit::FakeChannel;
use proact::turn::{Bot, BotError, TurnContext};
use tower::{Layer as _, ServiceExt as _};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::support::TestBot;

#[expect(dead_code, reason = "its `main` is for people")]
#[path = "../../../examples/embed.rs"]
mod example;

/// Serves a router on a free port of loopback, as any program would.
async fn serve(program: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, program).await });
    url
}

#[tokio::test]
async fn the_example_tells_who_ordered() {
    let folder = tempfile::tempdir().unwrap();
    let (adapter, engine) = example::open(folder.path()).await.unwrap();
    engine.start(adapter.clone()).await.unwrap();
    let url = serve(example::routes(&adapter, engine)).await;
    let channel = FakeChannel::start();
    let eva = channel.user("c");
    let bot = format!("{url}/shop/messages");
    assert_eq!(eva.say(&bot, "order").await.unwrap().status, 200);

    let http = reqwest::Client::new();
    let ship = async |number: u32| {
        http.post(format!("{url}/orders/{number}/shipped")).send().await.unwrap().status().as_u16()
    };
    assert_eq!([ship(1).await, ship(1).await, ship(2).await], [202, 409, 404]);
    let told = ["Thank you. Your order is number 1.", "Order 1 is on its way to you."];
    channel.wait_for(|ledger| ledger.texts("c") == told).await;
    assert_eq!(http.get(&url).send().await.unwrap().text().await.unwrap(), "A shop, and its bot.");
    assert_eq!(http.get(&bot).send().await.unwrap().status().as_u16(), 405);
    assert_eq!(http.post(format!("{url}/api/messages")).send().await.unwrap().status().as_u16(), 404);
}

/// Counts messages in the store that it is made with.
struct Counter(Accessor<u32>);

impl Bot for Counter {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        let count = self.0.update(ctx, |count| {
            *count += 1;
            *count
        });
        ctx.send(format!("number {}", count.await?)).await?;
        Ok(())
    }
}

#[tokio::test]
async fn an_app_makes_its_bot_with_its_store() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    for number in 1..=2 {
        let app = App::with_store(|store| Counter(BotState::conversation(Arc::new(store)).property("count")));
        let opened = app.data(folder.path()).open().await.unwrap();
        let parts = opened.at("127.0.0.1:9".parse().unwrap()).await.unwrap();
        let hello = channel.user("c").message("hello").encode();
        assert_eq!(parts.adapter.process(hello.into()).await.status, 200);
        assert_eq!(channel.ledger().texts("c").last().copied(), Some(&*format!("number {number}")));
        parts.stop().await;
        parts.store.close().await;
    }
}

#[tokio::test]
async fn a_service_of_the_tower_kind_needs_no_axum_around_it() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(TestBot).build();
    let layer = SetResponseHeaderLayer::overriding(
        http::HeaderName::from_static("x-program"),
        http::HeaderValue::from_static("mine"),
    );
    let service = layer.layer(adapter.service());
    let post = async |kind: &str, body: Vec<u8>| {
        let request = Request::post("/anywhere").header("content-type", kind);
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["x-program"], "mine");
        response.status().as_u16()
    };
    let message = channel.user("c").message("hi").encode();
    assert_eq!(post("application/json", message.clone()).await, 200);
    assert_eq!(post("application/vnd.microsoft.activity+json; charset=utf-8", message.clone()).await, 200);
    assert_eq!(post("text/plain", message).await, 415);
    assert_eq!(post("application/json", vec![b' '; (1 << 20) + 1]).await, 413);
    assert_eq!(post("application/json", b"{".to_vec()).await, 400);
    assert_eq!(channel.ledger().texts("c"), ["echo hi"], "the second was the same activity");
    let get = Request::get("/anywhere").body(Body::empty()).unwrap();
    let response = adapter.service().oneshot(get).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["allow"].to_str().unwrap()), (405, "POST"));
    let told = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&told).contains("MethodNotAllowed"));
}

#[tokio::test]
async fn a_layer_that_gives_up_cuts_the_answer_and_not_the_turn() {
    let channel = FakeChannel::start();
    let gate = proact::testkit::Gate::closed();
    channel.script("c", [proact::testkit::ChannelAnswer::ok().behind(&gate)]);
    let adapter = Adapter::builder(TestBot).build();
    let service = tower::service_fn(move |request: Request<Body>| {
        let service = adapter.service();
        async move {
            let answer = tokio::time::timeout(Duration::from_millis(1), service.oneshot(request)).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|_| Ok(Default::default())).unwrap_or_default())
        }
    });
    let url = serve(Router::new().route_service("/bot", service)).await;
    assert_eq!(channel.user("c").say(&format!("{url}/bot"), "hi").await.unwrap().status, 200);
    gate.open();
    channel.wait_for(|ledger| ledger.texts("c") == ["echo hi"]).await;
}
