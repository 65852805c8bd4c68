//! A `delay` between two activities keeps what comes after it in its place.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use proact::{
    activity::{
        Activity, ActivityType, ConversationParameters, ConversationReference, ConversationResourceResponse,
    },
    adapter::Adapter,
    turn::{Delivered, Outbound, SendError, TurnContext},
};
use serde_json::json;
use tokio::time::Instant;

use super::book::{Does, message, post};

/// A way out that only writes down what was said, and when by tokio's clock.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<(String, Duration)>>>, Option<Instant>);

impl Outbound for Said {
    fn deliver<'a>(
        &'a self,
        activity: &'a Activity,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Delivered, SendError>> {
        let at = self.1.map(|start| start.elapsed()).unwrap_or_default();
        self.0.lock().unwrap().push((activity.text().to_owned(), at));
        async { Ok(Delivered::default()) }.boxed()
    }

    fn update<'a>(&'a self, _: &'a Activity) -> BoxFuture<'a, Result<Delivered, SendError>> {
        async { Err(SendError::Empty) }.boxed()
    }

    fn delete<'a>(&'a self, _: &'a ConversationReference) -> BoxFuture<'a, Result<Delivered, SendError>> {
        async { Err(SendError::Empty) }.boxed()
    }

    fn create_conversation<'a>(
        &'a self,
        _: &'a str,
        _: &'a ConversationParameters,
    ) -> BoxFuture<'a, Result<ConversationResourceResponse, SendError>> {
        async { Err(SendError::Empty) }.boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_holds_back_what_follows_in_its_conversation_and_nobody_else() {
    let said = Said(Arc::default(), Some(Instant::now()));
    let bot = Does(|ctx: TurnContext| async move {
        let text = ctx.activity().text().to_owned();
        let delay = Activity::new(ActivityType::Delay).with_value(json!(2000));
        let after = Activity::message(format!("{text} after"));
        ctx.send_all([Activity::message(format!("{text} before")), delay, after]).await?;
        Ok(())
    });
    let adapter = Adapter::builder(bot).outbound(said.clone()).build();
    let turns = [message("c", "1"), message("c", "2"), message("d", "3")].map(|it| post(&adapter, &it));
    for turn in turns {
        assert_eq!(turn.await.unwrap().status, 200);
    }
    let said: Vec<(String, u64)> =
        said.0.lock().unwrap().iter().map(|(text, at)| (text.clone(), at.as_secs())).collect();
    let of = |conversation: &[&str]| -> Vec<(String, u64)> {
        said.iter().filter(|(text, _)| conversation.contains(&&text[..1])).cloned().collect()
    };
    let line = |text: &str, at| (text.to_owned(), at);
    assert_eq!(
        of(&["1", "2"]),
        [line("1 before", 0), line("1 after", 2), line("2 before", 2), line("2 after", 4)]
    );
    assert_eq!(of(&["3"]), [line("3 before", 0), line("3 after", 2)]);
}
