//! `/v1/jobs`: the job log, and what is reported of a job from outside.
//!
//! Reports come in two ways. With `Authorization: Bearer <token>` they are a worker's: only the token that was given out for this very job
//! is taken, a wrong one and a job that does not exist are the same 401, and the answer says nothing of the conversation. Else they come from who
//! has a key with the verb `complete` or may do everything; jobs that a key does not reach are as if they were not there.

use std::fmt::Display;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRef, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use proact::{
    activity::{Activity, TextFormat},
    proactive::{
        Completion, Job, JobEnd, JobFilter, JobState, Proactive, Progress, Reported, WorkerAnswer,
        WorkerReport, WorkerView,
    },
};

use super::{
    Api, Rooted,
    members::Members,
    problem::Problem,
    query::{Listed, Query, Segment},
    right::Right,
};
use crate::job_bot::{cancelled_message, complete_message, failed_message};

/// Characters of a message at most.
const MESSAGE: usize = 10_000;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/jobs/{number}", get(show))
        .route("/v1/jobs/{number}/complete", post(complete))
        .route("/v1/jobs/{number}/fail", post(fail))
        .route("/v1/jobs/{number}/cancel", post(cancel))
        .route("/v1/jobs/{number}/progress", post(progress))
        .route("/v1/jobs/{number}/heartbeat", post(heartbeat))
}

/// The log, which needs the engine alone.
pub(super) fn log<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new().route("/v1/jobs", get(list))
}

async fn list(
    State(proactive): State<Proactive>,
    right: Right,
    mut query: Query,
) -> Result<Json<Listed<Job>>, Problem> {
    let filter = JobFilter {
        limit: query.limit()?,
        before: query.cursor()?,
        finished: query.parse("completed", "`true` or `false`", |text| text.parse().ok())?,
        reach: right.reach(),
        ..JobFilter::default()
    };
    query.end()?;
    Ok(Json(proactive.jobs(filter).await?.into()))
}

async fn show(State(api): State<Api>, right: Right, Segment(number): Segment) -> Result<Json<Job>, Problem> {
    let job = find(&api, read(&number)?).await?;
    if right.job(&job) { Ok(Json(job)) } else { Err(no_such_job(number)) }
}

/// Job and notification are one commit; the message goes out after this answer, or before it.
async fn complete(
    State(api): State<Api>,
    right: Right,
    Segment(number): Segment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut body = Members::of(&body)?;
    let given = message(&mut body)?;
    body.end("")?;
    let (n, token) = reported(&api, &right, &number, &headers).await?;
    let message = given.unwrap_or_else(|| complete_message(n));
    match token {
        Some(token) => by_worker(&api, n, token, WorkerReport::Complete(Box::new(message))).await,
        None => ended(n, api.proactive.end_job(n, JobEnd::Complete, message).await?),
    }
}

async fn fail(
    State(api): State<Api>,
    right: Right,
    Segment(number): Segment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut body = Members::of(&body)?;
    let (given, reason) = (message(&mut body)?, body.text("reason")?);
    body.end("")?;
    let (n, token) = reported(&api, &right, &number, &headers).await?;
    let message = given.unwrap_or_else(|| failed_message(n, reason.as_deref()));
    match token {
        Some(token) => {
            by_worker(&api, n, token, WorkerReport::Fail { reason, message: Box::new(message) }).await
        }
        None => ended(n, api.proactive.end_job(n, JobEnd::Fail { reason }, message).await?),
    }
}

/// Not for workers: taking back is for who asked for the job.
async fn cancel(
    State(api): State<Api>,
    right: Right,
    Segment(number): Segment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut body = Members::of(&body)?;
    let given = message(&mut body)?;
    body.end("")?;
    let (n, None) = reported(&api, &right, &number, &headers).await? else { return Err(not_allowed()) };
    let message = given.unwrap_or_else(|| cancelled_message(n));
    ended(n, api.proactive.end_job(n, JobEnd::Cancel, message).await?)
}

async fn progress(
    State(api): State<Api>,
    right: Right,
    Segment(number): Segment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut body = Members::of(&body)?;
    let mut progress = Progress::default();
    (progress.percent, progress.text) =
        (body.read("percent", "a whole number from 0 to 100")?, body.text("text")?);
    body.end("")?;
    match reported(&api, &right, &number, &headers).await? {
        (n, Some(token)) => by_worker(&api, n, token, WorkerReport::Progress(progress)).await,
        (n, None) => noted(&api, n, api.proactive.job_progress(n, progress, None).await?).await,
    }
}

async fn heartbeat(
    State(api): State<Api>,
    right: Right,
    Segment(number): Segment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    Members::of(&body)?.end("")?;
    match reported(&api, &right, &number, &headers).await? {
        (n, Some(token)) => by_worker(&api, n, token, WorkerReport::Heartbeat).await,
        (n, None) => noted(&api, n, api.proactive.job_heartbeat(n, None).await?).await,
    }
}

/// What the conversation is sent instead of the usual words.
pub(super) fn message(body: &mut Members<'_>) -> Result<Option<Activity>, Problem> {
    let Some(text) = body.text("message")? else { return Ok(None) };
    if text.trim().is_empty() || text.chars().count() > MESSAGE {
        return Err(Problem::field("message", format!("give 1 to {MESSAGE} characters, or leave it out")));
    }
    Ok(Some(Activity::message(text).with_text_format(TextFormat::Plain)))
}

/// Of which job something is reported, and the token with which a worker does; else it is a job that is reached.
async fn reported<'h>(
    api: &Api,
    right: &Right,
    number: &str,
    headers: &'h HeaderMap,
) -> Result<(u64, Option<&'h str>), Problem> {
    match bearer(right, headers)? {
        // What is no number is as a job that there is not: no token is one of it.
        Some(token) => Ok((number.parse().unwrap_or(0), Some(token))),
        None => Ok((reached(api, right, number).await?, None)),
    }
}

/// The number in the path, of a job that is reached. What a job is of and where never changes, so this holds for what follows.
async fn reached(api: &Api, right: &Right, number: &str) -> Result<u64, Problem> {
    let n = read(number)?;
    let reached = match right {
        Right::Operator => true,
        _ => api.proactive.job(n).await?.is_some_and(|job| right.job(&job)),
    };
    if reached { Ok(n) } else { Err(no_such_job(number)) }
}

/// The token of who comes as a worker: one that is no bearer's token is refused like a wrong one.
fn bearer<'h>(right: &Right, headers: &'h HeaderMap) -> Result<Option<&'h str>, Problem> {
    if !matches!(right, Right::Worker) {
        return Ok(None);
    }
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| not_allowed())?;
            let (scheme, token) = text.split_once(' ').ok_or_else(not_allowed)?;
            let token = token.trim();
            if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
                Ok(Some(token))
            } else {
                Err(not_allowed())
            }
        }
        (Some(_), Some(_)) => Err(not_allowed()),
    }
}

async fn by_worker(api: &Api, n: u64, token: &str, report: WorkerReport) -> Result<Response, Problem> {
    match api.proactive.worker_reports(n, token, report).await? {
        WorkerAnswer::Noted(view) => Ok(Json(view).into_response()),
        WorkerAnswer::Finished(WorkerView { state, .. }) => Err(finished(n, state)),
        _ => Err(not_allowed()),
    }
}

fn ended(n: u64, (completion, job): (Completion, Option<Job>)) -> Result<Response, Problem> {
    let job = job.ok_or_else(|| no_such_job(n))?;
    match completion {
        Completion::Completed { .. } => Ok(Json(job).into_response()),
        Completion::AlreadyCompleted => Err(finished(n, job.state)),
        Completion::NotFound => Err(no_such_job(n)),
    }
}

async fn noted(api: &Api, n: u64, reported: Reported) -> Result<Response, Problem> {
    match reported {
        Reported::Noted => Ok(Json(find(api, n).await?).into_response()),
        Reported::Finished { state } => Err(finished(n, state)),
        Reported::NotFound => Err(no_such_job(n)),
    }
}

/// Something else was its end: its message was accepted then.
pub(super) fn finished(n: u64, state: JobState) -> Problem {
    let detail = format!("job {n} came to its end before ({state}): its message was accepted then");
    let title = "The job is already complete";
    Problem::new(StatusCode::CONFLICT, "job-already-complete", title, detail).with("state", state.as_str())
}

/// The same whatever is wrong: nobody learns which jobs there are.
fn not_allowed() -> Problem {
    let detail = "this is not a token of this job: give the one that was handed out when the job was started, as a bearer's";
    Problem::new(StatusCode::UNAUTHORIZED, "job-token-not-valid", "The token is not valid here", detail)
}

async fn find(api: &Api, n: u64) -> Result<Job, Problem> {
    api.proactive.job(n).await?.ok_or_else(|| no_such_job(n))
}

/// What is not a number is not the number of a job.
fn read(number: &str) -> Result<u64, Problem> {
    number.parse().map_err(|_| no_such_job(number))
}

pub(super) fn no_such_job(number: impl Display) -> Problem {
    let detail = format!("the log does not contain a job {number}: GET /v1/jobs lists it");
    Problem::new(StatusCode::NOT_FOUND, "job-not-found", "No such job", detail)
}
