//! Scripts for bots' tests: what they let through, and what they say when something is wrong.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use proact::activity::{Activity, ChannelAccount, ConversationParameters};
use proact::adapter::NewConversation;
use proact::proactive::{NewNotification, PauseScope, ProactiveTurn as _};
use proact::state::{Accessor, BotState};
use proact::store::Store;
use proact::testkit::{Script, TestAdapter};
use proact::turn::{Bot, BotError, InvokeResponse, TurnContext};
use serde_json::json;

use crate::support::TestBot;

/// Does what the text says, and counts what it was told in the conversation's state.
struct Obedient {
    heard: Accessor<u32>,
}

impl Obedient {
    fn new(store: Store) -> Self {
        Self { heard: BotState::conversation(Arc::new(store)).property("heard") }
    }
}

impl Bot for Obedient {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        let heard = self
            .heard
            .update(ctx, |heard| {
                *heard += 1;
                *heard
            })
            .await?;
        let activity = ctx.activity();
        if !activity.members_added.is_empty() {
            ctx.send("welcome").await?;
        } else if activity.is_event("tell") {
            let text = activity.value.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
            ctx.notify(NewNotification::new(ctx.conversation().clone(), text)).await?;
        } else if activity.name.as_deref() == Some("add") {
            let body = Some(json!({ "heard": heard }));
            ctx.set_invoke_response(InvokeResponse { status: 200, body });
        } else {
            match activity.text() {
                "change" => {
                    let sent = ctx.send("one moment").await?.id.ok_or("no id")?;
                    ctx.update(Activity::message("there").with_id(&sent)).await?;
                    ctx.send("and gone").await?;
                    ctx.delete(&sent).await?;
                }
                "type" => drop(ctx.send_all([Activity::typing(), "typed".into()]).await?),
                "fail" => return Err("as told".into()),
                "panic" => panic!("as told"),
                "hang" => std::future::pending().await,
                "" => {}
                text => drop(ctx.send(format!("{heard}: {text}")).await?),
            }
        }
        Ok(())
    }
}

async fn obedient() -> TestAdapter {
    let builder = TestAdapter::builder().patience(Duration::from_secs(60));
    builder.start_with(Obedient::new).await
}

/// What a script that goes wrong says.
async fn complaint(script: Script) -> String {
    let panic = tokio::spawn(script.into_future()).await.expect_err("the script was to fail").into_panic();
    *panic.downcast::<String>().expect("a text")
}

#[tokio::test]
async fn people_talk_and_each_sees_what_is_for_them_proactive_messages_included() {
    let test = TestAdapter::new(TestBot).await;
    let (eva, bob) = (test.user("eva"), test.user("bob"));
    eva.send("run")
        .expect("started 1")
        .send("run")
        .expect("started 2")
        .switch_to(&bob)
        .send("done 1")
        .expect("completing 1")
        .send("done 1")
        .expect("already 1")
        .expect_nothing()
        .switch_to(&eva)
        .expect("Job 1 is complete.")
        .expect_silence()
        .await;
    test.send("hi").expect_containing("ech").expect_silence().await;
    assert_eq!(eva.texts(), ["started 1", "started 2", "Job 1 is complete."]);
    assert_eq!(eva.shown()[2].reply_to_id, None, "a proactive message answers nothing");
    assert_eq!(test.engine().job(2).await.unwrap().unwrap().conversation.id, "eva");
}

#[tokio::test]
async fn every_way_to_expect_lets_through_what_it_names() {
    let test = obedient().await;
    test.user("eva")
        .joins()
        .expect("welcome")
        .send("x")
        .expect_one_of(["1: x", "2: x"])
        .send(Activity::message("y").with_locale("de"))
        .expect_with(|came| {
            assert_eq!((came.text(), came.locale.as_deref()), ("3: y", Some("de")));
            assert!(came.id.is_some() && came.reply_to_id.is_some());
            assert_eq!(came.timestamp.as_deref(), Some("2026-01-05T09:00:00Z"));
        })
        .send("z")
        .expect_like(json!({ "text": "4: z", "recipient": { "id": "eva" } }))
        .send("type")
        .expect_typing()
        .expect_that("a word", |came| came.text() == "typed")
        .invoke("add", json!(null))
        .answered_with(200, json!({ "heard": 6 }))
        .invoke("other", json!(null))
        .answered(501)
        .event("tell", "by the way")
        .expect("by the way")
        .expect_silence()
        .await;
}

#[tokio::test]
async fn what_is_changed_afterwards_is_told_from_what_is_new() {
    let test = obedient().await;
    let eva = test.user("eva");
    eva.send("change").expect("one moment").expect_update("there").expect("and gone").expect_delete().await;
    assert_eq!(eva.texts(), ["and gone"], "what is seen now");
    let said = complaint(eva.send("change").expect("one moment").expect("there")).await;
    assert!(said.contains("expected: \"there\"\n  came:     (updated) \"there\""), "{said}");
    let said = complaint(eva.expect("and gone").expect_update("there")).await;
    assert!(said.contains("came:     (deleted) \"there\""), "{said}");
}

#[tokio::test]
async fn typing_is_passed_over_by_choice() {
    let test = TestAdapter::builder().ignoring_typing().start_with(Obedient::new).await;
    test.send("type").expect("typed").send("type").expect("typed").expect_nothing().await;
    let loud = obedient().await;
    let said = complaint(loud.send("type").expect("typed")).await;
    assert!(said.contains("expected: \"typed\"\n  came:     [typing]"), "{said}");
}

#[tokio::test]
async fn an_activity_that_comes_again_is_one_turn() {
    let test = obedient().await;
    test.send("x").expect("1: x").again().expect_nothing().send("x").expect("2: x").expect_nothing().await;
    let said = complaint(test.user("user").script().again()).await;
    assert!(said.contains("nothing was sent in this script"), "{said}");
}

#[tokio::test]
async fn what_comes_instead_is_shown_with_the_talk_and_the_place_in_the_test() {
    let test = obedient().await;
    let line = line!() + 1;
    let said = complaint(test.send("x").expect("1: y")).await;
    assert!(
        said.contains(&format!("step 2 at crates/proact/tests/it/script.rs:{line}:"))
            || said.contains(&format!("step 2 at tests/it/script.rs:{line}:")),
        "{said}"
    );
    assert!(said.contains("expected: \"1: y\"\n  came:     \"1: x\""), "{said}");
    assert!(said.contains("the talk in test/user:\n        user: \"x\"\n       (bot): \"1: x\"\n"), "{said}");

    let said = complaint(test.send("x").expect_nothing()).await;
    assert!(said.contains("expected: nothing more\n  came:\n    in user: \"2: x\""), "{said}");
    let said = complaint(test.send("").answered_with(200, json!({}))).await;
    assert!(said.contains("expected the answer: 200 {}\n  came:                200"), "{said}");
    let said = complaint(
        test.send("x")
            .switch_to(&test.user("user"))
            .expect("2: x")
            .expect_like(json!({ "textFormat": "xml" })),
    )
    .await;
    assert!(
        said.contains("expected: textFormat: \"xml\"\n  came:     textFormat: null\n  in the activity \""),
        "{said}"
    );
    for text in [
        complaint(test.send("x").expect_one_of(["a", "b"])).await,
        complaint(test.send("x").expect_containing("z")).await,
        complaint(test.send("x").expect_typing()).await,
        complaint(test.send("x").expect_like(json!({ "recipient": { "id": "bob" } }))).await,
        complaint(test.send("x").expect_update_with(|_| {})).await,
        complaint(test.send("x").expect_that("a picture", |_| false)).await,
        complaint(test.send("x").expect_with(|came| assert_eq!(came.text(), "picture"))).await,
    ] {
        assert!(text.contains(": x\""), "{text}");
    }
}

#[tokio::test]
async fn a_turn_that_fails_ends_the_test_with_the_handlers_own_error() {
    let test = obedient().await;
    let said = complaint(test.send("fail").expect("never")).await;
    assert!(said.contains("step 1 at") && said.contains("answered \"fail\" with 500: as told"), "{said}");
    let said = complaint(test.send("panic")).await;
    assert!(said.contains("with 500: the handler panicked: as told"), "{said}");
    let said = complaint(test.send(Activity { activity_type: "".into(), ..Activity::default() })).await;
    assert!(said.contains("with 400") && said.contains("type"), "{said}");
    test.send("fail").answered(500).send("x").expect("1: x").await;
    let said = complaint(test.send("fail").answered(200)).await;
    assert!(said.contains("came:                500") && said.contains("(as told)"), "{said}");
    // A bot with manners.
    let polite = TestAdapter::builder()
        .adapter(|builder| builder.on_turn_error(|ctx, _| async { drop(ctx.send("Sorry.").await) }.boxed()))
        .start_with(Obedient::new)
        .await;
    polite.send("fail").expect("Sorry.").expect_silence().await;
}

#[tokio::test]
async fn time_is_moved_and_a_channel_refuses_as_the_test_says() {
    let test = obedient().await;
    let eva = test.user("eva");
    eva.channel_answers(503)
        .event("tell", "later")
        .expect_nothing()
        .advance(Duration::from_secs(5))
        .expect("later")
        .expect_nothing()
        .await;
    // Refused for good, it comes never, and the message says what is on record.
    eva.channel_answers(403).event("tell", "never").expect_nothing().advance(Duration::from_secs(3600)).await;
    let impatient = TestAdapter::builder().patience(Duration::from_secs(1)).start_with(Obedient::new).await;
    let said =
        complaint(impatient.send("").channel_answers(403).event("tell", "never").expect("never")).await;
    assert!(said.contains("came:     nothing within 1s"), "{said}");
    assert!(said.contains("on record: \"never\" is failed (the channel answered 403 TestAdapter"), "{said}");
    let later = impatient.user("bob").channel_answers(503).event("tell", "later").expect("later");
    let said = complaint(later).await;
    assert!(
        said.contains("is waiting (the channel answered 503")
            && said.contains("; not before 2026-01-05T09:00:"),
        "{said}"
    );
    assert!(said.contains("the bot's clock stands at 2026-01-05T09:00:00Z: advance it"), "{said}");
    let said = complaint(impatient.send(Activity {
        name: Some("x".to_owned()),
        activity_type: "invoke".into(),
        ..Activity::message("hang")
    }))
    .await;
    assert!(said.contains("gave no answer to [invoke \"x\"] within 1s"), "{said}");
    // A reply that is refused is the handler's own error.
    let said = complaint(eva.channel_answers(429).send("x")).await;
    assert!(said.contains("the activity was not taken by the channel: the channel answered 429"), "{said}");
}

#[tokio::test]
async fn what_is_refused_is_settled_only_when_it_waits_again() {
    // It goes from waiting to its way and back; each round meets another moment of that.
    let test = obedient().await;
    for _ in 0..100 {
        test.user("eva")
            .channel_answers(503)
            .event("tell", "later")
            .expect_nothing()
            .advance(Duration::from_secs(5))
            .expect("later")
            .expect_nothing()
            .await;
    }
}

#[tokio::test]
async fn what_an_operator_holds_back_is_nothing_until_it_is_resumed() {
    let test = TestAdapter::builder().patience(Duration::from_secs(1)).start_with(Obedient::new).await;
    let eva = test.user("eva");
    test.engine().pause(PauseScope::All, None).await.unwrap();
    eva.event("tell", "held").expect_nothing().await;
    let said = complaint(eva.expect("held")).await;
    assert!(said.contains("on record: \"held\" is waiting; paused: "), "{said}");
    test.engine().resume(PauseScope::All).await.unwrap();
    eva.expect("held").expect_silence().await;
}

#[tokio::test]
async fn a_group_sees_one_talk_and_a_person_has_several() {
    let test = obedient().await;
    let (eva, bob) = (test.user("eva").in_group("team"), test.user("bob").in_group("team"));
    eva.send("x").switch_to(&bob).expect("1: x").send("y").switch_to(&eva).expect("2: y").await;
    test.user("eva")
        .send("z")
        .expect("1: z")
        .switch_to(&eva.in_conversation("other"))
        .send("z")
        .expect("1: z")
        .await;
    let teams = test.user("eva").on("msteams").named("Eva");
    teams.send("z").expect("1: z").expect_silence().await;
    assert_eq!(
        (teams.conversation().channel_id(), teams.account().name.as_deref()),
        ("msteams", Some("Eva"))
    );
    assert_eq!(eva.reference().conversation.unwrap().is_group, Some(true));
}

#[tokio::test]
async fn what_is_on_record_survives_a_restart_and_what_was_in_memory_does_not() {
    let test = TestAdapter::new(TestBot).await;
    let eva = test.user("eva");
    eva.send("run").expect("started 1").await;
    test.restart(|_| TestBot).await;
    eva.send("done 1").expect("completing 1").expect("Job 1 is complete.").expect_silence().await;

    let test = obedient().await;
    test.send("x").expect("1: x").await;
    test.restart(Obedient::new).await;
    test.send("x").expect("2: x").await;
    test.user("user").channel_answers(503).event("tell", "later").expect_nothing().await;
    test.restart(Obedient::new).await;
    test.expect_silence().await;
    test.user("user").advance(Duration::from_secs(60)).expect("later").expect_silence().await;
}

#[tokio::test]
async fn the_program_around_the_bot_can_speak_first() {
    let test = obedient().await;
    let eva = test.user("eva");
    let parameters = ConversationParameters::one_to_one(ChannelAccount::new("bot"), eva.account().clone());
    let new = NewConversation::new("test", "http://localhost/", parameters);
    let hello = async |ctx: TurnContext| -> Result<(), BotError> {
        ctx.send("hello").await?;
        Ok(())
    };
    let reference = test.adapter().create_conversation(new, hello).await.unwrap();
    assert_eq!(reference.conversation_key().unwrap(), eva.conversation());
    eva.expect("hello").await;
    test.engine().notify(NewNotification::new(eva.conversation(), "news")).await.unwrap();
    eva.expect("news").await;
    test.adapter().continue_conversation(&eva.reference(), hello).await.unwrap();
    eva.expect("hello").expect_silence().await;
}

#[tokio::test]
async fn an_update_and_a_delete_are_seen_as_what_happens() {
    struct Progress;
    impl Bot for Progress {
        async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
            let id = ctx.send("0 %").await?.id.ok_or("no id")?;
            ctx.update(Activity::message("100 %").with_id(&id)).await?;
            ctx.delete(&id).await?;
            let gone = ctx.delete(&id).await.unwrap_err();
            assert_eq!(gone.cause::<proact::connector::Error>().and_then(|error| error.status()), Some(404));
            Ok(())
        }
    }
    let test = TestAdapter::new(Progress).await;
    test.send("go")
        .expect("0 %")
        .expect_update_with(|updated| {
            assert_eq!((updated.text(), updated.id.as_deref()), ("100 %", Some("a2")));
        })
        .expect_delete()
        .expect_nothing()
        .await;
}
