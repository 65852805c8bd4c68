//! Signing in.

use super::{CardAction, card};

wire_struct! {
    /// Asks the person to sign in on a page.
    pub struct SigninCard {
        /// Why.
        "text" text: Option<String>,
        /// The button, of type `signin`.
        "buttons" buttons: Vec<CardAction>,
    }
}

card!(SigninCard, "application/vnd.microsoft.card.signin");

impl SigninCard {
    /// A card with a button that leads to the page where the person signs in.
    pub fn new(text: impl Into<String>, button: impl Into<String>, url: impl Into<String>) -> Self {
        Self { text: Some(text.into()), buttons: vec![CardAction::sign_in(button, url)], ..Self::default() }
    }
}

wire_struct! {
    /// Asks the person to sign in by an OAuth connection of the bot's registration.
    pub struct OAuthCard {
        /// Why.
        "text" text: Option<String>,
        /// The connection's name, as the bot's registration has it.
        "connectionName" connection_name: Option<String>,
        /// What single sign-on is tried with, without asking the person.
        "tokenExchangeResource" token_exchange_resource: Option<TokenExchangeResource>,
        /// Where a client posts a token that it has.
        "tokenPostResource" token_post_resource: Option<TokenPostResource>,
        /// The button, of type `signin`.
        "buttons" buttons: Vec<CardAction>,
    }
}

card!(OAuthCard, "application/vnd.microsoft.card.oauth");

impl OAuthCard {
    /// A card for a connection, with a button that leads to its sign-in link.
    pub fn new(
        text: impl Into<String>,
        connection_name: impl Into<String>,
        button: impl Into<String>,
        sign_in_link: impl Into<String>,
    ) -> Self {
        Self {
            text: Some(text.into()),
            connection_name: Some(connection_name.into()),
            buttons: vec![CardAction::sign_in(button, sign_in_link)],
            ..Self::default()
        }
    }

    /// Trying single sign-on with this.
    #[must_use]
    pub fn with_token_exchange(mut self, resource: TokenExchangeResource) -> Self {
        self.token_exchange_resource = Some(resource);
        self
    }
}

wire_struct! {
    /// What single sign-on is tried with.
    pub struct TokenExchangeResource {
        /// The id of this try: it comes back in `signin/tokenExchange`.
        "id" id: Option<String>,
        /// The resource that a token is asked for.
        "uri" uri: Option<String>,
        /// The provider's id.
        "providerId" provider_id: Option<String>,
    }
}

wire_struct! {
    /// Where a client posts a token.
    pub struct TokenPostResource {
        /// The URL, which itself lets whoever has it post: treat it as a secret.
        "sasUrl" sas_url: Option<crate::activity::SecretText>,
    }
}
