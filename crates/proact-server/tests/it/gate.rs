//! No name but this machine's, and no page from elsewhere: on every route, web sockets too.

use crate::support::{TestServer, raw};

const ROUTES: [&str; 10] = [
    "GET /",
    "GET /page.js",
    "GET /v1/jobs",
    "POST /v1/jobs/1/complete",
    "GET /v1/notifications",
    "GET /v1/changes",
    "POST /page/tokens",
    "GET /healthz",
    "POST /api/messages",
    "POST /v3/directline/tokens/generate",
];

fn request(route: &str, headers: &str) -> String {
    format!("{route} HTTP/1.1\r\n{headers}\r\n")
}

#[tokio::test]
async fn every_route_refuses_other_hosts_and_other_origins() {
    let server = TestServer::start().await;
    let host = server.host();
    let port = host.rsplit(':').next().unwrap();
    let stream = "GET /v3/directline/conversations/c/stream";
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for route in ROUTES.into_iter().chain([stream]) {
        let more = if route == stream { upgrade } else { "" };
        for (headers, what) in [
            (format!("Host: rebound.example.org:{port}\r\n"), "a name that was pointed here"),
            (format!("Host: 127.0.0.1.nip.io:{port}\r\n"), "a name that looks like an address"),
            (format!("Host: 192.168.0.1:{port}\r\n"), "another address"),
            (format!("Host: {host}\r\nHost: {host}\r\n"), "two hosts"),
            (format!("Host: {host}\r\nOrigin: https://example.org\r\n"), "another site"),
            (format!("Host: {host}\r\nOrigin: null\r\n"), "a sandboxed page"),
            (format!("Host: {host}\r\nOrigin: http://127.0.0.1:1\r\n"), "another port"),
            (format!("Host: {host}\r\nOrigin: https://{host}\r\n"), "another scheme"),
        ] {
            let (status, text) = raw(&server.url, &request(route, &format!("{headers}{more}"))).await;
            assert!(matches!(status, 400 | 403), "{route}, {what}: {text}");
            assert!(status == 403 || what == "two hosts", "{route}, {what}: {text}");
            assert!(!text.contains("ccess-control-allow"), "{route}: {text}");
        }
    }
    for headers in [
        format!("Host: {host}\r\n"),
        format!("Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n"),
        format!("Host: {host}\r\nOrigin: {}\r\n", server.url),
        "Host: [::1]\r\n".to_owned(),
    ] {
        let (status, text) = raw(&server.url, &request("GET /v1/jobs", &headers)).await;
        assert_eq!(status, 200, "{headers}: {text}");
    }
}

#[tokio::test]
async fn a_preflight_from_elsewhere_is_refused() {
    let server = TestServer::start().await;
    let host = server.host();
    let headers =
        format!("Host: {host}\r\nOrigin: https://example.org\r\nAccess-Control-Request-Method: POST\r\n");
    let (status, text) = raw(&server.url, &request("OPTIONS /v1/jobs/1/complete", &headers)).await;
    assert_eq!(status, 403, "{text}");
    assert!(!text.to_lowercase().contains("access-control-allow"));
}

#[tokio::test]
async fn page_tokens_need_an_origin() {
    let server = TestServer::start().await;
    let (status, problem) = server.post("/page/tokens", serde_json::json!({})).await;
    assert_eq!((status, problem["type"].as_str()), (403, Some("urn:proact:problem:origin-required")));
}

#[tokio::test]
async fn a_service_url_elsewhere_is_refused() {
    let server = TestServer::start().await;
    let channel = proact::testkit::FakeChannel::start();
    let user = channel.user("c1");
    for url in
        ["https://example.org/", "http://169.254.169.254/", "http://10.0.0.1/", "file:///etc/passwd", "x"]
    {
        let activity = user.message("run").with_service_url(url);
        assert_eq!(user.post(&server.bot(), &activity).await.unwrap().status, 400, "{url}");
    }
    assert_eq!(server.get("/v1/jobs").await.1["items"], serde_json::json!([]));
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let server = TestServer::with(&[("PROACT_HTTP_BODY_WITHIN", "50ms")]).await;
    let host = server.host();
    let headers = format!("Host: {host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n");
    for (route, marker) in
        [("POST /v1/jobs/1/complete", "body-too-slow"), ("POST /api/messages", "BadArgument")]
    {
        let (status, text) = raw(&server.url, &format!("{}{{", request(route, &headers))).await;
        assert_eq!(status, 408, "{route}: {text}");
        assert!(text.contains(marker), "{route}: {text}");
    }
}

#[tokio::test]
async fn who_sends_too_much_is_told_so_and_not_cut_off() {
    let server = TestServer::start().await;
    for _ in 0..8 {
        let request = reqwest::Client::new().post(format!("{}/v1/jobs/1/complete", server.url));
        let request = request.header("content-type", "application/json").body(vec![b'x'; 16 << 20]);
        assert_eq!(request.send().await.unwrap().status(), 413);
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_capped_too() {
    let server = TestServer::start().await;
    let host = server.host();
    let headers = format!("Host: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
    let body = chunk.repeat(17);
    let (status, text) =
        raw(&server.url, &format!("{}{body}", request("POST /v1/jobs/1/complete", &headers))).await;
    assert_eq!(status, 413, "{text}");
}
