//! `calls.confirm = "press-1"`: whoever answers the cell phone is asked, and only a key brings the customer. Each outcome also with
//! callbacks that come twice, late, or out of order.

use std::time::Duration;

use offdesk_sandbox::{
    CallStatus, CustomerCall, LogEntry, Operation, ReservationStatus, RestAct, RestFault, TaskStatus,
};

use crate::{
    house::{ADA, BOB, House, MOBILE, Plan},
    outcomes::{EVERY_MAIL, Mail},
};

fn press_one(plan: Plan) -> Plan {
    plan.calls("confirm = \"press-1\"")
}

/// Ada's phone rings for a customer; webhooks come as `mail` says.
async fn ringing(plan: Plan, mail: Mail) -> (House, CustomerCall) {
    let house = press_one(plan).build().await;
    house.twilio.set_webhook_faults(mail.faults());
    let call = house.customer_calls().await;
    house.pass_until(Duration::from_secs(10), |state| state.is_ringing(ADA)).await;
    (house, call)
}

/// Ada has answered, and hears the question.
async fn asked(plan: Plan, mail: Mail) -> (House, CustomerCall) {
    let (house, call) = ringing(plan, mail).await;
    house.picks_up(ADA).await;
    (house, call)
}

/// Ada has pressed 1, and talks with the customer.
async fn talking(plan: Plan, mail: Mail) -> (House, CustomerCall) {
    let (house, call) = asked(plan, mail).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Pending], "{mail:?}");
    house.presses(ADA, '1').await;
    let talks = |state: &offdesk_sandbox::Snapshot| state.call_at(ADA).is_some_and(|leg| leg.talks_with_sid.is_some());
    house.pass_until(Duration::from_secs(10), talks).await;
    assert_eq!(house.reservations(&call), [ReservationStatus::Accepted], "{mail:?}");
    (house, call)
}

/// Time enough for late mail and for what it causes.
async fn settle(house: &House) {
    house.pass(Duration::from_secs(15)).await;
}

/// Calls that were made, whatever was answered.
fn dialled(house: &House) -> Vec<LogEntry> {
    let made = |entry: &LogEntry| entry.name == Operation::CreateCall.as_str();
    house.twilio.log().into_iter().filter(made).collect()
}

async fn is_at_rest(house: &House, mail: Mail) {
    let state = house.twilio.snapshot();
    assert!(house.instructions().is_empty(), "{mail:?}: an instruction was given");
    let left = state.calls.iter().filter(|call| !call.status.is_final()).count();
    assert_eq!(left, 0, "{mail:?}: a leg is left");
    let ada = house.agent(ADA).await;
    assert!(ada.call.is_none() && ada.duties == 0, "{mail:?}: {ada:?}");
}

async fn talked_with_ada(house: &House, call: &CustomerCall, mail: Mail) {
    settle(house).await;
    assert_eq!(house.reservations(call), [ReservationStatus::Wrapping], "{mail:?}");
    assert_eq!(house.activity(ADA), MOBILE, "{mail:?}");
    assert_eq!((dialled(house).len(), house.agent(ADA).await.missed_in_a_row), (1, 0), "{mail:?}");
    is_at_rest(house, mail).await;
}

#[tokio::test]
async fn the_agent_presses_1_talks_and_hangs_up() {
    for mail in EVERY_MAIL {
        let (house, call) = talking(Plan::default(), mail).await;
        house.pass(Duration::from_secs(30)).await;
        house.hangs_up(ADA).await;
        talked_with_ada(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_agent_presses_1_talks_and_the_customer_hangs_up() {
    for mail in EVERY_MAIL {
        let (house, call) = talking(Plan::default(), mail).await;
        house.pass(Duration::from_secs(30)).await;
        house.twilio.customer_hangs_up(&call.call_sid).unwrap();
        talked_with_ada(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_agent_presses_1_and_hangs_up_at_once() {
    for mail in EVERY_MAIL {
        let (house, call) = talking(Plan::default(), mail).await;
        house.twilio.hang_up(ADA).unwrap();
        talked_with_ada(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn an_account_that_wraps_up_by_itself_is_left_to_it() {
    let (house, call) = talking(Plan::default().twilio(|twilio| twilio.auto_wrapup = true), Mail::Prompt).await;
    house.hangs_up(ADA).await;
    talked_with_ada(&house, &call, Mail::Prompt).await;
}

/// Ada did not take it; Bob, who has the next offer, did, and Ada is where she was.
async fn bob_takes_it(house: &House, call: &CustomerCall, mail: Mail) {
    house.pass_until(Duration::from_secs(60), |state| state.is_ringing(BOB)).await;
    house.picks_up(BOB).await;
    house.presses(BOB, '1').await;
    settle(house).await;
    house.hangs_up(BOB).await;
    settle(house).await;
    assert_eq!(house.reservations(call), [ReservationStatus::Rejected, ReservationStatus::Wrapping], "{mail:?}");
    assert_eq!(house.activity(ADA), MOBILE, "{mail:?}");
    let (ada, bob) = (house.agent(ADA).await, house.agent(BOB).await);
    assert_eq!((ada.missed_in_a_row, bob.missed_in_a_row), (1, 0), "{mail:?}");
    assert!(bob.call.is_none() && bob.duties == 0, "{mail:?}: {bob:?}");
    is_at_rest(house, mail).await;
}

#[tokio::test]
async fn a_voicemail_answers_and_the_next_agent_gets_the_customer() {
    for mail in EVERY_MAIL {
        let (house, call) = asked(Plan::of_two(), mail).await;
        bob_takes_it(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_agent_presses_another_key_and_the_next_one_gets_the_customer() {
    for mail in EVERY_MAIL {
        let (house, call) = asked(Plan::of_two(), mail).await;
        house.presses(ADA, '2').await;
        bob_takes_it(&house, &call, mail).await;
    }
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
        let house = press_one(Plan::of_two()).build().await;
        house.twilio.set_reachable(ADA, false);
        house.twilio.set_webhook_faults(mail.faults());
        let call = house.customer_calls().await;
        bob_takes_it(&house, &call, mail).await;
    }
}

/// The call came to nothing, and nobody missed anything.
async fn came_to_nothing(house: &House, call: &CustomerCall, mail: Mail) {
    settle(house).await;
    assert_eq!(house.reservations(call), [ReservationStatus::Canceled], "{mail:?}");
    let status = house.twilio.snapshot().task(&call.task_sid).map(|task| task.status);
    assert_eq!(status, Some(TaskStatus::Canceled), "{mail:?}");
    assert_eq!((house.activity(ADA).as_str(), house.agent(ADA).await.missed_in_a_row), (MOBILE, 0), "{mail:?}");
    is_at_rest(house, mail).await;
}

#[tokio::test]
async fn the_customer_hangs_up_while_it_rings_and_the_phone_stops() {
    for mail in EVERY_MAIL {
        let (house, call) = ringing(Plan::default(), mail).await;
        house.twilio.customer_hangs_up(&call.call_sid).unwrap();
        came_to_nothing(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_customer_hangs_up_while_the_question_is_put_and_the_agent_is_let_go_within_two_seconds() {
    for mail in EVERY_MAIL {
        let (house, call) = asked(Plan::default(), mail).await;
        house.twilio.customer_hangs_up(&call.call_sid).unwrap();
        if matches!(mail, Mail::Prompt) {
            house.pass(Duration::from_secs(2)).await;
            assert!(house.twilio.snapshot().call_at(ADA).is_none(), "the agent waits for nobody");
        }
        came_to_nothing(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_customer_hangs_up_in_the_moment_of_the_key() {
    for mail in EVERY_MAIL {
        let (house, call) = asked(Plan::default(), mail).await;
        house.twilio.customer_hangs_up(&call.call_sid).unwrap();
        house.twilio.press(ADA, '1').unwrap();
        came_to_nothing(&house, &call, mail).await;
    }
}

#[tokio::test]
async fn the_desk_takes_the_call_while_the_phone_rings() {
    let (house, call) = ringing(Plan::default(), Mail::Prompt).await;
    let reservation = house.twilio.snapshot().reservation_of(&call.task_sid).unwrap().sid.clone();
    house.twilio.desk_accepts(&reservation).unwrap();
    house.pass(Duration::from_secs(2)).await;
    assert!(house.twilio.snapshot().call_at(ADA).is_none());
    assert_eq!(house.reservations(&call), [ReservationStatus::Accepted]);
    assert_eq!(house.agent(ADA).await.missed_in_a_row, 0);
}

#[tokio::test]
async fn a_lone_agent_who_never_presses_costs_the_task_two_assignments_and_goes_offline() {
    let house = press_one(Plan::default()).build().await;
    house.twilio.set_auto(ADA, offdesk_sandbox::Auto::Answer { after_ms: 2000 });
    let call = house.customer_calls().await;
    house.pass_until(Duration::from_secs(150), |state| state.agent(ADA).is_some_and(|ada| !ada.available)).await;
    house.pass(Duration::from_secs(120)).await;
    assert_eq!(house.twilio.snapshot().task(&call.task_sid).map(|task| task.assignments), Some(2));
    assert_eq!(house.activity(ADA), "Offline");
}

#[tokio::test]
async fn a_call_whose_fate_is_unknown_is_found_and_not_made_twice() {
    for (act, requests) in [(RestAct::DropAfter, 1), (RestAct::DropBefore, 2)] {
        let house = press_one(Plan::default()).build().await;
        house.twilio.fault(RestFault::once(Operation::CreateCall, act.clone()));
        let call = house.customer_calls().await;
        house.pass_until(Duration::from_secs(10), |state| state.is_ringing(ADA)).await;
        house.pass(Duration::from_secs(2)).await;
        house.picks_up(ADA).await;
        house.presses(ADA, '1').await;
        assert_eq!(house.reservations(&call), [ReservationStatus::Accepted], "{act:?}");
        assert_eq!(dialled(&house).len(), requests, "{act:?}");
        let legs = house.twilio.snapshot().calls.iter().filter(|leg| leg.to == ADA).count();
        assert_eq!(legs, 1, "{act:?}");
    }
}

#[tokio::test]
async fn a_call_that_twilio_refuses_goes_to_the_next_agent() {
    let house = press_one(Plan::of_two()).build().await;
    house.twilio.set_unroutable(ADA);
    let call = house.customer_calls().await;
    bob_takes_it(&house, &call, Mail::Prompt).await;
}

#[tokio::test]
async fn twilio_is_asked_for_a_call_with_all_that_it_needs() {
    let (house, _) = ringing(Plan::default(), Mail::Prompt).await;
    let call = dialled(&house).remove(0);
    let base = format!("http://{}/webhooks", house.ready.http);
    for (name, value) in [
        ("To", ADA.to_owned()),
        ("From", "+15550100".to_owned()),
        ("Timeout", "13".to_owned()),
        ("Url", format!("{base}/voice/confirm?call=0000000000000001-1&leg=1")),
        ("StatusCallback", format!("{base}/call?call=0000000000000001-1&leg=1")),
    ] {
        assert_eq!(call.param(name), Some(value.as_str()), "{name}");
    }
    assert_eq!(call.param("MachineDetection"), None);
}

#[tokio::test]
async fn a_conversation_is_recorded_as_flex_or_the_operator_says() {
    for (flex, record, recorded) in
        [(true, "flex", true), (false, "flex", false), (false, "always", true), (true, "never", false)]
    {
        let plan = Plan::default().twilio(|twilio| twilio.recording = flex);
        let house = plan.calls(&format!("confirm = \"press-1\"\nrecord = \"{record}\"")).build().await;
        house.customer_calls().await;
        house.rings(ADA).await;
        house.picks_up(ADA).await;
        house.presses(ADA, '1').await;
        let leg = house.twilio.snapshot().call_at(ADA).cloned().unwrap();
        assert_eq!((leg.status, leg.recorded), (CallStatus::InProgress, recorded), "Flex {flex}, record = {record}");
    }
}

#[tokio::test]
async fn a_restart_while_it_rings_while_it_asks_and_while_they_talk_loses_nothing() {
    for moment in 0..3 {
        let (mut house, call) = ringing(Plan::default(), Mail::Prompt).await;
        if moment > 0 {
            house.picks_up(ADA).await;
        }
        if moment > 1 {
            house.presses(ADA, '1').await;
        }
        house.restart().await;
        house.quiet().await;
        if moment == 0 {
            house.picks_up(ADA).await;
        }
        if moment < 2 {
            house.presses(ADA, '1').await;
        }
        assert_eq!(house.reservations(&call), [ReservationStatus::Accepted], "{moment}");
        house.hangs_up(ADA).await;
        talked_with_ada(&house, &call, Mail::Prompt).await;
    }
}
