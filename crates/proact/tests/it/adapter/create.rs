//! Conversations that the bot creates: what the channel is asked, what the turn sees, and what is remembered.

use std::sync::{Arc, Mutex};

use proact::{
    activity::{Activity, ChannelAccount, ConversationKey, ConversationParameters},
    adapter::{Adapter, CreateError, NewConversation},
    proactive::{NewNotification, ProactiveTurn},
    state::{BotState, MemoryStorage, Storage},
    testkit::{ChannelAnswer, FakeChannel},
    turn::{BotError, Middleware, Next, TurnContext, TurnKind},
};
use serde_json::json;

use crate::support::TestBot;

fn account(id: &str) -> ChannelAccount {
    ChannelAccount::new(id)
}

fn one_to_one(channel: &FakeChannel) -> NewConversation {
    let parameters = ConversationParameters::one_to_one(account("bot"), account("eva")).with_tenant("t1");
    NewConversation::new("test", channel.service_url(), parameters)
}

/// Writes down what each turn began with.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Activity>>>);

impl Middleware for Seen {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        assert_eq!(ctx.kind(), TurnKind::Proactive);
        self.0.lock().unwrap().push(ctx.activity().clone());
        next.run(ctx).await
    }
}

#[tokio::test]
async fn its_first_turn_is_a_turn_of_the_person_it_was_created_for() {
    let channel = FakeChannel::start();
    let (seen, storage) = (Seen::default(), Arc::new(MemoryStorage::new()));
    let adapter = Adapter::builder(TestBot).middleware(seen.clone()).build();
    let users = BotState::user(storage.clone());
    let reference = adapter
        .create_conversation(one_to_one(&channel), async move |ctx: TurnContext| {
            users.property("met").set(&ctx, &true).await?;
            ctx.send("hello").await?;
            Ok(())
        })
        .await
        .unwrap();

    let ledger = channel.ledger();
    assert_eq!((ledger[0].path.as_str(), ledger[0].conversation.as_str()), ("/v3/conversations", ""));
    let asked =
        json!({ "isGroup": false, "bot": {"id": "bot"}, "members": [{"id": "eva"}], "tenantId": "t1" });
    assert_eq!(*ledger[0].activity(), asked);
    let id = ledger[0].id.clone();
    let began = json!({
        "type": "event", "name": "CreateConversation", "id": id, "channelId": "test",
        "serviceUrl": channel.service_url(), "conversation": {"id": id, "isGroup": false, "tenantId": "t1"},
        "from": {"id": "eva"}, "recipient": {"id": "bot"}
    });
    assert_eq!(serde_json::to_value(&seen.0.lock().unwrap()[0]).unwrap(), began);
    assert!(seen.0.lock().unwrap()[0].is_creation());
    let said = ledger.of(&id).next().unwrap();
    assert_eq!((said.reply_to.as_deref(), said.activity().get("replyToId")), (None, None));
    assert_eq!(said.activity()["recipient"]["id"], "eva");
    let stored = Storage::read(&*storage, &["test/users/eva".to_owned()]).await.unwrap();
    assert_eq!(stored["test/users/eva"].value, json!({ "met": true }));
    assert_eq!(reference.conversation_key().unwrap().to_string(), format!("test/{id}"));
    // The reference is as good as any other.
    adapter
        .continue_conversation(&reference, async |ctx: TurnContext| {
            ctx.send("again").await?;
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(channel.ledger().texts(&id), ["hello", "again"]);
}

#[tokio::test]
async fn a_thread_and_a_group_are_to_nobody_in_particular() {
    let channel = FakeChannel::start();
    let seen = Seen::default();
    let adapter = Adapter::builder(TestBot).middleware(seen.clone()).build();
    for parameters in [
        ConversationParameters::group(account("bot"), [account("a")]).with_topic("us"),
        ConversationParameters::channel_thread(account("bot"), "19:c", Activity::message("first")),
    ] {
        let new = NewConversation::new("msteams", channel.service_url(), parameters);
        adapter.create_conversation(new, async |_| Ok(())).await.unwrap();
    }
    let seen = seen.0.lock().unwrap();
    assert!(seen.iter().all(|activity| activity.from.is_none()));
    assert_eq!(seen[0].conversation.as_ref().unwrap().name.as_deref(), Some("us"));
    assert_eq!(seen[1].channel_data, Some(json!({ "channel": { "id": "19:c" } })));
}

#[tokio::test]
async fn it_is_remembered_and_can_be_notified_also_from_its_first_turn_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let id = {
        let (adapter, engine) = engine_on(folder.path()).await;
        let reference = adapter
            .create_conversation(one_to_one(&channel), async |ctx: TurnContext| {
                ctx.notify(NewNotification::new(ctx.conversation().clone(), Activity::message("first")))
                    .await?;
                Ok(())
            })
            .await
            .unwrap();
        let key = reference.conversation_key().unwrap();
        let stored = engine.conversation(key.clone()).await.unwrap().unwrap();
        assert_eq!(stored.reference, reference);
        engine.start(adapter.clone()).await.unwrap();
        channel.wait_for(|ledger| ledger.texts(key.conversation_id()) == ["first"]).await;
        adapter.drain().await;
        engine.stop().await;
        engine.store().close().await;
        key.conversation_id().to_owned()
    };
    let (adapter, engine) = engine_on(folder.path()).await;
    engine.start(adapter).await.unwrap();
    let key = ConversationKey::new("test", &id).unwrap();
    engine.notify(NewNotification::new(key, Activity::message("later"))).await.unwrap();
    channel.wait_for(|ledger| ledger.texts(&id) == ["first", "later"]).await;
}

async fn engine_on(folder: &std::path::Path) -> (Adapter, proact::proactive::Proactive) {
    use proact::{clock::SystemClock, proactive::Proactive, store::Store};
    let store = Store::open(&folder.join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
    let engine = Proactive::open(store, crate::support::eager()).await.unwrap();
    let adapter =
        Adapter::builder(TestBot).journal(engine.journal()).service(Arc::new(engine.clone())).build();
    (adapter, engine)
}

#[tokio::test]
async fn what_refused_is_told_and_what_exists_is_not_lost() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(TestBot).build();
    let unreached = async |_: TurnContext| -> Result<(), BotError> { panic!("no turn was due") };
    let (mut outside, mut nowhere) = (one_to_one(&channel), one_to_one(&channel));
    outside.service_url = "https://example.com/".to_owned();
    nowhere.channel_id.clear();
    let refused = adapter.create_conversation(outside, unreached).await.unwrap_err();
    assert!(matches!(refused, CreateError::Refused(_)), "{refused}");
    let missing = adapter.create_conversation(nowhere, unreached).await.unwrap_err();
    assert!(matches!(missing, CreateError::Missing(field) if field.field() == "channelId"), "{missing}");
    assert!(channel.ledger().is_empty(), "nothing was asked of the channel");

    for (answer, may_exist) in [
        (ChannelAnswer::status(403), false),
        (ChannelAnswer::throttled(None), false),
        (ChannelAnswer::status(502), true),
        (ChannelAnswer::cut(), true),
        (ChannelAnswer::ok().with_body("{}"), true),
    ] {
        channel.script("", [answer.clone()]);
        let error = adapter.create_conversation(one_to_one(&channel), unreached).await.unwrap_err();
        let CreateError::Channel(error) = error else { panic!("{answer:?}: {error:?}") };
        assert_eq!(error.bytes_may_have_left(), may_exist, "{answer:?}");
    }

    let failed = adapter.create_conversation(one_to_one(&channel), async |_| Err("as told".into())).await;
    let Err(CreateError::Turn { reference, source }) = failed else { panic!("{failed:?}") };
    assert_eq!(source.to_string(), "as told");
    assert_eq!(reference.conversation.unwrap().id.as_deref(), channel.ledger().last().map(|last| &*last.id));

    // The channel's word on where it is counts, but not further than the guard lets anything out.
    for (told, taken) in [(channel.service_url_with_path(), true), ("https://example.com/".to_owned(), false)]
    {
        channel.script(
            "",
            [ChannelAnswer::ok().with_body(json!({ "id": "x", "serviceUrl": told }).to_string())],
        );
        let reference = adapter.create_conversation(one_to_one(&channel), async |_| Ok(())).await.unwrap();
        assert_eq!(reference.service_url == Some(told), taken);
    }
    adapter.drain().await;
    let stopped = adapter.create_conversation(one_to_one(&channel), unreached).await.unwrap_err();
    assert!(matches!(stopped, CreateError::Stopping), "{stopped}");
}

#[tokio::test]
async fn a_store_that_takes_nothing_leaves_the_reference_with_who_asked() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let (adapter, engine) = engine_on(folder.path()).await;
    engine.store().close().await;
    let error = adapter.create_conversation(one_to_one(&channel), async |_| panic!("no turn was due")).await;
    let Err(CreateError::NotRemembered { reference, .. }) = error else { panic!("{error:?}") };
    assert_eq!(reference.service_url, Some(channel.service_url()));
}
