//! The egress guard against real sockets.

mod ssrf;
mod tokens;
pub(crate) mod world;

use std::time::Duration;

use http::{HeaderMap, Method};
use proact::egress::{Error, Guard, Options, Refused, Request, Response};
use proact::testkit::{ChannelAnswer, FakeChannel, Gate};

fn guard(options: Options) -> Guard {
    Guard::loopback_only(options)
}

async fn post(guard: &Guard, url: &str) -> Result<Response, Error> {
    let url = guard.check(url).unwrap();
    let body = br#"{"type":"message"}"#.as_slice().into();
    guard.send(Request { method: Method::POST, url, headers: HeaderMap::new(), body }).await
}

fn route(channel: &FakeChannel) -> String {
    format!("{}v3/conversations/c/activities", channel.service_url())
}

#[tokio::test]
async fn both_names_of_this_machine_work() {
    let channel = FakeChannel::start();
    let guard = guard(Options::default());
    assert_eq!(post(&guard, &route(&channel)).await.unwrap().status, 200);
    let by_name = route(&channel).replace("127.0.0.1", "localhost");
    assert_eq!(post(&guard, &by_name).await.unwrap().status, 200);
    let mapped = route(&channel).replace("127.0.0.1", "[::ffff:127.0.0.1]");
    assert_eq!(post(&guard, &mapped).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_url_that_was_not_checked_is_checked_when_sent() {
    let url = "http://example.com/".parse().unwrap();
    let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body: Default::default() };
    let error = guard(Options::default()).send(request).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refused::NotLoopback { .. })), "{error}");
    assert!(!error.bytes_may_have_left());
}

#[tokio::test]
async fn nothing_left_when_nobody_listens() {
    let channel = FakeChannel::start();
    channel.down().await;
    for url in [route(&channel), route(&channel).replace("127.0.0.1", "localhost")] {
        let error = post(&guard(Options::default()), &url).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        assert!(!error.bytes_may_have_left());
        assert!(!error.to_string().contains("/v3/"), "a path can hold what logs should not: {error}");
    }
}

#[tokio::test]
async fn nothing_left_without_tls() {
    let channel = FakeChannel::start();
    let error =
        post(&guard(Options::default()), &route(&channel).replace("http:", "https:")).await.unwrap_err();
    assert!(!error.bytes_may_have_left(), "{error}");
    assert!(channel.ledger().is_empty());
}

#[tokio::test]
async fn a_redirect_is_a_response() {
    let channel = FakeChannel::start();
    let elsewhere = format!("{}v3/conversations/elsewhere/activities", channel.service_url());
    channel.script("c", [ChannelAnswer::redirect(&elsewhere)]);
    let response = post(&guard(Options::default()), &route(&channel)).await.unwrap();
    assert_eq!(response.status, 307);
    assert_eq!(response.headers["location"], *elsewhere);
    assert_eq!(channel.ledger().len(), 1);
}

#[tokio::test]
async fn a_response_has_a_size() {
    let channel = FakeChannel::start();
    let guard = guard(Options { max_response_bytes: 100, ..Options::default() });
    channel.script(
        "c",
        [
            ChannelAnswer::ok().with_body("x".repeat(100)),
            ChannelAnswer::ok().with_body("x".repeat(101)),
            // Without a length in its head, and in pieces.
            ChannelAnswer::drip(Duration::ZERO).with_body("x".repeat(100)),
            ChannelAnswer::drip(Duration::ZERO).with_body("x".repeat(101)),
        ],
    );
    for fits in [true, false, true, false] {
        match post(&guard, &route(&channel)).await {
            Ok(response) => assert!(fits && response.body.len() == 100),
            Err(error) => {
                assert!(!fits && matches!(error, Error::TooLarge { limit: 100, .. }), "{error}");
                assert!(error.bytes_may_have_left());
                assert_eq!(error.head().unwrap().status, 200);
            }
        }
    }
}

#[tokio::test]
async fn the_time_counts_to_the_last_byte() {
    let channel = FakeChannel::start();
    let guard = guard(Options { timeout: Duration::from_secs(1), ..Options::default() });
    channel.script("nothing", [ChannelAnswer::never()]);
    channel.script("late", [ChannelAnswer::ok().behind(&Gate::closed())]);
    channel.script("slow", [ChannelAnswer::drip(Duration::from_millis(100)).with_body("x".repeat(100))]);
    let expired = async |conversation, head| {
        let url = format!("{}v3/conversations/{conversation}/activities", channel.service_url());
        let error = post(&guard, &url).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
        assert!(error.bytes_may_have_left());
        assert_eq!(error.head().map(|head| head.status), head);
    };
    tokio::join!(expired("nothing", None), expired("late", None), expired("slow", Some(200)));
}

#[tokio::test]
async fn what_breaks_off_may_have_left() {
    let channel = FakeChannel::start();
    let guard = guard(Options::default());
    channel.script(
        "c",
        [
            ChannelAnswer::cut(),
            ChannelAnswer::cut_unread(),
            ChannelAnswer::garbage(),
            ChannelAnswer::cut_after_head(202),
        ],
    );
    for head in [None, None, None, Some(202)] {
        let error = post(&guard, &route(&channel)).await.unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{error}");
        assert!(error.bytes_may_have_left());
        assert_eq!(error.head().map(|head| head.status), head);
    }
    assert_eq!(channel.ledger().len(), 4, "nothing is sent a second time");
}

#[tokio::test]
async fn a_channel_that_comes_back_is_found_again() {
    let channel = FakeChannel::start();
    let guard = guard(Options::default());
    post(&guard, &route(&channel)).await.unwrap();
    channel.down().await;
    assert!(post(&guard, &route(&channel)).await.is_err());
    channel.up();
    post(&guard, &route(&channel)).await.unwrap();
    assert_eq!(channel.ledger().len(), 2);
}

#[tokio::test]
async fn debug_and_errors_tell_no_secrets() {
    let guard = guard(Options::default());
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer tellme".parse().unwrap());
    let url = guard.check("http://127.0.0.1:9/?sig=tellme").unwrap();
    let request = Request { method: Method::POST, url, headers, body: b"tellme".as_slice().into() };
    assert!(!format!("{request:?}").contains("tellme"));
    let error = guard.send(request).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("tellme"));
}

#[test]
fn what_a_name_server_says_may_be_other_in_a_moment() {
    use proact::connector::{self, Class};
    let address = "0.0.0.0".parse().unwrap();
    let host = || "channel.example".to_owned();
    let class = |refused: Refused| connector::Error::from(refused).class();
    assert_eq!(
        class(Refused::Address { host: host(), address, range: "no address at all" }),
        Class::Unreachable
    );
    assert_eq!(class(Refused::ResolvesElsewhere { host: host(), address }), Class::Unreachable);
    assert_eq!(class(Refused::NotTrusted { host: host() }), Class::Refused);
    let none = proact::egress::TokenError::Refused { code: "x".to_owned() };
    let none = connector::Error::NoToken { reason: Error::NoToken { host: host(), reason: none } };
    assert!(none.class() == Class::NoToken && none.is_retryable() && !none.is_unknown());
}
