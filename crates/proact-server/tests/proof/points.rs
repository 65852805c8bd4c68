//! The kill matrix: at each named point between two effects the process dies once, for certain, and is started again; nothing that
//! was said before is lost, and nothing is said twice without a record. A point that is never passed is a proof that was not made.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use proact::activity::Activity;
use proact::failpoints::Point;
use proact::testkit::{ChannelAnswer, FakeChannel, FakeUser};
use proact_proof::api::Api;
use proact_proof::direct_line::Person;
use proact_proof::history::{Ask, Asked, History, STARTING, Told, number_in};
use proact_proof::program::{Place, Program, STUCK};
use proact_proof::{checker, file, ledger};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_at_any_point_between_two_effects() {
    let _alone = crate::alone().await;
    for point in Point::ALL {
        for passing in [1, 2] {
            // A process starts once.
            if *point == Point::AfterRecover && passing > 1 {
                continue;
            }
            dies_at(*point, passing).await;
        }
    }
}

struct Story {
    started: Instant,
    place: Place,
    channel: FakeChannel,
    user: FakeUser,
}

async fn dies_at(point: Point, passing: u32) {
    let place = Place::new(env!("CARGO_BIN_EXE_proact"), u64::from(std::process::id()));
    let channel = FakeChannel::start();
    let user = channel.user("a");
    let story = Story { started: Instant::now(), place, channel, user };
    if point == Point::AfterEarly {
        // Slow turns: whatever is said in answer takes longer than an early answer.
        story.channel.answer_with(|_| Some(ChannelAnswer::ok().after(Duration::from_millis(400))));
    } else {
        // What could go at once is begun when it is accepted: the first messages have to come again.
        let refused = std::sync::atomic::AtomicUsize::new(0);
        story.channel.answer_with(move |post| {
            let again = post.reply_to.is_none() && refused.fetch_add(1, Ordering::SeqCst) < 2;
            again.then(|| ChannelAnswer::status(503))
        });
    }

    let (asked, mut program) = tokio::join!(story.tell(), story.die_and_live(point, passing));
    let api = Api::new(&story.place.url(""));
    let settling = Instant::now();
    while api.is_settled().await != Some(true) {
        assert!(settling.elapsed() < STUCK, "{point}: something is stuck: {:?}", api.unsettled().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let shown = api.store().await;
    assert!(program.stop().await.success(), "{point}: {}", story.place.errors());
    let seen = story.channel.ledger();
    let history = History {
        asked,
        ledger: ledger::lines(&seen, story.started),
        store: file::store(&story.place.data()),
        api: shown,
        ..History::default()
    };
    let broken = checker::check(&history);
    assert!(broken.is_empty(), "{point}:{passing}: {broken:#?}; it said: {}", story.place.errors());
    let delivered = history.store.notifications.iter().filter(|one| one.state == "delivered").count();
    assert_eq!(delivered, 2, "{point}:{passing}: {:?}", history.store);
}

impl Story {
    /// Two jobs, each completed; and somebody in the built-in channel says something twice.
    async fn tell(&self) -> Vec<Asked> {
        let mut asked = Vec::new();
        for _ in 0..2 {
            let run = self.insist(self.user.message("run"), Ask::Run).await;
            let id = run.id.clone();
            asked.push(run);
            let answers = |reply_to: Option<&str>| reply_to == Some(&*id);
            let number = |ledger: &proact::testkit::Ledger| {
                let mine = ledger.iter().filter(|entry| answers(entry.reply_to.as_deref()));
                mine.filter_map(|entry| number_in(entry.text(), STARTING.0, STARTING.1)).next()
            };
            let ledger = self.channel.wait_for(|ledger| number(ledger).is_some()).await;
            let number = number(&ledger).unwrap_or_default();
            asked.push(self.insist(self.user.message(&format!("done {number}")), Ask::Done(number)).await);
        }
        // A client of Direct Line sends again what was not answered; its second message has another id.
        let mut said = 0;
        let begun = Instant::now();
        while said < 2 {
            assert!(begun.elapsed() < STUCK, "the built-in channel takes nothing");
            match Person::start(&self.place).await {
                Some(person) => said += usize::from(person.say("hello").await.is_some()),
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        asked
    }

    /// Sends an activity until it is acknowledged.
    async fn insist(&self, activity: Activity, ask: Ask) -> Asked {
        let id = activity.id.clone().unwrap_or_default();
        let asked = self.started.elapsed();
        let mut told = Vec::new();
        while told.last() != Some(&Told::Acknowledged) {
            assert!(self.started.elapsed() < STUCK, "no definite answer to {ask:?}: {told:?}");
            let posted = self.user.post(&self.place.url("/api/messages"), &activity).await;
            told.push(Told::by(posted.ok().map(|posted| posted.status)));
            if told.last() != Some(&Told::Acknowledged) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Asked { id, conversation: "a".to_owned(), ask, told, asked, heard: self.started.elapsed() }
    }

    /// The process that dies, and the one after it.
    async fn die_and_live(&self, point: Point, passing: u32) -> Program {
        let binary = Path::new(env!("CARGO_BIN_EXE_proact"));
        let quick = [
            ("PROACT_TURNS_EARLY_ANSWER_AFTER", "200ms".to_owned()),
            ("PROACT_DELIVERY_FIRST_WAIT", "50ms".to_owned()),
        ];
        let armed = [&quick[..], &[("PROACT_FAILPOINT", format!("{point}:{passing}"))]].concat();
        let mut first = self.place.start_with(binary, &[], &armed);
        let died = tokio::time::timeout(Duration::from_secs(30), first.ended()).await;
        let Ok(died) = died else { panic!("{point} is never passed {passing} times") };
        assert!(died.code().is_none(), "{point}: it was to abort, and ended with {died}");
        assert!(self.place.errors().contains(&format!("failpoint {point}")));
        let mut second = self.place.start_with(binary, &[], &quick);
        if let Err(why) = second.listening().await {
            panic!("{point}: {why}; it said: {}", self.place.errors());
        }
        second
    }
}
