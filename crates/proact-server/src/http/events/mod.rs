//! `POST /v1/events`: what other systems tell, as CloudEvents 1.0.
//!
//! Who tells is known by a key with the verb `complete`, or by the signature of a sender that the configuration names. An event is answered
//! when what it did is durable, and takes effect once ([`JobEvent`]). A type that nobody here does anything with is refused: to take it would
//! promise that something comes of it.

mod cloud_event;
mod signature;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use proact::{
    activity::Activity,
    proactive::{EventAnswer, JobEvent, JobNews, Progress, Reach, Webhook},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
pub(crate) use signature::{SigningSecret, is_signed};

use self::{
    cloud_event::{CloudEvent, Mode},
    signature::Signed,
};
use super::{Api, jobs, members::Members, problem::Problem, query::Query, right::Right};
use crate::job_bot::{complete_message, failed_message};

/// The types that something is done with.
const COMPLETED: &str = "com.proact.job.completed";
const PROGRESS: &str = "com.proact.job.progress";
const FAILED: &str = "com.proact.job.failed";

/// A system that signs what it sends.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    /// Each of them is enough.
    pub(crate) secrets: Vec<SigningSecret>,
    /// Which jobs it may tell of.
    pub(crate) reach: Reach,
}

/// All of them, by name.
pub(crate) type Senders = Arc<BTreeMap<String, Sender>>;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/events", post(take))
}

/// Who tells, and of what they may.
struct Teller {
    name: String,
    reach: Reach,
    webhook: Option<Webhook>,
}

async fn take(
    State(api): State<Api>,
    right: Right,
    headers: HeaderMap,
    mut query: Query,
    body: Bytes,
) -> Result<Response, Problem> {
    let named = query.take("sender")?;
    query.end()?;
    let teller = match right {
        Right::Operator => Teller { name: "operator".to_owned(), reach: Reach::everything(), webhook: None },
        Right::Key(grant) => {
            Teller { name: format!("key {}", grant.id), reach: grant.scope.reach.clone(), webhook: None }
        }
        Right::Signed => signed(&api, named.as_deref(), &headers, &body)?,
        Right::Worker => return Err(not_signed("present a key, or sign it")),
    };
    let mode = Mode::of(&headers);
    // In binary mode the attributes are headers, which no signature covers: whoever has seen a delivery could say them anew.
    if teller.webhook.is_some() && mode == Mode::Binary {
        let detail = "the signature covers the body alone: send it as application/cloudevents+json or \
                      application/cloudevents-batch+json, in which the attributes stand in the body";
        let title = "The event's attributes are not signed";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "attributes-not-signed", title, detail));
    }
    match mode {
        Mode::Batch => {
            let events = CloudEvent::batch(&body)?;
            let read =
                events.into_iter().map(|event| CloudEvent::structured(event.get().as_bytes())).collect();
            let results: Vec<_> = deliver(&api, &teller, read).await?.into_iter().map(of_batch).collect();
            Ok(Json(json!({ "results": results })).into_response())
        }
        mode => {
            let event = match mode {
                Mode::Structured => CloudEvent::structured(&body),
                _ => CloudEvent::binary(&headers, &body),
            };
            let one = deliver(&api, &teller, vec![event]).await?.pop();
            one.unwrap_or_else(|| Err(Problem::internal(&"an event without an answer")))
                .map(|done| Json(done).into_response())
        }
    }
}

fn of_batch(result: Result<Value, Problem>) -> Value {
    match result {
        Ok(mut done) => {
            done["status"] = 200.into();
            done
        }
        Err(problem) => json!({ "status": problem.status().as_u16(), "problem": problem.into_json() }),
    }
}

/// The sender whose signature this is.
fn signed(api: &Api, named: Option<&str>, headers: &HeaderMap, body: &Bytes) -> Result<Teller, Problem> {
    let senders = &api.senders;
    let sender = match named {
        Some(name) => senders.get_key_value(name),
        None if senders.len() > 1 => return Err(not_signed("say who sends it: /v1/events?sender=…")),
        None => senders.first_key_value(),
    };
    // One that is not configured has no secret: its deliveries take the same way, and the same answer.
    let (name, secrets) = sender.map_or(("", &[][..]), |(name, sender)| (name, &sender.secrets));
    let delivery = Signed::read(headers).map_err(|error| not_signed(&error.to_string()))?;
    let now = api.proactive.store().clock().now();
    delivery.check(body, secrets, now).map_err(|error| not_signed(&error.to_string()))?;
    let Some((_, Sender { reach, .. })) = sender else { return Err(not_signed("there is no such sender")) };
    let name = format!("sender {name}");
    let webhook =
        Webhook { sender: name.clone(), id: delivery.id.to_owned(), body: Sha256::digest(body).into() };
    Ok(Teller { name, reach: reach.clone(), webhook: Some(webhook) })
}

fn not_signed(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "signature-not-valid", "The signature is not valid", detail)
}

/// Takes what can be taken, in one commit; the results are in the order of the events.
async fn deliver(
    api: &Api,
    teller: &Teller,
    events: Vec<Result<CloudEvent, Problem>>,
) -> Result<Vec<Result<Value, Problem>>, Problem> {
    let mut results = Vec::with_capacity(events.len());
    let mut good = Vec::new();
    for event in events {
        let read = match event.and_then(|event| read(&teller.name, event)) {
            Ok(event) => reached(api, &teller.reach, event).await,
            Err(problem) => Err(problem),
        };
        results.push(read.map(|event| {
            good.push(event.clone());
            event.number
        }));
    }
    let answers = api.proactive.job_events(teller.webhook.clone(), good).await?;
    let Some(answers) = answers else {
        let detail = "this webhook-id was used before with another body: give each delivery an id of its own";
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "webhook-id-reused",
            "The id was used before",
            detail,
        ));
    };
    let mut answers = answers.into_iter();
    let told = |number| {
        answers.next().map_or_else(
            || Err(Problem::internal(&"an event without an answer")),
            |answer| told(number, answer),
        )
    };
    let mut told = told;
    Ok(results.into_iter().map(|result| result.and_then(&mut told)).collect())
}

fn told(number: u64, answer: EventAnswer) -> Result<Value, Problem> {
    match answer {
        EventAnswer::Noted { state } => Ok(json!({ "job": number, "state": state })),
        EventAnswer::Finished { state } => Err(jobs::finished(number, state)),
        EventAnswer::IdReused => {
            let detail = "another event of this source has this id: give each its own";
            Err(Problem::new(
                StatusCode::CONFLICT,
                "event-id-reused",
                "The event's id was used before",
                detail,
            ))
        }
        _ => Err(jobs::no_such_job(number)),
    }
}

/// A job that is not reached is as if it were not there. What it is of and where never changes, so this holds for the commit.
async fn reached(api: &Api, reach: &Reach, event: JobEvent) -> Result<JobEvent, Problem> {
    if reach.is_everything() {
        return Ok(event);
    }
    let job = api.proactive.job(event.number).await?;
    if job.is_some_and(|job| reach.job(&job)) { Ok(event) } else { Err(jobs::no_such_job(event.number)) }
}

/// What an event means here.
fn read(teller: &str, event: CloudEvent) -> Result<JobEvent, Problem> {
    let CloudEvent { source, id, kind, subject, data } = event;
    if ![COMPLETED, PROGRESS, FAILED].contains(&kind.as_str()) {
        let detail = format!(
            "nothing is done with this type here: it must be one of {COMPLETED}, {PROGRESS}, {FAILED}"
        );
        return Err(Problem::field("type", detail));
    }
    let inside = |problem: Problem| problem.within("data");
    let mut members = match data.is_empty() {
        true => Members::of(b"")?,
        false => Members::of(&data).map_err(|_| Problem::field("data", "this must be a JSON object"))?,
    };
    let number = number(subject, members.read("job", "a job's number").map_err(inside)?)?;
    let news = match kind.as_str() {
        PROGRESS => {
            let mut progress = Progress::default();
            progress.percent = members.read("percent", "a whole number from 0 to 100").map_err(inside)?;
            progress.text = members.text("text").map_err(inside)?;
            JobNews::Progress(progress)
        }
        COMPLETED => {
            JobNews::Completed(Box::new(message(&mut members)?.unwrap_or_else(|| complete_message(number))))
        }
        _ => {
            let reason = members.text("reason").map_err(inside)?;
            let given = message(&mut members)?;
            let message = Box::new(given.unwrap_or_else(|| failed_message(number, reason.as_deref())));
            JobNews::Failed { reason, message }
        }
    };
    members.end("data.")?;
    let event = JobEvent { sender: teller.to_owned(), source, id, number, news };
    event.check().map_err(|error| inside(error.into()))?;
    Ok(event)
}

/// The job's number: the subject, or in the data, or the same in both.
fn number(subject: Option<String>, data: Option<u64>) -> Result<u64, Problem> {
    let subject = subject.map(|text| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|_| digits)
            .ok_or_else(|| Problem::field("subject", "this must be a job's number"))
    });
    match (subject.transpose()?, data) {
        (Some(one), Some(other)) if one != other => {
            Err(Problem::field("data.job", "this is another job than the subject"))
        }
        (Some(number), _) | (None, Some(number)) => Ok(number),
        (None, None) => {
            Err(Problem::field("subject", "this is missing: give a job's number, here or in data.job"))
        }
    }
}

fn message(members: &mut Members<'_>) -> Result<Option<Activity>, Problem> {
    jobs::message(members).map_err(|problem| problem.within("data"))
}

/// Reads the headers and the body of a delivery, for what tests the parsers alone.
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing {
    use super::*;

    /// A signature's three headers, and the body after them.
    pub(crate) fn signature(
        id: &[u8],
        at: &[u8],
        signature: &[u8],
        body: &[u8],
        secrets: &[SigningSecret],
    ) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature)]
        {
            let Ok(value) = axum::http::HeaderValue::from_bytes(value) else { return false };
            headers.insert(name, value);
        }
        let now = jiff::Timestamp::from_second(1_800_000_000).unwrap_or_default();
        Signed::read(&headers).is_ok_and(|signed| signed.check(body, secrets, now).is_ok())
    }

    /// An event in each mode.
    pub(crate) fn cloud_events(headers: &HeaderMap, body: &[u8]) {
        let take = |event: Result<CloudEvent, Problem>| drop(event.and_then(|event| read("x", event)));
        take(CloudEvent::structured(body));
        take(CloudEvent::binary(headers, body));
        if let Ok(events) = CloudEvent::batch(body) {
            events.into_iter().for_each(|event| take(CloudEvent::structured(event.get().as_bytes())));
        }
    }
}
