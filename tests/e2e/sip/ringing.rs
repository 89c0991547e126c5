//! Softphones first: what the daemon does with an offer, told from the phone, from Twilio's REST side and from its INVITE.

use std::time::Duration;

use offdesk::clock::Clock;
use offdesk_sandbox::{CustomerCall, Operation, ReservationStatus, RestFault};

use super::{SipHouse, phone::Phone, talk::Twilio};
use crate::house::{ADA, Plan};

pub(super) async fn house(plan: Plan) -> (SipHouse, Phone) {
    let house = SipHouse::with(plan, "twilio_networks = [\"127.0.0.1/32\"]").await;
    let mut phone = house.phone().await;
    assert_eq!(phone.registers(60), 200);
    (house, phone)
}

/// A customer calls, and the phone rings.
pub(super) async fn rings(house: &SipHouse, phone: &Phone) -> (CustomerCall, String) {
    let call = house.house.twilio.place_call(crate::house::CUSTOMER);
    (call, phone.rings())
}

/// The URI that Twilio was told to call, once it was.
pub(super) async fn told_to_call(house: &SipHouse) -> String {
    let told = |log: &[offdesk_sandbox::LogEntry]| log.iter().any(|entry| entry.param("Instruction").is_some());
    house.house.twilio.wait_until_log(super::LIMIT, told).await.unwrap();
    house.house.instructions()[0].param("To").unwrap().to_owned()
}

#[tokio::test]
async fn a_phone_that_is_taken_up_makes_twilio_call_its_ticket_and_both_hear_each_other() {
    let (house, phone) = house(Plan::default()).await;
    let (call, invite) = rings(&house, &phone).await;
    assert!(invite.contains(crate::house::CUSTOMER), "who calls is shown: {invite}");
    assert_eq!(house.house.instructions().len(), 0, "nobody has answered yet");
    let app = house.ada();
    assert_eq!(house.house.agent(ADA).await.call.map(|stage| format!("{stage:?}")), Some("Ringing".into()));

    phone.takes(&invite);
    let uri = told_to_call(&house).await;
    let (ticket, target) = uri.strip_prefix("sip:").unwrap().split_once('@').unwrap();
    assert_eq!(target, house.at.to_string());
    assert!(ticket.len() == 32 && ticket.bytes().all(|byte| byte.is_ascii_hexdigit()), "{uri}");

    let twilio = Twilio::calls(house.at, &uri);
    let (code, answer) = twilio.is_answered();
    assert_eq!(code, 200, "{answer}");
    assert!(answer.contains("m=audio "), "{answer}");
    house.house.answers(&uri).await;
    let snapshot = house.house.agent(ADA).await;
    assert_eq!(snapshot.call.map(|stage| format!("{stage:?}")), Some("Talking".into()));
    assert!(app.get("/me").await.status == 200);

    phone.hangs_up(&invite);
    twilio.is_hung_up();
    house.house.hangs_up(&uri).await;
    assert_eq!(house.house.reservations(&call), [ReservationStatus::Wrapping]);
    assert_eq!(house.house.agent(ADA).await.call, None);
    assert_eq!(house.house.instructions().len(), 1);
}

#[tokio::test]
async fn a_ticket_lets_one_call_in_and_nobody_else() {
    let (house, phone) = house(Plan::default()).await;
    let (_, invite) = rings(&house, &phone).await;
    phone.takes(&invite);
    let uri = told_to_call(&house).await;
    let first = Twilio::calls(house.at, &uri);
    assert_eq!(first.is_answered().0, 200);
    assert_eq!(Twilio::calls(house.at, &uri).is_answered().0, 404);
    let guessed = format!("sip:{}@{}", "0".repeat(32), house.at);
    assert_eq!(Twilio::calls(house.at, &guessed).is_answered().0, 404);
    phone.hangs_up(&invite);
    first.is_hung_up();
}

#[tokio::test]
async fn a_phone_that_is_declined_busy_or_not_taken_up_makes_the_cell_phone_ring() {
    for status in ["603 Decline", "486 Busy Here", "480 Temporarily Unavailable", ""] {
        let (house, phone) = house(Plan::default().calls("sip_ring = \"5s\"")).await;
        let (call, invite) = rings(&house, &phone).await;
        if status.is_empty() {
            phone.is_cancelled(&invite);
        } else {
            phone.answers(&invite, status);
        }
        house.house.rings(ADA).await;
        let instructions = house.house.instructions();
        assert_eq!(instructions.iter().map(|entry| entry.param("To")).collect::<Vec<_>>(), [Some(ADA)], "{status}");
        assert_eq!(house.house.reservations(&call), [ReservationStatus::Pending], "{status}");
        house.house.answers(ADA).await;
        house.house.hangs_up(ADA).await;
        assert_eq!(house.house.reservations(&call), [ReservationStatus::Wrapping], "{status}");
    }
}

#[tokio::test]
async fn an_agent_without_a_registered_phone_is_rung_at_the_cell_phone_at_once() {
    let house = SipHouse::build().await;
    house.account().await;
    house.house.customer_calls().await;
    house.house.rings(ADA).await;
    assert_eq!(house.house.instructions().len(), 1);
}

#[tokio::test]
async fn a_caller_who_is_gone_when_the_phone_is_taken_up_ends_it_and_no_cell_phone_rings() {
    let (house, phone) = house(Plan::default()).await;
    house.house.twilio.fault(RestFault::fail(Operation::UpdateTaskReservation, 1, 400, 40144));
    let (_, invite) = rings(&house, &phone).await;
    let begun = Clock::system().now();
    phone.takes(&invite);
    phone.is_hung_up();
    let took = Clock::system().now().since(begun);
    assert!(took < Duration::from_secs(2), "{took:?}");
    house.house.pass(Duration::from_secs(30)).await;
    assert_eq!(house.house.instructions().len(), 1);
    assert!(!house.house.twilio.snapshot().is_ringing(ADA));
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_the_phone_rings_silences_it() {
    let (house, phone) = house(Plan::default()).await;
    let (call, invite) = rings(&house, &phone).await;
    house.house.twilio.customer_hangs_up(&call.call_sid).unwrap();
    phone.is_cancelled(&invite);
    house.house.quiet().await;
    assert_eq!((house.house.instructions().len(), house.house.agent(ADA).await.call), (0, None));
}

#[tokio::test]
async fn who_takes_up_neither_phone_has_missed_the_call_and_is_told_once() {
    let (house, phone) = house(Plan::default().with_devices().twilio(|options| options.max_assignments = 1)).await;
    let (_, invite) = rings(&house, &phone).await;
    phone.answers(&invite, "603 Decline");
    house.house.rings(ADA).await;
    house.house.twilio.no_answer(ADA).unwrap();
    house.house.quiet().await;
    let shown: Vec<_> = house.house.twilio.snapshot().devices;
    let missed = |device: &offdesk_sandbox::DeviceView| {
        device.notifications.iter().filter(|one| one.kind == "call.missed").count()
    };
    assert!(shown.iter().all(|device| missed(device) == 1), "{shown:?}");
}

#[tokio::test]
async fn an_instruction_is_challenged_for_where_the_operator_wants_that() {
    let house = SipHouse::with(Plan::default(), "twilio_networks = [\"127.0.0.1/32\"]\ntwilio_auth = true").await;
    let mut phone = house.phone().await;
    phone.registers(60);
    let (_, invite) = rings(&house, &phone).await;
    phone.takes(&invite);
    let uri = told_to_call(&house).await;
    let instruction = house.house.instructions().remove(0);
    assert!(instruction.param("SipAuthUsername").is_some() && instruction.param("SipAuthPassword").is_some());
    assert_eq!(Twilio::calls(house.at, &uri).is_answered().0, 401);
    phone.hangs_up(&invite);
}
