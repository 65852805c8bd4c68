//! Conversations: which there are, and new ones.

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http::Method;

use super::route::Part::{Conversation, Word};
use super::{ConnectorClient, Error, Target, members, outcome};
use crate::activity::{
    Activity, ConversationMembers, ConversationParameters, ConversationResourceResponse, ConversationsPage,
    ResourceResponse, Transcript,
};

impl ConnectorClient {
    /// Creates a conversation. The answer always has its id.
    ///
    /// For a turn in it, and for a conversation that is remembered, there is
    /// [`Adapter::create_conversation`](crate::adapter::Adapter::create_conversation).
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202, and an answer without an id ([`Error::Unexpected`]). After an
    /// [unknown](Error::is_unknown) outcome there may be a conversation that nobody knows the id of; channels that have one
    /// conversation for each person give the same one when asked again.
    pub async fn create_conversation(
        &self,
        service_url: &str,
        parameters: &ConversationParameters,
    ) -> Result<ConversationResourceResponse, Error> {
        const EXPECTED: &str = "the new conversation's id";
        let body = Some(json("conversation's parameters", parameters)?);
        let request = self.request_to(Method::POST, service_url, &[Word("conversations")], body)?;
        let result = self.guard().send(request).await;
        let status = result.as_ref().map_or(0, |response| response.status);
        let created: ConversationResourceResponse = outcome::read_json(EXPECTED, result)?;
        match created.id.as_deref() {
            None | Some("") => Err(Error::Unexpected { status, expected: EXPECTED }),
            Some(_) => Ok(created),
        }
    }

    /// One page of the conversations that the bot takes part in: the first, or the one that `continuation` leads to.
    /// Few channels answer this; Teams does not.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn conversations_page(
        &self,
        service_url: &str,
        continuation: Option<&str>,
    ) -> Result<ConversationsPage, Error> {
        let mut request = self.request_to(Method::GET, service_url, &[Word("conversations")], None)?;
        if let Some(token) = continuation {
            request.url.query_pairs_mut().append_pair("continuationToken", token);
        }
        outcome::read_json("a page of conversations", self.guard().send(request).await)
    }

    /// All conversations that the bot takes part in, page after page, each page asked for when it is needed. Ends with the first
    /// error; see [`conversations_page`](Self::conversations_page).
    pub fn conversations(
        &self,
        service_url: &str,
    ) -> impl Stream<Item = Result<ConversationMembers, Error>> + Send + use<> {
        let (client, service_url) = (self.clone(), service_url.to_owned());
        members::pages(move |token| {
            let (client, service_url) = (client.clone(), service_url.clone());
            async move {
                let page = client.conversations_page(&service_url, token.as_deref()).await?;
                Ok((page.conversations, page.continuation_token))
            }
        })
        .try_flatten()
    }

    /// Puts activities of the past into a conversation's history.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn send_history(
        &self,
        target: &Target<'_>,
        activities: Vec<Activity>,
    ) -> Result<ResourceResponse, Error> {
        let body = Some(json("history", &Transcript { activities, ..Transcript::default() })?);
        let parts = [
            Word("conversations"),
            Conversation(target.conversation_id),
            Word("activities"),
            Word("history"),
        ];
        let request = self.request_to(Method::POST, target.service_url, &parts, body)?;
        Ok(outcome::read(self.guard().send(request).await)?.response)
    }
}

pub(super) fn json(what: &'static str, value: &impl serde::Serialize) -> Result<Bytes, Error> {
    match serde_json::to_vec(value) {
        Ok(body) => Ok(body.into()),
        Err(error) => Err(Error::Invalid { what, why: error.to_string() }),
    }
}
