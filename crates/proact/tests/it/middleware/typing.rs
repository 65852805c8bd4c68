//! Typing is shown while a handler is slow, where there is somebody to show it to.

use std::time::Duration;

use proact::{
    activity::{Activity, ActivityType, ChannelAccount, DeliveryMode},
    adapter::Adapter,
    middleware::ShowTyping,
    turn::{NextHook, OutgoingHook, SendError, TurnContext},
};

use super::{Does, Sheet, message, post};

fn busy_for(millis: u64) -> impl proact::turn::Bot {
    Does(move |ctx: TurnContext| async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        if millis > 0 {
            assert!(!ctx.responded(), "typing is no response");
        }
        ctx.send("done").await?;
        Ok(())
    })
}

fn adapter(sheet: &Sheet, millis: u64) -> Adapter {
    Adapter::builder(busy_for(millis)).outbound(sheet.clone()).middleware(ShowTyping::new()).build()
}

#[tokio::test(start_paused = true)]
async fn it_is_shown_from_time_to_time_and_ends_with_the_turn() {
    let sheet = Sheet::new();
    let adapter = adapter(&sheet, 4600);
    assert_eq!(post(&adapter, &message("c", "x")).await.status, 200);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let typing = |at| (at, "typing ".to_owned());
    let lines: Vec<_> = sheet.lines().into_iter().map(|(at, line)| (at / 100 * 100, line)).collect();
    assert_eq!(lines, [typing(500), typing(2500), typing(4500), (4600, "message done".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_quick_turn_shows_none() {
    let sheet = Sheet::new();
    post(&adapter(&sheet, 400), &message("c", "x")).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(sheet.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_people_who_wait_for_a_message_see_it() {
    let sheet = Sheet::new();
    let adapter = adapter(&sheet, 4000);
    let event = Activity { activity_type: ActivityType::Event, ..message("c", "x") };
    post(&adapter, &event).await;
    let skill = message("c", "x").with_recipient(ChannelAccount::new("bot").with_role("skill"));
    post(&adapter, &skill).await;
    let waits_for_replies = message("c", "x").with_delivery_mode(DeliveryMode::ExpectReplies);
    post(&adapter, &waits_for_replies).await;
    adapter
        .continue_conversation(&message("c", "x").reference(), async |ctx: TurnContext| {
            tokio::time::sleep(Duration::from_secs(4)).await;
            ctx.send("by the way").await?;
            Ok(())
        })
        .await
        .unwrap();
    let texts: Vec<_> = sheet.lines().into_iter().map(|(_, line)| line).collect();
    assert_eq!(texts, ["message done", "message done", "message by the way"]);
}

#[tokio::test(start_paused = true)]
async fn its_rhythm_can_be_chosen_within_reason_and_a_turn_that_hangs_is_not_busy() {
    let sheet = Sheet::new();
    let eager =
        ShowTyping::new().delay(Duration::ZERO).period(Duration::ZERO).at_most(Duration::from_millis(450));
    let adapter = Adapter::builder(busy_for(5000)).outbound(sheet.clone()).middleware(eager).build();
    post(&adapter, &message("c", "x")).await;
    assert_eq!(
        sheet.lines().len(),
        5 + 1,
        "every tenth of a second at most, and for no longer than it was told"
    );
}

/// No hook sees it, and one that it would fail at does not matter.
#[tokio::test(start_paused = true)]
async fn a_turn_does_not_notice_it() {
    struct NoTyping;
    impl OutgoingHook for NoTyping {
        async fn on_send(
            &self,
            ctx: &TurnContext,
            activity: Activity,
            next: NextHook<'_>,
        ) -> Result<proact::activity::ResourceResponse, SendError> {
            assert_ne!(activity.activity_type, ActivityType::Typing);
            next.send(ctx, activity).await
        }
    }
    let sheet = Sheet::new();
    let bot = Does(|ctx: TurnContext| async move {
        ctx.hook(NoTyping);
        tokio::time::sleep(Duration::from_secs(1)).await;
        ctx.send("done").await?;
        Ok(())
    });
    let adapter = Adapter::builder(bot).outbound(sheet.clone()).middleware(ShowTyping::new()).build();
    assert_eq!(post(&adapter, &message("c", "x")).await.status, 200);
    assert_eq!(sheet.lines().len(), 2);
}
