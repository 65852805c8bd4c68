//! A worker outside: `report` starts a job and a process of its own that works on it, reports how far it is, and finishes it, over HTTP.
//!
//! The worker knows an address, the job's number and the job's token, and nothing else: with the token it can report on that one job and
//! finish it. The server `proact` has these routes (docs/http-api.md); here they are twenty lines. Whatever the worker got no answer to it
//! says again: the same report gets the same answer. If it dies, the job's conversation is told that there is no news, and when the
//! deadline passes, that it was not done in time.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::post,
};
use proact::{
    app::{self, Parts, StopSignal},
    prelude::*,
    proactive::{NewJob, Proactive, Progress, WorkerAnswer, WorkerReport},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// What a worker is told.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) base_url: String,
    pub(crate) job: u64,
    pub(crate) token: String,
}

/// Starts a worker: here a task, elsewhere a process, a queue, another machine.
type Hire = fn(Order);

pub(crate) struct Reports {
    pub(crate) base_url: String,
    pub(crate) hire: Hire,
}

impl Bot for Reports {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        if ctx.activity().text().trim() != "report" {
            return Ok(());
        }
        let mut report = NewJob::new("report");
        report.title = Some("Yearly report".to_owned());
        report.deadline = Some(Duration::from_secs(600));
        report.heartbeat = Some(Duration::from_secs(60));
        let job = ctx.jobs().start_with(report).await?;
        ctx.send(format!("Report {} takes a moment.", job.number)).await?;
        let token = job.token.as_str().to_owned();
        (self.hire)(Order { base_url: self.base_url.clone(), job: job.number, token });
        Ok(())
    }
}

/// `POST /jobs/{number}/progress` and `POST /jobs/{number}/complete` for who has the job's token.
pub(crate) fn routes(engine: Proactive) -> Router {
    Router::new().route("/jobs/{number}/{what}", post(take)).with_state(engine)
}

async fn take(
    State(engine): State<Proactive>,
    Path((number, what)): Path<(u64, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let report = match what.as_str() {
        "progress" => {
            let mut progress = Progress::default();
            progress.percent = body["percent"].as_u64().and_then(|percent| u8::try_from(percent).ok());
            progress.text = text("text");
            WorkerReport::Progress(progress)
        }
        "complete" => WorkerReport::Complete(Box::new(text("message").unwrap_or_default().into())),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match engine.worker_reports(number, token.unwrap_or_default(), report).await {
        Ok(WorkerAnswer::Noted(view)) => Json(view).into_response(),
        Ok(WorkerAnswer::Finished(view)) => (StatusCode::CONFLICT, Json(view)).into_response(),
        Ok(_) => StatusCode::UNAUTHORIZED.into_response(),
        Err(proact::proactive::Error::Store(error)) if error.is_retryable() => {
            (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// The worker: all that it has is its order. Each step of its work takes this long.
pub(crate) async fn work(order: Order, step: Duration) {
    let Order { base_url, job, token } = order;
    let http = reqwest::Client::new();
    let say = async |what: &str, body: Value| loop {
        let request = http.post(format!("{base_url}jobs/{job}/{what}")).bearer_auth(&token).json(&body);
        match request.send().await.map(|answer| answer.status().as_u16()) {
            Ok(200) => return true,
            // No answer, or not now: the same again comes to the same.
            Err(_) | Ok(500..) => tokio::time::sleep(Duration::from_secs(1)).await,
            // Somebody else ended it: there is nothing left to do.
            Ok(_) => return false,
        }
    };
    for (percent, text) in [(0, "reading"), (40, "counting"), (80, "writing")] {
        if !say("progress", json!({ "percent": percent, "text": text })).await {
            return;
        }
        tokio::time::sleep(step).await;
    }
    say("complete", json!({ "message": format!("Report {job} is there.") })).await;
}

/// An app of this bot: its parts, and everything that it serves.
pub(crate) async fn open(
    data: &std::path::Path,
    listen: &str,
    hire: Hire,
) -> Result<(Parts, Router, tokio::net::TcpListener), app::Error> {
    let (listener, address) = app::listen(listen).await?;
    let bot = Reports { base_url: format!("http://{address}/"), hire };
    let parts = App::new(bot).data(data).open().await?.at(address).await?;
    let router = parts.gate.in_front_of(parts.router().merge(routes(parts.proactive.clone())));
    Ok((parts, router, listener))
}

#[tokio::main]
async fn main() -> Result<(), app::Error> {
    let mut signal = StopSignal::listen().map_err(|source| app::Error::Signals { source })?;
    let hire: Hire = |order| drop(tokio::spawn(work(order, Duration::from_secs(2))));
    let (parts, router, listener) = open("./data-worker".as_ref(), "127.0.0.1:3978", hire).await?;
    parts.start().await?;
    let stop = CancellationToken::new();
    let served = tokio::spawn(app::serve(listener, router, stop.clone()));
    println!("listening on {}", parts.base_url);
    tokio::select! {
        error = parts.store.failure() => return Err(error.into()),
        () = signal.next() => {}
    }
    parts.stop().await;
    stop.cancel();
    let _ = served.await;
    parts.store.close().await;
    Ok(())
}
