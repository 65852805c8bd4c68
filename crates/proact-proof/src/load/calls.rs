//! Clients of `/v1`: each asks under a key of its own until it has a definite answer, asks again what was answered, takes back, repeats
//! what failed, and holds back whole conversations for a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use proact::clock::Clock;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{CONVERSATIONS, Load};
use crate::api::Api;
use crate::history::{Call, Notify, Reply, Request, Told};
use crate::program::{Place, STUCK};
use crate::work::is_progress;

const CALLERS: u64 = 10;
/// The channel of the fake channel's users.
pub(super) const CHANNEL: &str = "test";

/// Starts the clients. Times are told by `clock`, which the program goes by.
#[must_use]
pub fn start(load: &Arc<Load>, place: &Place, clock: &Arc<dyn Clock>) -> JoinSet<Vec<Request>> {
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let random = SmallRng::seed_from_u64(load.seed.wrapping_mul(31).wrapping_add(number));
        let (load, clock) = (Arc::clone(load), Arc::clone(clock));
        let api = Api::new(&place.url(""));
        let caller = Caller { load, clock, api, number, random, made: 0, requests: Vec::new() };
        callers.spawn(caller.live());
    }
    callers
}

struct Caller {
    load: Arc<Load>,
    clock: Arc<dyn Clock>,
    api: Api,
    number: u64,
    random: SmallRng,
    /// How many keys it has made.
    made: u64,
    requests: Vec<Request>,
}

/// An answer with what stands in it.
type Answer = Option<(u16, Value)>;

impl Caller {
    async fn live(mut self) -> Vec<Request> {
        while !self.load.is_finishing() {
            match self.random.random_range(0..100) {
                0..50 => self.notify().await,
                50..58 => self.batch().await,
                58..68 => self.again().await,
                68..72 => self.under_a_used_key().await,
                72..86 => self.cancel().await,
                86..94 => self.replay().await,
                _ => self.pause().await,
            }
            let pause = self.random.random_range(20..250);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.requests
    }

    /// A new notification; now and then to somebody who has never talked to the bot.
    fn new_one(&mut self) -> Notify {
        self.made += 1;
        let (number, made) = (self.number, self.made);
        let stranger = self.random.random_bool(0.03);
        let who = if stranger { "stranger" } else { "conversation" };
        let conversation = format!("{who} {}", self.random.random_range(0..CONVERSATIONS));
        let at = |from: i64, to: i64, random: &mut SmallRng| {
            self.clock.now().as_millisecond() + random.random_range(from..to)
        };
        let later = self.random.random_bool(0.2).then(|| at(100, 2_000, &mut self.random));
        let ends = self.random.random_bool(0.2).then(|| at(300, 6_000, &mut self.random));
        Notify {
            key: format!("k-{number}-{made}"),
            conversation,
            text: format!("note {number}-{made}"),
            at_most_once: self.random.random_bool(0.3),
            priority: (*["urgent", "normal", "normal", "bulk"].choose(&mut self.random).unwrap_or(&"normal"))
                .to_owned(),
            interject: self.random.random_bool(0.15),
            not_before_ms: later,
            expires_ms: ends,
        }
    }

    async fn notify(&mut self) {
        let notify = self.new_one();
        let replies = self.insist_on(&notify).await;
        self.requests.push(Request { call: Call::Notify(notify), replies });
    }

    async fn insist_on(&mut self, notify: &Notify) -> Vec<Reply> {
        let (body, key) = (body(notify), notify.key.clone());
        self.insist(Method::POST, "/v1/notifications", Some(&key), Some(body)).await
    }

    /// Several in one request, each under a key of its own.
    async fn batch(&mut self) {
        let count = self.random.random_range(2..8);
        let all: Vec<Notify> = (0..count).map(|_| self.new_one()).collect();
        let item = |notify: &Notify| {
            let mut item = body(notify);
            item["idempotencyKey"] = notify.key.clone().into();
            item
        };
        let items: Vec<Value> = all.iter().map(item).collect();
        let body = json!({ "notifications": items });
        let mut replies: Vec<Vec<Reply>> = vec![Vec::new(); all.len()];
        self.until_definite(
            Method::POST,
            "/v1/notifications/batch",
            None,
            Some(body),
            |answer, asked, heard| {
                let results = answer.as_ref().and_then(|(_, body)| body["results"].as_array().cloned());
                let mut definite = true;
                for (place, replies) in replies.iter_mut().enumerate() {
                    let result = results.as_ref().and_then(|results| results.get(place));
                    let whole = answer.as_ref().map(|(status, _)| *status).filter(|_| result.is_none());
                    let status = result
                        .and_then(|result| result["status"].as_u64())
                        .and_then(|status| u16::try_from(status).ok());
                    let told = Told::by(status.or(whole));
                    let id = result.and_then(|result| result["id"].as_str()).map(str::to_owned);
                    definite &= told == Told::Acknowledged || told.for_good();
                    replies.push(Reply { told, id, asked, heard });
                }
                definite
            },
        )
        .await;
        let requests = all.into_iter().zip(replies);
        self.requests
            .extend(requests.map(|(notify, replies)| Request { call: Call::Notify(notify), replies }));
    }

    /// The same once more under the same key: an answer got lost on its way.
    async fn again(&mut self) {
        let notifies = |request: &Request| matches!(request.call, Call::Notify(_));
        let places: Vec<usize> =
            (0..self.requests.len()).filter(|place| notifies(&self.requests[*place])).collect();
        let Some(place) = places.choose(&mut self.random).copied() else { return };
        let Call::Notify(notify) = self.requests[place].call.clone() else { return };
        let replies = self.insist_on(&notify).await;
        self.requests[place].replies.extend(replies);
    }

    /// Something else under a key that was used: a mistake of a client.
    async fn under_a_used_key(&mut self) {
        let Some(used) = self.some(|request| match &request.call {
            Call::Notify(notify) if request.acknowledged().is_some() => Some(notify.key.clone()),
            _ => None,
        }) else {
            return;
        };
        let notify = Notify { key: used, ..self.new_one() };
        let replies = self.insist_on(&notify).await;
        self.requests.push(Request { call: Call::Notify(notify), replies });
    }

    async fn cancel(&mut self) {
        let Some(id) = self.some_own() else { return };
        let path = format!("/v1/notifications/{id}/cancel");
        let replies = self.insist(Method::POST, &path, None, Some(json!({}))).await;
        self.requests.push(Request { call: Call::Cancel { id }, replies });
    }

    /// One that failed, or may have arrived, once more.
    async fn replay(&mut self) {
        let state = if self.random.random_bool(0.5) { "failed" } else { "unknown" };
        let list = format!("/v1/notifications?limit=20&state={state}");
        let Some((200, body)) = self.api.ask(Method::GET, &list, None).await else { return };
        let items = body["items"].as_array().cloned().unwrap_or_default();
        // What shows how far a job is goes its own way: nobody wants it again.
        let items: Vec<_> =
            items.iter().filter(|item| !is_progress(item["text"].as_str().unwrap_or_default())).collect();
        let Some(id) = items.choose(&mut self.random).and_then(|item| item["id"].as_str()) else { return };
        self.made += 1;
        let key = format!("r-{}-{}", self.number, self.made);
        let path = format!("/v1/notifications/{id}/replay");
        let replies = self.insist(Method::POST, &path, Some(&key), Some(json!({}))).await;
        self.requests.push(Request { call: Call::Replay { id: id.to_owned() }, replies });
    }

    /// Holds back a conversation for a moment, or, seldom, everything.
    async fn pause(&mut self) {
        let one = format!("conversation {}", self.random.random_range(0..CONVERSATIONS));
        let conversation = self.random.random_bool(0.9).then_some(one);
        let path = match &conversation {
            Some(id) => format!("/v1/pauses/conversation/{CHANNEL}/{}", id.replace(' ', "%20")),
            None => "/v1/pauses/all".to_owned(),
        };
        let replies = self.insist(Method::PUT, &path, None, Some(json!({}))).await;
        self.requests.push(Request { call: Call::Pause { conversation: conversation.clone() }, replies });
        let held = self.random.random_range(100..900);
        tokio::time::sleep(Duration::from_millis(held)).await;
        let replies = self.insist(Method::DELETE, &path, None, None).await;
        self.requests.push(Request { call: Call::Resume { conversation }, replies });
    }

    /// The id of something that it was told is accepted, mostly one of the newest.
    fn some_own(&mut self) -> Option<String> {
        let ids: Vec<String> = self
            .requests
            .iter()
            .filter(|request| matches!(request.call, Call::Notify(_) | Call::Replay { .. }))
            .filter_map(|request| request.acknowledged()?.id.clone())
            .collect();
        let newest = ids.len().saturating_sub(if self.random.random_bool(0.8) { 4 } else { ids.len() });
        ids[newest..].choose(&mut self.random).cloned()
    }

    fn some<T: Clone>(&mut self, wanted: impl Fn(&Request) -> Option<T>) -> Option<T> {
        let all: Vec<T> = self.requests.iter().filter_map(wanted).collect();
        all.choose(&mut self.random).cloned()
    }

    /// Asks until there is a definite answer, and answers all that came.
    async fn insist(
        &mut self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Vec<Reply> {
        let mut replies = Vec::new();
        self.until_definite(method, path, key, body, |answer, asked, heard| {
            let told = Told::by(answer.as_ref().map(|(status, _)| *status));
            let id = answer.as_ref().and_then(|(_, body)| body["id"].as_str()).map(str::to_owned);
            replies.push(Reply { told, id, asked, heard });
            told == Told::Acknowledged || told.for_good()
        })
        .await;
        replies
    }

    /// Asks until `read` says that it was answered, or, now and then, gives up.
    async fn until_definite(
        &mut self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
        mut read: impl FnMut(Answer, Duration, Duration) -> bool,
    ) {
        let begun = Instant::now();
        loop {
            let asked = self.load.elapsed();
            let answer = self.api.ask_under(method.clone(), path, key, body.clone()).await;
            // A pause must be taken back: whoever holds it does not give up.
            let patient = method == Method::DELETE || method == Method::PUT;
            if read(answer, asked, self.load.elapsed()) || (!patient && self.random.random_bool(0.03)) {
                return;
            }
            assert!(begun.elapsed() < STUCK, "no definite answer: {method} {path}");
            let pause = self.random.random_range(20..200);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}

fn body(notify: &Notify) -> Value {
    let time =
        |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()).map(|at| at.to_string());
    let mut body = json!({
        "conversation": { "channelId": CHANNEL, "id": notify.conversation },
        "text": notify.text,
        "priority": notify.priority,
        "policy": if notify.at_most_once { "at_most_once" } else { "at_least_once" },
        "moment": if notify.interject { "interject" } else { "after_turn" },
    });
    for (name, value) in [("notBefore", time(notify.not_before_ms)), ("expiresAt", time(notify.expires_ms))] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    body
}
