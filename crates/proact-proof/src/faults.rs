//! A channel that misbehaves at random: refuses, takes without saying so, drops, dawdles.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proact::testkit::{ChannelAnswer, FakeChannel, Fault, Forbidden, Gate, Post, RandomFaults, Wait};
use tokio::sync::Notify;

use crate::history::{STARTING, number_in};
use crate::load::Load;

/// Which faults the channel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Those after which another try can help.
    Passing,
    /// All, also those that refuse a message for good.
    All,
}

/// Has the channel misbehave, and what it shows to people told to the clients.
pub fn misbehave(channel: &FakeChannel, seed: u64, faults: Faults, load: &Arc<Load>) -> Arc<Receipts> {
    let receipts = Arc::new(Receipts::default());
    let of_replies = replies(seed);
    let of_messages = messages(seed, faults);
    // Slow refusals have many a process die in the middle of an attempt that did not arrive: who took such a one for delivered
    // would lose its message.
    let refusals = RandomFaults::seeded(seed ^ 1).slow_by_up_to(Duration::from_millis(400));
    let (load, seen) = (Arc::clone(load), Arc::clone(&receipts));
    channel.answer_with(move |post: &Post| {
        if !post.is_new() {
            return None;
        }
        let proactive = post.reply_to.is_none();
        let faults = if proactive { &of_messages } else { &of_replies };
        let mut answer = faults.answer(post).unwrap_or_else(ChannelAnswer::ok);
        if !answer.accepted {
            answer = answer.after(refusals.draw(&post.conversation).1);
        }
        if let Some(number) = number_in(post.text(), STARTING.0, STARTING.1).filter(|_| answer.accepted) {
            load.saw(number);
        }
        if proactive && seen.is_the_one() {
            // Its sender dies before it hears of it.
            answer = answer.behind(&Gate::closed());
        }
        Some(answer)
    });
    receipts
}

/// Answers to people fare better than messages: it is those that are promised to arrive.
fn replies(seed: u64) -> RandomFaults {
    passing(RandomFaults::seeded(seed ^ 2), 0.25).slow_by_up_to(Duration::from_millis(20))
}

fn messages(seed: u64, faults: Faults) -> RandomFaults {
    let random = passing(RandomFaults::seeded(seed ^ 3), 1.0).slow_by_up_to(Duration::from_millis(20));
    if faults == Faults::Passing {
        return random;
    }
    random
        .per_cent(0.7, Fault::Forbidden(Forbidden::Blocked))
        .per_cent(0.7, Fault::Forbidden(Forbidden::NotInRoster))
        .per_cent(0.7, Fault::Forbidden(Forbidden::OtherRegion))
        .per_cent(0.7, Fault::Status(400))
        .per_cent(0.7, Fault::Status(404))
        .per_cent(0.7, Fault::Status(405))
}

fn passing(random: RandomFaults, share: f64) -> RandomFaults {
    [
        (3.0, Fault::Throttled(Wait::Absent)),
        (2.0, Fault::Throttled(Wait::Seconds(1))),
        (1.0, Fault::Throttled(Wait::Fraction)),
        (0.5, Fault::Throttled(Wait::Date(1))),
        (0.5, Fault::Throttled(Wait::Negative)),
        (0.5, Fault::Throttled(Wait::Garbage)),
        (0.5, Fault::AcceptedAndThrottled(Wait::Seconds(1))),
        (1.0, Fault::PreconditionFailed),
        (2.0, Fault::Status(503)),
        (1.5, Fault::Status(500)),
        (1.0, Fault::Status(502)),
        (0.5, Fault::Status(504)),
        (1.0, Fault::AcceptedAndStatus(500)),
        (1.0, Fault::AcceptedAndStatus(502)),
        (0.5, Fault::AcceptedAndStatus(504)),
        (0.5, Fault::Redirect(301)),
        (0.5, Fault::Redirect(307)),
        (1.0, Fault::GarbageBody),
        (1.0, Fault::EmptyBody),
        (0.5, Fault::NoContent),
        (1.0, Fault::NoId),
        (3.0, Fault::Dropped),
        (4.0, Fault::AcceptedAndDropped),
        (2.0, Fault::AcceptedAndCutAfterHead),
        (1.0, Fault::AcceptedAndHalfClosed),
        (1.0, Fault::AcceptedAndNotHttp),
        (0.5, Fault::AcceptedAndDripped),
    ]
    .into_iter()
    .fold(random, |random, (often, fault)| random.per_cent(often * share, fault))
}

/// Counts proactive messages on demand, so that a process can be killed when one has reached the channel and is not answered.
#[derive(Debug, Default)]
pub struct Receipts {
    left: AtomicU64,
    reached: Notify,
}

impl Receipts {
    /// Counts anew: returns when `count` more have come, the last of which is never answered.
    pub async fn reached(&self, count: u64) {
        self.left.store(count, Ordering::SeqCst);
        self.reached.notified().await;
    }

    /// Counts no more.
    pub fn forget(&self) {
        self.left.store(0, Ordering::SeqCst);
    }

    fn is_the_one(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        let is = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) == Ok(1);
        if is {
            self.reached.notify_one();
        }
        is
    }
}
