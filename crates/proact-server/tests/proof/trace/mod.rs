//! The order of system calls, and what happens when they fail: the real binary under `strace`.
//!
//! Killing a process proves nothing about the disk, because the system keeps what was written. So it is read from the trace
//! that every sync returned before anything it covers was said, and syncs and writes are made to fail by injection.
//! Where tracing is not possible these tests fail and say so: a proof that was not made is not a proof.

mod backup;
mod failing_sync;
mod full_disk;
mod order;
mod parse;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use proact::testkit::{FakeChannel, FakeUser};

use parse::Trace;
use proact_proof::disk::strace;
use proact_proof::history::{STARTING, number_in};
use proact_proof::program::{Place, Program, STUCK};

/// To files and to connections.
const WRITES: &str = "write,writev,sendto,sendmsg,pwrite64,pwritev";

/// A place, a channel, and where the trace goes.
struct Bench {
    place: Place,
    channel: FakeChannel,
    trace: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let place = Place::new(crate::binary(), u64::from(std::process::id()));
        let trace = place.file("trace");
        Self { place, channel: FakeChannel::start(), trace }
    }

    /// Starts the program under `strace`.
    async fn start(&self, calls: &str, injections: &[String]) -> Program {
        self.place.start_and_wait(&strace(&self.trace, calls, injections)).await
    }

    /// Starts and stops the program once, so that there is data. Answers how often one thread of it made one of these calls
    /// when it started on that data: injections count by thread and call.
    async fn calls_at_start(&self, calls: &str) -> usize {
        let stop = |mut program: Program| async move {
            let status = program.stop().await;
            assert!(status.success(), "it ended with {status}; it said: {}", self.place.errors());
        };
        stop(self.place.start_and_wait(&[]).await).await;
        let program = self.start(calls, &[]).await;
        self.quiet().await;
        let most = self.read().most_by_one_thread();
        stop(program).await;
        most
    }

    fn read(&self) -> Trace {
        Trace::read(&self.trace)
    }

    /// Waits until nothing more is traced.
    async fn quiet(&self) {
        let size = || std::fs::metadata(&self.trace).map_or(0, |file| file.len());
        let started = Instant::now();
        let mut last = size();
        loop {
            tokio::time::sleep(Duration::from_millis(400)).await;
            let now = size();
            if now == last {
                return;
            }
            last = now;
            assert!(started.elapsed() < STUCK, "it never comes to rest");
        }
    }

    /// The number that answers a `run` in a conversation, whatever became of the answer on its way.
    fn announced(&self, conversation: &str) -> Option<u64> {
        let ledger = self.channel.ledger();
        ledger.of(conversation).find_map(|entry| number_in(entry.text(), STARTING.0, STARTING.1))
    }

    /// Has a new conversation run a job; answers the status, if there was one, and the number, if one was announced.
    async fn run(&self, conversation: &str) -> (Option<u16>, Option<u64>) {
        let user: FakeUser = self.channel.user(conversation);
        let status = self.place.say(&user, "run").await;
        (status, self.announced(conversation))
    }
}
