//! The ready middleware, around turns of a real adapter.

mod locale;
mod telemetry;
mod transcript;
mod transcript_store;
mod typing;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use proact::{
    activity::{
        Activity, ConversationParameters, ConversationReference, ConversationResourceResponse,
        ResourceResponse,
    },
    adapter::{Adapter, Answer},
    turn::{Bot, BotError, Delivered, Outbound, SendError, TurnContext},
};
use tokio::time::Instant;

/// A bot that does what a closure does.
struct Does<F>(F);

impl<F, R> Bot for Does<F>
where
    F: Fn(TurnContext) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), BotError>> + Send,
{
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        (self.0)(ctx.clone()).await
    }
}

/// A way out that writes down what left and when, and refuses what says `refuse`.
#[derive(Clone)]
struct Sheet {
    begun: Instant,
    lines: Arc<Mutex<Vec<(u64, String)>>>,
}

impl Sheet {
    fn new() -> Self {
        Self { begun: Instant::now(), lines: Arc::default() }
    }

    /// Milliseconds since the beginning, and what left then.
    fn lines(&self) -> Vec<(u64, String)> {
        self.lines.lock().unwrap().clone()
    }

    fn write(&self, line: String) -> BoxFuture<'static, Result<Delivered, SendError>> {
        let refused = line.contains("refuse");
        let mut lines = self.lines.lock().unwrap();
        lines.push((self.begun.elapsed().as_millis() as u64, line));
        let id = format!("s{}", lines.len());
        async move {
            if refused {
                return Err(SendError::Channel { source: "as it says".into(), may_have_arrived: false });
            }
            Ok(Delivered { status: Some(200), response: ResourceResponse::new(id) })
        }
        .boxed()
    }
}

impl Outbound for Sheet {
    fn deliver<'a>(
        &'a self,
        activity: &'a Activity,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Delivered, SendError>> {
        self.write(format!("{} {}", activity.activity_type, activity.text()))
    }

    fn update<'a>(&'a self, activity: &'a Activity) -> BoxFuture<'a, Result<Delivered, SendError>> {
        self.write(format!("update {}", activity.text()))
    }

    fn delete<'a>(
        &'a self,
        reference: &'a ConversationReference,
    ) -> BoxFuture<'a, Result<Delivered, SendError>> {
        self.write(format!("delete {}", reference.activity_id.as_deref().unwrap()))
    }

    fn create_conversation<'a>(
        &'a self,
        _: &'a str,
        _: &'a ConversationParameters,
    ) -> BoxFuture<'a, Result<ConversationResourceResponse, SendError>> {
        async { unreachable!("no test creates one") }.boxed()
    }
}

/// A message of a person's on the channel `test`.
fn message(conversation: &str, text: &str) -> Activity {
    let json = serde_json::json!({
        "type": "message", "id": uuid::Uuid::new_v4(), "text": text, "channelId": "test",
        "serviceUrl": "http://127.0.0.1:9/", "conversation": {"id": conversation},
        "from": {"id": "user"}, "recipient": {"id": "bot"}
    });
    serde_json::from_value(json).unwrap()
}

async fn post(adapter: &Adapter, activity: &Activity) -> Answer {
    adapter.process(Bytes::from(activity.encode())).await
}
