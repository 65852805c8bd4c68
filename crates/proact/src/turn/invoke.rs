//! The answer to an invoke, and invokes of the author's own types.

use std::{fmt, future::Future};

use futures_util::future::{BoxFuture, FutureExt};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{BotError, Middleware, Next, TurnContext};
use crate::activity::{
    Activity, ActivityType, DecodeError,
    invoke::{
        AdaptiveCardResponse, ConfigResponse, MessageExtensionResponse, TaskResponse, TokenExchangeFailure,
    },
};

/// The answer to an invoke.
#[derive(Debug, Clone, PartialEq)]
pub struct InvokeResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body, if any.
    pub body: Option<Value>,
}

impl InvokeResponse {
    /// A status without a body.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self { status, body: None }
    }

    /// 200 without a body.
    #[must_use]
    pub const fn ok() -> Self {
        Self::status(200)
    }

    /// 501: the bot has nothing to do with this invoke. What an [`ActivityHandler`](super::ActivityHandler)'s methods answer unless written.
    #[must_use]
    pub const fn not_implemented() -> Self {
        Self::status(501)
    }

    /// 200 with this body.
    #[must_use]
    pub fn json(body: impl Into<Value>) -> Self {
        Self { status: 200, body: Some(body.into()).filter(|body: &Value| !body.is_null()) }
    }

    /// 200 with a value of the author's as the body.
    ///
    /// # Errors
    /// When it cannot be JSON.
    pub fn json_of<T: Serialize + ?Sized>(body: &T) -> Result<Self, BotError> {
        Ok(Self::json(serde_json::to_value(body)?))
    }

    /// An error in the protocol's shape.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self { status, body: Some(json!({"error": {"code": code, "message": message}})) }
    }

    /// 400: the invoke's value is not what it should be. The message names the field and repeats nothing of what it holds.
    #[must_use]
    pub fn bad_request(error: &DecodeError) -> Self {
        Self::error(400, "BadArgument", &error.to_string())
    }

    /// Whether it is [`not_implemented`](Self::not_implemented).
    #[must_use]
    pub fn is_not_implemented(&self) -> bool {
        self.status == 501 && self.body.is_none()
    }

    /// As the protocol writes it among activities.
    pub(crate) fn into_activity(self) -> Activity {
        Activity::invoke_response(self.status, self.body.unwrap_or_default())
    }

    pub(super) fn from_value(mut value: Value) -> Self {
        let status =
            value.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let body = value.get_mut("body").map(Value::take).filter(|body| !body.is_null());
        Self { status: status.unwrap_or(200), body }
    }
}

macro_rules! bodies {
    ($($(#[$meta:meta])* $name:ident $status:literal,)*) => {
        $($(#[$meta])*
        impl From<$name> for InvokeResponse {
            fn from(body: $name) -> Self {
                // The protocol's objects have text keys and nothing that JSON cannot say.
                let body = serde_json::to_value(&body).expect("an object of the protocol is JSON");
                Self { status: $status, body: Some(body) }
            }
        })*
    };
}

bodies! {
    AdaptiveCardResponse 200,
    TaskResponse 200,
    MessageExtensionResponse 200,
    ConfigResponse 200,
    /// 412: the client asks the person to sign in.
    TokenExchangeFailure 412,
}

/// An invoke of the author's own: the type of its value, its name, and the type of its answer's body.
///
/// ```
/// use proact::turn::{Invoke, Invokes};
///
/// #[derive(serde::Deserialize)]
/// struct Rate { stars: u8 }
///
/// #[derive(serde::Serialize)]
/// struct Thanks { average: f32 }
///
/// impl Invoke for Rate {
///     const NAME: &'static str = "shop/rate";
///     type Answer = Thanks;
/// }
///
/// let invokes = Invokes::new().on(|_ctx, rate: Rate| async move { Ok(Thanks { average: f32::from(rate.stars) }) });
/// ```
pub trait Invoke: DeserializeOwned + Send + 'static {
    /// The invoke's `name`, compared case-sensitively.
    const NAME: &'static str;

    /// The answer's body; `()` for none.
    type Answer: Serialize + Send;
}

type Handler = Box<dyn Fn(TurnContext) -> BoxFuture<'static, Result<InvokeResponse, BotError>> + Send + Sync>;

/// Handlers of typed invokes, by name.
///
/// It is a [`Middleware`]: it answers the invokes that it knows and lets everything else through to the bot. An
/// [`ActivityHandler`](super::ActivityHandler) may also ask it within [`on_invoke`](super::ActivityHandler::on_invoke). A value that is not
/// what the type wants is answered 400 with the field's name, and its handler is not run. A handler's error fails the turn.
#[derive(Default)]
pub struct Invokes {
    handlers: Vec<(&'static str, Handler)>,
}

impl Invokes {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has invokes of the type's name handled so; a second handler of a name takes the place of the first.
    #[must_use]
    pub fn on<T, F, R>(mut self, handler: F) -> Self
    where
        T: Invoke,
        F: Fn(TurnContext, T) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T::Answer, BotError>> + Send + 'static,
    {
        let handle: Handler = Box::new(move |ctx| {
            let answer = ctx.activity().value_as::<T>().map(|value| handler(ctx.clone(), value));
            async move {
                match answer {
                    Ok(answer) => InvokeResponse::json_of(&answer.await?),
                    Err(error) => Ok(InvokeResponse::bad_request(&error)),
                }
            }
            .boxed()
        });
        self.handlers.retain(|(name, _)| *name != T::NAME);
        self.handlers.push((T::NAME, handle));
        self
    }

    /// The answer to the turn's invoke; [`not_implemented`](InvokeResponse::not_implemented) for one that is not known, and for an
    /// activity that is no invoke.
    ///
    /// # Errors
    /// Those of the handler.
    pub async fn answer(&self, ctx: &TurnContext) -> Result<InvokeResponse, BotError> {
        let activity = ctx.activity();
        let name = match activity.activity_type {
            ActivityType::Invoke => activity.name.as_deref().unwrap_or_default(),
            _ => return Ok(InvokeResponse::not_implemented()),
        };
        match self.handlers.iter().find(|(known, _)| *known == name) {
            Some((_, handler)) => handler(ctx.clone()).await,
            None => Ok(InvokeResponse::not_implemented()),
        }
    }
}

impl Middleware for Invokes {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        let response = self.answer(ctx).await?;
        if response.is_not_implemented() {
            return next.run(ctx).await;
        }
        ctx.set_invoke_response(response);
        Ok(())
    }
}

impl fmt::Debug for Invokes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.handlers.iter().map(|(name, _)| name)).finish()
    }
}
