//! A running bot on a real store, behind real HTTP: what the integration tests of turns and notifications share.

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::FutureExt;
use proact::{
    activity::Activity,
    adapter::{Adapter, AdapterBuilder, Options},
    clock::{Clock, SystemClock},
    proactive::{Backoff, Completion, DeliveryOptions, Proactive, ProactiveTurn},
    store::{self, Migration, Store},
    testkit::{FakeChannel, FakeUser},
    turn::{Bot, BotError, TurnContext},
};

/// Longer than anything that a test waits for takes.
const STUCK: Duration = Duration::from_secs(60);

/// The bot of the article, as small as a test needs it.
pub(crate) struct TestBot;

impl Bot for TestBot {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        let text = ctx.activity().text().to_owned();
        let mut words = text.split(' ');
        match (words.next(), words.next().and_then(|n| n.parse::<u64>().ok())) {
            (Some("run"), _) => {
                let job = ctx.jobs().start("job").await?;
                ctx.send(format!("started {job}")).await?;
            }
            (Some("done"), Some(job)) => {
                let message = Activity::message(format!("Job {job} is complete."));
                let answer = match ctx.jobs().complete(job, message, None).await? {
                    Completion::Completed { .. } => "completing",
                    Completion::AlreadyCompleted => "already",
                    Completion::NotFound => "not found",
                };
                ctx.send(format!("{answer} {job}")).await?;
            }
            (Some("fail"), _) => return Err("asked to fail".into()),
            (Some("panic"), _) => panic!("asked to panic"),
            _ => {
                ctx.send(format!("echo {text}")).await?;
            }
        }
        Ok(())
    }
}

pub(crate) struct Running {
    pub(crate) engine: Proactive,
    pub(crate) adapter: Adapter,
    pub(crate) bot_url: String,
}

/// Retries at once: a test never waits for a clock.
pub(crate) fn eager() -> DeliveryOptions {
    let mut options = DeliveryOptions::default();
    let mut backoff = Backoff::default();
    backoff.base = Duration::from_millis(1);
    backoff.ceiling = Duration::from_millis(5);
    options.backoff = backoff;
    options
}

/// The life of a process: a runtime of its own, dropped at the end with everything that is under way in it.
pub(crate) fn life<F: Future<Output = ()>>(lived: impl FnOnce() -> F + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(lived()));
    });
}

/// The store in `folder`. The threads of a life that ended let go of the file a moment after it, as a killed process does.
pub(crate) async fn open(folder: &Path, migrations: &[Migration], clock: Arc<dyn Clock>) -> Store {
    let path = folder.join("proact.db");
    let begun = std::time::Instant::now();
    loop {
        match Store::open(&path, migrations, Arc::clone(&clock)) {
            Err(store::Error::InUse { .. }) if begun.elapsed() < STUCK => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            opened => return opened.unwrap(),
        }
    }
}

/// Starts `bot` on the store in `folder`.
pub(crate) async fn start(folder: &Path, bot: impl Bot, options: Options) -> Running {
    start_with(folder, bot, options, |builder| builder).await
}

/// The same, with something added to the adapter.
pub(crate) async fn start_with(
    folder: &Path,
    bot: impl Bot,
    options: Options,
    add: impl FnOnce(AdapterBuilder) -> AdapterBuilder,
) -> Running {
    start_all(folder, bot, options, eager(), add).await
}

/// The same, delivering so.
pub(crate) async fn start_delivering(folder: &Path, bot: impl Bot, delivery: DeliveryOptions) -> Running {
    start_all(folder, bot, Options::default(), delivery, |builder| builder).await
}

async fn start_all(
    folder: &Path,
    bot: impl Bot,
    options: Options,
    delivery: DeliveryOptions,
    add: impl FnOnce(AdapterBuilder) -> AdapterBuilder,
) -> Running {
    let store = open(folder, &[], Arc::new(SystemClock)).await;
    let engine = Proactive::open(store, delivery).await.unwrap();
    let adapter = add(Adapter::builder(bot))
        .journal(engine.journal())
        .service(Arc::new(engine.clone()))
        .on_turn_error(|ctx, _| {
            async {
                let _ = ctx.send("Sorry, it looks like something went wrong.").await;
            }
            .boxed()
        })
        .options(options)
        .build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bot_url = format!("http://{}/api/messages", listener.local_addr().unwrap());
    let router = adapter.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    adapter.resume().await;
    engine.start(adapter.clone()).await.unwrap();
    Running { engine, adapter, bot_url }
}

pub(crate) async fn start_usual(folder: &Path) -> Running {
    start(folder, TestBot, Options::default()).await
}

impl Running {
    /// Says `text` and expects 200.
    pub(crate) async fn say(&self, user: &FakeUser, text: &str) {
        let posted = user.say(&self.bot_url, text).await.unwrap();
        assert!(posted.acknowledged(), "{text}: {posted:?}");
    }

    /// Says `run` and answers the job's number, as the channel was told.
    pub(crate) async fn run_job(&self, channel: &FakeChannel, conversation: &str) -> u64 {
        let user = channel.user(conversation);
        self.say(&user, "run").await;
        let ledger = channel.ledger();
        let text = ledger.texts(conversation).last().copied().unwrap().to_owned();
        text.strip_prefix("started ").unwrap().parse().unwrap()
    }
}
