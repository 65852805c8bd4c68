//! TLS on the app's own port: who is let in how, and what a client that comes so is told of the way back.

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use proact::app::{self, App, GateOptions, Parts, ServeOptions, Site, Tls};
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use crate::support::TestBot;

/// An app that is served with TLS on a free port.
struct World {
    port: u16,
    parts: Parts,
    certificate: rcgen::Certificate,
    _folder: tempfile::TempDir,
    stop: CancellationToken,
}

/// A certificate for `localhost` in `folder`, and its TLS.
fn tls(folder: &Path) -> (rcgen::Certificate, Tls) {
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let (cert_path, key_path) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert_path, certificate.pem()).unwrap();
    std::fs::write(&key_path, key.serialize_pem()).unwrap();
    (certificate, Tls::load(cert_path, key_path).unwrap())
}

impl World {
    async fn start(site: Site) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, tls) = tls(folder.path());
        let mut gate = GateOptions::default();
        gate.site = site;
        let opened = App::new(TestBot).data(folder.path().join("data")).gate(gate).open().await.unwrap();
        let (listener, address) = app::listen("127.0.0.1:0").await.unwrap();
        let parts = opened.at(address).await.unwrap();
        let router = parts.gate.in_front_of(parts.router());
        let (mut options, stop) = (ServeOptions::default(), CancellationToken::new());
        options.tls = Some(tls);
        parts.start().await.unwrap();
        tokio::spawn(app::serve_within(listener, router, stop.clone(), options));
        Self { port: address.port(), parts, certificate, _folder: folder, stop }
    }

    /// A client that trusts this server alone.
    fn client(&self) -> reqwest::Client {
        let root = reqwest::Certificate::from_der(self.certificate.der()).unwrap();
        reqwest::Client::builder().tls_certs_only([root]).build().unwrap()
    }

    /// A new conversation, started at `base` by way of a client; with the answer's status.
    async fn start_at(&self, base: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let secret = std::fs::read_to_string(self._folder.path().join("data/directline.secret")).unwrap();
        let mut request = self.client().post(format!("{base}:{}/v3/directline/conversations", self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = json!({"user": {"id": "dl_u"}});
        let response = request.bearer_auth(secret.trim()).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// An encrypted connection of a client that trusts this server alone.
    async fn connect(&self) -> tokio_rustls::client::TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }
}

#[tokio::test]
async fn a_client_that_trusts_the_certificate_talks_and_one_that_does_not_is_not_talked_to() {
    let world = World::start(Site::default()).await;
    let (status, started) = world.start_at("https://localhost", &[]).await;
    assert_eq!(status, 201, "{started}");
    let url = started["streamUrl"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&format!("wss://localhost:{}/", world.port)), "{url}");

    // The stream, over TLS as well, and what the bot inside answers on it: the way to the bot and back is not disturbed.
    let (mut socket, _) = tokio_tungstenite::client_async(url, world.connect().await).await.unwrap();
    let talk = started["conversationId"].as_str().unwrap();
    let said = world
        .client()
        .post(format!("https://localhost:{}/v3/directline/conversations/{talk}/activities", world.port));
    let message = json!({"type": "message", "from": {"id": "dl_u"}, "text": "hello"});
    let said = said.bearer_auth(started["token"].as_str().unwrap()).json(&message).send().await.unwrap();
    assert_eq!(said.status().as_u16(), 200);
    let mut seen = String::new();
    while !seen.contains("echo hello") {
        let frame =
            tokio::time::timeout(Duration::from_secs(30), socket.next()).await.unwrap().unwrap().unwrap();
        if let Message::Text(text) = frame {
            seen.push_str(&text);
        }
    }
    socket.close(None).await.unwrap();

    let strangers = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let refused = strangers.get(format!("https://localhost:{}/", world.port)).send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
    world.parts.stop().await;
    world.stop.cancel();
}

#[tokio::test]
async fn from_this_machine_plain_http_is_heard_at_the_same_port_and_each_has_its_own_origin() {
    let world = World::start(Site::default()).await;
    let (secure, plain) =
        (format!("https://localhost:{}", world.port), format!("http://localhost:{}", world.port));
    let (status, started) = world.start_at("http://localhost", &[("Origin", &plain)]).await;
    assert_eq!(status, 201, "{started}");
    assert!(started["streamUrl"].as_str().unwrap().starts_with("ws://"), "{started}");
    assert_eq!(world.start_at("https://localhost", &[("Origin", &secure)]).await.0, 201);
    assert_eq!(world.start_at("https://localhost", &[("Origin", &plain)]).await.0, 403);
    assert_eq!(world.start_at("http://localhost", &[("Origin", &secure)]).await.0, 403);
}

#[tokio::test]
async fn behind_a_proxy_clients_are_told_the_public_url() {
    let site = Site::public("https://bot.example.com").unwrap();
    let world = World::start(site).await;
    let by_proxy = [
        ("Host", "bot.example.com"),
        ("X-Forwarded-For", "203.0.113.7"),
        ("Origin", "https://bot.example.com"),
    ];
    let (status, started) = world.start_at("http://localhost", &by_proxy).await;
    assert_eq!(status, 201, "{started}");
    assert!(started["streamUrl"].as_str().unwrap().starts_with("wss://bot.example.com/v3/"), "{started}");
    let (status, refused) = world.start_at("http://localhost", &[("Host", "evil.example.com")]).await;
    assert_eq!(status, 403, "{refused}");
    let other = World::start(Site::default()).await;
    let (status, refused) = other.start_at("http://localhost", &[("X-Forwarded-For", "203.0.113.7")]).await;
    assert_eq!(status, 403, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_finish_the_handshake_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let (_, tls) = tls(folder.path());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (mut options, stop) = (ServeOptions::default(), CancellationToken::new());
    options.tls = Some(tls);
    let served = tokio::spawn(app::serve_within(listener, axum::Router::new(), stop.clone(), options));
    // Nothing at all, and the beginning of one: both wait for more until their time is over.
    for sent in [&b""[..], &[22, 3, 1, 0, 200][..]] {
        let began = tokio::time::Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        // The end, or a reset.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(began.elapsed() >= Duration::from_secs(10), "{:?}", began.elapsed());
    }
    stop.cancel();
    served.await.unwrap();
}
