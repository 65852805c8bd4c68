//! A channel that misbehaves at random: refuses, takes without saying so, drops, dawdles.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proact::testkit::{ChannelAnswer, FakeChannel, Post};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::history::{STARTING, number_in};
use crate::load::Load;

/// Has the channel misbehave, and what it shows to people told to the clients.
pub fn misbehave(channel: &FakeChannel, seed: u64, load: &Arc<Load>) {
    let random = Mutex::new(SmallRng::seed_from_u64(seed ^ 0x00FA_0175));
    let load = Arc::clone(load);
    channel.answer_with(move |post: &Post| {
        let mut random = random.lock().expect("no panic holds it");
        let answer = answer(post, &mut random);
        if let Some(number) = number_in(post.text(), STARTING.0, STARTING.1).filter(|_| answer.accepted) {
            load.saw(number);
        }
        Some(answer)
    });
}

/// Proactive messages fare worse than answers: it is they that are promised to arrive.
fn answer(post: &Post, random: &mut SmallRng) -> ChannelAnswer {
    let kind = random.random_range(0..if post.reply_to.is_none() { 100 } else { 400 });
    let answer = match kind {
        0..3 => ChannelAnswer::throttled(None),
        3..5 => ChannelAnswer::throttled(Some("1")),
        5..7 => ChannelAnswer::status(503),
        7..9 => ChannelAnswer::status(500),
        9..11 => ChannelAnswer::status(500).accepting(),
        11..15 => ChannelAnswer::cut(),
        15..16 => ChannelAnswer::garbage(),
        16..18 => ChannelAnswer::cut_after_head(200),
        18..21 => ChannelAnswer::cut().refusing(),
        _ => ChannelAnswer::ok(),
    };
    // A refusal is slow, so that many a process dies in the middle of an attempt that did not arrive: who took such a one for
    // delivered would lose its message.
    let slowest = if answer.accepted { 20 } else { 400 };
    answer.after(Duration::from_millis(random.random_range(0..slowest)))
}
