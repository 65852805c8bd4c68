//! Spans and metrics: by the names that the documentation lists, and with labels that nobody outside can multiply.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use proact::{
    activity::{Activity, ActivityType},
    adapter::Adapter,
    middleware::Telemetry,
    turn::TurnContext,
};
use tracing::{Subscriber, field::Visit, span};

use super::{Does, Sheet, message, post};

/// Sums by metric and labels; of a histogram it counts the values.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<BTreeMap<String, f64>>>);

struct Line(Book, String);

impl Line {
    fn add(&self, by: f64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += by;
    }
}

impl CounterFn for Line {
    fn increment(&self, by: u64) {
        self.add(by as f64);
    }
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Line {
    fn increment(&self, by: f64) {
        self.add(by);
    }
    fn decrement(&self, by: f64) {
        self.add(-by);
    }
    fn set(&self, _: f64) {}
}

impl HistogramFn for Line {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "{value} s");
        self.add(1.0);
    }
}

impl Book {
    fn line(&self, key: &Key) -> Arc<Line> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Line(self.clone(), format!("{} {}", key.name(), labels.join(" "))))
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(name, sum)| format!("{name} {sum}")).collect()
    }
}

impl Recorder for Book {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.line(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.line(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.line(key))
    }
}

/// Writes down spans and what is recorded of them.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>, Arc<AtomicU64>);

impl Visit for &Spans {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push(format!("{field}={value:?}"));
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name().starts_with("proact.")
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        self.0.lock().unwrap().push(attributes.metadata().name().to_owned());
        attributes.record(&mut &*self);
        span::Id::from_u64(self.1.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut &*self);
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Runs on one thread, where the recorder and the subscriber are.
fn measured(test: impl Future<Output = ()>) -> (Vec<String>, Vec<String>) {
    let (book, spans) = (Book::default(), Spans::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dispatch = tracing::Dispatch::new(spans.clone());
    metrics::with_local_recorder(&book, || {
        tracing::dispatcher::with_default(&dispatch, || runtime.block_on(test));
    });
    let spans = spans.0.lock().unwrap().clone();
    (book.lines(), spans)
}

fn adapter() -> Adapter {
    let bot = Does(|ctx: TurnContext| async move {
        match ctx.activity().text() {
            "fail" => return Err("as asked".into()),
            "panic" => panic!("as asked"),
            "sends" => {
                ctx.send(Activity::typing()).await?;
                ctx.send(Activity::trace("n", "l", "t", 1)).await?;
                ctx.send(Activity::delay(1)).await?;
                ctx.update(Activity::message("x").with_id("1")).await?;
                ctx.delete("1").await?;
                assert!(ctx.send("refuse").await.is_err());
            }
            _ => {}
        }
        Ok(())
    });
    Adapter::builder(bot).outbound(Sheet::new()).middleware(Telemetry::new().channel("own")).build()
}

#[test]
fn turns_and_sends_are_counted_by_the_names_in_the_documentation() {
    let (lines, _) = measured(async {
        let adapter = adapter();
        for text in ["x", "x", "fail", "panic", "sends"] {
            post(&adapter, &message("c", text)).await;
        }
        adapter.continue_conversation(&message("c", "x").reference(), async |_| Ok(())).await.unwrap();
    });
    let turn = |kind: &str, activity_type: &str, outcome: &str, count: u32| {
        let labels = format!("channel=test type={activity_type} kind={kind} outcome={outcome} {count}");
        [format!("proact_turn_duration_seconds {labels}"), format!("proact_turns_total {labels}")]
    };
    let send = |operation: &str, outcome: &str| {
        let labels = format!("channel=test operation={operation} outcome={outcome} 1");
        [format!("proact_send_duration_seconds {labels}"), format!("proact_sends_total {labels}")]
    };
    let mut expected: Vec<String> = [
        turn("inbound", "message", "ok", 3),
        turn("inbound", "message", "error", 1),
        turn("inbound", "message", "cut_off", 1),
        turn("proactive", "event", "ok", 1),
        send("send", "ok"),
        send("send", "refused"),
        send("update", "ok"),
        send("delete", "ok"),
    ]
    .concat();
    expected.extend(["inbound", "proactive"].map(|kind| format!("proact_turns_in_progress kind={kind} 0")));
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn nobody_outside_can_make_labels() {
    let (lines, _) = measured(async {
        let adapter = adapter();
        for n in 0..20 {
            let odd = Activity { activity_type: ActivityType::Other(format!("t{n}")), ..message("c", "x") };
            post(&adapter, &odd.with_channel(format!("channel{n}"))).await;
        }
        post(&adapter, &message("c", "x").with_channel("own")).await;
    });
    let turns: Vec<_> = lines.iter().filter(|line| line.starts_with("proact_turns_total")).collect();
    assert_eq!(
        turns,
        [
            "proact_turns_total channel=other type=other kind=inbound outcome=ok 20",
            "proact_turns_total channel=own type=message kind=inbound outcome=ok 1"
        ]
    );
}

#[test]
fn a_span_says_what_a_turn_was_and_nothing_that_a_person_wrote() {
    let (_, spans) = measured(async {
        let mut event = message("c1", "secret").with_value(serde_json::json!("secret"));
        event.activity_type = ActivityType::Event;
        event.name = Some("tick".to_owned());
        post(&adapter(), &event).await;
        post(&adapter(), &message("c2", "sends")).await;
    });
    let text = spans.join(" ");
    assert!(!text.contains("secret"), "{text}");
    assert!(
        text.starts_with(
            "proact.turn channel=\"test\" conversation=\"c1\" activity_type=\"event\" name=\"tick\" kind=\"inbound\" outcome=\"ok\" "
        ),
        "{text}"
    );
    assert!(text.contains("proact.send operation=\"delete\" activity_type=\"\" outcome=\"ok\""), "{text}");
    assert_eq!(text.matches("proact.turn").count(), 2);
    assert_eq!(text.matches("proact.send").count(), 4);
}
