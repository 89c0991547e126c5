//! Twilio fails, webhooks are lost, the daemon is restarted: nothing that was owed is lost, and nothing happens twice.

use std::time::Duration;

use offdesk_sandbox::{CustomerCall, Operation, ReservationStatus, RestAct, RestFault, WebhookFaults};

use crate::house::{ADA, BOB, CUSTOMER, House, MOBILE, Plan};

const MINUTE: Duration = Duration::from_secs(60);

async fn talks_and_hangs_up(house: &House, call: &CustomerCall) {
    house.answers(ADA).await;
    house.pass(Duration::from_secs(20)).await;
    house.hangs_up(ADA).await;
    house.pass(Duration::from_secs(40)).await;
    assert_eq!(house.reservations(call), [ReservationStatus::Wrapping]);
    assert_eq!(house.activity(ADA), MOBILE);
    let ada = house.agent(ADA).await;
    assert!(ada.call.is_none() && ada.duties == 0, "{ada:?}");
}

/// Instructions that Twilio took.
fn taken(house: &House) -> usize {
    let calls = house.twilio.snapshot().calls;
    calls.iter().filter(|call| call.to == ADA).count()
}

#[tokio::test]
async fn an_offer_rings_although_twilio_was_down_for_a_minute() {
    let mut house = Plan::default().build().await;
    house.twilio_is_down(true);
    let call = house.customer_calls().await;
    house.pass(MINUTE).await;
    assert_eq!(taken(&house), 0);
    house.twilio_is_down(false);
    house.pass_until(Duration::from_secs(30), |state| state.is_ringing(ADA)).await;
    talks_and_hangs_up(&house, &call).await;
    assert_eq!(taken(&house), 1);
}

#[tokio::test]
async fn a_call_is_wrapped_up_although_twilio_was_down_for_a_minute_at_its_end() {
    let mut house = Plan::default().build().await;
    let call = house.customer_calls().await;
    house.rings(ADA).await;
    house.answers(ADA).await;
    house.twilio_is_down(true);
    house.hangs_up(ADA).await;
    house.pass(MINUTE).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Accepted]);
    house.twilio_is_down(false);
    house.pass(Duration::from_secs(30)).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Wrapping]);
}

#[tokio::test]
async fn a_throttled_request_is_made_again_and_acts_once() {
    for times in [1, 2, 5] {
        let house = Plan::default().build().await;
        house.twilio.fault(RestFault::fail(Operation::UpdateTaskReservation, times, 429, 20429));
        let call = house.customer_calls().await;
        house.pass_until(Duration::from_secs(40), |state| state.is_ringing(ADA)).await;
        talks_and_hangs_up(&house, &call).await;
        assert_eq!(taken(&house), 1, "{times}");
    }
}

#[tokio::test]
async fn an_instruction_whose_answer_was_lost_is_not_given_again() {
    let house = Plan::default().build().await;
    house.twilio.fault(RestFault::once(Operation::UpdateTaskReservation, RestAct::DropAfter));
    let call = house.customer_calls().await;
    house.pass_until(Duration::from_secs(10), |state| state.is_ringing(ADA)).await;
    house.pass(Duration::from_secs(5)).await;
    talks_and_hangs_up(&house, &call).await;
    assert_eq!(house.instructions().iter().filter(|entry| entry.status == Some(200)).count(), 0, "its answer was lost");
    assert_eq!(taken(&house), 1);
}

#[tokio::test]
async fn an_instruction_that_never_arrived_is_given_again() {
    for act in [RestAct::DropBefore, RestAct::Fail { status: 503, code: 20503, message: None, retry_after_s: None }] {
        let house = Plan::default().build().await;
        house.twilio.fault(RestFault::once(Operation::UpdateTaskReservation, act));
        let call = house.customer_calls().await;
        house.pass_until(Duration::from_secs(20), |state| state.is_ringing(ADA)).await;
        talks_and_hangs_up(&house, &call).await;
        assert_eq!(taken(&house), 1);
    }
}

#[tokio::test]
async fn a_number_that_cannot_be_called_gives_the_customer_to_the_next_agent() {
    for code in [40145, 40141] {
        let house = Plan::of_two().build().await;
        house.twilio.fault(RestFault::fail(Operation::UpdateTaskReservation, 1, 400, code));
        let call = house.customer_calls().await;
        house.pass_until(Duration::from_secs(30), |state| state.is_ringing(BOB)).await;
        assert_eq!(house.reservations(&call)[0], ReservationStatus::Rejected, "{code}");
    }
    // Not once, but always: the number is Ada's.
    let house = Plan::of_two().build().await;
    house.twilio.set_unroutable(ADA);
    let call = house.customer_calls().await;
    house.pass_until(Duration::from_secs(30), |state| state.is_ringing(BOB)).await;
    assert_eq!(house.reservations(&call)[0], ReservationStatus::Rejected);
}

#[tokio::test]
async fn lost_webhooks_are_found_in_the_event_log() {
    let house = Plan::default().build().await;
    house.twilio.set_webhook_faults(WebhookFaults { drop_next: u32::MAX, ..WebhookFaults::default() });
    let call = house.customer_calls().await;
    // A busy machine may finish the reading at the start only after some of this time has passed on the house's clock.
    house.pass_until(Duration::from_secs(110), |state| state.is_ringing(ADA)).await;
    house.twilio.answer(ADA).unwrap();
    house.pass(Duration::from_secs(10)).await;
    house.twilio.hang_up(ADA).unwrap();
    house
        .pass_until(Duration::from_secs(200), |state| {
            state.reservation_of(&call.task_sid).is_some_and(|row| row.status == ReservationStatus::Wrapping)
        })
        .await;
    house.pass(Duration::from_secs(130)).await;
    let ada = house.agent(ADA).await;
    assert!(ada.call.is_none() && ada.duties == 0, "{ada:?}");
}

#[tokio::test]
async fn a_restart_while_it_rings_loses_nothing() {
    let mut house = Plan::default().build().await;
    let call = house.customer_calls().await;
    house.rings(ADA).await;
    house.restart().await;
    talks_and_hangs_up(&house, &call).await;
    assert_eq!(house.instructions().len(), 1);
}

#[tokio::test]
async fn a_call_that_ends_while_the_daemon_is_down_is_wrapped_up_at_its_start() {
    let mut house = Plan::default().build().await;
    let call = house.customer_calls().await;
    house.rings(ADA).await;
    house.answers(ADA).await;
    house.stop();
    house.twilio.hang_up(ADA).unwrap();
    house.pass(Duration::from_secs(20)).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Accepted]);
    house.start().await;
    house.pass(Duration::from_secs(30)).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Wrapping]);
}

#[tokio::test]
async fn an_offer_made_while_the_daemon_is_down_rings_after_its_start() {
    let mut house = Plan::default().build().await;
    house.quiet().await;
    house.stop();
    let call = house.twilio.place_call(crate::house::CUSTOMER);
    house.pass(Duration::from_secs(20)).await;
    house.start().await;
    house.pass_until(Duration::from_secs(10), |state| state.is_ringing(ADA)).await;
    talks_and_hangs_up(&house, &call).await;
}

#[tokio::test]
async fn a_restart_while_twilio_is_owed_something_pays_it() {
    let mut house = Plan::default().build().await;
    let call = house.customer_calls().await;
    house.rings(ADA).await;
    house.answers(ADA).await;
    house.twilio_is_down(true);
    house.hangs_up(ADA).await;
    house.pass(Duration::from_secs(10)).await;
    house.restart().await;
    house.pass(Duration::from_secs(10)).await;
    house.twilio_is_down(false);
    house.pass(Duration::from_secs(40)).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Wrapping]);
    assert_eq!(house.agent(ADA).await.duties, 0);
}

#[tokio::test]
async fn an_activity_that_twilio_refuses_is_set_until_it_holds() {
    let house = Plan::default().calls("missed_keep_activity = 0").build().await;
    house.twilio.fault(RestFault::fail(Operation::UpdateWorker, 3, 500, 20500));
    house.customer_calls().await;
    house.rings(ADA).await;
    house.twilio.decline(ADA).unwrap();
    house.pass(MINUTE).await;
    assert_eq!(house.activity(ADA), "Offline");
}

#[tokio::test]
async fn a_change_by_the_agent_ends_our_own_attempts() {
    let house = Plan::default().calls("missed_keep_activity = 0").build().await;
    house.twilio.fault(RestFault { operation: Some(Operation::UpdateWorker), times: None, act: RestAct::DropBefore });
    house.customer_calls().await;
    house.rings(ADA).await;
    house.twilio.decline(ADA).unwrap();
    house.pass(Duration::from_secs(5)).await;
    house.twilio.set_activity(&format!("user-{ADA}"), "Break").unwrap();
    house.pass(Duration::from_secs(5)).await;
    house.twilio.clear_faults();
    house.pass(MINUTE).await;
    assert_eq!(house.activity(ADA), "Break");
}

#[tokio::test]
async fn what_happened_while_the_daemon_was_away_is_found_however_much_came_after_it() {
    let mut house = Plan::of_two().build().await;
    house.stop();
    house.twilio.set_webhook_faults(WebhookFaults { drop_next: u32::MAX, ..WebhookFaults::default() });
    let call = house.twilio.place_call(CUSTOMER);
    let desk = house.twilio.snapshot().agent(BOB).unwrap().worker_sid.to_string();
    // Two pages more than are read in one go.
    for number in 0..2200 {
        house.away(Duration::from_millis(10));
        house.twilio.set_activity(&desk, if number % 2 == 0 { "Offline" } else { MOBILE }).unwrap();
    }
    house.start().await;
    house.pass_until(Duration::from_secs(10), |state| state.is_ringing(ADA)).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Pending]);
}
