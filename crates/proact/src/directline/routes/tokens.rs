//! Tokens: made with the secret, renewed with a token that is still good.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::body::JsonBody;
use super::caller::Caller;
use crate::directline::Channel;
use crate::directline::channel::new_conversation_id;
use crate::directline::claims::{Claims, LIFETIME_SECONDS};
use crate::directline::error::Problem;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Token {
    conversation_id: String,
    token: String,
    #[serde(rename = "expires_in")]
    expires_in: i64,
}

impl Token {
    fn new(channel: &Channel, claims: &Claims) -> Self {
        Self {
            conversation_id: claims.conv.clone(),
            token: channel.inner().signer.token(claims),
            expires_in: LIFETIME_SECONDS,
        }
    }
}

/// A token for a conversation that begins when a client starts it; the bot hears nothing of it yet.
pub(super) async fn generate(
    State(channel): State<Channel>,
    caller: Caller,
    body: JsonBody,
) -> Result<Json<Token>, Problem> {
    let Caller::Secret = caller else {
        return Err(Problem::forbidden("only the secret makes tokens: use it, or refresh the token"));
    };
    let introduction = body.introduction()?;
    if introduction.user.as_ref().is_some_and(|user| !user.is_from_tokens_only()) {
        // As in the cloud: then nobody without such a token can say that they are this person.
        return Err(Problem::bad_argument("user.id: the id of a person that a token names begins with dl_"));
    }
    let claims = Claims::new(&new_conversation_id(), introduction.user.as_ref(), channel.now());
    let claims = claims.for_origins(introduction.origins);
    Ok(Json(Token::new(&channel, &claims)))
}

/// The same token with its whole time before it.
pub(super) async fn refresh(State(channel): State<Channel>, caller: Caller) -> Result<Json<Token>, Problem> {
    let Caller::Token(claims) = caller else {
        return Err(Problem::forbidden(
            "only a token is refreshed: the secret and keys are good as they are",
        ));
    };
    Ok(Json(Token::new(&channel, &claims.renewed(channel.now()))))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    session_id: String,
}

/// The id of the caller's session. Clients ask for it before they show a sign-in card; it opens nothing.
pub(super) async fn session(State(channel): State<Channel>, caller: Caller) -> Json<Session> {
    let signer = &channel.inner().signer;
    let session_id = match caller {
        Caller::Secret => signer.session("", None),
        Caller::Key(grant) => signer.session("", Some(&grant.id)),
        Caller::Token(claims) => signer.session(&claims.conv, claims.user.as_deref()),
    };
    Json(Session { session_id })
}
