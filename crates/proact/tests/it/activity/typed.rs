//! Cards, invoke values and channel data by their types: nothing is lost, and what is wrong is blamed on its field.

use proact::activity::{
    Activity, Attachment, AttachmentLayout, CardAction, DecodeError, EndOfConversationCode, SuggestedActions,
    card::{
        AdaptiveCard, AnimationCard, AudioCard, Card, HeroCard, OAuthCard, ReceiptCard, ReceiptItem,
        SigninCard, ThumbnailCard, TokenExchangeResource, VideoCard,
    },
    teams::TeamsEvent,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{
    sample,
    shape::{Kind, canonical, object, places},
    typed_shapes::ALL,
    wrong,
};

/// One of the types with a JSON object of its shape.
fn any_typed() -> impl Strategy<Value = (usize, Value)> {
    (0..ALL.len()).prop_flat_map(|which| (Just(which), object(ALL[which].1)))
}

proptest! {
    #[test]
    fn every_type_keeps_what_it_does_not_know((which, json) in any_typed()) {
        let (name, shape, through) = &ALL[which];
        let written = through(&json).map_err(|error| TestCaseError::fail(format!("{name}: {error}")))?;
        prop_assert_eq!(written, canonical(shape, &json), "{}", name);
    }

    #[test]
    fn a_wrong_type_within_a_value_is_blamed_on_its_field((which, json) in any_typed(), place: Index, value: Index) {
        let (name, shape, through) = &ALL[which];
        let places: Vec<_> =
            places(shape, &json).into_iter().filter(|place| !matches!(place.kind, Kind::Any)).collect();
        prop_assume!(!places.is_empty());
        let place = place.get(&places);
        let mut broken = json;
        *broken.pointer_mut(&place.pointer).unwrap() = value.get(&wrong(place.kind)).clone();
        let error = through(&broken).expect_err("a wrong type is refused").to_string();
        prop_assert!(error.starts_with(&format!("{}: ", place.path)), "{}: {} for {}", name, error, place.path);
        prop_assert!(!error.contains("secret"), "{}", error);
    }
}

fn content(card: impl Into<Attachment>) -> (String, Value) {
    let attachment = card.into();
    (attachment.content_type.unwrap(), attachment.content.unwrap())
}

#[test]
fn cards_are_written_as_the_protocol_says() {
    let button = json!({"type": "openUrl", "title": "More", "value": "https://example.org/"});
    let more = || CardAction::open_url("More", "https://example.org/");
    let hero = HeroCard::new("T")
        .with_subtitle("S")
        .with_text("X")
        .with_image("i.png")
        .with_button(more())
        .with_tap(more());
    let rich = json!({"title": "T", "subtitle": "S", "text": "X", "images": [{"url": "i.png"}], "buttons": [button], "tap": button});
    assert_eq!(content(hero), ("application/vnd.microsoft.card.hero".to_owned(), rich));
    assert_eq!(
        content(ThumbnailCard::new("T")),
        ("application/vnd.microsoft.card.thumbnail".to_owned(), json!({"title": "T"}))
    );

    let receipt = ReceiptCard::new("R")
        .with_fact("Order", "1234")
        .with_item(ReceiptItem::new("Tea", "CHF 4.50").with_quantity("2"))
        .with_tax("0.50")
        .with_total("CHF 9.50");
    let expected = json!({
        "title": "R", "facts": [{"key": "Order", "value": "1234"}], "tax": "0.50", "total": "CHF 9.50",
        "items": [{"title": "Tea", "price": "CHF 4.50", "quantity": "2"}]
    });
    assert_eq!(content(receipt), ("application/vnd.microsoft.card.receipt".to_owned(), expected));

    let sign_in =
        json!({"text": "Please", "buttons": [{"type": "signin", "title": "Sign in", "value": "https://l/"}]});
    assert_eq!(
        content(SigninCard::new("Please", "Sign in", "https://l/")),
        ("application/vnd.microsoft.card.signin".to_owned(), sign_in.clone())
    );
    let exchange = TokenExchangeResource { id: Some("1".to_owned()), ..Default::default() };
    let oauth = OAuthCard::new("Please", "graph", "Sign in", "https://l/").with_token_exchange(exchange);
    let mut expected = sign_in;
    expected["connectionName"] = json!("graph");
    expected["tokenExchangeResource"] = json!({"id": "1"});
    assert_eq!(content(oauth), ("application/vnd.microsoft.card.oauth".to_owned(), expected));

    let media = json!({"title": "M", "media": [{"url": "m"}, {"url": "n"}], "autostart": false, "image": {"url": "p"}});
    let video = VideoCard::new("m").with_media("n").with_title("M").with_autostart(false).with_image("p");
    assert_eq!(content(video), ("application/vnd.microsoft.card.video".to_owned(), media));
    assert_eq!(content(AudioCard::new("m")).0, "application/vnd.microsoft.card.audio");
    assert_eq!(content(AnimationCard::new("m")).0, "application/vnd.microsoft.card.animation");

    let adaptive = AdaptiveCard::new("1.5")
        .with_body([json!({"type": "TextBlock", "text": "x"})])
        .with_action(json!({"type": "Action.Submit"}))
        .with_refresh(json!({"type": "Action.Execute"}), ["29:1".to_owned()]);
    let expected = json!({
        "type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "x"}],
        "actions": [{"type": "Action.Submit"}],
        "refresh": {"action": {"type": "Action.Execute"}, "userIds": ["29:1"]}
    });
    assert_eq!(content(adaptive), ("application/vnd.microsoft.card.adaptive".to_owned(), expected));
}

#[test]
fn a_card_is_read_back_by_its_kind() {
    let attachment = Attachment::from(HeroCard::new("T"));
    assert_eq!(attachment.card::<HeroCard>().unwrap().unwrap().title.as_deref(), Some("T"));
    assert_eq!(attachment.card::<ThumbnailCard>(), Ok(None));
    let broken = Attachment::inline(HeroCard::CONTENT_TYPE, json!({"buttons": [{"title": 5}]}));
    let error = broken.card::<HeroCard>().unwrap_err();
    assert_eq!(error.field(), Some("content.buttons[0].title"), "{error}");
    assert_eq!(
        Attachment::link(HeroCard::CONTENT_TYPE, "u").card::<HeroCard>().unwrap_err().field(),
        Some("content")
    );
}

#[test]
fn messages_are_written_as_the_protocol_says() {
    let written = |activity: Activity| serde_json::from_slice::<Value>(&activity.encode()).unwrap();
    let asked = Activity::message("Really?").with_suggested_actions(
        SuggestedActions::new([
            CardAction::post_back("Yes", json!({"yes": true})),
            CardAction::im_back("no"),
        ])
        .for_person("29:1"),
    );
    let expected = json!({"type": "message", "text": "Really?", "suggestedActions": {"to": ["29:1"], "actions": [
        {"type": "postBack", "title": "Yes", "value": {"yes": true}}, {"type": "imBack", "title": "no", "value": "no"}
    ]}});
    assert_eq!(written(asked), expected);
    let back =
        CardAction::message_back("Cancel", "cancel 17", json!({"job": 17})).with_display_text("Cancel it");
    let expected = json!({
        "type": "messageBack", "title": "Cancel", "text": "cancel 17", "displayText": "Cancel it", "value": {"job": 17}
    });
    assert_eq!(serde_json::to_value(back).unwrap(), expected);
    let dialog =
        CardAction::task_module("Open", json!({"job": 17, "type": "mine"}).as_object().unwrap().clone());
    assert_eq!(
        serde_json::to_value(dialog).unwrap(),
        json!({"type": "invoke", "title": "Open", "value": {"type": "task/fetch", "job": 17}})
    );
    assert_eq!(Activity::list([HeroCard::new("a")]).attachment_layout, Some(AttachmentLayout::List));
    assert_eq!(
        written(Activity::carousel::<Attachment>([])),
        json!({"type": "message", "attachmentLayout": "carousel"})
    );
    assert_eq!(
        written(Activity::trace("n", "l", "https://example.org/t", json!({"a": 1}))),
        json!({"type": "trace", "name": "n", "label": "l", "valueType": "https://example.org/t", "value": {"a": 1}})
    );
    let done = Activity::end_of_conversation(EndOfConversationCode::CompletedSuccessfully).with_text("bye");
    assert_eq!(
        written(done),
        json!({"type": "endOfConversation", "code": "completedSuccessfully", "text": "bye"})
    );
    assert_eq!(
        written(Activity::invoke_response(200, Value::Null)),
        json!({"type": "invokeResponse", "value": {"status": 200}})
    );
    assert_eq!(
        written(Activity::invoke_response(400, json!([1]))),
        json!({"type": "invokeResponse", "value": {"status": 400, "body": [1]}})
    );
    assert_eq!(written(Activity::delay(250)), json!({"type": "delay", "value": 250}));
    assert_eq!(written(Activity::command("c", 1)), json!({"type": "command", "name": "c", "value": 1}));
    assert_eq!(
        written(Activity::command_result("c", 1)),
        json!({"type": "commandResult", "name": "c", "value": 1})
    );
    assert_eq!(
        written(Activity::handoff(json!({"a": 1}))),
        json!({"type": "event", "name": "handoff.initiate", "value": {"a": 1}})
    );
    assert_eq!(
        written(Activity::reaction("a1", ["like"])),
        json!({"type": "messageReaction", "replyToId": "a1", "reactionsAdded": [{"type": "like"}]})
    );
}

#[test]
fn teams_says_what_happened() {
    let renamed = sample("teams_channel_renamed");
    assert_eq!(renamed.teams_event(), Some(TeamsEvent::ChannelRenamed));
    let data = renamed.teams().unwrap();
    assert_eq!(data.channel.as_ref().unwrap().name.as_deref(), Some("Night shift"));
    assert_eq!(
        data.team.as_ref().unwrap().aad_group_id.as_deref(),
        Some("00000000-0000-4000-8000-000000000005")
    );
    assert_eq!(sample("slack_message").teams_event(), None);
    assert_eq!(Activity::message("x").teams(), Ok(Default::default()));
    let odd = Activity::message("x").with_channel_data(json!({"team": {"id": 5}}));
    assert!(matches!(odd.teams(), Err(DecodeError::Field { field, .. }) if field == "channelData.team.id"));

    let client = sample("teams_message").client_info().unwrap().unwrap();
    assert_eq!(client.timezone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(sample("emulator_message").client_info(), Ok(None));
}
