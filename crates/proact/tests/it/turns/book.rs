//! A turn journal in memory that writes down what it is asked, and a bot made of a closure.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use proact::{
    activity::Activity,
    adapter::{
        Adapter, Answer, Begun, EarlyTurn, FinishError, JournalError, Options, TurnEnd, TurnJournal,
        TurnStart,
    },
    state::{CommitScope, StateSaved},
    turn::{Bot, BotError, TurnContext, Unavailable},
};
use tokio::sync::Notify;

/// A bot that does what a closure does.
pub(super) struct Does<F>(pub(super) F);

impl<F, R> Bot for Does<F>
where
    F: Fn(TurnContext) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), BotError>> + Send,
{
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        (self.0)(ctx.clone()).await
    }
}

/// The journal. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Book {
    page: Arc<Mutex<Page>>,
    pub(super) scope: CommitScope,
    /// `begin` (of one that is slow to look up) and `accept_early` wait for these.
    pub(super) begin: Option<Arc<Notify>>,
    pub(super) accept: Option<Arc<Notify>>,
}

#[derive(Default)]
pub(super) struct Page {
    pub(super) log: Vec<String>,
    pub(super) owed: Vec<EarlyTurn>,
    /// How often `accept_early` and `finish` still fail.
    pub(super) refusals: usize,
    pub(super) failures: usize,
    /// How often `finish` still finds that others have written the same.
    pub(super) conflicts: usize,
}

impl Book {
    pub(super) fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap()
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.page().log.clone()
    }

    /// An adapter with this journal.
    pub(super) fn adapter(&self, bot: impl Bot) -> Adapter {
        Adapter::builder(bot).journal(self.clone()).options(Options::default()).build()
    }
}

fn full() -> JournalError {
    JournalError::new(Unavailable::new("full"))
}

impl TurnJournal for Book {
    fn begin<'a>(&'a self, start: TurnStart<'a>) -> BoxFuture<'a, Result<Begun, JournalError>> {
        async move {
            let slow = start.activity.text() == "slow to look up";
            if let Some(begin) = self.begin.as_ref().filter(|_| slow) {
                begin.notified().await;
            }
            Ok(Begun::New)
        }
        .boxed()
    }

    fn attach(&self, _: &TurnContext) {}

    fn accept_early(&self, turn: EarlyTurn) -> BoxFuture<'_, Result<(), JournalError>> {
        async move {
            self.page().log.push("accepting".to_owned());
            if let Some(accept) = &self.accept {
                accept.notified().await;
            }
            let mut page = self.page();
            if page.refusals > 0 {
                page.refusals -= 1;
                page.log.push("refused".to_owned());
                return Err(full());
            }
            let text = Activity::decode(&turn.activity).unwrap().text().to_owned();
            page.log.push(format!("accepted {text}"));
            Ok(())
        }
        .boxed()
    }

    fn finish<'a>(
        &'a self,
        ctx: &'a TurnContext,
        end: TurnEnd<'a>,
    ) -> BoxFuture<'a, Result<Vec<StateSaved>, FinishError>> {
        let mut page = self.page();
        let keys: Vec<String> = end.state.iter().map(|change| change.key.clone()).collect();
        let result = if page.conflicts > 0 {
            page.conflicts -= 1;
            Err(FinishError::Conflict { keys: keys.clone() })
        } else if page.failures > 0 {
            page.failures -= 1;
            Err(full().into())
        } else {
            Ok(keys.iter().map(|key| StateSaved { key: key.clone(), etag: Some("new".to_owned()) }).collect())
        };
        let early = if end.early { " early" } else { "" };
        let values: Vec<String> =
            end.state.iter().filter_map(|change| change.value.as_ref().map(ToString::to_string)).collect();
        let what = if result.is_ok() { "finished" } else { "not finished" };
        page.log.push(format!(
            "{what} {}{early} {} {}",
            ctx.activity().text(),
            end.answer.status,
            values.join(",")
        ));
        async move { result }.boxed()
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<EarlyTurn>, JournalError>> {
        let owed = std::mem::take(&mut self.page().owed);
        async move { Ok(owed) }.boxed()
    }

    fn commit_scope(&self) -> Option<CommitScope> {
        Some(self.scope.clone())
    }
}

/// A message that nobody can be sent an answer to: for bots that do not answer.
pub(super) fn message(conversation: &str, text: &str) -> Activity {
    let json = serde_json::json!({
        "type": "message", "id": format!("{conversation}/{text}"), "text": text, "channelId": "test",
        "serviceUrl": "http://127.0.0.1:9/", "conversation": {"id": conversation},
        "from": {"id": "user"}, "recipient": {"id": "bot"}
    });
    Activity::decode(json.to_string().as_bytes()).unwrap()
}

pub(super) fn post(adapter: &Adapter, activity: &Activity) -> tokio::task::JoinHandle<Answer> {
    let (adapter, body) = (adapter.clone(), Bytes::from(activity.encode()));
    tokio::spawn(async move { adapter.process(body).await })
}

/// Lets every task go as far as it can without time passing.
pub(super) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
