//! The floor: the least that a bot in Rust can do. A bare axum server that parses the same activity with the same code and
//! posts one reply of the same text with a pooled client, and waits for its answer before its own.

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use proact::activity::Activity;
use reqwest::Client;

const HELP: &str = "Type 'run' or 'run job' to start a new job.\nType 'show' or 'show jobs' to display the job log.\nType \
                    'done <jobNumber>' to complete a job.";

/// Serves until it is killed; says where in its first line.
pub(super) fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let http = Client::builder().no_proxy().build()?;
        let routes = axum::Router::new()
            .route("/healthz", get(|| async {}))
            .route("/api/messages", post(turn))
            .with_state(http);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        Ok(axum::serve(listener, routes).await?)
    })
}

async fn turn(State(http): State<Client>, body: Bytes) -> StatusCode {
    let Ok(activity) = Activity::decode(&body) else { return StatusCode::BAD_REQUEST };
    let (Some(id), Some(service_url)) = (activity.id, activity.service_url) else {
        return StatusCode::BAD_REQUEST;
    };
    let (Some(conversation), Some(from), Some(recipient)) =
        (activity.conversation, activity.from, activity.recipient)
    else {
        return StatusCode::BAD_REQUEST;
    };
    let conversation_id = conversation.id.clone().unwrap_or_default();
    let url = format!("{service_url}v3/conversations/{conversation_id}/activities/{id}");
    let mut reply = Activity::message(HELP).with_reply_to(id).with_service_url(service_url);
    reply.channel_id = activity.channel_id;
    reply.locale = activity.locale;
    reply.conversation = Some(conversation);
    reply.from = Some(recipient);
    reply.recipient = Some(from);
    let sent = http.post(url).header(CONTENT_TYPE, "application/json").body(reply.encode()).send().await;
    let Ok(answer) = sent else { return StatusCode::BAD_GATEWAY };
    let status = answer.status();
    if answer.bytes().await.is_err() { StatusCode::BAD_GATEWAY } else { status }
}
