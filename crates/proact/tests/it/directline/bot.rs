//! The bot behind the channel: it remembers what it was handed, welcomes, and echoes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use proact::activity::{Activity, ActivityType};
use tokio::sync::watch;

/// What the bot does with what it is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// Answers messages with an echo, and welcomes who joins.
    Kind,
    /// Answers this status and does nothing.
    Status(u16),
    /// Takes the request and does not answer until its mood changes.
    Silent,
}

#[derive(Clone, Debug)]
pub(super) struct Bot {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Activity>>>,
    news: watch::Sender<usize>,
    mood: watch::Sender<Mood>,
    http: reqwest::Client,
}

impl Bot {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bot = Self {
            url: format!("http://{}/api/messages", listener.local_addr().unwrap()),
            seen: Arc::default(),
            news: watch::Sender::new(0),
            mood: watch::Sender::new(Mood::Kind),
            http: reqwest::Client::new(),
        };
        let router = Router::new().route("/api/messages", post(on_activity)).with_state(bot.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        bot
    }

    pub(super) fn mood(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Everything it was handed so far.
    pub(super) fn seen(&self) -> Vec<Activity> {
        self.seen.lock().unwrap().clone()
    }

    /// The messages among it.
    pub(super) fn messages(&self) -> Vec<Activity> {
        self.seen().into_iter().filter(Activity::is_message).collect()
    }

    pub(super) async fn wait_for(&self, what: impl Fn(&[Activity]) -> bool) -> Vec<Activity> {
        let mut news = self.news.subscribe();
        let reached = news.wait_for(|_| what(&self.seen.lock().unwrap()));
        let waited = tokio::time::timeout(Duration::from_secs(30), reached).await.is_ok();
        assert!(waited, "the bot has only been handed {:#?}", self.seen());
        self.seen()
    }

    async fn say(&self, to: &Activity, text: String, reply: bool) {
        let base = to.service_url.as_deref().unwrap();
        let conversation = to.conversation_id().unwrap();
        let mut url = format!("{base}v3/conversations/{conversation}/activities");
        if reply {
            url = format!("{url}/{}", to.id.as_deref().unwrap().replace('|', "%7C"));
        }
        let said = self.http.post(url).json(&Activity::message(text)).send().await.unwrap();
        assert_eq!(said.status(), 200);
    }
}

async fn on_activity(State(bot): State<Bot>, body: Bytes) -> StatusCode {
    let activity = Activity::decode(&body).unwrap();
    bot.seen.lock().unwrap().push(activity.clone());
    bot.news.send_modify(|n| *n += 1);
    let mood = *bot.mood.borrow();
    match mood {
        Mood::Status(status) => return StatusCode::from_u16(status).unwrap(),
        Mood::Silent => {
            let _ = bot.mood.subscribe().wait_for(|mood| *mood != Mood::Silent).await;
            return StatusCode::OK;
        }
        Mood::Kind => {}
    }
    if activity.is_message() {
        bot.say(&activity, format!("echo: {}", activity.text()), true).await;
    }
    if activity.activity_type == ActivityType::ConversationUpdate {
        for member in &activity.members_added {
            if member.id.as_deref() != activity.recipient_id() {
                let name = member.name.as_deref().unwrap_or("you");
                bot.say(&activity, format!("Welcome to Proact, {name}."), false).await;
            }
        }
    }
    StatusCode::OK
}
