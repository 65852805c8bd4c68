//! Bot state on the storage, in whole turns.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::activity::{Activity, ChannelAccount, ConversationAccount, ConversationReference};
use crate::adapter::{Adapter, ContinueError};
use crate::state::{Accessor, BotState, StateError, Storage, StoreItem};
use crate::turn::{Bot, BotError, TurnContext};

/// Runs bots on a storage, each on a storage of its own: `make` gives an empty one.
///
/// # Panics
/// Where the state is not what it should be.
pub async fn bot_state_suite<S: Storage, F: Future<Output = S>>(make: impl Fn() -> F) {
    let turns = async || Turns::on(make().await);
    what_a_turn_leaves_the_next_one_finds(turns().await).await;
    a_dialogue_goes_on_from_turn_to_turn(turns().await).await;
    each_is_kept_by_what_it_is_for(turns().await).await;
    nothing_that_was_not_asked_for_is_stored(turns().await).await;
    what_is_as_it_was_is_not_written(turns().await).await;
    a_default_is_kept_only_where_it_is_to_be(turns().await).await;
    a_save_in_between_is_there_at_once(turns().await).await;
    clearing_and_deleting(turns().await).await;
    a_turn_that_fails_leaves_nothing(turns().await).await;
    of_two_who_set_the_same_the_second_is_told(turns().await).await;
    what_two_change_apart_comes_together(turns().await).await;
    what_conflicts_takes_the_other_state_with_it(turns().await).await;
    updates_of_many_turns_all_count(turns().await).await;
    what_is_missing_is_named(turns().await).await;
}

/// Turns on a storage.
#[derive(Clone)]
struct Turns {
    storage: Arc<dyn Storage>,
    adapter: Adapter,
}

struct Silent;

impl Bot for Silent {
    async fn on_turn(&self, _: &TurnContext) -> Result<(), BotError> {
        Ok(())
    }
}

fn reference(conversation: &str, user: &str) -> ConversationReference {
    ConversationReference {
        channel_id: Some("test".to_owned()),
        service_url: Some("http://127.0.0.1:9/".to_owned()),
        conversation: Some(ConversationAccount::new(conversation)),
        user: (!user.is_empty()).then(|| ChannelAccount::new(user)),
        bot: Some(ChannelAccount::new("bot")),
        ..ConversationReference::default()
    }
}

impl Turns {
    fn on(storage: impl Storage) -> Self {
        Self { storage: Arc::new(storage), adapter: Adapter::builder(Silent).build() }
    }

    /// One turn of this person in this conversation.
    async fn run<R>(
        &self,
        (conversation, user): (&str, &str),
        turn: impl FnOnce(TurnContext) -> R + Send + 'static,
    ) -> Result<(), BotError>
    where
        R: Future<Output = Result<(), BotError>> + Send + 'static,
    {
        match self.adapter.continue_conversation(&reference(conversation, user), turn).await {
            Err(ContinueError::Turn(error)) => Err(error),
            other => Ok(other?),
        }
    }

    /// One turn that must end well.
    async fn ok<R>(&self, turn: impl FnOnce(TurnContext) -> R + Send + 'static)
    where
        R: Future<Output = Result<(), BotError>> + Send + 'static,
    {
        self.run(("c", "u"), turn).await.expect("the turn");
    }

    fn conversation<T>(&self, property: &'static str) -> Accessor<T> {
        BotState::conversation(Arc::clone(&self.storage)).property(property)
    }

    fn user<T>(&self, property: &'static str) -> Accessor<T> {
        BotState::user(Arc::clone(&self.storage)).property(property)
    }

    async fn item(&self, key: &str) -> Option<StoreItem> {
        self.storage.read(&[key.to_owned()]).await.expect("the read").remove(key)
    }

    async fn stored(&self, key: &str) -> Option<Value> {
        self.item(key).await.map(|item| item.value)
    }
}

const CONVERSATION: &str = "test/conversations/c";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Profile {
    name: String,
    pets: Vec<String>,
}

async fn what_a_turn_leaves_the_next_one_finds(turns: Turns) {
    let (profile, odd) = (turns.user::<Profile>("profile"), turns.user::<String>("größe / 1|x"));
    let (set, odd_set) = (profile.clone(), odd.clone());
    turns
        .ok(async move |ctx| {
            assert_eq!(set.get(&ctx).await?, None);
            set.set(&ctx, &Profile { name: "Eva".to_owned(), pets: vec![] }).await?;
            odd_set.set(&ctx, &"😀\u{0}".to_owned()).await?;
            Ok(())
        })
        .await;
    let changed = profile.clone();
    turns
        .ok(async move |ctx| {
            changed.update(&ctx, |profile| profile.pets.push("cat".to_owned())).await?;
            Ok(())
        })
        .await;
    let (read, odd_read) = (profile.clone(), odd.clone());
    turns
        .ok(async move |ctx| {
            let eva = Profile { name: "Eva".to_owned(), pets: vec!["cat".to_owned()] };
            assert_eq!(read.get(&ctx).await?, Some(eva), "a change within a value is one");
            assert_eq!(odd_read.get(&ctx).await?.as_deref(), Some("😀\u{0}"));
            read.delete(&ctx).await?;
            assert_eq!(read.get(&ctx).await?, None);
            Ok(())
        })
        .await;
    turns
        .ok(async move |ctx| {
            assert_eq!(profile.get(&ctx).await?, None);
            assert!(odd.get(&ctx).await?.is_some(), "the others stay");
            Ok(())
        })
        .await;
}

/// Asks for three things, one a turn, and has them all in the fourth.
async fn a_dialogue_goes_on_from_turn_to_turn(turns: Turns) {
    for (step, said) in ["", "red", "large", "tomorrow"].into_iter().enumerate() {
        let (at, answers) =
            (turns.conversation::<usize>("step"), turns.conversation::<Vec<String>>("answers"));
        turns
            .ok(async move |ctx| {
                assert_eq!(at.get_or_default(&ctx).await?, step);
                if step > 0 {
                    answers.update(&ctx, move |answers| answers.push(said.to_owned())).await?;
                }
                at.set(&ctx, &(step + 1)).await?;
                Ok(())
            })
            .await;
    }
    let all = json!({ "step": 4, "answers": ["red", "large", "tomorrow"] });
    assert_eq!(turns.stored(CONVERSATION).await, Some(all));
}

async fn each_is_kept_by_what_it_is_for(turns: Turns) {
    let places = [("c1", "u1"), ("c1", "u2"), ("c2", "u1")];
    let states = {
        let storage = &turns.storage;
        [
            BotState::conversation(Arc::clone(storage)),
            BotState::user(Arc::clone(storage)),
            BotState::private_conversation(Arc::clone(storage)),
            BotState::custom(Arc::clone(storage), "all"),
        ]
        .map(|state| state.property::<u32>("turns"))
    };
    for place in places {
        let states = states.clone();
        turns
            .run(place, async move |ctx| {
                for state in &states {
                    state.update(&ctx, |turns| *turns += 1).await?;
                }
                Ok(())
            })
            .await
            .expect("the turn");
    }
    for (key, count) in [
        ("test/conversations/c1", 2),
        ("test/conversations/c2", 1),
        ("test/users/u1", 2),
        ("test/users/u2", 1),
        ("test/conversations/c1/users/u1", 1),
        ("test/conversations/c1/users/u2", 1),
        ("test/conversations/c2/users/u1", 1),
        ("all", 3),
    ] {
        assert_eq!(turns.stored(key).await, Some(json!({ "turns": count })), "{key}");
    }
}

async fn nothing_that_was_not_asked_for_is_stored(turns: Turns) {
    let state = BotState::conversation(Arc::clone(&turns.storage));
    turns
        .ok(async move |ctx| {
            state.save_changes(&ctx).await?;
            state.save_forced(&ctx).await?;
            Ok(())
        })
        .await;
    let absent = turns.conversation::<u32>("absent");
    turns
        .ok(async move |ctx| {
            assert_eq!(absent.get_or_default(&ctx).await?, 0);
            absent.delete(&ctx).await?;
            Ok(())
        })
        .await;
    assert_eq!(turns.stored(CONVERSATION).await, None);
}

async fn what_is_as_it_was_is_not_written(turns: Turns) {
    let value = turns.conversation::<u32>("value");
    let set = value.clone();
    turns.ok(async move |ctx| Ok(set.set(&ctx, &1).await?)).await;
    let before = turns.item(CONVERSATION).await.expect("it is stored");
    turns
        .ok(async move |ctx| {
            value.set(&ctx, &2).await?;
            value.set(&ctx, &1).await?;
            Ok(())
        })
        .await;
    assert_eq!(turns.item(CONVERSATION).await, Some(before.clone()));
    let (state, value) =
        (BotState::conversation(Arc::clone(&turns.storage)), turns.conversation::<u32>("value"));
    turns
        .ok(async move |ctx| {
            value.get(&ctx).await?;
            state.save_forced(&ctx).await?;
            Ok(())
        })
        .await;
    let after = turns.item(CONVERSATION).await.expect("it is stored");
    assert_eq!(after.value, before.value);
    assert_ne!(after.etag, before.etag, "a forced save of what is cached is a new version");
}

async fn a_default_is_kept_only_where_it_is_to_be(turns: Turns) {
    let color = turns.conversation::<String>("color");
    turns
        .ok(async move |ctx| {
            assert_eq!(color.get_or_default(&ctx).await?, "");
            assert_eq!(color.get(&ctx).await?, None);
            assert_eq!(color.get_or_insert_with(&ctx, || "red".to_owned()).await?, "red");
            assert_eq!(color.get_or_insert_with(&ctx, || "blue".to_owned()).await?, "red");
            Ok(())
        })
        .await;
    assert_eq!(turns.stored(CONVERSATION).await, Some(json!({ "color": "red" })));
    // Another turn that gives it a value meanwhile has the say.
    let (size, theirs, others) =
        (turns.conversation::<u32>("size"), turns.conversation("size"), turns.clone());
    turns
        .ok(async move |ctx| {
            assert_eq!(size.get_or_insert_with(&ctx, || 1).await?, 1);
            others.ok(async move |ctx| Ok(theirs.set(&ctx, &2).await?)).await;
            Ok(())
        })
        .await;
    assert_eq!(turns.stored(CONVERSATION).await, Some(json!({ "color": "red", "size": 2 })));
}

async fn a_save_in_between_is_there_at_once(turns: Turns) {
    let state = BotState::conversation(Arc::clone(&turns.storage));
    let (value, seen) = (state.property::<u32>("value"), turns.clone());
    turns
        .ok(async move |ctx| {
            value.set(&ctx, &1).await?;
            assert_eq!(seen.stored(CONVERSATION).await, None);
            state.save_changes(&ctx).await?;
            assert_eq!(seen.stored(CONVERSATION).await, Some(json!({ "value": 1 })));
            state.save_changes(&ctx).await?;
            value.set(&ctx, &2).await?;
            Ok(())
        })
        .await;
    assert_eq!(turns.stored(CONVERSATION).await, Some(json!({ "value": 2 })));
}

async fn clearing_and_deleting(turns: Turns) {
    let state = BotState::conversation(Arc::clone(&turns.storage));
    let (a, b) = (state.property::<u32>("a"), state.property::<u32>("b"));
    let set = a.clone();
    turns.ok(async move |ctx| Ok(set.set(&ctx, &1).await?)).await;

    let (clear, read, put, seen) = (state.clone(), a.clone(), b.clone(), turns.clone());
    turns
        .ok(async move |ctx| {
            clear.clear(&ctx).await?;
            assert_eq!(read.get(&ctx).await?, None);
            put.set(&ctx, &2).await?;
            assert_eq!(seen.stored(CONVERSATION).await, Some(json!({ "a": 1 })), "not before the end");
            Ok(())
        })
        .await;
    assert_eq!(turns.stored(CONVERSATION).await, Some(json!({ "b": 2 })));

    let (delete, lost, seen) = (state.clone(), a.clone(), turns.clone());
    turns
        .ok(async move |ctx| {
            lost.set(&ctx, &3).await?;
            delete.delete(&ctx).await?;
            assert_eq!(seen.stored(CONVERSATION).await, None, "at once");
            assert_eq!(lost.get(&ctx).await?, None, "with what the turn had changed");
            Ok(())
        })
        .await;
    assert_eq!(turns.stored(CONVERSATION).await, None);

    turns
        .ok(async move |ctx| {
            state.delete(&ctx).await?;
            b.set(&ctx, &4).await?;
            Ok(())
        })
        .await;
    assert_eq!(turns.stored(CONVERSATION).await, Some(json!({ "b": 4 })), "what comes after is kept");
}

async fn a_turn_that_fails_leaves_nothing(turns: Turns) {
    let value = turns.conversation::<u32>("value");
    let failed = turns
        .run(("c", "u"), async move |ctx| {
            value.set(&ctx, &1).await?;
            Err("as told".into())
        })
        .await;
    assert_eq!(failed.expect_err("it failed").to_string(), "as told");
    assert_eq!(turns.stored(CONVERSATION).await, None);
}

fn conflict(result: Result<(), BotError>) -> Vec<String> {
    let error = result.expect_err("a conflict was due");
    match error.downcast_ref::<StateError>() {
        Some(StateError::Conflict { properties, .. }) => properties.clone(),
        other => panic!("a conflict was due: {other:?}"),
    }
}

async fn of_two_who_set_the_same_the_second_is_told(turns: Turns) {
    for first in [false, true] {
        if first {
            let value = turns.conversation::<u32>("value");
            turns.ok(async move |ctx| Ok(value.set(&ctx, &1).await?)).await;
        }
        let (value, other) = (turns.conversation::<String>("value"), turns.conversation::<u32>("value"));
        let others = turns.clone();
        let second = turns
            .run(("c", "u"), async move |ctx| {
                value.set(&ctx, &"late".to_owned()).await?;
                others.ok(async move |ctx| Ok(other.set(&ctx, &2).await?)).await;
                Ok(())
            })
            .await;
        assert_eq!(conflict(second), ["value"]);
        assert_eq!(turns.stored(CONVERSATION).await, Some(json!({ "value": 2 })), "never blindly");
        turns.storage.delete(&[CONVERSATION.to_owned()]).await.expect("the deletion");
    }
}

async fn what_two_change_apart_comes_together(turns: Turns) {
    let value = turns.conversation::<Value>("gone");
    turns.ok(async move |ctx| Ok(value.set(&ctx, &json!(1)).await?)).await;
    let (a, b, gone, others) =
        (turns.conversation("a"), turns.conversation("b"), turns.conversation::<u32>("gone"), turns.clone());
    turns
        .ok(async move |ctx| {
            a.set(&ctx, &1).await?;
            others
                .ok(async move |ctx| {
                    b.set(&ctx, &2).await?;
                    gone.delete(&ctx).await?;
                    Ok(())
                })
                .await;
            Ok(())
        })
        .await;
    assert_eq!(turns.stored(CONVERSATION).await, Some(json!({ "a": 1, "b": 2 })));
}

async fn what_conflicts_takes_the_other_state_with_it(turns: Turns) {
    // Either way round: in whatever order a storage makes the changes of one write, one of the two comes first.
    let states =
        [BotState::conversation(Arc::clone(&turns.storage)), BotState::user(Arc::clone(&turns.storage))];
    let keys = [CONVERSATION, "test/users/u"];
    for (torn, whole) in [(0, 1), (1, 0)] {
        let (mine, theirs) = (states[torn].property("value"), states[torn].property("value"));
        let (also, others) = (states[whole].property("value"), turns.clone());
        let second = turns
            .run(("c", "u"), async move |ctx| {
                mine.set(&ctx, &1).await?;
                also.set(&ctx, &1).await?;
                others.ok(async move |ctx| Ok(theirs.set(&ctx, &2).await?)).await;
                Ok(())
            })
            .await;
        assert_eq!(conflict(second), ["value"]);
        assert_eq!(turns.stored(keys[torn]).await, Some(json!({ "value": 2 })));
        assert_eq!(turns.stored(keys[whole]).await, None, "all of a turn's state or none");
        turns.storage.delete(&keys.map(str::to_owned)).await.expect("the deletion");
    }
}

async fn updates_of_many_turns_all_count(turns: Turns) {
    let many = (0..20).map(|_| {
        let (turns, count) = (turns.clone(), turns.conversation::<u32>("count"));
        tokio::spawn(async move {
            turns
                .run(("c", "u"), async move |ctx| {
                    count.update(&ctx, |count| *count += 1).await?;
                    tokio::task::yield_now().await;
                    Ok(())
                })
                .await
        })
    });
    for turn in join_all(many).await {
        turn.expect("the task").expect("the turn");
    }
    assert_eq!(turns.stored(CONVERSATION).await, Some(json!({ "count": 20 })));
}

async fn what_is_missing_is_named(turns: Turns) {
    let (storage, conversation) = (Arc::clone(&turns.storage), turns.conversation::<u32>("value"));
    turns
        .run(("c", ""), async move |ctx| {
            assert!(Activity::from_id(ctx.activity()).is_none());
            for state in [BotState::user(Arc::clone(&storage)), BotState::private_conversation(storage)] {
                let error = state.property::<u32>("value").get(&ctx).await.expect_err("it is of nobody");
                assert!(matches!(error, StateError::Missing { field: "from.id" }), "{error}");
            }
            Ok(conversation.set(&ctx, &1).await?)
        })
        .await
        .expect("the turn");
    assert_eq!(turns.stored(CONVERSATION).await, Some(json!({ "value": 1 })));
}
