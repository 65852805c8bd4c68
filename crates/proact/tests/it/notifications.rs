//! Jobs and notifications through real turns, a real store and a real channel.

use std::{collections::HashSet, sync::Arc, time::Duration};

use proact::{
    activity::{Activity, ConversationKey},
    adapter::Options,
    proactive::{
        AttemptOutcome, JobFilter, NewNotification, Notification, NotificationFilter, NotificationState,
        Policy,
    },
    testkit::{ChannelAnswer, FakeChannel, Gate},
    turn::{BotError, Middleware, Next, TurnContext, TurnKind},
};
use tokio::sync::Notify;

use crate::support::{Running, TestBot, life, start, start_usual, start_with};

async fn all(bot: &Running) -> Vec<Notification> {
    let filter = NotificationFilter { limit: 1000, ..Default::default() };
    let page = bot.engine.notifications(filter).await.unwrap();
    let mut whole = Vec::new();
    for item in page.items {
        whole.push(bot.engine.notification(item.id).await.unwrap().unwrap());
    }
    whole
}

/// Waits until every notification is settled.
async fn settled(bot: &Running) -> Vec<Notification> {
    loop {
        let found = all(bot).await;
        if found.iter().all(|notification| notification.state.is_settled()) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn outcomes(notification: &Notification) -> Vec<Option<AttemptOutcome>> {
    notification.attempts.as_ref().unwrap().iter().map(|attempt| attempt.outcome).collect()
}

#[tokio::test]
async fn done_in_one_conversation_tells_the_other_once_and_answers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let bot = start_usual(folder.path()).await;
    let job = bot.run_job(&channel, "first").await;
    bot.say(&channel.user("second"), &format!("done {job}")).await;
    let message = format!("Job {job} is complete.");
    let ledger = channel.wait_for(|ledger| ledger.texts("first").contains(&message.as_str())).await;
    assert_eq!(ledger.texts("second"), [format!("completing {job}")]);
    let proactive = ledger.of("first").last().unwrap();
    assert!(proactive.post.activity().get("replyToId").is_none(), "Web Chat holds back unknown replies");
    bot.say(&channel.user("second"), &format!("done {job}")).await;
    bot.say(&channel.user("second"), "done 99").await;
    let found = settled(&bot).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].state, NotificationState::Delivered);
    assert_eq!(outcomes(&found[0]), [Some(AttemptOutcome::Delivered)]);
    let ledger = channel.ledger();
    assert_eq!(ledger.texts("second")[1..], [format!("already {job}"), "not found 99".to_owned()]);
    assert_eq!(ledger.texts("first").len(), 2);
}

#[tokio::test]
async fn sixteen_conversations_lose_nothing_and_notify_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let bot = start_usual(folder.path()).await;
    let work = (0..16).map(|n| {
        let (bot, channel) = (&bot, &channel);
        async move {
            let mut jobs = Vec::new();
            for _ in 0..8 {
                jobs.push(bot.run_job(channel, &format!("c{n}")).await);
            }
            for job in &jobs {
                // Twice at once, from two other conversations.
                let text = format!("done {job}");
                let (a, b) = (channel.user(&format!("x{n}")), channel.user(&format!("y{n}")));
                tokio::join!(bot.say(&a, &text), bot.say(&b, &text));
            }
            jobs
        }
    });
    let jobs: Vec<u64> = futures_util::future::join_all(work).await.concat();
    assert_eq!(jobs.iter().collect::<HashSet<_>>().len(), 16 * 8, "numbers are unique");
    let found = settled(&bot).await;
    assert_eq!(found.len(), jobs.len());
    assert!(found.iter().all(|n| n.state == NotificationState::Delivered));
    let ledger = channel.ledger();
    for job in &jobs {
        let message = format!("Job {job} is complete.");
        let times = ledger.iter().filter(|entry| entry.post.text() == message).count();
        assert_eq!(times, 1, "{message}");
    }
    let log = bot.engine.jobs(JobFilter { limit: 1000, count: true, ..Default::default() }).await.unwrap();
    assert_eq!(log.total, Some(16 * 8));
}

#[tokio::test]
async fn a_repeated_activity_finds_its_command_done_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let user = channel.user("c");
    let (run, done) = (user.message("run"), user.message("done 1"));
    for _ in 0..2 {
        let folder = folder.path().to_owned();
        let (user, run, done) = (user.clone(), run.clone(), done.clone());
        life(move || async move {
            let bot = start_usual(&folder).await;
            for activity in [&run, &run, &done, &done] {
                assert!(user.post(&bot.bot_url, activity).await.unwrap().acknowledged());
            }
            settled(&bot).await;
        });
    }
    let ledger = channel.ledger();
    let of = |text: &str| ledger.texts("c").into_iter().filter(|found| *found == text).count();
    assert_eq!(of("Job 1 is complete."), 1);
    // Answers may be given again by another process, with the same words; never by the same one.
    assert_eq!((of("started 1"), of("completing 1")), (2, 2));
    assert_eq!(ledger.texts("c").len(), 5);
}

#[tokio::test]
async fn throttled_busy_and_lost_are_tried_again_and_a_refusal_is_final() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let bot = start_usual(folder.path()).await;
    let job = bot.run_job(&channel, "a").await;
    channel.script(
        "a",
        [ChannelAnswer::throttled(None), ChannelAnswer::status(503), ChannelAnswer::cut().accepting()],
    );
    bot.say(&channel.user("z"), &format!("done {job}")).await;
    let found = settled(&bot).await;
    use AttemptOutcome::{Delivered, Failed, Retry, Unknown};
    assert_eq!(outcomes(&found[0]), [Retry, Retry, Unknown, Delivered].map(Some));
    assert_eq!(found[0].tries, 4);
    let statuses: Vec<_> = found[0].attempts.as_ref().unwrap().iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(429), Some(503), None, Some(200)]);

    let job = bot.run_job(&channel, "b").await;
    channel.script("b", [ChannelAnswer::error(403, "BotNotInConversationRoster", "no")]);
    bot.say(&channel.user("z"), &format!("done {job}")).await;
    let found = settled(&bot).await;
    assert_eq!(found[0].state, NotificationState::Failed);
    assert_eq!(outcomes(&found[0]), [Some(Failed)]);
    assert_eq!(found[0].attempts.as_ref().unwrap()[0].status, Some(403));
    assert!(found[0].reason.as_deref().unwrap().contains("BotNotInConversationRoster"), "{found:?}");
}

#[tokio::test]
async fn at_most_once_leaves_an_unknown_outcome_to_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let bot = start_usual(folder.path()).await;
    bot.say(&channel.user("c"), "hello").await;
    channel.script("c", [ChannelAnswer::cut().accepting()]);
    let mut new = NewNotification::new(key(&channel, "c"), Activity::message("once"));
    new.policy = Policy::AtMostOnce;
    bot.engine.notify(new).await.unwrap();
    let found = settled(&bot).await;
    assert_eq!(found[0].state, NotificationState::Unknown);
    assert_eq!(found[0].tries, 1);
}

fn key(channel: &FakeChannel, conversation: &str) -> ConversationKey {
    channel.user(conversation).message("x").conversation_key().unwrap()
}

/// Stops waiting for a proactive turn when it is told to, as a time limit would.
struct Impatient(Arc<Notify>);

impl Middleware for Impatient {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        if ctx.kind() == TurnKind::Inbound {
            return next.run(ctx).await;
        }
        tokio::select! {
            result = next.run(ctx) => result,
            () = self.0.notified() => Ok(()),
        }
    }
}

#[tokio::test]
async fn what_middleware_abandons_on_its_way_is_unknown_and_not_unsent() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let enough = Arc::new(Notify::new());
    let impatient = Impatient(Arc::clone(&enough));
    let bot = start_with(folder.path(), TestBot, Options::default(), |b| b.middleware(impatient)).await;
    bot.say(&channel.user("c"), "hello").await;
    channel.script("c", [ChannelAnswer::never().accepting()]);
    let mut new = NewNotification::new(key(&channel, "c"), Activity::message("once"));
    new.policy = Policy::AtMostOnce;
    bot.engine.notify(new).await.unwrap();
    channel.wait_for(|ledger| ledger.texts("c").contains(&"once")).await;
    enough.notify_one();
    let found = settled(&bot).await;
    assert_eq!(found[0].state, NotificationState::Unknown, "{found:?}");
    assert_eq!(outcomes(&found[0]), [Some(AttemptOutcome::Unknown)]);
}

#[tokio::test]
async fn a_channel_of_this_process_that_moves_takes_its_conversations_along() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after, other) = (FakeChannel::start(), FakeChannel::start(), FakeChannel::start());
    let bot = start_usual(folder.path()).await;
    assert_eq!(bot.engine.channel_reached_at("test", &before.service_url()).await.unwrap(), 0);
    bot.say(&before.user("here"), "hello").await;
    // A conversation of a channel of the same name, which is served by somebody else.
    bot.say(&other.user("elsewhere"), "hello").await;
    assert_eq!(bot.engine.channel_reached_at("test", &after.service_url()).await.unwrap(), 1);
    for (channel, conversation) in [(&before, "here"), (&other, "elsewhere")] {
        let new = NewNotification::new(key(channel, conversation), Activity::message("moved"));
        bot.engine.notify(new).await.unwrap();
    }
    after.wait_for(|ledger| ledger.texts("here") == ["moved"]).await;
    other.wait_for(|ledger| ledger.texts("elsewhere").ends_with(&["moved"])).await;
    assert_eq!(before.ledger().texts("here"), ["echo hello"]);
}

#[tokio::test]
async fn a_lane_never_overtakes_itself_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let bot = start_usual(folder.path()).await;
    bot.say(&channel.user("slow"), "hello").await;
    bot.say(&channel.user("fast"), "hello").await;
    let gate = Gate::closed();
    channel.script("slow", [ChannelAnswer::status(503), ChannelAnswer::ok().behind(&gate)]);
    for n in 0..5 {
        for id in ["slow", "fast"] {
            let message = Activity::message(format!("m{n}"));
            bot.engine.notify(NewNotification::new(key(&channel, id), message)).await.unwrap();
        }
    }
    let five = ["m0", "m1", "m2", "m3", "m4"];
    channel.wait_for(|ledger| ledger.texts("fast").ends_with(&five)).await;
    gate.open();
    settled(&bot).await;
    assert!(channel.ledger().texts("slow").ends_with(&five));
}

#[tokio::test]
async fn an_attempt_that_was_under_way_is_recorded_as_unknown_and_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let first = folder.path().to_owned();
    let user = channel.user("c");
    channel.answer_with(|post| post.text().contains("complete.").then(|| ChannelAnswer::never().accepting()));
    life(|| async {
        let bot = start_usual(&first).await;
        bot.say(&user, "run").await;
        bot.say(&user, "done 1").await;
        channel.wait_for(|ledger| ledger.texts("c").contains(&"Job 1 is complete.")).await;
    });
    channel.behave();
    let bot = start_usual(folder.path()).await;
    let found = settled(&bot).await;
    assert_eq!(found[0].state, NotificationState::Delivered);
    assert_eq!(outcomes(&found[0]), [AttemptOutcome::Unknown, AttemptOutcome::Delivered].map(Some));
    // The duplicate is on record: two sends, two attempts, the first of them unknown.
    let times = channel.ledger().texts("c").into_iter().filter(|text| text.contains("complete.")).count();
    assert_eq!(times, 2);
}

#[tokio::test]
async fn what_a_turn_notifies_into_its_own_conversation_comes_after_the_turn() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let bot = start(folder.path(), TestBot, Options::default()).await;
    let job = bot.run_job(&channel, "c").await;
    // The reply of the turn is slow; the notification, accepted before it, must wait for the turn's end.
    channel.script("c", [ChannelAnswer::ok().after(Duration::from_millis(50))]);
    bot.say(&channel.user("c"), &format!("done {job}")).await;
    settled(&bot).await;
    let ledger = channel.ledger();
    assert_eq!(ledger.texts("c")[1..], [format!("completing {job}"), format!("Job {job} is complete.")]);
}

#[tokio::test]
async fn many_accepted_at_once_are_each_sent_once() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let bot = start_usual(folder.path()).await;
    bot.say(&channel.user("c"), "hello").await;
    let key = key(&channel, "c");
    let accepted = (0..300)
        .map(|n| bot.engine.notify(NewNotification::new(key.clone(), Activity::message(format!("m{n:04}")))));
    futures_util::future::try_join_all(accepted).await.unwrap();
    settled(&bot).await;
    let ledger = channel.ledger();
    let texts = &ledger.texts("c")[1..];
    assert_eq!(texts.len(), 300);
    assert_eq!(texts.iter().collect::<HashSet<_>>().len(), 300);
}
