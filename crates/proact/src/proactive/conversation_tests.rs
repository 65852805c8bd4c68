//! Whose word about where a conversation is reached counts.

use std::sync::Arc;

use super::*;
use crate::{clock::SystemClock, proactive::Proactive, store::Store};

struct Desk {
    engine: Proactive,
    key: ConversationKey,
}

impl Desk {
    async fn open(folder: &std::path::Path) -> Self {
        let store = Store::open(&folder.join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
        let engine = Proactive::open(store, crate::proactive::DeliveryOptions::default()).await.unwrap();
        Self { engine, key: ConversationKey::new("msteams", "c").unwrap() }
    }

    /// An activity comes from `service_url`, sent by `caller`: where the conversation is reached then, and whether somebody vouched
    /// for that.
    async fn comes(&self, service_url: &str, caller: &Caller) -> (String, bool) {
        let conversation =
            crate::activity::ConversationAccount { id: Some("c".to_owned()), ..Default::default() };
        let activity = Activity::message("x")
            .with_channel("msteams")
            .with_conversation(conversation)
            .with_service_url(service_url);
        let desk = self.engine.desk();
        if let Some(remember) = desk.conversations.to_remember(&activity, &self.key, caller).unwrap() {
            let digest = remember.digest;
            let command = RememberAt { desk: Arc::clone(&desk), remember };
            self.engine.store().commit(command).await.unwrap();
            desk.conversations.stored(self.key.clone(), digest);
        }
        let stored = self.engine.conversation(self.key.clone()).await.unwrap().unwrap();
        (stored.reference.service_url.unwrap(), stored.service_url_verified)
    }
}

fn channel() -> Caller {
    Caller { kind: CallerKind::Channel, service_url_verified: true, ..Caller::anonymous() }
}

fn skill() -> Caller {
    Caller { kind: CallerKind::Skill, ..Caller::anonymous() }
}

#[tokio::test]
async fn who_vouches_for_it_replaces_who_does_not_and_not_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    let at = |url: &str, verified| (url.to_owned(), verified);
    let (emea, amer, evil) =
        ("https://smba.example/emea", "https://smba.example/amer", "https://other.example/");
    assert_eq!(desk.comes(evil, &skill()).await, at(evil, false), "better than nothing");
    assert_eq!(desk.comes(emea, &skill()).await, at(emea, false));
    assert_eq!(
        desk.comes(emea, &channel()).await,
        at(emea, true),
        "the same, and now it is known to be right"
    );
    assert_eq!(desk.comes(evil, &skill()).await, at(emea, true));
    assert_eq!(desk.comes(emea, &skill()).await, at(emea, true));
    assert_eq!(desk.comes(amer, &channel()).await, at(amer, true), "a channel that moved says so itself");
    assert_eq!(desk.comes(evil, &skill()).await, at(amer, true), "also when it was said before");
}

#[tokio::test]
async fn a_conversation_that_is_dead_is_not_revived_by_who_vouches_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    let url = "https://smba.example/emea";
    desk.comes(url, &channel()).await;
    let mark = || MarkDead { desk: desk.engine.desk(), key: desk.key.clone(), reason: "gone".to_owned() };
    desk.engine.store().commit(mark()).await.unwrap();
    let dead = async || desk.engine.conversation(desk.key.clone()).await.unwrap().unwrap().dead.is_some();
    desk.comes(url, &skill()).await;
    assert!(dead().await);
    desk.comes(url, &channel()).await;
    assert!(!dead().await);
}

#[tokio::test]
async fn a_bot_that_asks_nobody_believes_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.comes("https://smba.example/emea", &channel()).await;
    let local = "http://127.0.0.1:1/";
    assert_eq!(desk.comes(local, &Caller::anonymous()).await, (local.to_owned(), false));
}
