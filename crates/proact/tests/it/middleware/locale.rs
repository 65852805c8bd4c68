//! The person's language reaches the turn.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use proact::{
    activity::{Activity, Entity},
    adapter::Adapter,
    middleware::{LocaleTurn, PreferredLocale},
    turn::TurnContext,
};
use serde_json::json;

use super::{Does, Sheet, message, post};

async fn found(middleware: PreferredLocale, activity: &Activity) -> (u16, Option<String>) {
    let seen = Arc::new(Mutex::new(None));
    let see = Arc::clone(&seen);
    let bot = Does(move |ctx: TurnContext| {
        *see.lock().unwrap() = ctx.locale().map(|locale| locale.to_string());
        async { Ok(()) }
    });
    let adapter = Adapter::builder(bot).outbound(Sheet::new()).middleware(middleware).build();
    let status = post(&adapter, activity).await.status;
    (status, seen.lock().unwrap().clone())
}

#[tokio::test]
async fn the_first_that_is_known_and_supported_is_taken() {
    let usual = || PreferredLocale::new("en").supported(["en", "de", "fr"]);
    let client = Entity::of("clientInfo", &json!({"locale": "fr-FR"})).unwrap();
    let odd = Entity::of("clientInfo", &json!({"locale": 5})).unwrap();
    let says =
        |tag: &'static str| usual().preferred_by(move |_| async move { Ok(Some(tag.to_owned())) }.boxed());
    let german = || message("c", "x").with_locale("de-CH");
    for (middleware, activity, expected) in [
        (usual(), message("c", "x"), "en"),
        (usual(), german(), "de"),
        (usual(), message("c", "x").with_locale("tlh").with_entity(client.clone()), "fr"),
        (usual(), message("c", "x").with_entity(odd), "en"),
        (says("fr"), german(), "fr"),
        (says("tlh"), german(), "de"),
        (usual().preferred_by(|_| async { Ok(None) }.boxed()), german(), "de"),
        (PreferredLocale::new("en"), german(), "de-CH"),
    ] {
        assert_eq!(found(middleware, &activity).await, (200, Some(expected.to_owned())));
    }
    let failing = usual().preferred_by(|_| async { Err("no state".into()) }.boxed());
    assert_eq!(found(failing, &german()).await, (500, None));
}

#[tokio::test]
async fn a_proactive_turn_speaks_the_references_language() {
    let adapter = Adapter::builder(Does(|_| async { Ok(()) }))
        .outbound(Sheet::new())
        .middleware(PreferredLocale::new("en"))
        .build();
    let reference = message("c", "x").with_locale("de").reference();
    adapter
        .continue_conversation(&reference, async |ctx: TurnContext| {
            assert_eq!(ctx.locale().unwrap().as_str(), "de");
            Ok(())
        })
        .await
        .unwrap();
}
