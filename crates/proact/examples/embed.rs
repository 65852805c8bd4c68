//! A bot inside a program that has routes, layers and a way to stop of its own: a shop that tells people when their order has left.
//!
//! `cargo run --example embed`, then say `order` to the bot at <http://127.0.0.1:3978/shop/messages> (with any client of the Activity
//! protocol), and tell the shop:
//!
//! ```sh
//! curl -X POST http://127.0.0.1:3978/orders/1/shipped
//! ```
//!
//! The person who ordered is told, also when this process was killed in between.

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    extract::{Path as InPath, State},
    http::StatusCode,
    routing::{get, post},
};
use proact::{
    adapter::Adapter,
    app::{self, Gate, GateOptions, StopSignal},
    clock::SystemClock,
    prelude::*,
    proactive::{DeliveryOptions, Proactive},
    store::Store,
};
use tower_http::trace::TraceLayer;

/// The bot: an order is a job.
#[derive(Debug)]
pub(crate) struct Shop;

impl Bot for Shop {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        if ctx.activity().text().trim() == "order" {
            let order = ctx.jobs().start("order").await?;
            ctx.send(format!("Thank you. Your order is number {order}.")).await?;
        }
        Ok(())
    }
}

/// The program's own routes, with the bot among them, below the program's own layers.
pub(crate) fn routes(adapter: &Adapter, engine: Proactive) -> Router {
    Router::new()
        .route("/", get(async || "A shop, and its bot."))
        .route("/orders/{number}/shipped", post(shipped).with_state(engine))
        .route_service("/shop/messages", adapter.service())
        .layer(TraceLayer::new_for_http())
}

/// The shop's own event: the order is complete and its conversation will be told, or neither.
async fn shipped(State(engine): State<Proactive>, InPath(order): InPath<u64>) -> (StatusCode, String) {
    let message = Activity::message(format!("Order {order} is on its way to you."));
    match engine.complete_job(order, message, None).await {
        Ok(Completion::Completed { .. }) => (StatusCode::ACCEPTED, "the customer is told".to_owned()),
        Ok(Completion::NotFound) => (StatusCode::NOT_FOUND, format!("there is no order {order}")),
        Ok(_) => (StatusCode::CONFLICT, format!("order {order} was shipped before")),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

/// Everything behind the routes, on a store in this folder.
pub(crate) async fn open(folder: &Path) -> Result<(Adapter, Proactive), app::Error> {
    let store = Store::open(&folder.join("shop.db"), &[], Arc::new(SystemClock))?;
    let engine = Proactive::open(store, DeliveryOptions::default()).await?;
    let adapter = Adapter::builder(Shop).journal(engine.journal()).service(Arc::new(engine.clone())).build();
    Ok((adapter, engine))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut signal = StopSignal::listen()?;
    std::fs::create_dir_all("./data-embed")?;
    let (adapter, engine) = open(Path::new("./data-embed")).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3978").await?;
    // What an earlier process left first, then what is new.
    adapter.resume().await;
    engine.start(adapter.clone()).await?;
    // Nothing authenticates on loopback, so nothing but this machine's own pages and programs may call.
    let gate = Gate::new(GateOptions::default());
    let program = gate.in_front_of(routes(&adapter, engine.clone()));
    println!("listening on http://{}", listener.local_addr()?);
    let served = axum::serve(listener, program).with_graceful_shutdown(async move { signal.next().await });
    tokio::select! {
        // A disk that does not keep what it is given: end, and let the next start see what is there.
        error = engine.store().failure() => return Err(error.into()),
        result = served => result?,
    }
    // Turns first, then sends: neither is cut.
    adapter.drain().await;
    engine.stop().await;
    engine.store().close().await;
    Ok(())
}
