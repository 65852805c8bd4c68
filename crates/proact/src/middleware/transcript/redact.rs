//! What a transcript leaves out.

use serde_json::Value;

use crate::activity::{Activity, invoke::InvokeName};

/// Stands where something was left out.
const LEFT_OUT: &str = "…";

/// Members that open something by themselves, wherever they stand in `value`, `channelData` and card contents: tokens of sign-ins and of
/// Slack's `channelData`, and URLs of uploads and downloads.
const SECRETS: &[&str] = &[
    "token",
    "accessToken",
    "access_token",
    "refreshToken",
    "ApiToken",
    "apiToken",
    "sasUrl",
    "uploadUrl",
    "downloadUrl",
];

/// The activity without what opens something by itself: in `value`, `channelData` and the contents of attachments, the texts under
/// `token`, `accessToken`, `access_token`, `refreshToken`, `ApiToken`, `apiToken`, `sasUrl`, `uploadUrl` and `downloadUrl`, and the
/// code of a `signin/verifyState` are `…`. What people wrote stays.
#[must_use]
pub fn redacted(mut activity: Activity) -> Activity {
    let is_code = activity.name.as_deref() == Some(InvokeName::SigninVerifyState.as_str());
    if let Some(value) = &mut activity.value {
        redact(value);
        if let Some(code) = value.get_mut("state").filter(|_| is_code) {
            *code = Value::from(LEFT_OUT);
        }
    }
    activity.channel_data.iter_mut().for_each(redact);
    activity.attachments.iter_mut().filter_map(|attachment| attachment.content.as_mut()).for_each(redact);
    activity
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if member.is_string() && SECRETS.contains(&name.as_str()) {
                    *member = Value::from(LEFT_OUT);
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::activity::{ActivityType, card::FileDownloadInfo};

    #[test]
    fn secrets_go_and_words_stay() {
        let file = FileDownloadInfo { download_url: Some("secret".into()), ..Default::default() };
        let activity = Activity::message("my token is none")
            .with_value(json!({"authentication": {"token": "secret", "id": "1"}, "state": "s", "n": [{"uploadUrl": "secret"}]}))
            .with_channel_data(json!({"ApiToken": "secret", "SlackMessage": {"token": "secret", "event": {"text": "hi"}}}))
            .with_attachment(file);
        let written = String::from_utf8(redacted(activity).encode()).unwrap();
        assert!(!written.contains("secret"), "{written}");
        for kept in ["my token is none", "\"id\":\"1\"", "\"state\":\"s\"", "\"text\":\"hi\""] {
            assert!(written.contains(kept), "{written}");
        }
        let mut code = Activity::new(ActivityType::Invoke).with_value(json!({"state": "secret"}));
        code.name = Some("signin/verifyState".to_owned());
        assert_eq!(redacted(code).value, Some(json!({"state": "…"})));
        let number = Activity::event("x", json!({"token": 5}));
        assert_eq!(redacted(number.clone()), number, "a count of tokens is no token");
    }
}
