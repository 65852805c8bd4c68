//! The shapes of cards, of what invokes carry and of Teams' channel data; see [`super::shape`].

use proact::activity::{card, invoke, teams};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::shape::{
    ACTION, ACTIVITY, ATTACHMENT,
    Kind::{Any, Count, Flag, List, Object, Text},
    SUGGESTED, Shape,
};

static IMAGE: Shape = Shape(&[("url", Text), ("alt", Text), ("tap", Object(&ACTION))]);
static RICH: Shape = Shape(&[
    ("title", Text),
    ("subtitle", Text),
    ("text", Text),
    ("images", List(&IMAGE)),
    ("buttons", List(&ACTION)),
    ("tap", Object(&ACTION)),
]);
static FACT: Shape = Shape(&[("key", Text), ("value", Text)]);
static ITEM: Shape = Shape(&[
    ("title", Text),
    ("subtitle", Text),
    ("text", Text),
    ("image", Object(&IMAGE)),
    ("price", Text),
    ("quantity", Text),
    ("tap", Object(&ACTION)),
]);
static RECEIPT: Shape = Shape(&[
    ("title", Text),
    ("facts", List(&FACT)),
    ("items", List(&ITEM)),
    ("tap", Object(&ACTION)),
    ("total", Text),
    ("tax", Text),
    ("vat", Text),
    ("buttons", List(&ACTION)),
]);
static SIGNIN: Shape = Shape(&[("text", Text), ("buttons", List(&ACTION))]);
static EXCHANGE: Shape = Shape(&[("id", Text), ("uri", Text), ("providerId", Text)]);
static POST: Shape = Shape(&[("sasUrl", Text)]);
static OAUTH: Shape = Shape(&[
    ("text", Text),
    ("connectionName", Text),
    ("tokenExchangeResource", Object(&EXCHANGE)),
    ("tokenPostResource", Object(&POST)),
    ("buttons", List(&ACTION)),
]);
static THUMBNAIL: Shape = Shape(&[("url", Text), ("alt", Text)]);
static MEDIUM: Shape = Shape(&[("url", Text), ("profile", Text)]);
static MEDIA: Shape = Shape(&[
    ("title", Text),
    ("subtitle", Text),
    ("text", Text),
    ("image", Object(&THUMBNAIL)),
    ("media", List(&MEDIUM)),
    ("buttons", List(&ACTION)),
    ("shareable", Flag),
    ("autoloop", Flag),
    ("autostart", Flag),
    ("aspect", Text),
    ("duration", Text),
    ("value", Any),
]);
static CONSENT_CARD: Shape =
    Shape(&[("description", Text), ("sizeInBytes", Count), ("acceptContext", Any), ("declineContext", Any)]);
static FILE_INFO: Shape = Shape(&[("uniqueId", Text), ("fileType", Text), ("etag", Any)]);
static DOWNLOAD: Shape =
    Shape(&[("downloadUrl", Text), ("uniqueId", Text), ("fileType", Text), ("etag", Any)]);

static TOKEN_REQUEST: Shape = Shape(&[("id", Text), ("connectionName", Text), ("token", Text)]);
static CARD_ACTION: Shape = Shape(&[("type", Text), ("id", Text), ("verb", Text), ("data", Any)]);
static CARD_INVOKE: Shape = Shape(&[
    ("action", Object(&CARD_ACTION)),
    ("authentication", Object(&TOKEN_REQUEST)),
    ("state", Text),
    ("trigger", Text),
]);
static CARD_RESPONSE: Shape = Shape(&[("statusCode", Count), ("type", Text), ("value", Any)]);
static TASK: Shape = Shape(&[("data", Any), ("context", Any), ("tabContext", Any)]);
static TASK_RESPONSE: Shape = Shape(&[("task", Any), ("cacheInfo", Any)]);
static TASK_INFO: Shape = Shape(&[
    ("title", Text),
    ("height", Any),
    ("width", Any),
    ("url", Text),
    ("card", Object(&ATTACHMENT)),
    ("fallbackUrl", Text),
    ("completionBotId", Text),
]);
static PARAMETER: Shape = Shape(&[("name", Text), ("value", Any)]);
static PAGE: Shape = Shape(&[("skip", Count), ("count", Count)]);
static QUERY: Shape = Shape(&[
    ("commandId", Text),
    ("parameters", List(&PARAMETER)),
    ("queryOptions", Object(&PAGE)),
    ("state", Text),
]);
static EXTENSION_ACTION: Shape = Shape(&[
    ("commandId", Text),
    ("commandContext", Text),
    ("data", Any),
    ("context", Any),
    ("botMessagePreviewAction", Text),
    ("botActivityPreview", List(&ACTIVITY)),
    ("messagePayload", Any),
    ("state", Text),
]);
static EXTENSION_RESULT: Shape = Shape(&[
    ("type", Text),
    ("attachmentLayout", Text),
    ("attachments", List(&ATTACHMENT)),
    ("suggestedActions", Object(&SUGGESTED)),
    ("text", Text),
    ("activityPreview", Object(&ACTIVITY)),
]);
static EXTENSION_RESPONSE: Shape =
    Shape(&[("composeExtension", Object(&EXTENSION_RESULT)), ("task", Any), ("cacheInfo", Any)]);
static LINK: Shape = Shape(&[("url", Text), ("state", Text)]);
static UPLOAD: Shape = Shape(&[
    ("contentUrl", Text),
    ("name", Text),
    ("uploadUrl", Text),
    ("uniqueId", Text),
    ("fileType", Text),
]);
static CONSENT: Shape = Shape(&[("action", Text), ("context", Any), ("uploadInfo", Object(&UPLOAD))]);
static STATE: Shape = Shape(&[("state", Text)]);
static TOKEN: Shape = Shape(&[
    ("channelId", Text),
    ("connectionName", Text),
    ("token", Text),
    ("expiration", Text),
    ("properties", Any),
]);
static FAILURE: Shape = Shape(&[("id", Text), ("connectionName", Text), ("failureDetail", Text)]);
static SIGNIN_FAILURE: Shape = Shape(&[("code", Text), ("message", Text)]);
static CONFIG: Shape = Shape(&[("responseType", Text), ("config", Any), ("cacheInfo", Any)]);

static TEAM: Shape = Shape(&[("id", Text), ("name", Text), ("aadGroupId", Text), ("tenantId", Text)]);
static CHANNEL: Shape = Shape(&[("id", Text), ("name", Text), ("type", Text)]);
static ID: Shape = Shape(&[("id", Text)]);
static TEAMS: Shape = Shape(&[
    ("eventType", Text),
    ("team", Object(&TEAM)),
    ("channel", Object(&CHANNEL)),
    ("tenant", Object(&ID)),
    ("meeting", Object(&ID)),
    ("notification", Any),
    ("settings", Any),
]);

/// Reads JSON as a type and writes it again.
pub(super) type Through = fn(&Value) -> Result<Value, serde_json::Error>;

fn through<T: Serialize + DeserializeOwned>(json: &Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(json.clone())?)
}

/// Every type with its shape.
pub(super) static ALL: &[(&str, &Shape, Through)] = &[
    ("hero", &RICH, through::<card::HeroCard>),
    ("thumbnail", &RICH, through::<card::ThumbnailCard>),
    ("receipt", &RECEIPT, through::<card::ReceiptCard>),
    ("signin", &SIGNIN, through::<card::SigninCard>),
    ("oauth", &OAUTH, through::<card::OAuthCard>),
    ("audio", &MEDIA, through::<card::AudioCard>),
    ("video", &MEDIA, through::<card::VideoCard>),
    ("animation", &MEDIA, through::<card::AnimationCard>),
    ("adaptive", &Shape(&[]), through::<card::AdaptiveCard>),
    ("file consent", &CONSENT_CARD, through::<card::FileConsentCard>),
    ("file info", &FILE_INFO, through::<card::FileInfoCard>),
    ("file download", &DOWNLOAD, through::<card::FileDownloadInfo>),
    ("card invoke", &CARD_INVOKE, through::<invoke::AdaptiveCardInvoke>),
    ("card response", &CARD_RESPONSE, through::<invoke::AdaptiveCardResponse>),
    ("task request", &TASK, through::<invoke::TaskRequest>),
    ("task response", &TASK_RESPONSE, through::<invoke::TaskResponse>),
    ("task info", &TASK_INFO, through::<invoke::TaskInfo>),
    ("query", &QUERY, through::<invoke::MessageExtensionQuery>),
    ("extension action", &EXTENSION_ACTION, through::<invoke::MessageExtensionAction>),
    ("extension response", &EXTENSION_RESPONSE, through::<invoke::MessageExtensionResponse>),
    ("link", &LINK, through::<invoke::LinkQuery>),
    ("consent", &CONSENT, through::<invoke::FileConsent>),
    ("state", &STATE, through::<invoke::SigninState>),
    ("token request", &TOKEN_REQUEST, through::<invoke::TokenExchangeRequest>),
    ("token response", &TOKEN, through::<invoke::TokenResponse>),
    ("token failure", &FAILURE, through::<invoke::TokenExchangeFailure>),
    ("signin failure", &SIGNIN_FAILURE, through::<invoke::SigninFailure>),
    ("config", &CONFIG, through::<invoke::ConfigResponse>),
    ("teams", &TEAMS, through::<teams::TeamsChannelData>),
];
