//! Softphones and a cell phone that is asked, in one ring plan: neither rings beside the other, and the customer has one of them.

use std::time::Duration;

use offdesk_sandbox::ReservationStatus;

use super::{
    SipHouse,
    phone::Phone,
    ringing::{house, rings, told_to_call},
    talk::Twilio,
};
use crate::house::{ADA, Plan};

async fn asks(lines: &str) -> (SipHouse, Phone) {
    house(Plan::default().calls(&format!("confirm = \"press-1\"\n{lines}"))).await
}

#[tokio::test]
async fn a_softphone_that_is_declined_has_the_cell_phone_asked() {
    let (house, phone) = asks("").await;
    let (call, invite) = rings(&house, &phone).await;
    assert!(house.house.twilio.snapshot().call_at(ADA).is_none(), "one after the other");
    phone.answers(&invite, "603 Decline");
    house.house.rings(ADA).await;
    house.house.picks_up(ADA).await;
    assert_eq!(house.house.reservations(&call), [ReservationStatus::Pending]);
    house.house.presses(ADA, '1').await;
    assert_eq!(house.house.reservations(&call), [ReservationStatus::Accepted]);
    house.house.hangs_up(ADA).await;
    assert_eq!(house.house.reservations(&call), [ReservationStatus::Wrapping]);
    assert_eq!(house.house.instructions().len(), 0);
}

#[tokio::test]
async fn a_cell_phone_that_is_not_taken_has_the_softphone_ring_for_the_same_reservation() {
    for key in [Some('2'), None] {
        let (house, phone) = asks("plan = [\"pstn\", \"sip\"]").await;
        let call = house.house.customer_calls().await;
        house.house.rings(ADA).await;
        house.house.picks_up(ADA).await;
        if let Some(key) = key {
            house.house.presses(ADA, key).await;
        }
        let is_free = |state: &offdesk_sandbox::Snapshot| state.call_at(ADA).is_none();
        house.house.pass_until(Duration::from_secs(30), is_free).await;
        let invite = phone.rings();
        assert_eq!(house.house.reservations(&call), [ReservationStatus::Pending]);
        phone.takes(&invite);
        let uri = told_to_call(&house).await;
        let twilio = Twilio::calls(house.at, &uri);
        assert_eq!(twilio.is_answered().0, 200);
        house.house.answers(&uri).await;
        assert_eq!(house.house.reservations(&call), [ReservationStatus::Accepted], "{key:?}");
        phone.hangs_up(&invite);
        twilio.is_hung_up();
        house.house.hangs_up(&uri).await;
        assert_eq!(house.house.reservations(&call), [ReservationStatus::Wrapping], "{key:?}");
        assert_eq!(house.house.agent(ADA).await.missed_in_a_row, 0, "{key:?}");
    }
}
