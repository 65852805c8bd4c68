//! A span and metrics for each turn and what it sends; the [room's page](super) lists their names.

use metrics::{counter, gauge, histogram};
use tokio::time::Instant;
use tracing::{Instrument, Span, field::Empty};

use crate::{
    activity::{Activity, ActivityType, ResourceResponse},
    turn::{BotError, Middleware, Next, NextHook, OutgoingHook, SendError, TurnContext, TurnKind},
};

/// Channels that are labels; any other is `other`, unless it is [added](Telemetry::channel).
const CHANNELS: &[&str] = &[
    "alexa",
    "directline",
    "directlinespeech",
    "email",
    "emulator",
    "facebook",
    "groupme",
    "kik",
    "line",
    "m365extensions",
    "msteams",
    "omni",
    "outlook",
    "skype",
    "skypeforbusiness",
    "slack",
    "sms",
    "telegram",
    "test",
    "twilio-sms",
    "webchat",
];

/// Spans and metrics.
#[derive(Debug, Clone, Default)]
pub struct Telemetry {
    channels: Vec<String>,
}

impl Telemetry {
    /// With the channels of Bot Framework as labels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more channel as a label.
    #[must_use]
    pub fn channel(mut self, channel_id: impl Into<String>) -> Self {
        self.channels.push(channel_id.into());
        self
    }

    fn label(&self, channel_id: &str) -> String {
        let known = CHANNELS.contains(&channel_id) || self.channels.iter().any(|known| known == channel_id);
        if known { channel_id.to_owned() } else { "other".to_owned() }
    }
}

/// The type as a label: names that came over the wire and mean nothing are one.
fn type_label(activity_type: &ActivityType) -> String {
    match activity_type {
        ActivityType::Other(_) => "other".to_owned(),
        known => known.as_str().to_owned(),
    }
}

/// A turn that runs. Its end is counted when this is dropped, so that a panic is counted too.
struct Running {
    channel: String,
    activity_type: String,
    kind: &'static str,
    begun: Instant,
    outcome: &'static str,
    span: Span,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome);
        gauge!("proact_turns_in_progress", "kind" => self.kind).decrement(1.0);
        let labels = [
            ("channel", self.channel.clone()),
            ("type", self.activity_type.clone()),
            ("kind", self.kind.to_owned()),
            ("outcome", self.outcome.to_owned()),
        ];
        counter!("proact_turns_total", &labels).increment(1);
        histogram!("proact_turn_duration_seconds", &labels).record(self.begun.elapsed());
    }
}

impl Middleware for Telemetry {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        let activity = ctx.activity();
        let kind = match ctx.kind() {
            TurnKind::Inbound => "inbound",
            TurnKind::Proactive => "proactive",
        };
        let span = tracing::info_span!(
            "proact.turn",
            channel = ctx.conversation().channel_id(),
            conversation = ctx.conversation().conversation_id(),
            activity_type = activity.activity_type.as_str(),
            name = activity.name.as_deref(),
            kind,
            outcome = Empty,
        );
        let channel = self.label(ctx.conversation().channel_id());
        ctx.hook_last(Sends { channel: channel.clone() });
        gauge!("proact_turns_in_progress", "kind" => kind).increment(1.0);
        let mut running = Running {
            channel,
            activity_type: type_label(&activity.activity_type),
            kind,
            begun: Instant::now(),
            outcome: "cut_off",
            span: span.clone(),
        };
        let result = next.run(ctx).instrument(span).await;
        running.outcome = if result.is_ok() { "ok" } else { "error" };
        result
    }
}

/// Measures what a turn sends, where it leaves.
struct Sends {
    channel: String,
}

impl Sends {
    async fn measure<T>(
        &self,
        operation: &'static str,
        activity_type: &str,
        sending: impl Future<Output = Result<T, SendError>> + Send,
    ) -> Result<T, SendError> {
        let begun = Instant::now();
        let span = tracing::info_span!("proact.send", operation, activity_type, outcome = Empty);
        let result = sending.instrument(span.clone()).await;
        let outcome = match &result {
            Ok(_) => "ok",
            Err(error) if error.bytes_may_have_left() => "unknown",
            Err(_) => "refused",
        };
        span.record("outcome", outcome);
        let labels = [
            ("channel", self.channel.clone()),
            ("operation", operation.to_owned()),
            ("outcome", outcome.to_owned()),
        ];
        counter!("proact_sends_total", &labels).increment(1);
        histogram!("proact_send_duration_seconds", &labels).record(begun.elapsed());
        result
    }
}

/// What stays in the bot and never reaches a channel.
fn stays(ctx: &TurnContext, activity: &Activity) -> bool {
    match activity.activity_type {
        ActivityType::Delay | ActivityType::InvokeResponse => true,
        ActivityType::Trace => ctx.conversation().channel_id() != "emulator",
        _ => false,
    }
}

impl OutgoingHook for Sends {
    async fn on_send(
        &self,
        ctx: &TurnContext,
        activity: Activity,
        next: NextHook<'_>,
    ) -> Result<ResourceResponse, SendError> {
        // What goes out later is measured in the turn in which it does.
        if stays(ctx, &activity) || next.sends_later(ctx, &activity) {
            return next.send(ctx, activity).await;
        }
        let activity_type = activity.activity_type.clone();
        self.measure("send", activity_type.as_str(), next.send(ctx, activity)).await
    }

    async fn on_update(
        &self,
        ctx: &TurnContext,
        activity: Activity,
        next: NextHook<'_>,
    ) -> Result<ResourceResponse, SendError> {
        let activity_type = activity.activity_type.clone();
        self.measure("update", activity_type.as_str(), next.update(ctx, activity)).await
    }

    async fn on_delete(&self, ctx: &TurnContext, id: &str, next: NextHook<'_>) -> Result<(), SendError> {
        self.measure("delete", "", next.delete(ctx, id)).await
    }
}
