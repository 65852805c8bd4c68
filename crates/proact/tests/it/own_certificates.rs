//! A network whose TLS is of its own making: the root certificate that is configured is for the login service and for channels.

use proact::{
    app::{self, App, Trust},
    auth::Credentials,
    testkit::{FakeChannel, IdentityProvider},
};
use tokio_util::sync::CancellationToken;

use crate::{egress::world::tls_before, support::TestBot};

const APP: &str = "00000000-aaaa-bbbb-cccc-000000000001";
const TENANT: &str = "00000000-aaaa-bbbb-cccc-000000000002";

/// Says something to a bot that trusts these certificates, behind whose channel and login service they are; the answer's status.
async fn say(
    provider: &IdentityProvider,
    login: &str,
    channel: &FakeChannel,
    at: &str,
    roots: &[&str],
) -> u16 {
    let trust = Trust::new(Credentials::new(APP, "hunter2").in_tenant(TENANT))
        .login(login)
        .channel_metadata(provider.channel_metadata())
        .channel(at);
    let trust = roots.iter().fold(trust, |trust, root| trust.root_certificate(*root));
    let folder = tempfile::tempdir().unwrap();
    let (listener, address) = app::listen("127.0.0.1:0").await.unwrap();
    let opened = App::new(TestBot).data(folder.path()).trust(trust).open().await.unwrap();
    let parts = opened.at(address).await.unwrap();
    let (router, stop) = (parts.gate.in_front_of(parts.router()), CancellationToken::new());
    parts.start().await.unwrap();
    let served = tokio::spawn(app::serve(listener, router, stop.clone()));

    let mut activity = channel.user("c1").message("hello");
    activity.service_url = Some(at.to_owned());
    let answer = reqwest::Client::new()
        .post(format!("http://{address}/api/messages"))
        .bearer_auth(provider.channel_token(APP, at).sign())
        .header("content-type", "application/json")
        .body(activity.encode())
        .send()
        .await
        .unwrap();
    parts.stop().await;
    stop.cancel();
    served.await.unwrap();
    answer.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_proves_its_name_by_a_certificate_that_is_trusted_gets_the_password_and_the_token() {
    let (provider, channel) = (IdentityProvider::start(), FakeChannel::start());
    provider.register(TENANT, APP, "hunter2");
    let login_port = provider.origin().rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let (login_port, login_root) = tls_before(login_port, "127.0.0.1", &["localhost"]).await;
    let (port, channel_root) = tls_before(channel.port(), "127.0.0.1", &["localhost"]).await;
    let (login, at) = (format!("https://localhost:{login_port}"), format!("https://localhost:{port}/"));

    assert_eq!(say(&provider, &login, &channel, &at, &[]).await, 500);
    assert_eq!(say(&provider, &login, &channel, &at, &[&channel_root]).await, 500);
    assert_eq!(provider.count("token"), 0, "the password went to who had not proved its name");
    assert_eq!(say(&provider, &login, &channel, &at, &[&login_root]).await, 500);
    assert_eq!(channel.ledger().iter().count(), 0, "the token went to who had not proved its name");
    assert_eq!(say(&provider, &login, &channel, &at, &[&login_root, &channel_root]).await, 200);
    assert_eq!(channel.ledger().texts("c1"), ["echo hello"]);
    assert!(channel.ledger().iter().all(|entry| entry.post.headers.contains_key("authorization")));
}
