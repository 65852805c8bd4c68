//! Clients as channels are: each has one activity outstanding, repeats it under the same id until it has a definite answer,
//! and now and then gives up.

pub mod calls;
pub mod work;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proact::activity::Activity;
use proact::testkit::{FakeChannel, FakeUser};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;

use crate::history::{Ask, Asked, Told};
use crate::program::{Place, STUCK};

const CONVERSATIONS: u64 = 32;
/// More than one client for some conversations, so that their turns meet.
const CLIENTS: u64 = 40;

/// What the clients share.
#[derive(Debug)]
pub struct Load {
    endpoint: String,
    seed: u64,
    started: Instant,
    finishing: AtomicBool,
    /// Numbers that people have seen.
    numbers: Mutex<Vec<u64>>,
}

impl Load {
    /// For the program at a place, in a run that began at `started`; what is asked comes from the seed.
    #[must_use]
    pub fn new(place: &Place, seed: u64, started: Instant) -> Self {
        let endpoint = place.url("/api/messages");
        Self { endpoint, seed, started, finishing: AtomicBool::new(false), numbers: Mutex::default() }
    }

    /// People saw the announcement of a job.
    pub fn saw(&self, number: u64) {
        self.numbers.lock().expect("no panic holds it").push(number);
    }

    /// Has every client end once its last activity is answered.
    pub fn finish(&self) {
        self.finishing.store(true, Ordering::SeqCst);
    }

    /// Whether clients are to end.
    fn is_finishing(&self) -> bool {
        self.finishing.load(Ordering::SeqCst)
    }

    /// How long the run has been going on.
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// A number to complete: mostly one of the newest, sometimes an old one, sometimes one that does not exist.
    fn number(&self, random: &mut SmallRng) -> u64 {
        let numbers = self.numbers.lock().expect("no panic holds it");
        let newest = numbers.len().saturating_sub(if random.random_bool(0.9) { 30 } else { numbers.len() });
        match numbers.get(newest..) {
            Some(some) if !some.is_empty() && random.random_bool(0.97) => {
                some[random.random_range(0..some.len())]
            }
            _ => 1_000_000_007,
        }
    }
}

/// Starts the clients.
pub fn start(load: &Arc<Load>, channel: &FakeChannel) -> JoinSet<Vec<Asked>> {
    let mut clients = JoinSet::new();
    let first = channel.user("conversation 0");
    for client in 0..CLIENTS {
        let conversation = format!("conversation {}", client % CONVERSATIONS);
        let user = first.in_conversation(&conversation);
        clients.spawn(live(Arc::clone(load), user, conversation, client));
    }
    clients
}

/// Waits for the clients and collects what they asked and were told.
pub async fn all_asked<T: 'static>(clients: JoinSet<Vec<T>>) -> Vec<T> {
    clients.join_all().await.into_iter().flatten().collect()
}

async fn live(load: Arc<Load>, user: FakeUser, conversation: String, client: u64) -> Vec<Asked> {
    let mut random = SmallRng::seed_from_u64(load.seed.wrapping_add(client + 1));
    let mut all = Vec::new();
    while !load.is_finishing() {
        let ask = choose(&load, &mut random);
        let activity = build(&user, ask);
        let id = activity.id.clone().unwrap_or_default();
        let asked = load.elapsed();
        let told = insist(&load, &user, &activity, &mut random).await;
        let heard = load.elapsed();
        all.push(Asked { id, conversation: conversation.clone(), ask, told, asked, heard });
        tokio::time::sleep(Duration::from_millis(random.random_range(50..400))).await;
    }
    all
}

fn choose(load: &Load, random: &mut SmallRng) -> Ask {
    match random.random_range(0..100) {
        0..40 => Ask::Run,
        40..70 => Ask::Done(load.number(random)),
        70..85 => Ask::Event(load.number(random)),
        85..97 => Ask::Unknown,
        _ => Ask::Foreign,
    }
}

fn build(user: &FakeUser, ask: Ask) -> Activity {
    match ask {
        Ask::Run => user.message("run"),
        Ask::Done(number) => user.message(&format!("done {number}")),
        Ask::Event(number) => user.event("jobCompleted", number),
        Ask::Unknown => user.message("what is this?"),
        Ask::Foreign => user.message("run").with_service_url("https://channel.example/"),
    }
}

/// Posts an activity until there is a definite answer: 2xx or 4xx.
async fn insist(load: &Load, user: &FakeUser, activity: &Activity, random: &mut SmallRng) -> Vec<Told> {
    let mut told = Vec::new();
    let started = Instant::now();
    loop {
        let posted = user.post(&load.endpoint, activity).await;
        let now = Told::by(posted.ok().map(|posted| posted.status));
        told.push(now);
        // Channels repeat what was acknowledged too, when the acknowledgement got lost on its way.
        let again = match now {
            Told::Acknowledged => random.random_bool(0.03),
            now if now.for_good() => false,
            Told::Refused(_) | Told::NoAnswer => !random.random_bool(0.03),
        };
        if !again {
            return told;
        }
        assert!(started.elapsed() < STUCK, "no definite answer to {activity:?}: {told:?}");
        tokio::time::sleep(Duration::from_millis(random.random_range(20..200))).await;
    }
}
