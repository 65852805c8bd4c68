//! What is read from a route's path and query. The parameters of a list are read by name, each at most once, and nothing beside them.
//!
//! Unknown parameters are refused instead of ignored: a filter that is misspelt must not answer with everything.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{Uri, request::Parts},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proact::{activity::ConversationKey, proactive::Page};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use url::form_urlencoded;

use super::problem::Problem;

/// Items on a page when nothing else is asked for, and at most.
const LIMIT: (u32, u32) = (20, 100);

/// The one part of a route's path that varies. What is not text is kept so that it names nothing.
#[derive(Debug)]
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let first = params.ok().and_then(|params| Some(params.iter().next()?.1.to_owned()));
        Ok(Self(first.unwrap_or_else(|| "\u{fffd}".to_owned())))
    }
}

/// The parts of a route's path that vary, in their order; none when one of them is not text.
#[derive(Debug)]
pub(super) struct Segments(pub(super) Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let names = params.map(|params| params.iter().map(|(_, value)| value.to_owned()).collect());
        Ok(Self(names.unwrap_or_default()))
    }
}

/// The parameters of a request's query, each to be taken once.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::of(&parts.uri))
    }
}

impl Query {
    /// The parameters of this address.
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }
}

impl Query {
    /// Takes the parameter `name`, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut found = None;
        while let Some(at) = self.0.iter().position(|(key, _)| key == name) {
            if found.replace(self.0.swap_remove(at).1).is_some() {
                return Err(Problem::field(name, "give it once"));
            }
        }
        Ok(found)
    }

    /// The parameter `name` as `read` reads it; `what` says what it must be.
    pub(super) fn parse<T>(
        &mut self,
        name: &str,
        what: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.take(name)?
            .map(|text| read(&text).ok_or_else(|| Problem::field(name, format!("this must be {what}"))))
            .transpose()
    }

    /// How many items are wanted.
    pub(super) fn limit(&mut self) -> Result<u32, Problem> {
        let what = format!("a number from 1 to {}", LIMIT.1);
        let read = |text: &str| text.parse().ok().filter(|n| (1..=LIMIT.1).contains(n));
        Ok(self.parse("limit", &what, read)?.unwrap_or(LIMIT.0))
    }

    /// Where the page before ended.
    pub(super) fn cursor<C: Cursor>(&mut self) -> Result<Option<C>, Problem> {
        self.parse("cursor", "the `next` of the page before, as it came", C::read)
    }

    /// The page that is wanted of a list that takes nothing else: what it comes after, and how many items.
    pub(super) fn page<C: Cursor>(mut self) -> Result<(Option<C>, u32), Problem> {
        let (limit, after) = (self.limit()?, self.cursor()?);
        self.end()?;
        Ok((after, limit))
    }

    /// Which conversation: the channel's id, a slash, the conversation's id.
    pub(super) fn conversation(&mut self) -> Result<Option<ConversationKey>, Problem> {
        self.parse("conversation", "a channel's id, a slash and a conversation's id", |text| {
            let (channel, conversation) = text.split_once('/')?;
            ConversationKey::new(channel, conversation).ok()
        })
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(Problem::field(name, "there is no such parameter here")),
        }
    }
}

/// Where a page ended, as clients are given it: opaque to them.
pub(super) trait Cursor: Sized {
    /// What the next page is asked for with.
    fn write(&self) -> String;

    /// What it was made of; `None` when none was.
    fn read(text: &str) -> Option<Self>;
}

/// Marks a cursor that is a number: not to be mixed up with a number of the client's own.
const NUMBER: &str = "b";

impl Cursor for u64 {
    fn write(&self) -> String {
        format!("{NUMBER}{self}")
    }

    fn read(text: &str) -> Option<Self> {
        text.strip_prefix(NUMBER)?.parse().ok()
    }
}

/// A cursor that holds more than a number, in a form that nobody is tempted to read.
pub(super) fn opaque(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(json!(place).to_string())
}

/// What [`opaque`] was made of.
pub(super) fn from_opaque<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A page of a list on the wire.
#[derive(Debug, Serialize)]
pub(super) struct Listed<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<T, C: Cursor> From<Page<T, C>> for Listed<T> {
    fn from(page: Page<T, C>) -> Self {
        Self { items: page.items, next: page.next.as_ref().map(Cursor::write) }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn query(text: &str) -> Query {
        let (mut parts, ()) = Request::get(format!("/?{text}")).body(()).unwrap().into_parts();
        Query::from_request_parts(&mut parts, &()).await.unwrap()
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_named() {
        for wrong in ["limit=0", "limit=101", "limit=x", "limit=", "limit=1&limit=2", "limit=-1"] {
            assert!(query(wrong).await.limit().is_err(), "{wrong}");
        }
        for wrong in ["cursor=", "cursor=17", "cursor=bx", "cursor=b-1"] {
            assert!(query(wrong).await.cursor::<u64>().is_err(), "{wrong}");
        }
        for wrong in ["conversation=", "conversation=c1", "conversation=/c1", "conversation=webchat/"] {
            assert!(query(wrong).await.conversation().is_err(), "{wrong}");
        }
        assert!(query("lmit=3").await.end().is_err());
    }

    #[tokio::test]
    async fn a_page_leads_to_the_next() {
        let listed = Listed::<()>::from(Page { items: vec![], next: Some(7_u64), total: None });
        let next = listed.next.unwrap();
        assert_eq!(query(&format!("limit=3&cursor={next}")).await.page(), Ok((Some(7_u64), 3)));
        let wrong = query(&format!("cursor={next}&lmit=3")).await.page::<u64>().unwrap_err();
        assert_eq!(wrong.into_json()["field"], "lmit");
        let mut other = query("conversation=msteams/a%2Fb").await;
        assert_eq!(other.conversation().unwrap().unwrap().conversation_id(), "a/b");
    }
}
