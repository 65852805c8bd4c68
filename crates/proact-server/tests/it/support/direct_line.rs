//! A conversation of the built-in channel, held as the page holds it, but by polling.

use serde_json::{Value, json};

use super::{answer, client, eventually};

pub(crate) struct Chat {
    url: String,
    token: String,
    pub(crate) id: String,
    user: String,
}

impl Chat {
    /// `key`: what lets the command line in, for servers whose page asks for a sign-in.
    pub(crate) async fn open(url: &str, name: Option<&str>, key: Option<&str>) -> Self {
        let issued = page_token(url, json!({ "userName": name }), key).await;
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        let chat = Self {
            url: url.to_owned(),
            token: text("token"),
            id: text("conversationId"),
            user: text("userId"),
        };
        let start = client().post(format!("{url}/v3/directline/conversations")).bearer_auth(&chat.token);
        let (status, started) = answer(start).await;
        assert!(matches!(status, 200 | 201), "{status} {started}");
        chat
    }

    /// The same conversation at a server that was started anew.
    pub(crate) async fn at(self, url: &str) -> Self {
        let known = json!({ "userId": self.user, "conversationId": self.id });
        let issued = page_token(url, known, None).await;
        Self { url: url.to_owned(), token: issued["token"].as_str().unwrap().to_owned(), ..self }
    }

    /// Where its stream is opened.
    pub(crate) async fn stream_url(&self) -> String {
        let url = format!("{}/v3/directline/conversations/{}", self.url, self.id);
        let (status, conversation) = answer(client().get(url).bearer_auth(&self.token)).await;
        assert_eq!(status, 200, "{conversation}");
        conversation["streamUrl"].as_str().unwrap().to_owned()
    }

    fn activities(&self) -> String {
        format!("{}/v3/directline/conversations/{}/activities", self.url, self.id)
    }

    /// Sends an activity. Answers when the bot has taken it.
    pub(crate) async fn send(&self, mut activity: Value) -> (u16, Value) {
        activity["from"] = json!({ "id": self.user });
        answer(client().post(self.activities()).bearer_auth(&self.token).json(&activity)).await
    }

    pub(crate) async fn say(&self, text: &str) {
        let (status, body) = self.send(json!({ "type": "message", "text": text })).await;
        assert_eq!(status, 200, "{text}: {body}");
    }

    /// What the bot has said here so far.
    pub(crate) async fn heard(&self) -> Vec<Value> {
        let mut heard = Vec::new();
        let mut watermark = String::new();
        loop {
            let url = format!("{}?watermark={watermark}", self.activities());
            let (status, set) = answer(client().get(url).bearer_auth(&self.token)).await;
            assert_eq!(status, 200, "{set}");
            let activities = set["activities"].as_array().unwrap();
            if activities.is_empty() {
                return heard;
            }
            heard.extend(activities.iter().filter(|activity| activity["from"]["id"] == "bot").cloned());
            watermark = set["watermark"].as_str().unwrap().to_owned();
        }
    }

    pub(crate) async fn texts(&self) -> Vec<String> {
        self.heard().await.iter().filter_map(|activity| Some(activity["text"].as_str()?.to_owned())).collect()
    }

    /// Waits until the bot has said `text` here.
    pub(crate) async fn hears(&self, text: &str) {
        eventually(text, async || self.texts().await.contains(&text.to_owned()).then_some(())).await;
    }
}

async fn page_token(url: &str, body: Value, key: Option<&str>) -> Value {
    let request = client().post(format!("{url}/page/tokens")).header("origin", url).json(&body);
    let request = match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    let (status, issued) = answer(request).await;
    assert_eq!(status, 200, "{issued}");
    issued
}
