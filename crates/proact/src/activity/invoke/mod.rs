//! What the invokes that people use carry, and what they are answered with.
//!
//! An invoke is a named call that waits for an answer. Its `value` is read as the type here by its name; the answer's body is the other
//! type. All keep fields that this crate does not know. The names are those of Bot Framework and Teams; which of an
//! [`ActivityHandler`](crate::turn::ActivityHandler)'s methods takes which is said there.

mod adaptive_card;
mod config;
mod file_consent;
mod message_extension;
mod sign_in;
mod task;

pub use adaptive_card::{AdaptiveCardAction, AdaptiveCardInvoke, AdaptiveCardResponse};
pub use config::ConfigResponse;
pub use file_consent::{FileConsent, FileUpload};
pub use message_extension::{
    LinkQuery, MessageExtensionAction, MessageExtensionParameter, MessageExtensionQuery,
    MessageExtensionQueryOptions, MessageExtensionResponse, MessageExtensionResult,
};
pub use sign_in::{SigninFailure, SigninState, TokenExchangeFailure, TokenExchangeRequest, TokenResponse};
pub use task::{TaskInfo, TaskRequest, TaskResponse};

open_enum! {
    /// The name of an invoke (`name`).
    pub enum InvokeName {
        /// A button of an Adaptive Card (`Action.Execute`).
        AdaptiveCardAction = "adaptiveCard/action",
        /// Teams: a dialog is opened.
        TaskFetch = "task/fetch",
        /// Teams: a dialog is sent off.
        TaskSubmit = "task/submit",
        /// Teams: a message extension searches.
        MessageExtensionQuery = "composeExtension/query",
        /// Teams: a result of a search is chosen.
        MessageExtensionSelectItem = "composeExtension/selectItem",
        /// Teams: the dialog of a message extension is sent off.
        MessageExtensionSubmitAction = "composeExtension/submitAction",
        /// Teams: the dialog of a message extension is opened.
        MessageExtensionFetchTask = "composeExtension/fetchTask",
        /// Teams: a link is to be shown as a card.
        MessageExtensionQueryLink = "composeExtension/queryLink",
        /// Teams: the same, for who has not installed the app.
        MessageExtensionAnonymousQueryLink = "composeExtension/anonymousQueryLink",
        /// Teams: an answer to a [`FileConsentCard`](crate::activity::card::FileConsentCard).
        FileConsent = "fileConsent/invoke",
        /// A sign-in by a page came back, with a code.
        SigninVerifyState = "signin/verifyState",
        /// Single sign-on: the client has a token.
        SigninTokenExchange = "signin/tokenExchange",
        /// Teams: single sign-on failed at the client.
        SigninFailure = "signin/failure",
        /// Teams: the bot's settings are opened.
        ConfigFetch = "config/fetch",
        /// Teams: the bot's settings are sent off.
        ConfigSubmit = "config/submit",
    }
}
