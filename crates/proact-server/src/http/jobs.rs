//! `/v1/jobs`: the job log, and completing a job from outside.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use proact::proactive::{Completion, Job, JobFilter};

use super::{
    Api,
    problem::Problem,
    query::{Listed, Query, Segment},
};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/jobs", get(list))
        .route("/v1/jobs/{number}", get(show))
        .route("/v1/jobs/{number}/complete", post(complete))
}

async fn list(State(api): State<Api>, mut query: Query) -> Result<Json<Listed<Job>>, Problem> {
    let filter = JobFilter {
        limit: query.limit()?,
        before: query.cursor()?,
        finished: query.parse("completed", "`true` or `false`", |text| text.parse().ok())?,
        ..JobFilter::default()
    };
    query.end()?;
    Ok(Json(api.proactive.jobs(filter).await?.into()))
}

async fn show(State(api): State<Api>, Segment(number): Segment) -> Result<Json<Job>, Problem> {
    Ok(Json(find(&api, &number).await?))
}

/// Job and notification are one commit; the message goes out after this answer, or before it.
async fn complete(
    State(api): State<Api>,
    Segment(number): Segment,
    body: Bytes,
) -> Result<Json<Job>, Problem> {
    nothing_in(&body)?;
    let n = read(&number)?;
    match api.proactive.complete_job(n, crate::job_bot::complete_message(n), None).await? {
        Completion::Completed { .. } => Ok(Json(find(&api, &number).await?)),
        Completion::AlreadyCompleted => {
            let detail = format!("job {n} was completed before: its message was accepted then");
            let status = StatusCode::CONFLICT;
            Err(Problem::new(status, "job-already-complete", "The job is already complete", detail))
        }
        Completion::NotFound => Err(no_such_job(&number)),
    }
}

async fn find(api: &Api, number: &str) -> Result<Job, Problem> {
    api.proactive.job(read(number)?).await?.ok_or_else(|| no_such_job(number))
}

/// What is not a number is not the number of a job.
fn read(number: &str) -> Result<u64, Problem> {
    number.parse().map_err(|_| no_such_job(number))
}

fn no_such_job(number: &str) -> Problem {
    let detail = format!("the log does not contain a job {number}: GET /v1/jobs lists it");
    Problem::new(StatusCode::NOT_FOUND, "job-not-found", "No such job", detail)
}

/// The body is `{}` (or nothing): members will come, and one that this version does not know must not be ignored.
fn nothing_in(body: &[u8]) -> Result<(), Problem> {
    if body.is_empty() {
        return Ok(());
    }
    let members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(body).map_err(|_| Problem::body("this must be a JSON object: {}"))?;
    match members.keys().next() {
        None => Ok(()),
        Some(name) => Err(Problem::field(name, "there is no such member here: send {}")),
    }
}
