//! The connector client: posts, updates and deletes activities at the channel behind a service URL.
//!
//! What it promises, in the order in which it happens:
//!
//! 1. The route is made of the service URL's path, kept as it is, and the ids, each written as one path segment. An id that
//!    no path can carry is refused before anything leaves.
//! 2. The activity is written to bytes once and goes through the [egress guard](crate::egress), once. Nothing is sent
//!    again from here: whether to is decided by who knows the notification's policy.
//! 3. What came of it is read by one table ([`Class`]): 200, 201 and 202 are delivered, whatever their body; anything else
//!    is an [`Error`] that says whether another try can help ([`Error::is_retryable`]), when at the earliest
//!    ([`Error::retry_after`]), and whether the activity may have arrived all the same ([`Error::is_unknown`]).
//!
//! | route (below `/v3`) | method |
//! | --- | --- |
//! | `GET conversations` | [`conversations_page`](ConnectorClient::conversations_page), [`conversations`](ConnectorClient::conversations) |
//! | `POST conversations` | [`create_conversation`](ConnectorClient::create_conversation) |
//! | `POST conversations/{c}/activities` | [`send_to_conversation`](ConnectorClient::send_to_conversation) |
//! | `POST conversations/{c}/activities/{a}` | [`reply_to_activity`](ConnectorClient::reply_to_activity) |
//! | `PUT`, `DELETE conversations/{c}/activities/{a}` | [`update_activity`](ConnectorClient::update_activity), [`delete_activity`](ConnectorClient::delete_activity) |
//! | `POST conversations/{c}/activities/history` | [`send_history`](ConnectorClient::send_history) |
//! | `GET conversations/{c}/activities/{a}/members` | [`activity_members`](ConnectorClient::activity_members) |
//! | `GET conversations/{c}/members` | [`members`](ConnectorClient::members) |
//! | `GET`, `DELETE conversations/{c}/members/{m}` | [`member`](ConnectorClient::member), [`delete_member`](ConnectorClient::delete_member) |
//! | `GET conversations/{c}/pagedmembers` | [`members_page`](ConnectorClient::members_page), [`paged_members`](ConnectorClient::paged_members) |
//! | `POST conversations/{c}/attachments` | [`upload_attachment`](ConnectorClient::upload_attachment) |
//! | `GET attachments/{id}` | [`attachment_info`](ConnectorClient::attachment_info) |
//! | `GET attachments/{id}/views/{v}` | [`attachment_content`](ConnectorClient::attachment_content) |
//!
//! ```no_run
//! # use proact::activity::Activity;
//! # use proact::connector::{ConnectorClient, Target};
//! # use proact::egress::{Guard, Options};
//! # async fn run(activity: Activity) {
//! let connector = ConnectorClient::new(Guard::loopback_only(Options::default()));
//! let target = Target { service_url: "http://localhost:3000/", conversation_id: "a:1|livechat" };
//! match connector.send_to_conversation(&target, &activity, None).await {
//!     Ok(answer) => println!("delivered as {:?}", answer.id),
//!     Err(error) if error.is_unknown() => println!("it may have arrived: {error}"),
//!     Err(error) if error.is_retryable() => println!("later: {error}"),
//!     Err(error) => println!("never: {error}"),
//! }
//! # }
//! ```

mod attachments;
mod client;
mod conversations;
mod error;
mod failure;
mod members;
mod outcome;
mod route;

pub use attachments::{AttachmentContent, AttachmentData};
pub use client::{ConnectorClient, Target};
pub use error::Error;
pub use outcome::{Class, Taken};

pub use crate::egress::RetryAfter;
