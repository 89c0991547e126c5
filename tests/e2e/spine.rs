//! The spine: a customer calls, the agent's cell phone rings, and reservation, task and agent end up right.

use std::time::Duration;

use offdesk_sandbox::{ReservationStatus, TaskStatus};

use crate::house::{ADA, MOBILE, Plan};

#[tokio::test]
async fn a_call_rings_is_answered_and_is_wrapped_up_when_the_agent_hangs_up() {
    let house = Plan::default().build().await;
    let call = house.customer_calls().await;
    house.rings(ADA).await;
    house.answers(ADA).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Accepted]);
    house.hangs_up(ADA).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Wrapping]);
    assert_eq!(house.activity(ADA), MOBILE);
    let instructions = house.instructions();
    assert_eq!(instructions.len(), 1);
    let param = |name: &str| instructions[0].param(name).map(str::to_owned).unwrap_or_default();
    assert_eq!(param("To"), ADA);
    assert_eq!(param("From"), "+15550100");
    assert_eq!(param("Timeout"), "13");
    assert_eq!(param("EndConferenceOnExit"), "true");
    assert_eq!(param("EndConferenceOnCustomerExit"), "true");
}

#[tokio::test]
async fn with_complete_the_task_is_completed_at_hang_up() {
    let house = Plan::default().calls("complete = \"complete\"").build().await;
    let call = house.customer_calls().await;
    house.rings(ADA).await;
    house.answers(ADA).await;
    house.hangs_up(ADA).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Completed]);
    assert_eq!(house.twilio.snapshot().task(&call.task_sid).map(|task| task.status), Some(TaskStatus::Completed));
}

#[tokio::test]
async fn a_lone_agent_who_never_answers_costs_the_task_two_assignments_and_goes_offline() {
    let house = Plan::default().build().await;
    let call = house.customer_calls().await;
    house.rings(ADA).await;
    house.pass_until(Duration::from_secs(120), |state| state.agent(ADA).is_some_and(|ada| !ada.available)).await;
    house.pass(Duration::from_secs(120)).await;
    assert_eq!(house.twilio.snapshot().task(&call.task_sid).map(|task| task.assignments), Some(2));
    assert_eq!(house.activity(ADA), "Offline");
}

#[tokio::test]
async fn calls_are_recorded_as_flex_or_the_operator_says() {
    let hook = "https://flex.example/recordings";
    for (flex, record, recorded) in
        [(true, "flex", true), (false, "flex", false), (false, "always", true), (true, "never", false)]
    {
        let plan = Plan::default().calls(&format!("record = \"{record}\"")).twilio(|twilio| {
            twilio.recording = flex;
            twilio.recording_webhook = Some(hook.to_owned());
        });
        let house = plan.build().await;
        house.customer_calls().await;
        house.rings(ADA).await;
        let instruction = house.instructions().remove(0);
        let asked = instruction.param("ConferenceRecord").is_some_and(|value| value != "false");
        let told = instruction.param("ConferenceRecordingStatusCallback") == Some(hook);
        assert_eq!((asked, told), (recorded, recorded && flex), "Flex {flex}, record = {record}");
    }
}

#[tokio::test]
async fn twilio_is_told_where_to_report_on_each_leg() {
    let house = Plan::default().build().await;
    house.customer_calls().await;
    house.rings(ADA).await;
    let instruction = house.instructions().remove(0);
    let base = format!("http://{}/webhooks", house.ready.http);
    for (name, door) in [("StatusCallback", "call"), ("ConferenceStatusCallback", "conference")] {
        assert_eq!(instruction.param(name), Some(format!("{base}/{door}?call=0000000000000001-1&leg=1").as_str()));
    }
}
