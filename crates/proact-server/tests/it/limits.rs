//! Clients that take too much room: of connections, of requests, of heads, of bodies.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::support::{STUCK, TestServer, eventually, raw};

/// A connection from another address of this machine.
async fn connect(server: &TestServer, from: &str) -> TcpStream {
    let to: SocketAddr = server.host().parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Sends a request and answers the status and everything that came up to the end of the body, or of the connection.
async fn ask(stream: &mut TcpStream, request: &str) -> (u16, String) {
    let _ = stream.write_all(request.as_bytes()).await;
    let (mut text, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(Ok(n @ 1..)) = tokio::time::timeout(STUCK, stream.read(&mut chunk)).await {
        text.extend_from_slice(&chunk[..n]);
        let so_far = String::from_utf8_lossy(&text);
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                break;
            }
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    (text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0), text)
}

fn get(server: &TestServer, path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{more}\r\n", server.host())
}

/// What a proxy says of the client whose request it brings.
fn brings(client: &str) -> String {
    format!("X-Forwarded-For: {client}\r\n")
}

/// What a refusal says: its code, in the shape of the route that was asked.
fn code_of(text: &str) -> String {
    let body: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap_or_default();
    let code = body["type"].as_str().map(|code| code.strip_prefix("urn:proact:problem:").unwrap());
    code.or(body["error"]["code"].as_str()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn one_address_cannot_take_the_connections_of_the_others() {
    let server = TestServer::with(&[("PROACT_HTTP_CONNECTIONS_PER_ADDRESS", "3")]).await;
    let health = get(&server, "/healthz", "");
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&server, "127.0.0.2").await;
        assert_eq!(ask(&mut stream, &health).await.0, 200);
        open.push(stream);
    }
    let mut fourth = connect(&server, "127.0.0.2").await;
    let (status, text) = ask(&mut fourth, &health).await;
    assert_eq!((status, code_of(&text).as_str()), (429, "too-many-from-this-address"), "{text}");
    assert!(
        text.to_lowercase().contains("retry-after: 1") && text.to_lowercase().contains("connection: close")
    );
    let messages = get(&server, "/api/messages", "");
    let (status, text) = ask(&mut connect(&server, "127.0.0.2").await, &messages).await;
    assert_eq!((status, code_of(&text).as_str()), (429, "TooManyRequests"), "{text}");

    assert_eq!(ask(&mut connect(&server, "127.0.0.3").await, &health).await.0, 200, "others are served");
    assert_eq!(server.get("/v1/jobs").await.0, 200, "and so is the machine itself");
    assert_eq!(ask(&mut open[0], &health).await.0, 200, "and who was there before");
    drop(open);
    eventually("a place that is free again", async || {
        (ask(&mut connect(&server, "127.0.0.2").await, &health).await.0 == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_full_server_still_delivers_what_it_has_accepted() {
    let server = TestServer::with(&[("PROACT_HTTP_CONNECTIONS", "2")]).await;
    let health = get(&server, "/healthz", "");
    let mut open = Vec::new();
    for from in ["127.0.0.2", "127.0.0.3"] {
        let mut stream = connect(&server, from).await;
        assert_eq!(ask(&mut stream, &health).await.0, 200);
        open.push(stream);
    }
    let (status, text) = ask(&mut connect(&server, "127.0.0.4").await, &health).await;
    assert_eq!((status, code_of(&text).as_str()), (503, "too-many-connections"), "{text}");

    let chat = server.chat(None).await;
    chat.say("run").await;
    eventually("the bot's answer over the process's connections to itself", async || {
        chat.texts().await.iter().any(|text| text.contains("starting job 1")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn behind_a_proxy_each_client_has_its_own_share() {
    let server = TestServer::with(&[
        ("PROACT_HTTP_REQUESTS_PER_ADDRESS", "2"),
        ("PROACT_HTTP_TRUSTED_PROXIES", "127.0.0.5, 127.0.0.6"),
    ])
    .await;
    let host = server.host();
    // Its body never comes: it is under way for as long as it may take.
    let hanging = |client: &str| {
        format!(
            "POST /v1/jobs/1/complete HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n{client}\r\n{{"
        )
    };
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(&server, "127.0.0.5").await;
        stream.write_all(hanging(&brings("6.6.6.6, 192.0.2.1, 127.0.0.6")).as_bytes()).await.unwrap();
        open.push(stream);
    }
    let asked = async |from: &str, client: &str| {
        ask(&mut connect(&server, from).await, &get(&server, "/v1/jobs", &brings(client))).await
    };
    eventually("both under way", async || {
        let (status, text) = asked("127.0.0.5", "192.0.2.1").await;
        (status == 429 && code_of(&text) == "too-many-from-this-address").then_some(())
    })
    .await;
    assert_eq!(asked("127.0.0.5", "192.0.2.2").await.0, 200, "another client of the same proxy");
    assert_eq!(asked("127.0.0.6", "192.0.2.1").await.0, 429, "the same client by another proxy");
    assert_eq!(
        asked("127.0.0.5", "192.0.2.1, 192.0.2.3").await.0,
        200,
        "what the client itself wrote there counts for nothing"
    );
    assert_eq!(asked("127.0.0.7", "192.0.2.1").await.0, 200, "nor does what no trusted proxy wrote");
    drop(open);
    eventually("both given up", async || (asked("127.0.0.5", "192.0.2.1").await.0 == 200).then_some(()))
        .await;
}

#[tokio::test]
async fn a_stream_that_is_open_counts_until_it_ends() {
    let server = TestServer::with(&[("PROACT_HTTP_REQUESTS_PER_ADDRESS", "1")]).await;
    let mut stream = connect(&server, "127.0.0.2").await;
    stream.write_all(get(&server, "/v1/changes", "").as_bytes()).await.unwrap();
    let mut first = [0; 1];
    tokio::time::timeout(STUCK, stream.read_exact(&mut first)).await.unwrap().unwrap();
    let jobs = get(&server, "/v1/jobs", "");
    assert_eq!(ask(&mut connect(&server, "127.0.0.2").await, &jobs).await.0, 429);
    drop(stream);
    eventually("the stream's end", async || {
        (ask(&mut connect(&server, "127.0.0.2").await, &jobs).await.0 == 200).then_some(())
    })
    .await;
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Where the stream of a new conversation is opened.
async fn stream_path(server: &TestServer) -> String {
    let url = server.chat(None).await.stream_url().await;
    url.split_once(server.host()).unwrap().1.to_owned()
}

#[tokio::test]
async fn a_client_behind_a_proxy_has_its_share_of_web_sockets() {
    let server = TestServer::with(&[
        ("PROACT_HTTP_CONNECTIONS_PER_ADDRESS", "1"),
        ("PROACT_HTTP_TRUSTED_PROXIES", "127.0.0.5"),
    ])
    .await;
    let path = stream_path(&server).await;
    let open = async |client: &str| {
        let mut socket = connect(&server, "127.0.0.5").await;
        let request = get(&server, &path, &(UPGRADE.to_owned() + &brings(client)));
        let (status, text) = ask(&mut socket, &request).await;
        (status, text, socket)
    };
    let (status, text, first) = open("192.0.2.1").await;
    assert_eq!(status, 101, "{text}");
    let (status, text, _) = open("192.0.2.1").await;
    assert_eq!((status, &*code_of(&text)), (429, "TooManyRequests"), "{text}");
    let (status, text, _other) = open("192.0.2.2").await;
    assert_eq!(status, 101, "{text}");
    drop(first);
    eventually("the socket's end", async || (open("192.0.2.1").await.0 == 101).then_some(())).await;
}

#[tokio::test]
async fn a_web_socket_keeps_its_connection_counted() {
    let server = TestServer::with(&[("PROACT_HTTP_CONNECTIONS_PER_ADDRESS", "1")]).await;
    let path = stream_path(&server).await;
    let mut socket = connect(&server, "127.0.0.2").await;
    let (status, text) = ask(&mut socket, &get(&server, &path, UPGRADE)).await;
    assert_eq!(status, 101, "{text}");
    let health = get(&server, "/healthz", "");
    for _ in 0..3 {
        assert_eq!(ask(&mut connect(&server, "127.0.0.2").await, &health).await.0, 429);
    }
    drop(socket);
    eventually("the socket's end", async || {
        (ask(&mut connect(&server, "127.0.0.2").await, &health).await.0 == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_too_much_for_a_parser_is_refused_before_it() {
    let server = TestServer::start().await;
    let host = server.host();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let members = format!("{{{}\"z\":1}}", (0..60_000).map(|n| format!("\"{n}\":0,")).collect::<String>());
    let items = format!("[{}0]", "0,".repeat(100_000));
    let long = format!("{{\"type\":\"{}\"}}", "x".repeat(600 * 1024));
    for (body, more, status, of_v1, of_channel) in [
        (&deep, "", 400, "body-too-deep", "BadArgument"),
        (&members, "", 413, "body-too-complex", "MessageSizeTooBig"),
        (&items, "", 413, "body-too-complex", "MessageSizeTooBig"),
        (&long, "", 413, "body-too-complex", "MessageSizeTooBig"),
        (&"{}".to_owned(), "Content-Encoding: gzip\r\n", 415, "body-encoded", "UnsupportedMediaType"),
        (&"{}".to_owned(), "Content-Encoding: br\r\n", 415, "body-encoded", "UnsupportedMediaType"),
    ] {
        for (path, code) in [("/v1/notifications", of_v1), ("/api/messages", of_channel)] {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n",
                body.len()
            );
            let (answered, text) = raw(&server.url, &format!("{head}{body}")).await;
            assert_eq!((answered, code_of(&text).as_str()), (status, code), "{path} {more}: {text}");
        }
    }
    assert_eq!(server.get("/v1/jobs").await.1["items"], json!([]), "nothing came of it");
}

#[tokio::test]
async fn heads_have_a_size() {
    let server = TestServer::start().await;
    for (path, more, status, code) in [
        (format!("/v1/jobs?cursor={}", "x".repeat(9000)), String::new(), 414, "uri-too-long"),
        ("/v1/jobs".to_owned(), format!("X-Long: {}\r\n", "x".repeat(20_000)), 431, "headers-too-large"),
        (
            "/v1/jobs".to_owned(),
            "X-Many: 1234567890123456789012345678901234567890\r\n".repeat(90)
                + &format!("X-Long: {}\r\n", "x".repeat(14_000)),
            431,
            "headers-too-large",
        ),
    ] {
        let (answered, text) = raw(&server.url, &get(&server, &path, &more)).await;
        assert_eq!((answered, code_of(&text).as_str()), (status, code), "{text}");
    }
    // Beyond what a connection reads of a head, there is only the status.
    let (status, _) = raw(&server.url, &get(&server, "/v1/jobs", &"X-Many: 1\r\n".repeat(500))).await;
    assert_eq!(status, 431);
}

#[tokio::test]
async fn who_dribbles_holds_up_nobody() {
    let server = TestServer::with(&[("PROACT_HTTP_BODY_WITHIN", "100ms")]).await;
    let host = server.host();
    let mut slow = connect(&server, "127.0.0.2").await;
    let head = format!(
        "POST /api/messages HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = slow.into_split();
    let dribble = tokio::spawn(async move {
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut answer = vec![0; 4096];
    let n = tokio::time::timeout(STUCK, reading.read(&mut answer)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&answer[..n]).starts_with("HTTP/1.1 408"));
    dribble.abort();
}
