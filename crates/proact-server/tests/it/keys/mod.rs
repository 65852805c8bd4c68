//! Keys for the API: what each opens, and that nothing else does.

mod bola;
mod cli;
mod life;
mod names;

use proact::{
    activity::ConversationKey,
    keys::{NewKey, Scope, Verb},
    proactive::{NewJob, NewNotification, Place},
    testkit::FakeChannel,
};
use serde_json::Value;

use crate::support::{TestServer, answer, client, say};

/// A server that takes nobody without a key.
pub(crate) async fn closed() -> TestServer {
    TestServer::with(&[("PROACT_HTTP_REQUIRE_KEY", "always")]).await
}

/// A key of these verbs, limited to these kinds and conversations; empty: not limited.
pub(crate) async fn key(server: &TestServer, verbs: &[Verb], kinds: &[&str], places: &[&str]) -> String {
    let some =
        |list: &[&str]| (!list.is_empty()).then(|| list.iter().map(|text| (*text).to_owned()).collect());
    let places =
        (!places.is_empty()).then(|| places.iter().map(|text| text.parse::<Place>().unwrap()).collect());
    let scope = Scope::new(verbs.iter().copied(), some(kinds), places).unwrap();
    let new = NewKey { name: "test".to_owned(), scope, expires_at: None };
    server.parts().keys.create(new).await.unwrap().0.expose().to_owned()
}

/// What the server answers to who presents `key`.
pub(crate) async fn ask(
    server: &TestServer,
    key: Option<&str>,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let request = client().request(method.parse().unwrap(), format!("{}{path}", server.url));
    let request = key.into_iter().fold(request, |request, key| request.bearer_auth(key));
    let request = if path == "/v1/events" {
        request.header("content-type", "application/cloudevents+json")
    } else {
        request
    };
    answer(body.into_iter().fold(request, |request, body| request.json(body))).await
}

/// Two conversations, `mine` and `theirs`, each with a job of each kind and two notifications, one of which waits.
struct Two {
    /// Answers for as long as this lives.
    _channel: FakeChannel,
    mine: Place2,
    theirs: Place2,
}

/// What there is in one of them.
#[derive(Debug, Clone)]
struct Place2 {
    /// A job of the kind `report`, and one of the kind `secret`.
    report: u64,
    secret: u64,
    /// What waits for the year 2100.
    waiting: String,
    /// What failed, for it is to a conversation that cannot be reached.
    told: String,
}

impl Two {
    async fn of(server: &TestServer) -> Self {
        let channel = FakeChannel::start();
        let mine = place(server, &channel, "mine").await;
        let theirs = place(server, &channel, "theirs").await;
        Self { _channel: channel, mine, theirs }
    }
}

async fn place(server: &TestServer, channel: &FakeChannel, id: &str) -> Place2 {
    say(channel, &channel.user(id), id, &server.bot(), "hello").await;
    let key = || ConversationKey::new("test", id).unwrap();
    let engine = server.engine();
    let report = engine.start_job(key(), NewJob::new("report")).await.unwrap().number;
    let secret = engine.start_job(key(), NewJob::new("secret")).await.unwrap().number;
    let ended = engine.start_job(key(), NewJob::new("secret")).await.unwrap().number;
    let message = proact::activity::Activity::message(format!("{id} was told"));
    let proact::proactive::Completion::Completed { notification } =
        engine.complete_job(ended, message, None).await.unwrap()
    else {
        panic!("it was complete");
    };
    let mut new = NewNotification::new(key(), format!("{id} will hear"));
    new.not_before = Some("2100-01-01T00:00:00Z".parse().unwrap());
    let waiting = engine.notify(new).await.unwrap().id.to_string();
    Place2 { report, secret, waiting, told: notification.to_string() }
}
