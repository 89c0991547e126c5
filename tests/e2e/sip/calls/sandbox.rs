//! The stand-in's Twilio calls; pjsua2 and baresip are the agent's softphones.

use std::net::UdpSocket;

use super::*;

mod with_softphones {
    use super::*;
    use crate::sip::calls::{
        baresip::Phone,
        pjsua::{Pjsua, now},
    };

    /// A customer's call rings at the agent's pjsua2.
    async fn ringing(house: CallHouse) -> (CallHouse, Pjsua, CustomerCall) {
        let mut phone = Pjsua::registers(&house.0, &house.0.account().await).await;
        let call = house.customer_calls();
        phone.rings().await;
        (house, phone, call)
    }

    /// Softphones ring 5 s there.
    async fn impatient() -> CallHouse {
        let plan = Plan::default().calls("sip_ring = \"5s\"");
        CallHouse::of(plan.twilio(|options| options.sip = Some([127, 0, 0, 1].into()))).await
    }

    /// Target: customer and agent hear each other within 1.5 s of the agent's answer, with a Twilio that answers in 1 s.
    #[tokio::test]
    async fn pjsua2_rings_and_is_answered_and_agent_and_customer_hear_each_other() {
        let (house, mut phone, call) = ringing(CallHouse::build().await).await;
        assert!(!house.was_instructed(), "Twilio is told only when somebody has answered");
        let answered = now();
        phone.say("answer");
        let agent = phone.hears(CUSTOMER).await - answered;
        let leg = house.until_the_customer_hears(AGENT).await;
        let customer = now() - answered;
        println!(
            "after the answer the agent hears the customer in {agent:.3} s, the customer the agent in {customer:.3} s"
        );
        assert_eq!((leg.status, leg.sip_code), (CallStatus::InProgress, Some(200)));
        assert!(agent < 1.5 && customer < 1.5, "{agent} {customer}");
        let state = house.house().twilio.snapshot();
        assert_eq!(state.reservation_of(&call.task_sid).map(|row| row.status), Some(ReservationStatus::Accepted));
        phone.say("hang-up");
        house.until_wrapped_up(&call).await;
        assert_eq!(phone.is_over().await, 200);
    }

    #[tokio::test]
    async fn a_customer_hangs_up_and_baresip_has_heard_them() {
        let house = CallHouse::build().await;
        let phone = Phone::registers(&house.0, &house.0.account().await, "auto").await;
        let call = house.customer_calls();
        house.until_the_customer_hears(AGENT).await;
        // A second, so that there is something to be heard.
        house.until(|state| state.calls.iter().any(|leg| leg.sound.is_some_and(|sound| sound.sent > 50))).await;
        house.house().twilio.customer_hangs_up(&call.call_sid).unwrap();
        house.until_wrapped_up(&call).await;
        assert!(phone.heard(CUSTOMER).await);
    }

    #[tokio::test]
    async fn an_agent_holds_the_call_and_resumes_it() {
        let (house, mut phone, call) = ringing(CallHouse::build().await).await;
        phone.say("answer");
        phone.hears(CUSTOMER).await;
        house.until_the_customer_hears(AGENT).await;
        phone.holds().await;
        house.until(|state| state.calls.iter().any(|leg| leg.sound.is_some_and(|sound| sound.says_hz == 0))).await;
        phone.say("resume");
        house.until_the_customer_hears(AGENT).await;
        phone.hears_now(CUSTOMER).await;
        house.house().twilio.customer_hangs_up(&call.call_sid).unwrap();
        house.until_wrapped_up(&call).await;
    }

    #[tokio::test]
    async fn twilio_proves_who_it_is_if_it_is_asked() {
        let plan = Plan::default().twilio(|options| options.sip = Some([127, 0, 0, 1].into()));
        let house = CallHouse::with(plan, "twilio_auth = true").await;
        let mut phone = Pjsua::registers(&house.0, &house.0.account().await).await;
        let call = house.customer_calls();
        phone.rings().await;
        phone.say("answer");
        phone.hears(CUSTOMER).await;
        house.until_the_customer_hears(AGENT).await;
        let log = house.house().twilio.log();
        let challenged = |entry: &&LogEntry| entry.direction == FlowDirection::Sip && entry.status == Some(401);
        assert_eq!(log.iter().filter(challenged).count(), 1);
        phone.say("hang-up");
        house.until_wrapped_up(&call).await;
    }

    #[tokio::test]
    async fn a_restart_in_mid_call_ends_it_in_good_order() {
        let (mut house, mut phone, call) = ringing(CallHouse::build().await).await;
        phone.say("answer");
        phone.hears(CUSTOMER).await;
        house.until_the_customer_hears(AGENT).await;
        house.0.house.stop();
        phone.is_over().await;
        house.0.house.start().await;
        house.until_wrapped_up(&call).await;
    }

    #[tokio::test]
    async fn a_call_that_pjsua2_declines_rings_at_the_cell_phone() {
        let (house, mut phone, call) = ringing(CallHouse::build().await).await;
        phone.say("decline");
        house.until_the_cell_phone_rings().await;
        assert!(!house.was_instructed());
        house.house().answers(ADA).await;
        house.house().hangs_up(ADA).await;
        house.until_wrapped_up(&call).await;
    }

    #[tokio::test]
    async fn a_call_that_baresip_is_too_busy_for_rings_at_the_cell_phone() {
        let house = CallHouse::build().await;
        let mut phone = Phone::registers(&house.0, &house.0.account().await, "manual").await;
        house.customer_calls();
        phone.rejects().await;
        house.until_the_cell_phone_rings().await;
    }

    #[tokio::test]
    async fn a_call_that_nobody_answers_rings_at_the_cell_phone_in_the_reservations_time() {
        let (house, mut phone, call) = ringing(impatient().await).await;
        house.until_the_cell_phone_rings().await;
        assert_eq!(phone.is_over().await, 487, "it is cancelled");
        assert_eq!(house.house().reservations(&call), [ReservationStatus::Pending]);
    }

    #[tokio::test]
    async fn a_phone_that_was_unplugged_does_not_keep_the_cell_phone_from_ringing() {
        let house = impatient().await;
        drop(Pjsua::registers(&house.0, &house.0.account().await).await);
        house.customer_calls();
        house.until_the_cell_phone_rings().await;
    }

    #[tokio::test]
    async fn two_phones_ring_and_one_answers() {
        let house = CallHouse::build().await;
        let account = house.0.account().await;
        let mut first = Pjsua::registers(&house.0, &account).await;
        let mut second = Pjsua::registers(&house.0, &account).await;
        house.0.until(|phones| phones.len() == 2).await;
        let call = house.customer_calls();
        first.rings().await;
        second.rings().await;
        first.say("answer");
        first.hears(CUSTOMER).await;
        assert_eq!(second.is_over().await, 487, "the other is cancelled");
        house.until_the_customer_hears(AGENT).await;
        first.say("hang-up");
        house.until_wrapped_up(&call).await;
    }

    /// Twilio takes a second, on the house's clock, to hear of the next order.
    fn twilio_is_slow(house: &CallHouse) {
        let act = RestAct::Delay { ms: 1_000 };
        house.house().twilio.fault(RestFault::once(Operation::UpdateTaskReservation, act));
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_as_the_agent_answers_frees_the_phone() {
        let (house, mut phone, call) = ringing(CallHouse::build().await).await;
        twilio_is_slow(&house);
        phone.say("answer");
        phone.until(|told| told["call"] == "CONFIRMED").await;
        house.house().twilio.customer_hangs_up(&call.call_sid).unwrap();
        house
            .house()
            .pass_until(Duration::from_secs(5), |state| state.calls.iter().all(|leg| leg.status.is_final()))
            .await;
        phone.is_over().await;
        house.house().quiet().await;
        assert!(!house.was_instructed() && house.house().twilio.snapshot().call_at(ADA).is_none());
    }

    #[tokio::test]
    async fn an_agent_who_hangs_up_before_twilio_calls_gives_the_customer_back() {
        let (house, mut phone, call) = ringing(CallHouse::build().await).await;
        twilio_is_slow(&house);
        phone.say("answer");
        phone.until(|told| told["call"] == "CONFIRMED").await;
        phone.say("hang-up");
        phone.is_over().await;
        let given_back = |state: &Snapshot| {
            let first = state.reservations_of(&call.task_sid).first().map(|row| row.status);
            first.is_some_and(|status| !matches!(status, ReservationStatus::Pending | ReservationStatus::Accepted))
        };
        let state = house.house().pass_until(Duration::from_secs(5), given_back).await;
        assert!(state.calls.iter().all(|leg| leg.status != CallStatus::InProgress || leg.sid == call.call_sid));
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_while_phones_ring_silences_them() {
        let (house, mut phone, call) = ringing(CallHouse::build().await).await;
        house.house().twilio.customer_hangs_up(&call.call_sid).unwrap();
        assert_eq!(phone.is_over().await, 487);
        assert!(!house.was_instructed());
    }

    #[tokio::test]
    async fn a_phone_that_sleeps_is_woken_and_rung_once() {
        let plan = Plan::default().with_devices().twilio(|options| options.sip = Some([127, 0, 0, 1].into()));
        let house = CallHouse::of(plan).await;
        let account = house.0.account().await;
        let twilio = &house.house().twilio;
        let token = twilio.register_fcm(ADA, "softphone").unwrap();
        let contact = format!(";pn-provider=fcm;pn-param=offdesk-sandbox;pn-prid={token}");
        drop(Pjsua::with_contact(&house.0, &account, &contact, 2).await);
        house.0.until(|phones| phones.iter().any(|phone| phone["state"] == "asleep")).await;
        let call = house.customer_calls();
        let woken = |state: &Snapshot| {
            let phone = state.devices.iter().find(|device| device.name == "softphone");
            phone.is_some_and(|device| !device.notifications.is_empty())
        };
        house.until(woken).await;
        let mut phone = Pjsua::with_contact(&house.0, &account, &contact, 60).await;
        phone.rings().await;
        phone.say("answer");
        phone.hears(CUSTOMER).await;
        house.until_the_customer_hears(AGENT).await;
        phone.say("hang-up");
        phone.is_over().await;
        house.until_wrapped_up(&call).await;
        assert!(phone.heard_of_no_call(), "it is rung once");
    }

    /// Whoever sends RTP to all ports from elsewhere gets nothing back, and gets nothing in.
    #[tokio::test]
    async fn a_spray_over_the_media_ports_reflects_nothing_and_breaks_no_stream() {
        let ports = 20_000..=20_199;
        let plan = Plan::default().twilio(|options| options.sip = Some([127, 0, 0, 1].into()));
        let media = format!("media = {{ ports = \"{}-{}\" }}", ports.start(), ports.end());
        let house = CallHouse::with(plan, &media).await;
        let mut phone = Pjsua::registers(&house.0, &house.0.account().await).await;
        let call = house.customer_calls();
        phone.rings().await;
        phone.say("answer");
        phone.hears(CUSTOMER).await;
        let before = house.until_the_customer_hears(AGENT).await.sound.unwrap();
        let strangers = ["127.0.0.9:0", "127.0.0.10:0"].map(|at| UdpSocket::bind(at).unwrap());
        for round in 0..20_u8 {
            for port in ports.clone() {
                for stranger in &strangers {
                    // A loud noise, in sequence.
                    let mut packet = vec![0x80, 0, 0, round, 0, 0, round, 0, 9, 9, 9, 9];
                    packet.extend((0..160_u8).map(|at| at.wrapping_mul(37)));
                    stranger.send_to(&packet, (house.0.at.ip(), port)).unwrap();
                }
            }
        }
        let is_as_it_was = |leg: &CallView| {
            let sound = leg.sound.filter(|sound| sound.received > before.received + 100);
            sound.is_some_and(|sound| (sound.hears_hz, sound.level) == (before.hears_hz, before.level))
        };
        house.until(|state| state.calls.iter().any(is_as_it_was)).await;
        for stranger in &strangers {
            stranger.set_nonblocking(true).unwrap();
            assert!(stranger.recv(&mut [0; 2_048]).is_err(), "something was reflected");
        }
        phone.hears_now(CUSTOMER).await;
        phone.say("hang-up");
        house.until_wrapped_up(&call).await;
    }
}
