//! `/metrics`: what a monitoring system reads, in Prometheus' text format (version 0.0.4).
//!
//! What it costs does not grow with what is stored. Names end in their unit; what only rises ends in `_total`.

use std::fmt::{Display, Write as _};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use proact::{
    proactive::{Counts, DeliveryFigures, Held},
    store::{Figures, Times},
};

use super::{Api, problem::Problem};

const FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let counts = api.proactive.counts().await?;
    let held = api.proactive.held().await?;
    let store = api.proactive.store();
    let mut text = Text::default();
    text.build();
    text.engine(&counts, held.as_ref(), store.clock().now());
    text.delivery(&api.proactive.delivery_figures());
    text.store(&store.figures());
    Ok(([(header::CONTENT_TYPE, FORMAT)], text.0).into_response())
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn build(&mut self) {
        self.about("proact_build_info", "gauge", "The version that runs.");
        self.sample("proact_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    }

    fn engine(&mut self, counts: &Counts, held: Option<&Held>, now: Timestamp) {
        self.about("proact_notifications", "gauge", "Notifications on record, by state.");
        for (state, count) in &counts.notifications {
            self.sample("proact_notifications", &[("state", state)], count);
        }
        let age = |at: Option<Timestamp>| at.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
        self.one(
            "proact_notification_oldest_waiting_seconds",
            "gauge",
            "Age of the oldest notification that waits, whatever it waits for; 0 when none does.",
            age(counts.oldest_waiting),
        );
        self.one(
            "proact_notification_oldest_due_seconds",
            "gauge",
            "For how long the oldest waits that could go by its own time; 0 when none does.",
            age(counts.oldest_due),
        );
        let under_way = "Attempts to deliver that are under way.";
        self.one("proact_attempts_under_way", "gauge", under_way, counts.under_way);
        let breakers = "Hosts that are out of order, and to which nothing is sent for now.";
        self.one("proact_breakers_open", "gauge", breakers, counts.breakers.len());
        let hold = "Whether a restored backup waits for `proact release`.";
        self.one("proact_held", "gauge", hold, u8::from(held.is_some()));
    }

    fn delivery(&mut self, figures: &DeliveryFigures) {
        let name = "proact_attempts_total";
        self.about(name, "counter", "Attempts whose outcome is on record, by outcome, since the start.");
        for (outcome, count) in &figures.attempts {
            self.sample(name, &[("outcome", outcome)], count);
        }
        self.times(
            "proact_notification_delivery_seconds",
            "From when a notification could go (its acceptance, or its time) until it was delivered.",
            &figures.delivered_after,
        );
    }

    fn store(&mut self, store: &Figures) {
        self.one(
            "proact_store_commands_total",
            "counter",
            "Commands that are durable, since the start.",
            store.commands,
        );
        self.one(
            "proact_store_commands_refused_total",
            "counter",
            "Commands that the disk refused, since the start.",
            store.refused,
        );
        self.one(
            "proact_store_commands_waiting",
            "gauge",
            "Commands that wait for the writer.",
            store.waiting,
        );
        self.times(
            "proact_store_commit_seconds",
            "How long commits took, the sync included.",
            &store.commit_time,
        );
        self.one("proact_store_file_bytes", "gauge", "Size of the database.", store.bytes);
        self.one("proact_store_log_bytes", "gauge", "Size of the database's log.", store.log_bytes);
    }

    fn about(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.about(name, kind, help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (n, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, r#"{}{label}="{text}""#, if n == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn times(&mut self, name: &str, help: &str, times: &Times) {
        self.about(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in &times.up_to {
            self.sample(&bucket, &[("le", &bound.as_secs_f64().to_string())], count);
        }
        self.sample(&bucket, &[("le", "+Inf")], times.count);
        self.sample(&format!("{name}_sum"), &[], times.sum.as_secs_f64());
        self.sample(&format!("{name}_count"), &[], times.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_its_line() {
        let mut text = Text::default();
        text.sample("m", &[("a", "x\"y\\z\nw"), ("b", "")], 1.5);
        text.sample("m", &[], 2);
        assert_eq!(text.0, "m{a=\"x\\\"y\\\\z\\nw\",b=\"\"} 1.5\nm 2\n");
    }
}
