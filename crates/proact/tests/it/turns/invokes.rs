//! Invokes: typed, answered, and refused by the field.

use proact::{
    activity::{
        Activity, ActivityType, Attachment, DeliveryMode,
        card::{AdaptiveCard, HeroCard},
        invoke::{
            AdaptiveCardInvoke, AdaptiveCardResponse, ConfigResponse, FileConsent, LinkQuery,
            MessageExtensionAction, MessageExtensionQuery, MessageExtensionResponse, SigninFailure,
            SigninState, TaskInfo, TaskRequest, TaskResponse, TokenExchangeFailure, TokenExchangeRequest,
        },
    },
    adapter::{Adapter, Answer},
    turn::{ActivityHandler, BotError, Invoke, InvokeResponse, Invokes, TurnContext},
};
use serde_json::{Value, json};

use super::book::{Book, Does, message, post};

type Answered = Result<InvokeResponse, BotError>;

/// Answers everything with what it understood.
struct Teams;

impl ActivityHandler for Teams {
    async fn on_adaptive_card_action(&self, _: &TurnContext, it: AdaptiveCardInvoke) -> Answered {
        Ok(match it.verb() {
            "card" => AdaptiveCardResponse::card(AdaptiveCard::new("1.5")),
            "bad" => AdaptiveCardResponse::error(400, "BadRequest", "no"),
            verb => AdaptiveCardResponse::message(verb),
        }
        .into())
    }
    async fn on_task_fetch(&self, _: &TurnContext, it: TaskRequest) -> Answered {
        let data: Value = it.data_as()?;
        let card = AdaptiveCard::new("1.5").with("fallbackText", data);
        Ok(TaskResponse::show(TaskInfo::card("Title", card).with_size("small", 200)).into())
    }
    async fn on_task_submit(&self, _: &TurnContext, _: TaskRequest) -> Answered {
        Ok(TaskResponse::message("Thanks").into())
    }
    async fn on_message_extension_query(&self, _: &TurnContext, it: MessageExtensionQuery) -> Answered {
        let hit = it.parameter("q").unwrap_or("nothing");
        Ok(MessageExtensionResponse::results([HeroCard::new(hit)]).into())
    }
    async fn on_message_extension_select_item(&self, _: &TurnContext, item: Value) -> Answered {
        Ok(MessageExtensionResponse::message(item["id"].to_string()).into())
    }
    async fn on_message_extension_fetch_task(&self, _: &TurnContext, it: MessageExtensionAction) -> Answered {
        let dialog = TaskInfo::page(it.command_id.unwrap_or_default(), "https://example.org/");
        Ok(MessageExtensionResponse::from(TaskResponse::show(dialog)).into())
    }
    async fn on_message_extension_submit_action(
        &self,
        _: &TurnContext,
        it: MessageExtensionAction,
    ) -> Answered {
        let preview = it.bot_activity_preview.into_iter().next();
        Ok(MessageExtensionResponse::preview(preview.ok_or("no preview")?).into())
    }
    async fn on_message_extension_query_link(&self, _: &TurnContext, it: LinkQuery) -> Answered {
        let link = Attachment::link("text/html", it.url.unwrap_or_default());
        Ok(MessageExtensionResponse::results([link]).into())
    }
    async fn on_file_consent_accept(&self, _: &TurnContext, it: FileConsent) -> Answered {
        assert!(!format!("{it:?}").contains("upload.example"), "where it goes is not shown");
        Ok(InvokeResponse::ok())
    }
    async fn on_file_consent_decline(&self, _: &TurnContext, it: FileConsent) -> Answered {
        Ok(InvokeResponse::json(it.context.unwrap_or_default()))
    }
    async fn on_signin_verify_state(&self, _: &TurnContext, it: SigninState) -> Answered {
        Ok(InvokeResponse::status(if it.state.is_some() { 200 } else { 404 }))
    }
    async fn on_signin_token_exchange(&self, _: &TurnContext, it: TokenExchangeRequest) -> Answered {
        Ok(TokenExchangeFailure { id: it.id, failure_detail: Some("no".into()), ..Default::default() }.into())
    }
    async fn on_signin_failure(&self, _: &TurnContext, it: SigninFailure) -> Answered {
        assert_eq!(it.code.as_deref(), Some("resourcematchfailed"));
        Ok(InvokeResponse::ok())
    }
    async fn on_config_fetch(&self, _: &TurnContext, _: Value) -> Answered {
        Ok(ConfigResponse::message("none").into())
    }
    async fn on_invoke(&self, ctx: &TurnContext, name: &str) -> Answered {
        match name {
            "own" => InvokeResponse::json_of(&("own", ctx.activity().text())),
            // The other way to answer.
            "by the context" => {
                ctx.set_invoke_response(InvokeResponse::status(202));
                Ok(InvokeResponse::not_implemented())
            }
            "status" => Ok(InvokeResponse::error(409, "Conflict", "twice")),
            "fail" => Err("as asked".into()),
            _ => Ok(InvokeResponse::not_implemented()),
        }
    }
}

fn invoke(name: &str, value: Value) -> Activity {
    let activity = Activity { name: Some(name.to_owned()), ..message("c", "t") };
    Activity { activity_type: ActivityType::Invoke, ..activity.with_id(uuid::Uuid::new_v4().to_string()) }
        .with_value(value)
}

fn read(answer: &Answer) -> (u16, Value) {
    let body = answer.body.as_deref().map(|body| serde_json::from_slice(body).unwrap());
    (answer.status, body.unwrap_or_default())
}

async fn ask(adapter: &Adapter, name: &str, value: Value) -> (u16, Value) {
    read(&post(adapter, &invoke(name, value)).await.unwrap())
}

#[tokio::test]
async fn the_invokes_that_people_use_are_read_and_answered_by_their_types() {
    let adapter = Book::default().adapter(Teams);
    let card = json!({"type": "AdaptiveCard", "version": "1.5"});
    let preview = json!({"type": "message", "text": "see", "x": 1});
    for (name, value, status, body) in [
        (
            "adaptiveCard/action",
            json!({"action": {"type": "Action.Execute", "verb": "card", "data": {}}, "trigger": "manual"}),
            200,
            json!({"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": card}),
        ),
        (
            "adaptiveCard/action",
            json!({"action": {"verb": "hi"}}),
            200,
            json!({"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "hi"}),
        ),
        (
            "adaptiveCard/action",
            json!({"action": {"verb": "bad"}}),
            200,
            json!({"statusCode": 400, "type": "application/vnd.microsoft.error", "value": {"code": "BadRequest", "message": "no"}}),
        ),
        (
            "task/fetch",
            json!({"data": "d", "context": {"theme": "dark"}}),
            200,
            json!({"task": {"type": "continue", "value": {"title": "Title", "width": "small", "height": 200, "card": {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {"type": "AdaptiveCard", "version": "1.5", "fallbackText": "d"}
            }}}}),
        ),
        ("task/submit", json!({"data": {}}), 200, json!({"task": {"type": "message", "value": "Thanks"}})),
        (
            "composeExtension/query",
            json!({"commandId": "s", "parameters": [{"name": "q", "value": "bern"}], "queryOptions": {"skip": 0, "count": 25}}),
            200,
            json!({"composeExtension": {"type": "result", "attachmentLayout": "list", "attachments": [
                {"contentType": "application/vnd.microsoft.card.hero", "content": {"title": "bern"}}
            ]}}),
        ),
        (
            "composeExtension/selectItem",
            json!({"id": 7}),
            200,
            json!({"composeExtension": {"type": "message", "text": "7"}}),
        ),
        (
            "composeExtension/fetchTask",
            json!({"commandId": "new"}),
            200,
            json!({"task": {"type": "continue", "value": {"title": "new", "url": "https://example.org/"}}}),
        ),
        (
            "composeExtension/submitAction",
            json!({"botMessagePreviewAction": "send", "botActivityPreview": [preview]}),
            200,
            json!({"composeExtension": {"type": "botMessagePreview", "activityPreview": preview}}),
        ),
        (
            "composeExtension/queryLink",
            json!({"url": "https://example.org/1"}),
            200,
            json!({"composeExtension": {"type": "result", "attachmentLayout": "list", "attachments": [
                {"contentType": "text/html", "contentUrl": "https://example.org/1"}
            ]}}),
        ),
        // Not written, and nothing more general answers it.
        ("composeExtension/anonymousQueryLink", json!({"url": "https://example.org/1"}), 501, Value::Null),
        (
            "fileConsent/invoke",
            json!({"action": "accept", "uploadInfo": {"uploadUrl": "https://upload.example/1", "name": "a.pdf"}}),
            200,
            Value::Null,
        ),
        ("fileConsent/invoke", json!({"action": "decline", "context": {"job": 17}}), 200, json!({"job": 17})),
        ("signin/verifyState", json!({"state": "123"}), 200, Value::Null),
        ("signin/failure", json!({"code": "resourcematchfailed", "message": "m"}), 200, Value::Null),
        (
            "signin/tokenExchange",
            json!({"id": "i", "token": "t"}),
            412,
            json!({"id": "i", "failureDetail": "no"}),
        ),
        (
            "config/fetch",
            Value::Null,
            200,
            json!({"responseType": "config", "config": {"type": "message", "value": "none"}}),
        ),
        ("config/submit", json!({"data": {}}), 501, Value::Null),
        ("own", Value::Null, 200, json!(["own", "t"])),
        ("by the context", Value::Null, 202, Value::Null),
        ("status", Value::Null, 409, json!({"error": {"code": "Conflict", "message": "twice"}})),
        ("nobody's", Value::Null, 501, Value::Null),
        ("fail", Value::Null, 500, Value::Null),
    ] {
        let found = ask(&adapter, name, value).await;
        assert_eq!(found.0, status, "{name}: {found:?}");
        if status < 500 {
            assert_eq!(found.1, body, "{name}");
        } else {
            assert!(found.1["error"]["code"].is_string(), "{name}: {found:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_value_is_answered_400_with_the_fields_name() {
    let adapter = Book::default().adapter(Teams);
    for (name, value, field) in [
        ("adaptiveCard/action", json!("secret"), "value:"),
        ("adaptiveCard/action", Value::Null, "value: missing"),
        ("adaptiveCard/action", json!({"action": {"verb": ["secret"]}}), "value.action.verb:"),
        ("task/fetch", json!([]), "value:"),
        ("composeExtension/query", json!({"parameters": [{}, {"name": 5}]}), "value.parameters[1].name:"),
        ("composeExtension/query", json!({"queryOptions": {"count": "secret"}}), "value.queryOptions.count:"),
        (
            "composeExtension/submitAction",
            json!({"botActivityPreview": [{"text": "x"}]}),
            "value.botActivityPreview[0].type:",
        ),
        ("fileConsent/invoke", json!({"action": "secret"}), "value.action:"),
        (
            "fileConsent/invoke",
            json!({"action": "accept", "uploadInfo": {"uploadUrl": 5}}),
            "value.uploadInfo.uploadUrl:",
        ),
        ("signin/verifyState", json!({"state": {}}), "value.state:"),
        ("signin/tokenExchange", json!({"token": true}), "value.token:"),
    ] {
        let (status, body) = ask(&adapter, name, value.clone()).await;
        let text = body["error"]["message"].as_str().unwrap_or_default();
        assert_eq!((status, body["error"]["code"].as_str()), (400, Some("BadArgument")), "{name} {value}");
        assert!(text.starts_with(field), "{name} {value}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[derive(serde::Deserialize)]
struct Rate {
    stars: u8,
}

impl Invoke for Rate {
    const NAME: &'static str = "shop/rate";
    type Answer = Value;
}

#[derive(serde::Deserialize)]
struct Close;

impl Invoke for Close {
    const NAME: &'static str = "shop/close";
    type Answer = ();
}

fn shop() -> Invokes {
    Invokes::new()
        .on(|_, _: Rate| async { unreachable!("the second takes its place") })
        .on(|ctx: TurnContext, rate: Rate| async move {
            if rate.stars > 5 {
                return Err("too many".into());
            }
            Ok(json!({"stars": rate.stars, "said": ctx.activity().text()}))
        })
        .on(|_, _: Close| async { Ok(()) })
}

#[tokio::test]
async fn an_authors_own_invokes_are_typed_as_well() {
    struct Shop(Invokes);
    impl ActivityHandler for Shop {
        async fn on_invoke(&self, ctx: &TurnContext, _: &str) -> Answered {
            self.0.answer(ctx).await
        }
    }
    let within = Book::default().adapter(Shop(shop()));
    let plain = Does(|ctx: TurnContext| async move {
        ctx.set_invoke_response(InvokeResponse::status(204));
        Ok(())
    });
    let around = Adapter::builder(plain).middleware(shop()).build();
    for (adapter, unknown) in [(&within, 501), (&around, 204)] {
        let rated = ask(adapter, "shop/rate", json!({"stars": 5})).await;
        assert_eq!(rated, (200, json!({"stars": 5, "said": "t"})));
        let (status, body) = ask(adapter, "shop/rate", json!({"stars": "five"})).await;
        assert_eq!(
            (status, body["error"]["message"].as_str().unwrap().split(':').next()),
            (400, Some("value.stars"))
        );
        assert_eq!(ask(adapter, "shop/rate", json!({"stars": 6})).await.0, 500);
        assert_eq!(ask(adapter, "shop/close", Value::Null).await, (200, Value::Null));
        assert_eq!(
            ask(adapter, "Shop/close", Value::Null).await.0,
            unknown,
            "names are compared as they are"
        );
    }
    // What is no invoke goes by.
    assert_eq!(post(&around, &message("c", "x")).await.unwrap().status, 200);
}

#[tokio::test]
async fn who_waits_for_replies_finds_the_response_among_them() {
    let adapter = Book::default().adapter(Teams);
    let expecting = invoke("own", Value::Null).with_delivery_mode(DeliveryMode::ExpectReplies);
    let (status, body) = read(&post(&adapter, &expecting).await.unwrap());
    let response = json!({"type": "invokeResponse", "value": {"status": 200, "body": ["own", "t"]}});
    assert_eq!((status, body), (200, json!({"activities": [response]})));
}
