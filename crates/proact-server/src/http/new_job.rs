//! `POST /v1/jobs`: starts a job for a program, and hands out the token that its worker reports with.
//!
//! The answer is given when the job is durable. The token stands in it and nowhere else; the store has its SHA-256 alone. Under the same
//! `Idempotency-Key` the same request answers with the same job, and with another token that opens it too: who asks again may not have got
//! the first.

use std::time::Duration;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRef, State},
    http::{HeaderName, StatusCode, header},
    routing::post,
};
use proact::{
    activity::ConversationKey,
    proactive::{NewJob, Proactive},
};
use serde::Serialize;

use super::{
    Rooted,
    idempotency::{self, IdempotencyKey},
    members::Members,
    new_notification::conversation,
    problem::Problem,
    right::Right,
};

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new().route("/v1/jobs", post(start))
}

/// The answer: what its worker needs.
#[derive(Serialize)]
struct Started {
    number: u64,
    token: String,
}

async fn start(
    State(proactive): State<Proactive>,
    right: Right,
    IdempotencyKey(key): IdempotencyKey,
    body: Bytes,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Started>), Problem> {
    let (conversation, new) = read(Members::of(&body)?)?;
    right.conversation(&conversation)?;
    let started = proactive
        .start_job_under(conversation, new, key)
        .await
        .map_err(|error| Problem::from(error).renamed("idempotencyKey", idempotency::HEADER))?;
    let number = started.number;
    let address = [(header::LOCATION, format!("/v1/jobs/{number}"))];
    Ok((StatusCode::CREATED, address, Json(Started { number, token: started.token.as_str().to_owned() })))
}

fn read(mut members: Members<'_>) -> Result<(ConversationKey, NewJob), Problem> {
    let conversation = conversation(&mut members)?;
    let mut new = NewJob::new(members.need::<String>("kind", "what kind of work it is")?);
    new.title = members.text("title")?;
    new.deadline = seconds(&mut members, "deadline")?;
    new.heartbeat = seconds(&mut members, "heartbeat")?;
    new.queued = members.read("queued", "`true` or `false`")?.unwrap_or(new.queued);
    new.shows_progress = members.read("showsProgress", "`true` or `false`")?.unwrap_or(new.shows_progress);
    members.end("")?;
    Ok((conversation, new))
}

/// A time span in seconds, with a fraction or without; how long it may be is the engine's.
fn seconds(members: &mut Members<'_>, name: &str) -> Result<Option<Duration>, Problem> {
    let what = "a number of seconds above 0, such as 90 or 0.5";
    let Some(seconds) = members.read::<f64>(name, what)? else { return Ok(None) };
    Duration::try_from_secs_f64(seconds)
        .map(Some)
        .map_err(|_| Problem::field(name, format!("this must be {what}")))
}
