//! Who takes part in a conversation.

use futures_util::{Stream, TryStreamExt as _, stream};
use http::Method;

use super::route::Part::{Activity, Conversation, Member, Word};
use super::{ConnectorClient, Error, Target, outcome};
use crate::activity::{ChannelAccount, MembersPage};

impl ConnectorClient {
    /// All members of a conversation in one answer. Large conversations are better asked for in
    /// [pages](Self::paged_members); Teams cuts this answer off.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn members(&self, target: &Target<'_>) -> Result<Vec<ChannelAccount>, Error> {
        let parts = [Word("conversations"), Conversation(target.conversation_id), Word("members")];
        let request = self.request_to(Method::GET, target.service_url, &parts, None)?;
        outcome::read_json("a list of members", self.guard().send(request).await)
    }

    /// One member of a conversation. What the channel says beyond an account (Teams: mail address, given name …) is in `extra`.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; 404 says that it is none. See [`Error`].
    pub async fn member(&self, target: &Target<'_>, member_id: &str) -> Result<ChannelAccount, Error> {
        let request = self.request_to(Method::GET, target.service_url, &of(target, member_id), None)?;
        outcome::read_json("a member", self.guard().send(request).await)
    }

    /// Removes a member from a conversation. Some channels end the conversation with the last one.
    ///
    /// # Errors
    /// Whatever is not 200, 201, 202 or 204; see [`Error`].
    pub async fn delete_member(&self, target: &Target<'_>, member_id: &str) -> Result<(), Error> {
        let request = self.request_to(Method::DELETE, target.service_url, &of(target, member_id), None)?;
        outcome::read_delete(self.guard().send(request).await).map(drop)
    }

    /// The members of a conversation that one activity was for.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn activity_members(
        &self,
        target: &Target<'_>,
        activity_id: &str,
    ) -> Result<Vec<ChannelAccount>, Error> {
        let parts = [
            Word("conversations"),
            Conversation(target.conversation_id),
            Word("activities"),
            Activity(activity_id),
            Word("members"),
        ];
        let request = self.request_to(Method::GET, target.service_url, &parts, None)?;
        outcome::read_json("a list of members", self.guard().send(request).await)
    }

    /// One page of a conversation's members: the first, or the one that `continuation` leads to. `page_size` is a wish; Teams
    /// takes 50 to 500.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn members_page(
        &self,
        target: &Target<'_>,
        page_size: Option<u32>,
        continuation: Option<&str>,
    ) -> Result<MembersPage, Error> {
        let parts = [Word("conversations"), Conversation(target.conversation_id), Word("pagedmembers")];
        let mut request = self.request_to(Method::GET, target.service_url, &parts, None)?;
        if page_size.is_some() || continuation.is_some() {
            let mut query = request.url.query_pairs_mut();
            if let Some(size) = page_size {
                query.append_pair("pageSize", &size.to_string());
            }
            if let Some(token) = continuation {
                query.append_pair("continuationToken", token);
            }
        }
        outcome::read_json("a page of members", self.guard().send(request).await)
    }

    /// All members of a conversation, page after page, each page asked for when it is needed. Ends with the first error; see
    /// [`members_page`](Self::members_page).
    ///
    /// ```no_run
    /// # use proact::connector::{ConnectorClient, Error, Target};
    /// use futures_util::{StreamExt, TryStreamExt};
    ///
    /// # async fn run(connector: ConnectorClient, target: Target<'_>) -> Result<(), Error> {
    /// let mut members = connector.paged_members(&target, Some(200)).boxed();
    /// while let Some(member) = members.try_next().await? {
    ///     println!("{:?}", member.name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn paged_members(
        &self,
        target: &Target<'_>,
        page_size: Option<u32>,
    ) -> impl Stream<Item = Result<ChannelAccount, Error>> + Send + use<> {
        let client = self.clone();
        let (service_url, conversation_id) =
            (target.service_url.to_owned(), target.conversation_id.to_owned());
        pages(move |token| {
            let (client, service_url, conversation_id) =
                (client.clone(), service_url.clone(), conversation_id.clone());
            async move {
                let target = Target { service_url: &service_url, conversation_id: &conversation_id };
                let page = client.members_page(&target, page_size, token.as_deref()).await?;
                Ok((page.members, page.continuation_token))
            }
        })
        .try_flatten()
    }
}

fn of<'t>(target: &Target<'t>, member_id: &'t str) -> [super::route::Part<'t>; 4] {
    [Word("conversations"), Conversation(target.conversation_id), Word("members"), Member(member_id)]
}

/// A page as a stream of what is on it.
type OnPage<T> = stream::Iter<std::vec::IntoIter<Result<T, Error>>>;

/// Pages, until there is no token for another. A token that leads to itself is an error: there would be no end.
pub(super) fn pages<T, F, R>(ask: F) -> impl Stream<Item = Result<OnPage<T>, Error>> + Send
where
    T: Send,
    F: Fn(Option<String>) -> R + Send,
    R: Future<Output = Result<(Vec<T>, Option<String>), Error>> + Send,
{
    enum Next {
        First,
        Token(String),
        None,
    }
    stream::try_unfold((Next::First, ask), |(next, ask)| async move {
        let token = match next {
            Next::First => None,
            Next::Token(token) => Some(token),
            Next::None => return Ok(None),
        };
        let (items, following) = ask(token.clone()).await?;
        let next = match following.filter(|token| !token.is_empty()) {
            None => Next::None,
            Some(following) if token.as_ref() == Some(&following) => {
                return Err(Error::Unexpected { status: 200, expected: "a token for another page" });
            }
            Some(following) => Next::Token(following),
        };
        let items: Vec<Result<T, Error>> = items.into_iter().map(Ok).collect();
        Ok(Some((stream::iter(items), (next, ask))))
    })
}
