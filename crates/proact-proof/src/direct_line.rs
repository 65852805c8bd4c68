//! A person in a conversation of the built-in channel, as the page has them.

use proact::activity::Activity;
use reqwest::Client;
use serde_json::{Value, json};

use crate::program::Place;

/// A person with a conversation and the token for it.
#[derive(Clone, Debug)]
pub struct Person {
    http: Client,
    base: String,
    token: String,
    conversation: String,
}

impl Person {
    /// Starts a conversation; `None` if there was no answer, or not the right one.
    pub async fn start(place: &Place) -> Option<Self> {
        let http = Client::builder().no_proxy().build().expect("a client");
        let mut person =
            Self { http, base: place.url(""), token: String::new(), conversation: String::new() };
        let page = person.post("/page/tokens", json!({ "userId": "dl_proof", "userName": "Proof" })).await?;
        person.token = page["token"].as_str()?.to_owned();
        let started = person.post("/v3/directline/conversations", json!({})).await?;
        person.token = started["token"].as_str()?.to_owned();
        person.conversation = started["conversationId"].as_str()?.to_owned();
        Some(person)
    }

    /// Says something; the id that the channel gave it, if it answered so.
    pub async fn say(&self, text: &str) -> Option<String> {
        let message = Activity::message(text).encode();
        let mut message: Value = serde_json::from_slice(&message).expect("JSON");
        message["from"] = json!({ "id": "dl_proof" });
        let path = format!("/v3/directline/conversations/{}/activities", self.conversation);
        Some(self.post(&path, message).await?["id"].as_str()?.to_owned())
    }

    async fn post(&self, path: &str, body: Value) -> Option<Value> {
        let request = self.http.post(format!("{}{path}", self.base)).header("origin", &self.base);
        // What is presented counts: where nothing is needed yet, nothing is.
        let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
        let response = request.json(&body).send().await.ok()?;
        if response.status().is_success() { response.json().await.ok() } else { None }
    }
}
