//! What a restore leaves waiting goes nowhere before an operator says so; what comes later goes at once.

use std::{path::Path, sync::Arc, time::Duration};

use proact::{
    activity::{Activity, ConversationKey},
    clock::{Clock, SystemClock},
    proactive::{
        Counters, DeliveryOptions, Hold, NewNotification, NotificationState, Proactive, Release, Released,
    },
    store::{self, Command, Store, Tx},
    testkit::FakeChannel,
};

use crate::support::{Running, start_usual};

/// What a backup can hold, made in a store that delivers nothing: for `c1` two messages that wait, one of them due in an hour, and
/// a turn that is owed; for `c2` one that was under way. All of it is beyond the age limit. Then it is held.
async fn restored(folder: &Path, channel: &FakeChannel) -> Counters {
    let bot = start_usual(folder).await;
    for conversation in ["c1", "c2"] {
        bot.say(&channel.user(conversation), "run").await;
    }
    bot.engine.stop().await;
    bot.engine.store().close().await;
    let store = Store::open(&folder.join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
    let engine = Proactive::open(store.clone(), DeliveryOptions::default()).await.unwrap();
    for (conversation, text) in [("c1", "old"), ("c1", "later"), ("c2", "begun")] {
        engine.notify(message(conversation, text)).await.unwrap();
    }
    let owed = serde_json::json!({
        "type": "message", "id": "owed", "text": "run", "channelId": "test", "serviceUrl": channel.service_url(),
        "from": {"id": "user"}, "recipient": {"id": "bot"}, "conversation": {"id": "c1"},
    });
    store.commit(Aged { owed: owed.to_string() }).await.unwrap();
    let counters = store.commit(Hold { gap: 1000, last: Counters::default() }).await.unwrap();
    store.close().await;
    counters
}

fn message(conversation: &str, text: &str) -> NewNotification {
    NewNotification::new(ConversationKey::new("test", conversation).unwrap(), Activity::message(text))
}

/// Makes the rows what they are said to be above, an hour old.
struct Aged {
    owed: String,
}

impl Command for Aged {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        let (hour, now) = (3_600_000, tx.now());
        let of = "activity ->> '$.text'";
        for (sql, at) in [
            ("UPDATE notification SET created_at = ?1, ready_at = ?1, ends_at = ?1 + 1", now - hour),
            (
                &format!(
                    "UPDATE notification SET due_at = ?1, ready_at = ?1, not_before = ?1 WHERE {of} = 'later'"
                ),
                now + hour,
            ),
            (
                &format!(
                    "UPDATE notification SET state = 'sending', begun = 1, begun_at = ?1 WHERE {of} = 'begun'"
                ),
                now - hour,
            ),
        ] {
            tx.connection().execute(sql, [at])?;
        }
        let key = [7_u8; 16];
        let conversation = ConversationKey::new("test", "c1").unwrap();
        tx.connection().execute(
            "INSERT INTO turn (partition, key, activity, at) VALUES (?1, ?2, CAST(?3 AS BLOB), ?4)",
            (conversation.partition(), key, self.owed, now - hour),
        )?;
        Ok(())
    }
}

/// Sends something new to both conversations and waits for it: in its lane it would come after what was before.
async fn something_new(bot: &Running, channel: &FakeChannel) {
    for conversation in ["c1", "c2"] {
        bot.engine.notify(message(conversation, "new")).await.unwrap();
        channel.wait_for(|ledger| ledger.texts(conversation).contains(&"new")).await;
    }
}

#[tokio::test]
async fn nothing_of_before_is_sent_or_run_while_the_hold_stands_and_all_of_it_at_a_word() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let counters = restored(folder.path(), &channel).await;
    assert_eq!((counters.jobs, counters.notifications), (1002, 1003));
    let bot = start_usual(folder.path()).await;
    something_new(&bot, &channel).await;
    assert_eq!(channel.ledger().texts("c1"), ["started 1", "new"], "neither sent nor run");
    assert_eq!(channel.ledger().texts("c2"), ["started 2", "new"]);
    assert_eq!(
        bot.run_job(&channel, "c2").await,
        1003,
        "a number that may have been given is not given again"
    );

    let summary = bot.engine.held_summary(10).await.unwrap().unwrap();
    assert_eq!((summary.notifications, summary.conversations, summary.turns), (3, 2, 1));
    let now = SystemClock.now();
    assert!(summary.oldest_due.unwrap() < now && summary.newest_due.unwrap() > now);
    let lanes: Vec<_> =
        summary.sample.iter().map(|lane| (&*lane.conversation.id, lane.notifications, &*lane.text)).collect();
    assert_eq!(lanes, [("c1", 2, "old"), ("c2", 1, "begun")]);

    // A start while it stands changes nothing about that.
    bot.engine.stop().await;
    bot.engine.store().close().await;
    drop(bot);
    let bot = start_usual(folder.path()).await;
    assert!(bot.engine.held().await.unwrap().is_some());
    let released = bot.engine.release(Release::Send).await.unwrap().unwrap();
    assert_eq!((released.sent, released.dropped, released.turns_run), (3, 0, 1));
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"old")).await;
    let ledger = channel.wait_for(|ledger| ledger.texts("c2").contains(&"begun")).await;
    assert!(!ledger.texts("c1").contains(&"later"), "its time has not come");
    assert_eq!(bot.engine.release(Release::Drop).await.unwrap(), None, "only once");
    assert_eq!(bot.engine.held().await.unwrap(), None);
    // The owed turn is run when the adapter takes up what was held.
    bot.adapter.resume().await;
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"started 1004")).await;
    bot.adapter.resume().await;
    something_new(&bot, &channel).await;
    assert_eq!(
        channel.ledger().texts("c1").iter().filter(|text| text.starts_with("started 1004")).count(),
        1
    );
}

#[tokio::test]
async fn what_is_dropped_ends_cancelled_with_the_reason_and_is_never_sent() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    restored(folder.path(), &channel).await;
    let bot = start_usual(folder.path()).await;
    let released = bot.engine.release(Release::Drop).await.unwrap();
    assert_eq!(
        released.map(|r: Released| (r.sent, r.dropped, r.turns_run, r.turns_dropped)),
        Some((0, 3, 0, 1))
    );
    bot.adapter.resume().await;
    something_new(&bot, &channel).await;
    assert_eq!(channel.ledger().texts("c1"), ["started 1", "new"]);
    assert_eq!(channel.ledger().texts("c2"), ["started 2", "new"]);
    let filter = proact::proactive::NotificationFilter { limit: 10, ..Default::default() };
    let page = bot.engine.notifications(filter).await.unwrap();
    let cancelled: Vec<_> =
        page.items.iter().filter(|item| item.state == NotificationState::Cancelled).collect();
    assert_eq!(cancelled.len(), 3);
    assert!(cancelled.iter().all(|item| item.reason.as_deref().unwrap().contains("after a restore")));
    let begun = cancelled.iter().find(|item| item.text == "begun").unwrap();
    let begun = bot.engine.notification(begun.id).await.unwrap().unwrap();
    let attempt = &begun.attempts.unwrap()[0];
    assert_eq!(attempt.outcome, Some(proact::proactive::AttemptOutcome::Unknown), "it may have arrived");
}

#[tokio::test]
async fn by_age_what_was_due_long_ago_is_dropped_and_what_is_not_yet_due_is_kept() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    restored(folder.path(), &channel).await;
    let bot = start_usual(folder.path()).await;
    let by_age = Release::SendDueWithin(Duration::from_secs(1800));
    let released = bot.engine.release(by_age).await.unwrap().unwrap();
    assert_eq!((released.sent, released.dropped, released.turns_dropped), (1, 2, 1));
    bot.engine.notify(message("c2", "new")).await.unwrap();
    channel.wait_for(|ledger| ledger.texts("c2").contains(&"new")).await;
    assert_eq!(channel.ledger().texts("c1"), ["started 1"]);
    assert_eq!(channel.ledger().texts("c2"), ["started 2", "new"]);
    let filter = proact::proactive::NotificationFilter {
        limit: 10,
        state: Some(NotificationState::Waiting),
        ..Default::default()
    };
    let waiting = bot.engine.notifications(filter).await.unwrap();
    assert_eq!(waiting.items.iter().map(|item| &*item.text).collect::<Vec<_>>(), ["later"]);
}

#[tokio::test]
async fn the_jump_begins_where_the_replaced_data_ended() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    restored(folder.path(), &channel).await;
    let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
    let mut last = Counters::default();
    last.jobs = 50_000;
    let after = store.commit(Hold { gap: 10, last }).await.unwrap();
    assert_eq!((after.jobs, after.notifications), (50_010, 1013));
    store.close().await;
}

/// As if the channel had asked, shortly before the backup, to be left alone for an hour.
struct Throttled;

impl Command for Throttled {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        tx.connection().execute(
            "UPDATE notification SET retrying = 1, begun = 1, tries = 1, begun_at = 1, due_at = ?1
             WHERE activity ->> '$.text' = 'old'",
            [tx.now() + 3_600_000],
        )?;
        Ok(())
    }
}

#[tokio::test]
async fn what_is_held_for_another_try_holds_back_nothing_that_comes_later() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    restored(folder.path(), &channel).await;
    let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
    store.commit(Throttled).await.unwrap();
    store.close().await;
    drop(store);
    let bot = start_usual(folder.path()).await;
    something_new(&bot, &channel).await;
    assert_eq!(channel.ledger().texts("c1"), ["started 1", "new"]);
}
