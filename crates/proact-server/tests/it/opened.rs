//! What a session of the page, or a key, has opened ends with it: tokens of the channel, and streams.

use proact::keys::{NewKey, Scope, Verb};
use reqwest::header::{COOKIE, ORIGIN};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{STUCK, TestServer, answer, client};

const PAGE_KEY: &str = "the-key-of-the-page";

/// A session of the page, as a browser sends it back.
async fn session(server: &TestServer) -> String {
    let form = client().post(format!("{}/sign-in", server.url)).header(ORIGIN, &server.url);
    let form =
        form.header("content-type", "application/x-www-form-urlencoded").body(format!("key={PAGE_KEY}"));
    let answer = form.send().await.unwrap();
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn post(server: &TestServer, path: &str, bearer: &str) -> (u16, Value) {
    answer(client().post(format!("{}/v3/directline/{path}", server.url)).bearer_auth(bearer)).await
}

/// Starts a conversation: its token, and its stream.
async fn start(server: &TestServer, bearer: &str) -> (String, TcpStream) {
    let (status, started) = post(server, "conversations", bearer).await;
    assert_eq!(status, 201, "{started}");
    let url = started["streamUrl"].as_str().unwrap().strip_prefix("ws://").unwrap();
    let (host, path) = url.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 101");
    (started["token"].as_str().unwrap().to_owned(), stream)
}

/// Whether the stream ends by itself because what opened it has.
async fn is_over(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(STUCK, stream.read_to_end(&mut rest)).await.expect("it ends").unwrap();
    let why = b"what opened the stream has ended";
    rest.windows(why.len()).any(|some| some == why)
}

#[tokio::test]
async fn the_windows_of_a_page_end_with_its_session_and_those_of_another_do_not() {
    let server = TestServer::with(&[("PROACT_PAGE_SIGN_IN", "on"), ("PROACT_PAGE_KEY", PAGE_KEY)]).await;
    let page_token = async |cookie: &str| {
        let asked = client().post(format!("{}/page/tokens", server.url)).header(ORIGIN, &server.url);
        answer(asked.header(COOKIE, cookie).json(&json!({}))).await
    };
    let (one, other) = (session(&server).await, session(&server).await);
    let mut tokens = Vec::new();
    for cookie in [&one, &other] {
        let (status, issued) = page_token(cookie).await;
        assert_eq!(status, 200, "{issued}");
        let token = issued["token"].as_str().unwrap().to_owned();
        assert!(!token.contains(cookie.split_once('=').unwrap().1), "scripts see the token");
        tokens.push(token);
    }
    let (started, mut stream) = start(&server, &tokens[0]).await;
    let (_, _open) = start(&server, &tokens[1]).await;
    let (status, refreshed) = post(&server, "tokens/refresh", &started).await;
    assert_eq!(status, 200, "{refreshed}");
    let refreshed = refreshed["token"].as_str().unwrap();

    let out = client().post(format!("{}/sign-out", server.url)).header(ORIGIN, &server.url);
    assert_eq!(out.header(COOKIE, &one).send().await.unwrap().status(), 303);
    for token in [&tokens[0], &started, refreshed] {
        let (status, problem) = post(&server, "tokens/refresh", token).await;
        assert_eq!((status, &problem["error"]["code"]), (403, &json!("TokenExpired")));
    }
    assert_eq!(page_token(&one).await.0, 401);
    assert!(is_over(&mut stream).await);
    assert_eq!(post(&server, "tokens/refresh", &tokens[1]).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn the_stream_and_the_token_of_a_key_end_when_it_is_revoked() {
    let server = TestServer::start().await;
    let scope = Scope::new([Verb::Complete], None, None).unwrap();
    let new = NewKey { name: "ci".to_owned(), scope, expires_at: None };
    let (key, info) = server.parts().keys.create(new).await.unwrap();
    let (token, mut stream) = start(&server, key.expose()).await;
    assert_eq!(post(&server, "tokens/refresh", &token).await.0, 200);
    let _ = server.parts().keys.revoke(&info.id).await.unwrap();
    assert_eq!(post(&server, "tokens/refresh", &token).await.0, 403);
    assert!(is_over(&mut stream).await);
    server.stop().await;
}
