//! `signin/…` and the event `tokens/response`: signing in.

use serde_json::Value;

use crate::activity::SecretText;

wire_struct! {
    /// The code that a person brought back from a sign-in by a page (`signin/verifyState`).
    pub struct SigninState {
        /// The code.
        "state" state: Option<SecretText>,
    }
}

wire_struct! {
    /// A token for the bot, by single sign-on (`signin/tokenExchange`).
    pub struct TokenExchangeRequest {
        /// The id of the try, from the OAuth card.
        "id" id: Option<String>,
        /// The connection's name.
        "connectionName" connection_name: Option<String>,
        /// The token to exchange.
        "token" token: Option<SecretText>,
    }
}

wire_struct! {
    /// Why a token could not be exchanged: the body of a 412, after which the client asks the person.
    pub struct TokenExchangeFailure {
        /// The id of the try.
        "id" id: Option<String>,
        /// The connection's name.
        "connectionName" connection_name: Option<String>,
        /// What went wrong, without the token.
        "failureDetail" failure_detail: Option<String>,
    }
}

wire_struct! {
    /// Why single sign-on failed at the client (`signin/failure`, Teams).
    pub struct SigninFailure {
        /// The client's code: `resourcematchfailed`, …
        "code" code: Option<String>,
        /// What it says of it.
        "message" message: Option<String>,
    }
}

wire_struct! {
    /// A token for the person (event `tokens/response`).
    pub struct TokenResponse {
        /// The channel it came by.
        "channelId" channel_id: Option<String>,
        /// The connection's name.
        "connectionName" connection_name: Option<String>,
        /// The token.
        "token" token: Option<SecretText>,
        /// When it ends: ISO 8601.
        "expiration" expiration: Option<String>,
        /// What the service adds.
        "properties" properties: Option<Value>,
    }
}
