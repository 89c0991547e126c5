//! The real process ends in mid-call: reservation, task and conference are finished all the same, and softphones fall silent.

use std::net::SocketAddr;

use offdesk_sandbox::{CallStatus, CustomerCall, ReservationStatus, Snapshot};
use serde_json::json;

use super::{phone::Phone, talk::Twilio};
use crate::{
    cli::daemon::Process,
    house::{Plan, free_address},
    kill::Place,
};

const CUSTOMER: &str = "+12025550177";

/// The binary with softphones, an agent's phone, and a customer who calls.
struct Scene {
    place: Place,
    daemon: Option<Process>,
    at: SocketAddr,
    phone: Phone,
    call: CustomerCall,
    invite: String,
}

impl Scene {
    /// The phone rings.
    async fn of_ringing(calls: &str) -> Self {
        let at = free_address();
        let sip = format!(
            "domain = \"{ip}\"\nudp = \"{at}\"\ntcp = \"\"\ntls = \"\"\ntwilio_networks = [\"127.0.0.1\"]",
            ip = at.ip()
        );
        let place = Place::of(1, Plan::default().sip(&sip).calls(calls)).await;
        let daemon = Some(place.daemon());
        let account = place.app(&place.phones[0]).post("/me/sip/password", json!({})).await.body;
        let text = |field: &str| account[field].as_str().unwrap().to_owned();
        let mut phone = Phone::new(at, &text("username"), &text("password"));
        assert_eq!(phone.registers(60), 200);
        let call = place.twilio.place_call(CUSTOMER);
        let invite = phone.rings();
        Self { place, daemon, at, phone, call, invite }
    }

    /// The phone was taken up, and Twilio was told to call: the URI.
    async fn is_taken(&self) -> String {
        self.phone.takes(&self.invite);
        let to = |state: &Snapshot| state.calls.iter().find(|leg| leg.to.starts_with("sip:")).map(|leg| leg.to.clone());
        self.place.until(|state| to(state).is_some()).await;
        to(&self.place.twilio.snapshot()).unwrap()
    }

    /// Twilio has called, and agent and customer talk.
    async fn talk(&self) -> Twilio {
        let uri = self.is_taken().await;
        let twilio = Twilio::calls(self.at, &uri);
        assert_eq!(twilio.is_answered().0, 200);
        self.place.twilio.answer(&uri).unwrap();
        self.place.until(|state| self.status(state) == Some(ReservationStatus::Accepted)).await;
        self.place.twilio.settled(super::LIMIT).await.unwrap();
        twilio
    }

    fn status(&self, state: &Snapshot) -> Option<ReservationStatus> {
        state.reservation_of(&self.call.task_sid).map(|row| row.status)
    }

    fn signal(&self, name: &str) {
        self.daemon.as_ref().unwrap().signal(name);
    }

    /// The process has ended, and starts again; answers its code.
    fn starts_again(&mut self) -> Option<i32> {
        let (code, _) = self.daemon.take().unwrap().end();
        self.daemon = Some(self.place.daemon());
        code
    }

    /// Twilio hears the BYE of the leg that it has made.
    fn twilio_hears_bye(&self) {
        let state = self.place.twilio.snapshot();
        let leg = state.calls.iter().find(|leg| leg.to.starts_with("sip:")).unwrap();
        self.place.twilio.hang_up(&leg.to).unwrap();
    }

    /// Waits until the daemon says that it waits for its calls to end.
    fn is_draining(&self) {
        while !self.place.log().contains("new calls are refused") {
            std::thread::yield_now();
        }
    }

    /// The reservation is wrapped up, and nobody is left on a leg.
    async fn is_finished(&self) {
        let is_over = |state: &Snapshot| state.calls.iter().all(|leg| leg.status.is_final());
        self.place.until(|state| self.status(state) == Some(ReservationStatus::Wrapping) && is_over(state)).await;
    }
}

#[tokio::test]
async fn a_conversation_that_a_kill_has_cut_is_ended_at_twilio_and_wrapped_up() {
    let mut scene = Scene::of_ringing("").await;
    let _twilio = scene.talk().await;
    scene.signal("KILL");
    assert_eq!(scene.starts_again(), None);
    scene.is_finished().await;
}

#[tokio::test]
async fn a_conversation_goes_on_after_a_stop_until_it_ends() {
    let mut scene = Scene::of_ringing("drain_timeout = \"5m\"").await;
    let twilio = scene.talk().await;
    scene.signal("TERM");
    scene.is_draining();
    assert!(scene.daemon.as_mut().unwrap().runs());
    scene.phone.hangs_up(&scene.invite);
    twilio.is_hung_up();
    scene.twilio_hears_bye();
    assert_eq!(scene.starts_again(), Some(0), "{}", scene.place.log());
    scene.is_finished().await;
}

#[tokio::test]
async fn a_conversation_that_is_not_over_in_time_or_after_a_second_signal_is_hung_up_on_both_sides() {
    for (timeout, signals) in [("100ms", 1), ("5m", 2)] {
        let mut scene = Scene::of_ringing(&format!("drain_timeout = \"{timeout}\"")).await;
        let twilio = scene.talk().await;
        scene.signal("TERM");
        if signals > 1 {
            scene.is_draining();
            scene.signal("TERM");
        }
        scene.phone.is_hung_up();
        twilio.is_hung_up();
        scene.twilio_hears_bye();
        assert_eq!(scene.starts_again(), Some(0), "{}", scene.place.log());
        scene.is_finished().await;
    }
}

#[tokio::test]
async fn a_kill_while_phones_ring_goes_on_at_the_cell_phone() {
    let mut scene = Scene::of_ringing("").await;
    scene.signal("KILL");
    scene.starts_again();
    let cell_phone = &scene.place.phones[0];
    scene.place.until(|state| state.is_ringing(cell_phone)).await;
    assert_eq!(scene.status(&scene.place.twilio.snapshot()), Some(ReservationStatus::Pending));
}

#[tokio::test]
async fn a_kill_between_the_answer_and_twilios_call_lets_twilio_find_nobody() {
    let mut scene = Scene::of_ringing("").await;
    let uri = scene.is_taken().await;
    scene.signal("KILL");
    scene.starts_again();
    assert_eq!(Twilio::calls(scene.at, &uri).is_answered().0, 404, "its ticket is worth nothing any more");
    let is_cancelled = |state: &Snapshot| {
        let status = state.calls.iter().find(|leg| leg.to == uri).map(|leg| leg.status);
        status.is_some_and(|status| status.is_final() && status != CallStatus::Completed)
    };
    scene.place.until(is_cancelled).await;
}
