//! What the activity types promise, held against arbitrary activities and against samples in the shapes that channels
//! send (written by hand after their documented shapes, not recorded from live traffic).

mod hostile;
mod shape;
mod typed;
mod typed_shapes;

use proact::activity::invoke::{FileConsent, MessageExtensionQuery};
use proact::activity::{
    Activity, ActivityType, ChannelAccount, ConversationReference, DecodeError, EndOfConversationCode, Entity,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use shape::{ACTIVITY, Kind, REFERENCE, canonical, object, places};

fn decode(json: &Value) -> Result<Activity, DecodeError> {
    Activity::decode(json.to_string().as_bytes())
}

fn encode(activity: &Activity) -> Value {
    serde_json::from_slice(&activity.encode()).expect("what is encoded is JSON")
}

/// Values of another type than the field's, and never `null`, which means absent.
fn wrong(kind: &Kind) -> Vec<Value> {
    let all = [json!("secret"), json!(5), json!(true), json!({"secret": "secret"}), json!(["secret"])];
    let fits = |value: &Value| match kind {
        Kind::Text => value.is_string(),
        Kind::Flag => value.is_boolean(),
        Kind::Number | Kind::Count => value.is_number(),
        Kind::Any => true,
        Kind::Map | Kind::Object(_) => value.is_object(),
        Kind::Texts | Kind::List(_) => value.is_array(),
    };
    all.into_iter().filter(|value| !fits(value)).collect()
}

proptest! {
    #[test]
    fn everything_survives_decode_and_encode(json in object(&ACTIVITY)) {
        let activity = decode(&json).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(encode(&activity), canonical(&ACTIVITY, &json));
        prop_assert_eq!(&decode(&encode(&activity)).unwrap(), &activity);
        // The way over a `Value` is the same as the way over bytes.
        prop_assert_eq!(&serde_json::from_value::<Activity>(json).unwrap(), &activity);
    }

    #[test]
    fn references_survive_too(json in object(&REFERENCE)) {
        let reference: ConversationReference = serde_json::from_value(json.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&reference).unwrap(), canonical(&REFERENCE, &json));
    }

    #[test]
    fn a_wrong_type_is_blamed_on_its_field(json in object(&ACTIVITY), place: Index, value: Index) {
        let places: Vec<_> =
            places(&ACTIVITY, &json).into_iter().filter(|place| !matches!(place.kind, Kind::Any)).collect();
        let place = place.get(&places);
        let mut broken = json;
        *broken.pointer_mut(&place.pointer).unwrap() = value.get(&wrong(place.kind)).clone();
        let error = decode(&broken).expect_err("a wrong type is refused");
        prop_assert_eq!(error.field(), Some(place.path.as_str()));
        prop_assert!(!error.to_string().contains("secret"), "{}", error);
    }

    #[test]
    fn odd_bytes_are_an_error_and_no_panic(bytes in vec(any::<u8>(), 0..64), json in object(&ACTIVITY), cut: Index) {
        prop_assert!(Activity::decode(&bytes).is_err());
        let whole = json.to_string();
        let cut = cut.index(whole.len());
        prop_assert!(matches!(Activity::decode(&whole.as_bytes()[..cut]), Err(DecodeError::NotJson(_))));
    }

    /// Whatever people and channels write, stripping neither panics nor invents text.
    #[test]
    fn stripping_a_mention_only_takes_away(
        text in vec(select(&["<at", "<at>", "</at>", ">", "@", "Bot", "böt", " ", "\u{a0}", "&nbsp;", "\"", "ü", "id=", "x"][..]), 0..12),
        name in select(&["Bot", "böt", "b", "", " "][..]),
        written in select(&["<at>Bot</at>", "@Bot", "", "<", "ü", "&nbsp;"][..]),
    ) {
        let text = text.concat();
        let bot = ChannelAccount::new("x").with_name(name);
        let activity =
            Activity::message(text.as_str()).with_entity(Entity::mention(&bot, written)).with_recipient(bot);
        let rest = activity.text_without_mention_of_recipient();
        let mut source = text.chars();
        prop_assert!(rest.chars().all(|c| source.any(|s| s == c)), "{:?} is no part of {:?}", rest, text);
        prop_assert_eq!(rest.trim(), &rest);
    }
}

macro_rules! sample {
    ($name:literal) => {
        ($name, include_str!(concat!("activity/", $name, ".json")))
    };
}

const SAMPLES: &[(&str, &str)] = &[
    sample!("teams_message"),
    sample!("teams_channel_mention"),
    sample!("teams_members_added"),
    sample!("teams_reaction"),
    sample!("teams_invoke"),
    sample!("webchat_message"),
    sample!("webchat_event"),
    sample!("directline_update"),
    sample!("emulator_message"),
    sample!("teams_message_edited"),
    sample!("teams_message_deleted"),
    sample!("teams_channel_renamed"),
    sample!("teams_installed"),
    sample!("teams_task_submit"),
    sample!("teams_query"),
    sample!("teams_file_consent"),
    sample!("teams_token_exchange"),
    sample!("slack_message"),
    sample!("slack_interactive"),
    sample!("webchat_post_back"),
    sample!("directline_upload"),
    sample!("directline_end"),
    sample!("emulator_update"),
];

fn sample(wanted: &str) -> Activity {
    let (_, text) = SAMPLES.iter().find(|(name, _)| *name == wanted).expect("a sample of that name");
    Activity::decode(text.as_bytes()).expect("a sample is an activity")
}

#[test]
fn samples_survive() {
    for (name, text) in SAMPLES {
        let json: Value = serde_json::from_str(text).expect(name);
        let activity = Activity::decode(text.as_bytes()).expect(name);
        assert_eq!(encode(&activity), canonical(&ACTIVITY, &json), "{name}");
        assert!(activity.conversation_key().is_ok(), "{name}");
        assert!(activity.sent_at().expect(name).is_some(), "{name}");
        activity.local_sent_at().expect(name);
        let continuation = activity.reference().without_activity().continuation();
        assert_eq!(continuation.conversation_key(), activity.conversation_key(), "{name}");
        assert_eq!(decode(&encode(&continuation)).as_ref(), Ok(&continuation), "{name}");
    }
}

#[test]
fn samples_mean_what_they_say() {
    let personal = sample("teams_message");
    assert_eq!(personal.text(), "jobs");
    assert_eq!(
        personal.conversation.as_ref().unwrap().tenant_id.as_deref(),
        Some("00000000-0000-4000-8000-000000000002")
    );

    let mention = sample("teams_channel_mention");
    assert_eq!(mention.text_without_mention_of_recipient(), "done 17");
    assert_eq!(mention.conversation.as_ref().unwrap().is_group, Some(true));

    let added = sample("teams_members_added");
    assert_eq!(added.activity_type, ActivityType::ConversationUpdate);
    assert_eq!(added.members_added[0].id, added.recipient.as_ref().unwrap().id);

    assert_eq!(sample("teams_reaction").reactions_added[0].reaction_type.as_deref(), Some("like"));
    assert_eq!(sample("teams_invoke").activity_type, ActivityType::Invoke);
    assert_eq!(sample("webchat_message").text(), "run");
    assert!(sample("webchat_event").is_event("webchat/join"));
    assert_eq!(sample("slack_message").text_without_mention_of_recipient(), "done 17");
    assert!(sample("slack_message").mentions_recipient());
    let pressed: Value = sample("webchat_post_back").value_as().unwrap();
    assert_eq!(pressed["note"], "größer als 2\0😀");
    assert_eq!(sample("directline_end").code, Some(EndOfConversationCode::UserCancelled));
    assert_eq!(sample("directline_upload").attachments[0].name.as_deref(), Some("chart.png"));
    assert_eq!(sample("teams_installed").action.as_deref(), Some("add"));
    let consent: FileConsent = sample("teams_file_consent").value_as().unwrap();
    assert_eq!((consent.action.as_deref(), consent.extra.len()), (Some("accept"), 1));
    let query: MessageExtensionQuery = sample("teams_query").value_as().unwrap();
    assert_eq!(query.parameter("searchKeyword"), Some("backup"));
    assert_eq!(sample("directline_update").reference().activity_id, None);
    assert_eq!(sample("emulator_message").extra["historyHint"], json!({"kept": null}));
}
