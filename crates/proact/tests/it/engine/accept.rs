//! Accepting: once under one key, begun in the commit that accepts, folded, refused, made from templates.

use proact::{
    activity::{Activity, ConversationKey},
    proactive::{AttemptOutcome, Cause, Error, FromTemplate, NewNotification, NotificationState, Priority},
    store,
    testkit::ChannelAnswer,
};

use super::{World, outcomes};

#[tokio::test]
async fn the_same_key_is_accepted_once_and_other_content_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let keyed = |text: &str| {
        let mut new = NewNotification::new(key.clone(), text);
        new.idempotency_key = Some("order-1".to_owned());
        new
    };
    let many = futures_util::future::join_all((0..50).map(|_| world.engine().notify(keyed("once")))).await;
    let accepted: Vec<_> = many.into_iter().map(Result::unwrap).collect();
    assert!(accepted.iter().all(|other| other.id == accepted[0].id));
    assert_eq!(accepted.iter().filter(|other| !other.repeated).count(), 1);
    world.delivered(accepted[0].id).await;
    assert_eq!(world.told("c"), ["once"]);
    // The row is kept, and with it the key.
    assert!(world.engine().notify(keyed("once")).await.unwrap().repeated);
    let refused = world.engine().notify(keyed("another")).await.unwrap_err();
    assert!(matches!(refused, Error::Store(store::Error::KeyReused { .. })), "{refused}");
    let mut urgent = keyed("once");
    urgent.priority = Priority::Urgent;
    assert!(world.engine().notify(urgent).await.is_err(), "what is chosen belongs to the content");
    assert_eq!(world.told("c"), ["once"]);
}

#[tokio::test]
async fn what_can_go_at_once_is_begun_in_the_commit_that_accepts_it() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    world.channel.script("c", [ChannelAnswer::never()]);
    let first = world.notify(NewNotification::new(key.clone(), "first")).await;
    let second = world.notify(NewNotification::new(key, "second")).await;
    // Nothing was awaited in between: the first stands as begun when it is accepted, the second waits behind it.
    assert_eq!(world.get(first).await.state, NotificationState::Sending);
    assert_eq!(outcomes(&world.get(first).await), [None]);
    assert_eq!(world.get(second).await.state, NotificationState::Waiting);
    let counts = world.engine().counts().await.unwrap();
    assert_eq!((counts.notifications["sending"], counts.notifications["waiting"]), (1, 1));
    world.channel.cut_all();
    world.delivered_in_time(first).await;
    world.delivered(second).await;
    assert_eq!(world.told("c").last().unwrap(), "second");
    let counts = world.engine().counts().await.unwrap();
    assert_eq!((counts.notifications["sending"], counts.notifications["delivered"]), (0, 2));
}

#[tokio::test]
async fn a_first_try_that_delivers_is_told_without_a_row_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let at_once = world.notify(NewNotification::new(key.clone(), "at once")).await;
    let at_once = world.delivered(at_once).await;
    assert_eq!(outcomes(&at_once), [Some(AttemptOutcome::Delivered)]);
    let attempt = &at_once.attempts.unwrap()[0];
    assert_eq!((attempt.number, attempt.status), (1, Some(200)));
    assert!(attempt.ended_at.is_some() && at_once.tries == 1);
}

#[tokio::test]
async fn one_that_waits_is_folded_into_the_next_under_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let later = |text: &str, collapse: &str| {
        let mut new = NewNotification::new(key.clone(), text);
        new.collapse_key = Some(collapse.to_owned());
        new.not_before = Some("2030-01-01T13:00:00Z".parse().unwrap());
        new
    };
    let first = world.notify(later("price 10", "price")).await;
    let other_key = world.notify(later("weather", "weather")).await;
    let mut bulk = later("price 11", "price");
    bulk.priority = Priority::Bulk;
    let other_class = world.notify(bulk).await;
    let second = world.notify(later("price 9", "price")).await;
    let folded = world.get(first).await;
    assert_eq!(folded.state, NotificationState::Suppressed);
    assert!(folded.reason.unwrap().contains(&second.to_string()));
    world.clock.set("2030-01-01T13:00:00Z".parse().unwrap());
    for id in [second, other_key, other_class] {
        world.delivered(id).await;
    }
    let mut told = world.told("c");
    told.sort();
    assert_eq!(told, ["price 11", "price 9", "weather"]);
}

#[tokio::test]
async fn one_that_is_not_sent_itself_takes_the_place_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let stranger = ConversationKey::new("test", "stranger").unwrap();
    let mut later = NewNotification::new(stranger.clone(), "for one o'clock");
    later.collapse_key = Some("price".to_owned());
    later.not_before = Some("2030-01-01T13:00:00Z".parse().unwrap());
    let later = world.notify(later).await;
    let mut now = NewNotification::new(stranger, "for now");
    now.collapse_key = Some("price".to_owned());
    let now = world.notify(now).await;
    assert_eq!(
        world.get(now).await.state,
        NotificationState::Suppressed,
        "nobody there has talked to the bot"
    );
    assert_eq!(world.get(later).await.state, NotificationState::Waiting);
    world.meet("stranger").await;
    world.clock.set("2030-01-01T13:00:00Z".parse().unwrap());
    world.delivered(later).await;
    assert_eq!(world.told("stranger"), ["for one o'clock"]);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_the_fields_name() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let refused = async |change: fn(&mut NewNotification)| {
        let mut new = NewNotification::new(key.clone(), "x");
        change(&mut new);
        match world.engine().notify(new).await.unwrap_err() {
            Error::Invalid { field, .. } => field,
            other => panic!("{other}"),
        }
    };
    let past = |new: &mut NewNotification| new.expires_at = Some("2029-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(refused(past).await, "expiresAt");
    let never = |new: &mut NewNotification| {
        new.not_before = Some("2030-01-02T00:00:00Z".parse().unwrap());
        new.expires_at = Some("2030-01-01T23:00:00Z".parse().unwrap());
    };
    assert_eq!(refused(never).await, "expiresAt");
    assert_eq!(refused(|new| new.collapse_key = Some(String::new())).await, "collapseKey");
    assert_eq!(refused(|new| new.idempotency_key = Some("a\nb".to_owned())).await, "idempotencyKey");
    assert_eq!(refused(|new| new.idempotency_key = Some("k".repeat(256))).await, "idempotencyKey");
    let typing = NewNotification::new(key.clone(), Activity::typing());
    assert!(matches!(world.engine().notify(typing).await, Err(Error::Activity(_))));
    let large = NewNotification::new(key.clone(), "x".repeat(300 * 1024));
    assert!(matches!(world.engine().notify(large).await, Err(Error::Activity(_))));
    assert_eq!(world.told("c"), Vec::<String>::new());
}

#[tokio::test]
async fn nobody_is_written_to_who_has_not_talked_to_the_bot() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let stranger = ConversationKey::new("test", "stranger").unwrap();
    let now = world.notify(NewNotification::new(stranger.clone(), "hello?")).await;
    let now = world.get(now).await;
    assert_eq!(now.state, NotificationState::Suppressed, "in the commit that accepted it");
    assert!(now.reason.unwrap().contains("no contact"));
    assert_eq!(now.tries, 0);
    // For later, contact may be made until then.
    let mut new = NewNotification::new(stranger, "a reminder");
    new.not_before = Some("2030-01-01T13:00:00Z".parse().unwrap());
    let later = world.notify(new).await;
    world.meet("stranger").await;
    world.clock.set("2030-01-01T13:00:00Z".parse().unwrap());
    world.delivered(later).await;
    assert_eq!(world.told("stranger"), ["a reminder"]);
}

#[tokio::test]
async fn a_template_is_filled_when_it_is_sent_and_can_be_mended_until_then() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let engine = world.engine();
    let broken = engine.put_template("price", "{{ price").await.unwrap_err();
    assert!(matches!(broken, Error::Template(_)), "{broken}");
    engine.put_template("price", "It costs {{ price }}{{ currency }} now.").await.unwrap();
    let data = serde_json::json!({ "price": 9 }).as_object().unwrap().clone();
    let template = FromTemplate { name: "price".to_owned(), data };
    let id = world.notify(NewNotification::new(key, template)).await;
    let waits = loop {
        let now = world.get(id).await;
        if now.reason.is_some() {
            break now;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    };
    assert!(waits.reason.unwrap().contains("undefined"), "it used up a try");
    engine.put_template("price", "It costs {{ price }} now.").await.unwrap();
    let delivered = world.delivered_in_time(id).await;
    assert_eq!(delivered.template.unwrap().name, "price");
    assert_eq!(world.told("c"), ["It costs 9 now."]);
    assert_eq!(delivered.cause, Cause::Bot);
}
