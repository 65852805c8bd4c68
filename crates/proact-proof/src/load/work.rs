//! Programs that start jobs over `/v1` and work on them as workers outside do: they report with the job's token how far they are, that they
//! live and how it ended, again when they got no answer, and now and then what they must not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{CONVERSATIONS, Load, calls::CHANNEL};
use crate::api::Api;
use crate::history::{Reply, Told};
use crate::program::{Place, STUCK};
use crate::work::{Report, WORK, What, Work};

const PROGRAMS: u64 = 6;
/// How long a program that asks for no more waits for a deadline or a silence to be noticed.
const PATIENCE: Duration = Duration::from_secs(45);

/// Starts the programs.
#[must_use]
pub fn start(load: &Arc<Load>, place: &Place) -> JoinSet<Vec<Work>> {
    let mut programs = JoinSet::new();
    for number in 0..PROGRAMS {
        let random = SmallRng::seed_from_u64(load.seed.wrapping_mul(37).wrapping_add(number));
        let (load, api) = (Arc::clone(load), Api::new(&place.url("")));
        let program = Program { load, api, number, random, made: 0, other_token: String::new() };
        programs.spawn(program.live());
    }
    programs
}

struct Program {
    load: Arc<Load>,
    api: Api,
    number: u64,
    random: SmallRng,
    /// How many jobs it has asked for.
    made: u64,
    /// Of the job before.
    other_token: String,
}

impl Program {
    async fn live(mut self) -> Vec<Work> {
        let mut works = Vec::new();
        while !self.load.is_finishing() {
            works.push(self.work().await);
            self.pause(20, 300).await;
        }
        works
    }

    async fn pause(&mut self, from: u64, to: u64) {
        let pause = self.random.random_range(from..to);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    /// One job, from its start to its end or until it is left alone.
    async fn work(&mut self) -> Work {
        self.made += 1;
        let title = format!("{WORK}{}-{}", self.number, self.made);
        let mut work = Work {
            key: format!("w-{}-{}", self.number, self.made),
            conversation: format!("conversation {}", self.random.random_range(0..CONVERSATIONS)),
            deadline: self.random.random_bool(0.25),
            heartbeat: self.random.random_bool(0.35),
            title,
            ..Work::default()
        };
        let mut body = json!({
            "conversation": { "channelId": CHANNEL, "id": work.conversation },
            "kind": "work",
            "title": work.title,
            "queued": self.random.random_bool(0.2),
        });
        if work.deadline {
            body["deadline"] = self.random.random_range(0.3..3.0).into();
        }
        if work.heartbeat {
            body["heartbeat"] = self.random.random_range(0.2..1.5).into();
        }
        let key = work.key.clone();
        let mut token = None;
        work.starts = self
            .insist("/v1/jobs", Some(&key), None, body, |answer| {
                token = answer["token"].as_str().map(str::to_owned).or(token.take());
                answer["number"].as_u64().map(|number| number.to_string())
            })
            .await;
        let (Some(number), Some(token)) = (work.number(), token) else { return work };
        self.report_on(&mut work, number, &token).await;
        self.other_token = token;
        work
    }

    async fn report_on(&mut self, work: &mut Work, number: u64, token: &str) {
        let mut percent = 0;
        for step in 0..self.random.random_range(0..6) {
            let what = if self.random.random_bool(0.25) {
                What::Heartbeat
            } else {
                percent = (percent + self.random.random_range(1..30)).min(99);
                What::Progress(format!("{percent} % – step {step}"))
            };
            self.say(work, number, token, what).await;
            self.pause(10, 500).await;
        }
        let name = work.title.clone();
        match self.random.random_range(0..100) {
            0..55 => self.end(work, number, token, What::Complete(format!("{name} is done."))).await,
            55..70 => {
                let (reason, message) = ("no paper".to_owned(), format!("{name} failed."));
                self.end(work, number, token, What::Fail { reason, message }).await;
            }
            70..85 => self.end(work, number, token, What::Cancel(format!("{name} was taken back."))).await,
            _ if !work.deadline && !work.heartbeat => {}
            // It is left alone, and the clock has to say so.
            _ => {
                if !work.deadline {
                    self.say(work, number, token, What::Heartbeat).await;
                }
                self.until_noticed(work, number).await;
            }
        }
        // Whatever its worker did, the clock has the last word.
        if work.deadline || work.heartbeat {
            self.until_noticed(work, number).await;
        }
    }

    /// Its end, sometimes once more; sometimes another one after it; sometimes somebody else's.
    async fn end(&mut self, work: &mut Work, number: u64, token: &str, what: What) {
        if self.random.random_bool(0.15) && !self.other_token.is_empty() {
            let other = self.other_token.clone();
            let stranger = What::Stranger(format!("{} is done, says a stranger.", work.title));
            self.say(work, number, &other, stranger).await;
        }
        self.say(work, number, token, what.clone()).await;
        let Some(ended) = work.reports.last().filter(|report| report.acknowledged()) else { return };
        let (place, by_worker) = (work.reports.len() - 1, !matches!(ended.what, What::Cancel(_)));
        if by_worker && self.random.random_bool(0.4) {
            self.pause(10, 600).await;
            let again = self.replies(number, token, &what).await;
            work.reports[place].replies.extend(again);
        }
        if self.random.random_bool(0.3) {
            let another = What::Another(format!("{} is done otherwise.", work.title));
            self.say(work, number, token, another).await;
        }
    }

    async fn say(&mut self, work: &mut Work, number: u64, token: &str, what: What) {
        let replies = self.replies(number, token, &what).await;
        work.reports.push(Report { what, replies });
    }

    async fn replies(&mut self, number: u64, token: &str, what: &What) -> Vec<Reply> {
        let (route, body) = match what {
            What::Heartbeat => ("heartbeat", json!({})),
            What::Progress(shown) => {
                let (percent, text) = shown.split_once(" % – ").unwrap_or_default();
                ("progress", json!({ "percent": percent.parse::<u8>().unwrap_or(0), "text": text }))
            }
            What::Fail { reason, message } => ("fail", json!({ "reason": reason, "message": message })),
            What::Cancel(message) => ("cancel", json!({ "message": message })),
            What::Complete(message) | What::Another(message) | What::Stranger(message) => {
                ("complete", json!({ "message": message }))
            }
        };
        // Taking back is not for workers.
        let token = Some(token).filter(|_| !matches!(what, What::Cancel(_)));
        let path = format!("/v1/jobs/{number}/{route}");
        self.insist(&path, None, token, body, |answer| Some(answer.to_string())).await
    }

    /// Waits until the job has come to its end, or its silence was noticed; not for ever.
    async fn until_noticed(&mut self, work: &Work, number: u64) {
        let mut finishing = None;
        loop {
            let path = format!("/v1/jobs/{number}");
            if let Some((200, job)) = self.api.ask(Method::GET, &path, None).await {
                // One that waits for its worker is not missed.
                let going_on = match job["state"].as_str() {
                    Some("running") => work.deadline || !job["silentAt"].is_string(),
                    state => state == Some("queued") && work.deadline,
                };
                if !going_on {
                    return;
                }
            }
            if self.load.is_finishing() && finishing.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                return;
            }
            self.pause(50, 300).await;
        }
    }

    /// Asks until there is a definite answer, or, now and then, gives up; `id` takes from an answer what is to be kept of it.
    async fn insist(
        &mut self,
        path: &str,
        key: Option<&str>,
        token: Option<&str>,
        body: Value,
        mut id: impl FnMut(&Value) -> Option<String>,
    ) -> Vec<Reply> {
        let begun = Instant::now();
        let mut replies = Vec::new();
        loop {
            let asked = self.load.elapsed();
            let answer = self.api.ask_as(token, Method::POST, path, key, Some(body.clone())).await;
            let told = Told::by(answer.as_ref().map(|(status, _)| *status));
            let id = answer.as_ref().filter(|_| told == Told::Acknowledged).and_then(|(_, body)| id(body));
            replies.push(Reply { told, id, asked, heard: self.load.elapsed() });
            if told == Told::Acknowledged || told.for_good() || self.random.random_bool(0.03) {
                return replies;
            }
            assert!(begun.elapsed() < STUCK, "no definite answer: {path}");
            self.pause(20, 200).await;
        }
    }
}
