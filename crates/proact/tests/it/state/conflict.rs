//! State that several turns change at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proact::adapter::Adapter;
use proact::clock::SystemClock;
use proact::proactive::{DeliveryOptions, Proactive};
use proact::state::conformance::{bot_state_suite, storage_suite};
use proact::state::{BotState, StateError, Storage};
use proact::store::Store;
use proact::testkit::FakeChannel;
use proptest::prelude::*;
use serde_json::json;

use super::{CONVERSATION, Counter, Watched, begin, end, state_error};

#[tokio::test]
async fn turns_that_change_different_properties_both_take_effect() {
    let storage = Watched::new();
    let state = BotState::conversation(storage.clone());
    for _ in 0..2 {
        // The first round begins with nothing stored, the second with something.
        let (one, other) = (begin().await, begin().await);
        for (ctx, name) in [(&*one, "one"), (&*other, "other")] {
            let property = state.property::<u32>(name);
            let value = property.get_or_default(ctx).await.unwrap();
            property.set(ctx, &(value + 1)).await.unwrap();
        }
        end(other).await.unwrap();
        end(one).await.unwrap();
    }
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "one": 2, "other": 2 }));
}

#[tokio::test]
async fn a_property_that_both_set_is_a_conflict() {
    let storage = Watched::new();
    let state = BotState::conversation(storage.clone());
    let color = state.property::<String>("color");
    let (one, other) = (begin().await, begin().await);
    color.set(&one, &"red".to_owned()).await.unwrap();
    state.property("beside").set(&one, &true).await.unwrap();
    color.set(&other, &"blue".to_owned()).await.unwrap();
    end(other).await.unwrap();
    let error = end(one).await.unwrap_err();
    match state_error(&error) {
        StateError::Conflict { key, properties } => {
            assert_eq!((key.as_str(), properties.len()), (CONVERSATION, 1))
        }
        other => panic!("{other}"),
    }
    assert!(!error.to_string().contains("red"), "{error}");
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "color": "blue" }), "all or nothing");
}

#[tokio::test]
async fn an_update_runs_again_on_the_fresh_value_and_the_handler_does_not() {
    let storage = Watched::new();
    let state = BotState::conversation(storage.clone());
    let log = state.property::<Vec<String>>("log");
    let runs = Arc::new(AtomicU32::new(0));
    let (one, other) = (begin().await, begin().await);
    for (ctx, entry) in [(&*one, "one"), (&*other, "other")] {
        let runs = Arc::clone(&runs);
        let length = log
            .update(ctx, move |log| {
                runs.fetch_add(1, Ordering::Relaxed);
                log.push(entry.to_owned());
                log.len()
            })
            .await
            .unwrap();
        assert_eq!(length, 1);
    }
    end(other).await.unwrap();
    end(one).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "log": ["other", "one"] }));
    assert_eq!(runs.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn an_explicit_save_merges_too() {
    let storage = Watched::new();
    let state = BotState::conversation(storage.clone());
    let (one, other) = (begin().await, begin().await);
    let count = state.property::<u32>("count");
    for ctx in [&*one, &*other] {
        count.update(ctx, |count| *count += 1).await.unwrap();
    }
    state.save_changes(&one).await.unwrap();
    state.save_changes(&other).await.unwrap();
    assert_eq!(count.get(&other).await.unwrap(), Some(2));
    end(one).await.unwrap();
    end(other).await.unwrap();
    assert_eq!(storage.stored(CONVERSATION).await, json!({ "count": 2 }));
    assert_eq!(storage.asked().ordinals, [0, 0, 0], "tries of one save are one command");
}

#[tokio::test]
async fn the_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let made = AtomicU32::new(0);
    let make = || {
        let file = folder.path().join(format!("{}.db", made.fetch_add(1, Ordering::Relaxed)));
        async move { Store::open(&file, &[], Arc::new(SystemClock)).unwrap() }
    };
    storage_suite(make).await;
    bot_state_suite(make).await;
}

/// Overlapping turns of many conversations on one key, saved in the commit of the turn's record.
#[tokio::test]
async fn state_in_the_store_merges_in_the_turns_own_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
    let proactive = Proactive::open(store.clone(), DeliveryOptions::default()).await.unwrap();
    let all = BotState::custom(Arc::new(store.clone()), "all");
    let adapter = Adapter::builder(Counter(all.property("count"))).journal(proactive.journal()).build();
    let channel = FakeChannel::start();
    let turns = (0..20).map(|number| {
        let (adapter, user) = (adapter.clone(), channel.user(&format!("c{number}")));
        tokio::spawn(async move { adapter.process(user.message("count").encode().into()).await.status })
    });
    for status in futures_util::future::join_all(turns).await {
        assert_eq!(status.unwrap(), 200);
    }
    let stored = Storage::read(&store, &["all".to_owned()]).await.unwrap();
    assert_eq!(stored["all"].value, json!({ "count": 20 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Turns that overlap in any way add up: each adds to some counters, by updates, and they end in any order.
    #[test]
    fn updates_of_overlapping_turns_add_up(
        turns in prop::collection::vec(prop::collection::vec((0..3_usize, 1..10_i64), 0..4), 1..8),
        order in any::<prop::sample::Index>(),
        saves in any::<u8>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let storage = Watched::new();
            let state = BotState::conversation(storage.clone());
            let mut open = Vec::new();
            let mut sums = [0; 3];
            for (number, adds) in turns.iter().enumerate() {
                let ctx = begin().await;
                for (counter, by) in adds.iter().copied() {
                    state.property::<i64>(format!("n{counter}")).update(&ctx, move |n| *n += by).await.unwrap();
                    sums[counter] += by;
                    if saves & (1 << number) != 0 {
                        state.save_changes(&ctx).await.unwrap();
                    }
                }
                open.push(ctx);
            }
            let middle = order.index(open.len());
            open.rotate_left(middle);
            open.reverse();
            for ctx in open {
                end(ctx).await.unwrap();
            }
            let stored = storage.stored(CONVERSATION).await;
            for (counter, sum) in sums.iter().enumerate() {
                assert_eq!(stored[format!("n{counter}")].as_i64().unwrap_or(0), *sum);
            }
        });
    }
}
