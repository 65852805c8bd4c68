//! What middleware sends beside a notification, on a real store: neither lost nor sent again with each attempt.

use std::sync::Arc;

use proact::{
    activity::Activity,
    adapter::Adapter,
    clock::SystemClock,
    proactive::{
        Cause, DeliveryOptions, NewNotification, Notification, NotificationFilter, NotificationState,
        Proactive, ProactiveTurn,
    },
    store::Store,
    testkit::{ChannelAnswer, FakeChannel},
    turn::{BotError, Middleware, Next, TurnContext, TurnKind},
};

use super::book::Does;
use crate::support::eager;

/// In every proactive turn: types, announces, starts a job; then the message; then signs.
struct Letterhead;

impl Middleware for Letterhead {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        if ctx.kind() == TurnKind::Inbound {
            return next.run(ctx).await;
        }
        ctx.send(Activity::typing()).await?;
        ctx.send("Dear all,").await?;
        ctx.jobs().start("letter").await?;
        next.run(ctx).await?;
        let mut signed = Activity::message("Yours, P.");
        signed.reply_to_id = Some("nothing".to_owned());
        assert_eq!(ctx.send(signed).await?.id, None, "it has no id before it is sent");
        Ok(())
    }
}

async fn engine(folder: &tempfile::TempDir, options: DeliveryOptions) -> Proactive {
    let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
    Proactive::open(store, options).await.unwrap()
}

async fn settled(engine: &Proactive, count: usize) -> Vec<Notification> {
    loop {
        let page =
            engine.notifications(NotificationFilter { limit: 100, ..Default::default() }).await.unwrap();
        if page.items.len() == count && page.items.iter().all(|found| found.state.is_settled()) {
            return page.items;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_becomes_a_notification_of_its_own_however_often_the_first_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let engine = engine(&folder, eager()).await;
    let adapter = Adapter::builder(Does(|_| async { Ok(()) }))
        .journal(engine.journal())
        .service(Arc::new(engine.clone()))
        .middleware(Letterhead)
        .build();
    let user = channel.user("c");
    adapter.process(user.message("hello").encode().into()).await;
    // Two attempts fail, one of them after it may have arrived.
    let first = |post: &proact::testkit::Post| post.text() == "the news";
    let answers = std::sync::Mutex::new(vec![ChannelAnswer::cut(), ChannelAnswer::status(503)]);
    channel.answer_with(move |post| if first(post) { answers.lock().unwrap().pop() } else { None });
    engine.start(adapter).await.unwrap();
    let conversation = user.message("x").conversation_key().unwrap();
    let news =
        engine.notify(NewNotification::new(conversation, Activity::message("the news"))).await.unwrap();
    let found = settled(&engine, 3).await;
    engine.stop().await;

    let ledger = channel.ledger();
    // Of the second attempt nobody knew whether it had arrived: at least once.
    assert_eq!(ledger.texts("c"), ["the news", "the news", "Dear all,", "Yours, P."]);
    assert!(ledger.of("c").all(|entry| entry.post.reply_to.is_none()));
    let typing = ledger.of("c").filter(|entry| entry.post.activity()["type"] == "typing").count();
    assert_eq!(typing, 5, "typing goes out with every attempt, of each of the three");
    let beside = found.iter().filter(|n| n.cause == Cause::Beside { notification: news.id }).count();
    assert_eq!(beside, 2);
    assert!(found.iter().all(|n| n.state == NotificationState::Delivered));
    // Three notifications, three turns, however many attempts: a job each.
    assert!(engine.job(3).await.unwrap().is_some());
    assert!(engine.job(4).await.unwrap().is_none());
}
