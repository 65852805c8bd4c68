//! A turn's activities, sent through the connector client.

use futures_util::future::{BoxFuture, FutureExt};

use crate::{
    activity::{Activity, ConversationParameters, ConversationReference, ConversationResourceResponse},
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
            let target = target(activity.service_url.as_deref(), activity.conversation_id())?;
            let reply_to = activity.reply_to_id.as_deref();
            told(self.0.post(&target, reply_to, activity.encode().into(), id).await)
        }
        .boxed()
    }

    fn update<'a>(&'a self, activity: &'a Activity) -> BoxFuture<'a, Result<Delivered, SendError>> {
        async move {
            let target = target(activity.service_url.as_deref(), activity.conversation_id())?;
            let id = activity.id.as_deref().ok_or(SendError::NoActivityId)?;
            told(self.0.put(&target, id, activity.encode().into()).await)
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        reference: &'a ConversationReference,
    ) -> BoxFuture<'a, Result<Delivered, SendError>> {
        async move {
            let conversation = reference.conversation.as_ref().and_then(|found| found.id.as_deref());
            let target = target(reference.service_url.as_deref(), conversation)?;
            let id = reference.activity_id.as_deref().ok_or(SendError::NoActivityId)?;
            told(self.0.delete(&target, id).await)
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

fn target<'t>(
    service_url: Option<&'t str>,
    conversation_id: Option<&'t str>,
) -> Result<Target<'t>, SendError> {
    Ok(Target {
        service_url: service_url.ok_or(SendError::NoTarget("serviceUrl"))?,
        conversation_id: conversation_id.ok_or(SendError::NoTarget("conversation.id"))?,
    })
}

fn told(outcome: Result<Taken, connector::Error>) -> Result<Delivered, SendError> {
    match outcome {
        Ok(Taken { status, response }) => Ok(Delivered { status: Some(status), response }),
        Err(error) => Err(failed(error)),
    }
}
