//! A turn's activities, sent through the connector client.

use futures_util::future::{BoxFuture, FutureExt};

use crate::{
    activity::{Activity, ConversationParameters, ConversationResourceResponse},
    connector::{self, ConnectorClient, Taken, Target},
    turn::{Delivered, Outbound, SendError},
};

/// With `replyToId` by the reply route, else to the end of the conversation.
pub(super) struct ByConnector(pub(super) ConnectorClient);

impl Outbound for ByConnector {
    fn deliver<'a>(
        &'a self,
        activity: &'a Activity,
        id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Delivered, SendError>> {
        async move {
            let target = Target {
                service_url: activity.service_url.as_deref().ok_or(SendError::NoTarget("serviceUrl"))?,
                conversation_id: activity.conversation_id().ok_or(SendError::NoTarget("conversation.id"))?,
            };
            let reply_to = activity.reply_to_id.as_deref();
            match self.0.post(&target, reply_to, activity.encode().into(), id).await {
                Ok(Taken { status, response }) => Ok(Delivered { status: Some(status), response }),
                Err(error) => Err(failed(error)),
            }
        }
        .boxed()
    }

    fn create_conversation<'a>(
        &'a self,
        service_url: &'a str,
        parameters: &'a ConversationParameters,
    ) -> BoxFuture<'a, Result<ConversationResourceResponse, SendError>> {
        async move { self.0.create_conversation(service_url, parameters).await.map_err(failed) }.boxed()
    }
}

fn failed(error: connector::Error) -> SendError {
    SendError::Channel { may_have_arrived: error.is_unknown(), source: Box::new(error) }
}
