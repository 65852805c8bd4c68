//! However writers and sockets meet, a client sees each activity exactly once and in order.

use std::collections::HashMap;

use futures_util::future::join_all;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use serde_json::Value;

use super::world::{Socket, Talk, World};

const WRITERS: usize = 6;
const EACH: usize = 40;

/// Reads until everything has come, leaving at random and coming back by the watermark it then has.
async fn restless(world: &World, talk: &Talk, seed: u64, total: usize) -> Vec<Value> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut all = Vec::new();
    let mut watermark = "0".to_owned();
    while all.len() < total {
        let mut socket = Socket::open(&world.reconnect(talk, &watermark).await).await;
        let stay = random.random_range(1..8);
        for _ in 0..stay {
            if all.len() >= total {
                break;
            }
            all.extend(socket.set().await.unwrap());
        }
        watermark = socket.watermark.clone();
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reader_sees_everything_once_and_in_order() {
    let world = World::new().await;
    let talk = world.talk().await;
    // The welcome; of each writer's turn, its words and the echo or the bot's own words.
    let total = 1 + WRITERS * EACH * 3 / 2;
    let write = |writer: usize| {
        let (world, talk) = (&world, &talk);
        async move {
            for n in 0..EACH {
                let text = format!("{writer}:{n}");
                let (status, answer) = if n % 2 == 0 {
                    world.say(talk, &text).await
                } else {
                    world.bot_says(talk, &text, Some(&text)).await
                };
                assert_eq!(status, 200, "{answer}");
            }
        }
    };
    let seed = u64::from(rand::random::<u32>());
    let readers = (0..4).map(|n| restless(&world, &talk, seed + n, total));
    let (_, read) = tokio::join!(join_all((0..WRITERS).map(write)), join_all(readers));

    let whole = world.history(&talk).await;
    assert_eq!(whole.len(), total);
    let ids: Vec<_> = whole.iter().map(|activity| activity["id"].as_str().unwrap()).collect();
    let times: Vec<_> = whole.iter().map(|activity| activity["timestamp"].as_str().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert!(times.is_sorted_by(|a, b| a < b), "the clock stands still, and yet the times are in order");
    let mut next: HashMap<String, usize> = HashMap::new();
    for text in whole.iter().filter_map(|activity| activity["text"].as_str()) {
        let Some((writer, n)) = text.split_once(':').filter(|(writer, _)| *writer != "echo") else {
            continue;
        };
        let expected = next.entry(writer.to_owned()).or_insert(0);
        assert_eq!(n.parse::<usize>().unwrap(), *expected);
        *expected += 1;
    }
    for (n, seen) in read.into_iter().enumerate() {
        assert_eq!(seen, whole, "reader {n} of seed {seed}");
    }
}

/// Each activity of the bot is changed until it says so many.
const CHANGES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_and_pruning_beside_them_repeat_nothing_and_lose_nothing_that_is_left() {
    let world = World::with(|options| options.limits.history_length = Some(60)).await;
    let talk = world.talk().await;
    let write = |writer: usize| {
        let (world, talk) = (&world, &talk);
        async move {
            for n in 0..20 {
                let (_, said) = world.bot_says(talk, &format!("{writer}:{n} 0"), None).await;
                let path =
                    format!("/{}/activities/{}", talk.id, said["id"].as_str().unwrap().replace('|', "%7C"));
                for version in 1..CHANGES {
                    let new =
                        serde_json::json!({"type": "message", "text": format!("{writer}:{n} {version}")});
                    let (status, answer) = world.bot_calls("PUT", &path, Some(&new)).await;
                    assert!(status == 200 || status == 404, "{answer}");
                }
            }
            world.bot_says(talk, &format!("end {writer}"), None).await;
        }
    };
    let prune = async {
        for _ in 0..30 {
            world.channel.forget().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let seed = u64::from(rand::random::<u32>());
    let readers = (0..4).map(|n| until_the_end(&world, &talk, seed + n));
    let (_, (), read) = tokio::join!(join_all((0..WRITERS).map(write)), prune, join_all(readers));

    let left = world.history(&talk).await;
    assert!(left.len() >= 60, "{}", left.len());
    for (n, seen) in read.into_iter().enumerate() {
        let mut versions: HashMap<String, String> = HashMap::new();
        for activity in &seen {
            let (id, text) = (activity["id"].to_string(), activity["text"].to_string());
            if let Some(before) = versions.insert(id, text.clone()) {
                assert!(before < text, "reader {n} of seed {seed} meets {text} after {before}");
            }
        }
        for activity in &left {
            let text = versions.get(&activity["id"].to_string());
            assert_eq!(text, Some(&activity["text"].to_string()), "reader {n} of seed {seed}");
        }
    }
}

/// Reads until every writer has said its last word, leaving at random and coming back.
async fn until_the_end(world: &World, talk: &Talk, seed: u64) -> Vec<Value> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut all: Vec<Value> = Vec::new();
    let mut watermark = "0".to_owned();
    let ended = |all: &[Value]| {
        all.iter()
            .filter(|activity| activity["text"].as_str().is_some_and(|text| text.starts_with("end ")))
            .count()
            == WRITERS
    };
    while !ended(&all) {
        let mut socket = Socket::open(&world.reconnect(talk, &watermark).await).await;
        for _ in 0..random.random_range(1..8) {
            if ended(&all) {
                break;
            }
            all.extend(socket.set().await.unwrap());
        }
        watermark = socket.watermark.clone();
    }
    all
}
