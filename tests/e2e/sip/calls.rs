//! Customers' calls at softphones, from Twilio's offer to the end: the stand-in's Twilio calls over SIP, or sipp in its place.

mod baresip;
pub(crate) mod pjsua;
mod sandbox;
mod twilio;

use std::{net::UdpSocket, time::Duration};

use offdesk_sandbox::{
    CallStatus, CallView, CustomerCall, FlowDirection, LogEntry, Operation, ReservationStatus, RestAct, RestFault,
    Snapshot,
};

use super::{LIMIT, SipHouse};
use crate::house::{ADA, House, Plan};

/// What the stand-in's customer speaks with, in hertz.
const CUSTOMER: u32 = 660;
/// What the agents' softphones speak with.
const AGENT: u32 = 880;

/// A house with softphones that customers' calls ring at.
struct CallHouse(SipHouse);

impl CallHouse {
    /// Twilio calls over SIP.
    async fn build() -> Self {
        Self::of(Plan::default().twilio(|options| options.sip = Some([127, 0, 0, 1].into()))).await
    }

    /// Twilio's calls to the gateway ring at a phone of the page, and somebody else makes them.
    async fn without_twilios_sip() -> Self {
        Self::of(Plan::default()).await
    }

    async fn of(plan: Plan) -> Self {
        Self::with(plan, "").await
    }

    /// `more`: lines of the `[sip]` table.
    async fn with(plan: Plan, more: &str) -> Self {
        Self(SipHouse::with(plan, &format!("twilio_networks = [\"127.0.0.1/32\"]\n{more}")).await)
    }

    fn house(&self) -> &House {
        &self.0.house
    }

    /// Waits, in real time, until the stand-in's state is so.
    async fn until(&self, so: impl FnMut(&Snapshot) -> bool) -> Snapshot {
        self.house().twilio.wait_until(LIMIT, so).await.unwrap()
    }

    /// A customer calls: phones ring.
    fn customer_calls(&self) -> CustomerCall {
        self.house().twilio.place_call(crate::house::CUSTOMER)
    }

    /// Waits until customer and agent hear each other: what the customer hears.
    async fn until_the_customer_hears(&self, hz: u32) -> CallView {
        let hears = |leg: &&CallView| leg.sound.is_some_and(|sound| sound.hears_hz == Some(hz));
        let state = self.until(|state| state.calls.iter().any(|leg| hears(&leg))).await;
        state.calls.iter().find(hears).unwrap().clone()
    }

    /// Waits until the task is over and nothing is left of the call.
    async fn until_wrapped_up(&self, call: &CustomerCall) {
        let over = |state: &Snapshot| state.calls.iter().all(|leg| leg.status.is_final());
        let wrapped = |state: &Snapshot| {
            let status = state.reservation_of(&call.task_sid).map(|row| row.status);
            status == Some(ReservationStatus::Wrapping) && over(state)
        };
        self.until(wrapped).await;
        self.house().quiet().await;
    }

    /// Waits until the agent's cell phone rings.
    async fn until_the_cell_phone_rings(&self) {
        self.until(|state| state.is_ringing(ADA)).await;
    }

    /// Whether a leg was ever made to the gateway.
    fn was_instructed(&self) -> bool {
        self.house().twilio.snapshot().calls.iter().any(|leg| leg.to.starts_with("sip:"))
    }
}

/// The first of so many ports in a row that are free on 127.0.0.1, an even one.
fn free_ports(count: u16) -> u16 {
    let bind = |port: u16| UdpSocket::bind(("127.0.0.1", port)).ok();
    let found = std::iter::repeat_with(|| {
        let first = bind(0)?;
        let port = first.local_addr().ok()?.port();
        let are_free = (1..count).all(|more| port.checked_add(more).and_then(bind).is_some());
        (port % 2 == 0 && are_free).then_some(port)
    });
    found.flatten().next().unwrap()
}

/// Waits for what a program tells.
async fn in_time<T>(doing: impl Future<Output = T>, what: &str) -> T {
    tokio::time::timeout(LIMIT, doing).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}
