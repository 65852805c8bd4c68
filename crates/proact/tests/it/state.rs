//! Bot state over whole turns.

mod conflict;
mod doctored;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use proact::activity::Activity;
use proact::adapter::{Adapter, ContinueError};
use proact::state::{
    Accessor, BotState, Expect, MemoryStorage, StateChange, StateError, StateSaved, Storage, StorageError,
    StoreItem,
};
use proact::testkit::FakeChannel;
use proact::turn::{Bot, BotError, CommandKey, TurnContext};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A storage in memory that remembers what it was asked.
#[derive(Debug, Default)]
struct Watched {
    storage: MemoryStorage,
    asked: Mutex<Asked>,
    broken: Mutex<bool>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Asked {
    reads: usize,
    writes: Vec<Vec<StateChange>>,
    ordinals: Vec<u32>,
}

impl Storage for Watched {
    fn read<'s>(
        &'s self,
        keys: &'s [String],
    ) -> BoxFuture<'s, Result<HashMap<String, StoreItem>, StorageError>> {
        self.asked.lock().unwrap().reads += 1;
        if *self.broken.lock().unwrap() {
            return Box::pin(async { Err(StorageError::failed("on fire")) });
        }
        self.storage.read(keys)
    }

    fn write(&self, changes: Vec<StateChange>) -> BoxFuture<'_, Result<Vec<StateSaved>, StorageError>> {
        self.asked.lock().unwrap().writes.push(changes.clone());
        self.storage.write(changes)
    }

    fn write_in_turn(
        &self,
        key: CommandKey,
        changes: Vec<StateChange>,
    ) -> BoxFuture<'_, Result<Vec<StateSaved>, StorageError>> {
        self.asked.lock().unwrap().ordinals.push(key.ordinal);
        self.write(changes)
    }
}

impl Watched {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn asked(&self) -> Asked {
        self.asked.lock().unwrap().clone()
    }

    async fn stored(&self, key: &str) -> Value {
        let mut found = self.storage.read(&[key.to_owned()]).await.unwrap();
        found.remove(key).map_or(Value::Null, |item| item.value)
    }
}

const CONVERSATION: &str = "test/conversations/c";

/// A turn that is open until it is ended.
struct Turn {
    ctx: TurnContext,
    go_on: oneshot::Sender<()>,
    turn: JoinHandle<Result<(), ContinueError>>,
}

async fn begin() -> Turn {
    let reference = br#"{"type":"message","channelId":"test","serviceUrl":"http://127.0.0.1:9/",
        "conversation":{"id":"c"},"from":{"id":"u"},"recipient":{"id":"bot"}}"#;
    let reference = Activity::decode(reference).unwrap().reference();
    let (begun, ctx) = oneshot::channel();
    let (go_on, ended) = oneshot::channel();
    let turn = tokio::spawn(async move {
        let adapter = Adapter::builder(Silent).build();
        adapter
            .continue_conversation(&reference, move |ctx| {
                begun.send(ctx.clone()).unwrap();
                async move { Ok(ended.await?) }.boxed()
            })
            .await
    });
    Turn { ctx: ctx.await.unwrap(), go_on, turn }
}

async fn end(turn: Turn) -> Result<(), BotError> {
    turn.go_on.send(()).unwrap();
    match turn.turn.await.unwrap() {
        Err(ContinueError::Turn(error)) => Err(error),
        result => Ok(result?),
    }
}

impl std::ops::Deref for Turn {
    type Target = TurnContext;

    fn deref(&self) -> &TurnContext {
        &self.ctx
    }
}

struct Silent;

impl Bot for Silent {
    async fn on_turn(&self, _: &TurnContext) -> Result<(), BotError> {
        Ok(())
    }
}

fn state_error(error: &BotError) -> &StateError {
    error.downcast_ref().expect("an error of state")
}

#[tokio::test]
async fn what_is_not_asked_for_is_neither_read_nor_written() {
    let storage = Watched::new();
    let state = BotState::conversation(storage.clone());
    let ctx = begin().await;
    state.save_changes(&ctx).await.unwrap();
    state.save_forced(&ctx).await.unwrap();
    end(ctx).await.unwrap();
    assert_eq!(storage.asked(), Asked::default());
}

#[tokio::test]
async fn what_a_turn_sets_the_next_one_gets() {
    let storage = Watched::new();
    let state = BotState::conversation(storage.clone());
    let (name, age) = (state.property::<String>("name"), state.property::<u8>("age"));

    let ctx = begin().await;
    assert_eq!(name.get(&ctx).await.unwrap(), None);
    name.set(&ctx, &"Ada".to_owned()).await.unwrap();
    age.set(&ctx, &36).await.unwrap();
    assert_eq!(name.get(&ctx).await.unwrap().as_deref(), Some("Ada"));
    assert_eq!(storage.stored(CONVERSATION).await, Value::Null, "not before the turn's end");
    end(ctx).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "name": "Ada", "age": 36 }));

    let ctx = begin().await;
    assert_eq!(name.get_or_default(&ctx).await.unwrap(), "Ada");
    assert_eq!(age.get(&ctx).await.unwrap(), Some(36));
    name.delete(&ctx).await.unwrap();
    end(ctx).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "age": 36 }));
    let asked = storage.asked();
    assert_eq!((asked.reads, asked.writes.len()), (2, 2), "each turn reads once and writes once");
}

#[tokio::test]
async fn what_is_as_it_was_is_not_written() {
    let storage = Watched::new();
    let count = BotState::user(storage.clone()).property::<u32>("count");
    let ctx = begin().await;
    count.set(&ctx, &1).await.unwrap();
    end(ctx).await.unwrap();
    let ctx = begin().await;
    assert_eq!(count.get(&ctx).await.unwrap(), Some(1));
    count.set(&ctx, &2).await.unwrap();
    count.set(&ctx, &1).await.unwrap();
    assert_eq!(count.clone().get_or_default(&ctx).await.unwrap(), 1);
    let unset = BotState::user(storage.clone()).property::<u32>("unset");
    assert_eq!(unset.get_or_default(&ctx).await.unwrap(), 0);
    end(ctx).await.unwrap();
    assert_eq!(storage.asked().writes.len(), 1);
}

#[tokio::test]
async fn states_of_one_storage_are_saved_in_one_write_and_never_blindly() {
    let storage = Watched::new();
    for value in 1..3 {
        let ctx = begin().await;
        for state in [
            BotState::conversation(storage.clone()),
            BotState::user(storage.clone()),
            BotState::private_conversation(storage.clone()),
            BotState::custom(storage.clone(), "mine"),
        ] {
            state.property("value").set(&ctx, &value).await.unwrap();
        }
        end(ctx).await.unwrap();
    }
    let writes = storage.asked().writes;
    let keys: Vec<_> = writes[0].iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["mine", CONVERSATION, "test/conversations/c/users/u", "test/users/u"]);
    assert!(writes[0].iter().all(|change| change.expect == Expect::Absent));
    assert!(writes[1].iter().all(|change| matches!(&change.expect, Expect::ETag(etag) if etag != "*")));
    assert_eq!(writes.len(), 2);
}

#[tokio::test]
async fn two_of_a_kind_are_one_state() {
    let storage = Watched::new();
    let (one, other) = (BotState::conversation(storage.clone()), BotState::conversation(storage.clone()));
    let ctx = begin().await;
    one.property("a").set(&ctx, &1).await.unwrap();
    other.property("b").set(&ctx, &2).await.unwrap();
    assert_eq!(other.property("a").get(&ctx).await.unwrap(), Some(1));
    end(ctx).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "a": 1, "b": 2 }));
    assert_eq!(storage.asked().writes.len(), 1);
}

#[tokio::test]
async fn an_explicit_save_takes_effect_at_once_and_protects_what_follows() {
    let storage = Watched::new();
    let state = BotState::conversation(storage.clone());
    let step = state.property::<u32>("step");
    let ctx = begin().await;
    step.set(&ctx, &1).await.unwrap();
    state.save_changes(&ctx).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "step": 1 }));
    state.save_changes(&ctx).await.unwrap();
    state.save_forced(&ctx).await.unwrap();
    step.set(&ctx, &2).await.unwrap();
    end(ctx).await.unwrap();
    let asked = storage.asked();
    assert_eq!((asked.reads, asked.writes.len()), (1, 3));
    assert_eq!(asked.ordinals, [0, 2], "a save that has nothing to write counts as a command all the same");
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "step": 2 }));
}

#[tokio::test]
async fn clearing_waits_for_the_end_and_deleting_does_not() {
    let storage = Watched::new();
    let state = BotState::conversation(storage.clone());
    let (a, b) = (state.property::<u32>("a"), state.property::<u32>("b"));
    let ctx = begin().await;
    a.set(&ctx, &1).await.unwrap();
    end(ctx).await.unwrap();

    let ctx = begin().await;
    state.clear(&ctx).await.unwrap();
    b.set(&ctx, &2).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "a": 1 }));
    end(ctx).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "b": 2 }));

    let ctx = begin().await;
    a.set(&ctx, &3).await.unwrap();
    state.delete(&ctx).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, Value::Null);
    assert_eq!((a.get(&ctx).await.unwrap(), b.get(&ctx).await.unwrap()), (None, None));
    end(ctx).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, Value::Null);
}

#[tokio::test]
async fn a_value_of_another_type_is_an_error_that_does_not_repeat_it() {
    let storage = Watched::new();
    let state = BotState::conversation(storage.clone());
    let ctx = begin().await;
    state.property("pin").set(&ctx, &"1234".to_owned()).await.unwrap();
    let number = state.property::<u32>("pin");
    for error in
        [number.get(&ctx).await.unwrap_err(), number.update(&ctx, |pin| *pin += 1).await.unwrap_err()]
    {
        assert!(matches!(&error, StateError::Unreadable { property, .. } if property == "pin"), "{error}");
        assert!(!format!("{error} {error:?}").contains("1234"));
    }
    end(ctx).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "pin": "1234" }));
}

#[tokio::test]
async fn a_storage_that_fails_is_asked_again_by_the_next_who_asks() {
    let storage = Watched::new();
    let count = BotState::conversation(storage.clone()).property::<u32>("count");
    let ctx = begin().await;
    *storage.broken.lock().unwrap() = true;
    let error = count.get(&ctx).await.unwrap_err();
    assert!(matches!(error, StateError::Storage(StorageError::Failed(_))), "{error}");
    *storage.broken.lock().unwrap() = false;
    assert_eq!(count.get(&ctx).await.unwrap(), None);
}

/// Counts messages, and fails when told to after it has counted.
struct Counter(Accessor<u32>);

impl Bot for Counter {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        self.0.update(ctx, |count| *count += 1).await?;
        if ctx.activity().text() == "fail" { Err("as told".into()) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_handler_that_fails_saves_nothing() {
    let storage = Watched::new();
    let bot = Counter(BotState::conversation(storage.clone()).property("count"));
    let adapter = Adapter::builder(bot).build();
    let user = FakeChannel::start().user("c");
    for (text, status) in [("one", 200), ("fail", 500), ("two", 200)] {
        assert_eq!(adapter.process(user.message(text).encode().into()).await.status, status);
    }
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "count": 2 }));
}
