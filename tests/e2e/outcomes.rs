//! What may become of a call, each also with callbacks that come twice, late, or out of order: whatever happens,
//! reservation, task and agent end up right.

use std::time::Duration;

use offdesk_sandbox::{CustomerCall, Reorder, ReservationStatus, TaskStatus, WebhookFaults};

use crate::house::{ADA, BOB, House, MOBILE, Plan};

/// How webhooks come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mail {
    Prompt,
    Twice,
    TwiceWithNewTokens,
    Late,
    LastFirst,
    Shuffled(u64),
}

pub(crate) const EVERY_MAIL: [Mail; 7] = [
    Mail::Prompt,
    Mail::Twice,
    Mail::TwiceWithNewTokens,
    Mail::Late,
    Mail::LastFirst,
    Mail::Shuffled(1),
    Mail::Shuffled(2),
];

impl Mail {
    pub(crate) fn faults(self) -> WebhookFaults {
        let none = WebhookFaults::default();
        match self {
            Self::Prompt => none,
            Self::Twice => WebhookFaults { duplicates: 1, ..none },
            Self::TwiceWithNewTokens => WebhookFaults { duplicates: 1, duplicates_with_new_token: true, ..none },
            Self::Late => WebhookFaults { delay_ms: 2500, ..none },
            Self::LastFirst => WebhookFaults { reorder: Some(Reorder { window: 4, seed: None }), ..none },
            Self::Shuffled(seed) => WebhookFaults { reorder: Some(Reorder { window: 4, seed: Some(seed) }), ..none },
        }
    }
}

/// Ada's phone rings for a customer; webhooks come as `mail` says.
async fn ringing(plan: Plan, mail: Mail) -> (House, CustomerCall) {
    let house = plan.build().await;
    house.twilio.set_webhook_faults(mail.faults());
    let call = house.customer_calls().await;
    house.pass_until(Duration::from_secs(10), |state| state.is_ringing(ADA)).await;
    (house, call)
}

/// Time enough for late mail and for what it causes.
async fn settle(house: &House) {
    house.pass(Duration::from_secs(15)).await;
}

async fn talked_with_ada(house: &House, call: &CustomerCall, mail: Mail) {
    settle(house).await;
    assert_eq!(house.reservations(call), [ReservationStatus::Wrapping], "{mail:?}");
    assert_eq!(house.activity(ADA), MOBILE, "{mail:?}");
    assert_eq!(house.instructions().len(), 1, "{mail:?}");
    let ada = house.agent(ADA).await;
    assert!(ada.call.is_none() && ada.missed_in_a_row == 0 && ada.duties == 0, "{mail:?}: {ada:?}");
}

#[tokio::test]
async fn the_agent_answers_and_hangs_up() {
    for mail in EVERY_MAIL {
        let (house, call) = ringing(Plan::default(), mail).await;
        house.answers(ADA).await;
        house.pass(Duration::from_secs(30)).await;
        house.hangs_up(ADA).await;
        talked_with_ada(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_agent_answers_and_the_customer_hangs_up() {
    for mail in EVERY_MAIL {
        let (house, call) = ringing(Plan::default(), mail).await;
        house.answers(ADA).await;
        house.pass(Duration::from_secs(30)).await;
        house.twilio.customer_hangs_up(&call.call_sid).unwrap();
        talked_with_ada(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_agent_answers_and_hangs_up_at_once() {
    for mail in EVERY_MAIL {
        let (house, call) = ringing(Plan::default(), mail).await;
        house.twilio.answer(ADA).unwrap();
        house.twilio.hang_up(ADA).unwrap();
        talked_with_ada(&house, &call, mail).await;
    }
}

/// Ada did not answer; Bob got the customer, and Ada is where she was.
async fn bob_takes_it(house: &House, call: &CustomerCall, mail: Mail) {
    house.pass_until(Duration::from_secs(60), |state| state.is_ringing(BOB)).await;
    house.answers(BOB).await;
    settle(house).await;
    house.hangs_up(BOB).await;
    settle(house).await;
    assert_eq!(house.reservations(call), [ReservationStatus::Canceled, ReservationStatus::Wrapping], "{mail:?}");
    assert_eq!(house.activity(ADA), MOBILE, "{mail:?}");
    let (ada, bob) = (house.agent(ADA).await, house.agent(BOB).await);
    assert!(ada.call.is_none() && ada.missed_in_a_row == 1 && ada.duties == 0, "{mail:?}: {ada:?}");
    assert!(bob.call.is_none() && bob.missed_in_a_row == 0 && bob.duties == 0, "{mail:?}: {bob:?}");
}

#[tokio::test]
async fn nobody_answers_and_the_next_agent_gets_the_customer() {
    for mail in EVERY_MAIL {
        let (house, call) = ringing(Plan::of_two(), mail).await;
        bob_takes_it(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_phone_is_busy_and_the_next_agent_gets_the_customer() {
    for mail in EVERY_MAIL {
        let (house, call) = ringing(Plan::of_two(), mail).await;
        house.twilio.decline(ADA).unwrap();
        bob_takes_it(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_phone_is_out_of_reach_and_the_next_agent_gets_the_customer() {
    for mail in EVERY_MAIL {
        let house = Plan::of_two().build().await;
        house.twilio.set_reachable(ADA, false);
        house.twilio.set_webhook_faults(mail.faults());
        let call = house.customer_calls().await;
        bob_takes_it(&house, &call, mail).await;
    }
}

/// The call came to nothing, and nobody missed anything.
async fn came_to_nothing(house: &House, call: &CustomerCall, status: ReservationStatus, mail: Mail) {
    settle(house).await;
    assert_eq!(house.reservations(call), [status], "{mail:?}");
    assert_eq!(house.activity(ADA), MOBILE, "{mail:?}");
    assert!(house.twilio.snapshot().call_at(ADA).is_none(), "{mail:?}: a leg is left");
    let ada = house.agent(ADA).await;
    assert!(ada.call.is_none() && ada.missed_in_a_row == 0 && ada.duties == 0, "{mail:?}: {ada:?}");
}

#[tokio::test]
async fn the_customer_hangs_up_while_it_rings() {
    for mail in EVERY_MAIL {
        let (house, call) = ringing(Plan::default(), mail).await;
        house.twilio.customer_hangs_up(&call.call_sid).unwrap();
        came_to_nothing(&house, &call, ReservationStatus::Canceled, mail).await;
        let status = house.twilio.snapshot().task(&call.task_sid).map(|task| task.status);
        assert_eq!(status, Some(TaskStatus::Canceled), "{mail:?}");
    }
}

#[tokio::test]
async fn the_customer_hangs_up_before_the_offer_is_heard_of() {
    for mail in EVERY_MAIL {
        let house = Plan::default().build().await;
        house.twilio.set_webhook_faults(mail.faults());
        let call = house.twilio.place_call(crate::house::CUSTOMER);
        house.twilio.customer_hangs_up(&call.call_sid).unwrap();
        came_to_nothing(&house, &call, ReservationStatus::Canceled, mail).await;
    }
}

#[tokio::test]
async fn an_agent_on_a_call_is_passed_over_and_has_missed_nothing() {
    for mail in EVERY_MAIL {
        let (house, first) = ringing(Plan::of_two().twilio(|twilio| twilio.voice_capacity = 2), mail).await;
        house.answers(ADA).await;
        settle(&house).await;
        house.twilio.set_activity(&format!("user-{BOB}"), "Offline").unwrap();
        settle(&house).await;
        let second = house.customer_calls().await;
        settle(&house).await;
        assert_eq!(house.reservations(&second)[0], ReservationStatus::Rejected, "{mail:?}");
        assert_eq!(house.reservations(&first), [ReservationStatus::Accepted], "{mail:?}");
        assert_eq!(house.agent(ADA).await.missed_in_a_row, 0, "{mail:?}");
        assert_eq!(house.instructions().len(), 1, "{mail:?}: the second call rang");
        // Nobody else is there: it waits for the end of the first call, and rings then.
        house.hangs_up(ADA).await;
        house.pass_until(Duration::from_secs(20), |state| state.is_ringing(ADA)).await;
    }
}

#[tokio::test]
async fn in_any_other_activity_nothing_rings() {
    for activity in ["Available", "Break"] {
        let house = Plan::default().build().await;
        house.twilio.set_activity(&format!("user-{ADA}"), activity).unwrap();
        house.customer_calls().await;
        settle(&house).await;
        assert!(house.instructions().is_empty(), "{activity}");
    }
}
