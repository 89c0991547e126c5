//! Calls that go over SIP: what is ordered, and what is heard of them
//! (<https://www.twilio.com/docs/voice/api/sip-making-calls>).

use serde::{Deserialize, Serialize};

use super::{
    World,
    sid::Sid,
    timers::Timer,
    words::{CallStatus, Role},
};
use crate::sip::{NewCall, Order};

/// `SipAuthUsername` and `SipAuthPassword`: who Twilio is to a server that challenges it.
#[derive(Clone, Debug)]
pub(crate) struct SipLogin {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// What a call over SIP has beside any other.
#[derive(Debug)]
pub(crate) struct SipLeg {
    login: Option<SipLogin>,
    /// The final answer to its INVITE.
    pub(crate) code: Option<u16>,
    pub(crate) sound: Option<SoundView>,
}

/// What the customer's side of a call says and hears, over a tenth of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundView {
    /// The pitch that it says. 0: nothing, since the other side holds.
    pub says_hz: u32,
    /// The pitch that it hears, to the nearest 20. None: silence, or nothing that has one pitch.
    pub hears_hz: Option<u32>,
    /// How loud that is: 0 is silence, 100 as loud as it can be.
    pub level: u8,
    /// RTP packets.
    pub sent: u64,
    pub received: u64,
}

/// How a call over SIP has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SipEnd {
    /// The other side hung up, or is gone.
    Over,
    /// It did not take the call.
    Refused(u16),
}

impl SipEnd {
    /// (<https://www.twilio.com/docs/voice/api/call-resource#call-status-values>)
    const fn status(self) -> CallStatus {
        match self {
            Self::Over => CallStatus::Completed,
            Self::Refused(486 | 600) => CallStatus::Busy,
            Self::Refused(408 | 480 | 487) => CallStatus::NoAnswer,
            Self::Refused(_) => CallStatus::Failed,
        }
    }
}

impl World {
    /// None: the call is none of those that go over SIP.
    pub(super) fn sip_leg(&self, role: Role, to: &str, login: Option<SipLogin>) -> Option<SipLeg> {
        let is_sip = role != Role::Customer && (to.starts_with("sip:") || to.starts_with("sips:"));
        (self.rules.sip && is_sip).then_some(SipLeg { login, code: None, sound: None })
    }

    pub(super) fn is_over_sip(&self, sid: &Sid) -> bool {
        self.calls.get(sid).is_some_and(|call| call.sip.is_some())
    }

    pub(super) fn invite(&mut self, sid: &Sid, ring_s: u64) {
        let until = self.now + ring_s * 1000;
        let Some(call) = self.calls.get_mut(sid) else { return };
        call.rings_until = Some(until);
        let login = call.sip.as_ref().and_then(|leg| leg.login.clone());
        let (from, to) = (call.from.clone(), call.to.clone());
        self.timers.set(until, Timer::Ring(sid.clone()));
        let account = self.fixed.account.clone();
        self.orders.push(Order::Call(Box::new(NewCall { sid: sid.clone(), account, from, to, login, ring_s })));
    }

    /// A call has ended: if the other side does not know yet, it is told.
    pub(super) fn end_over_sip(&mut self, sid: &Sid) {
        if self.is_over_sip(sid) {
            self.orders.push(Order::End(sid.clone()));
        }
    }

    pub(crate) fn sip_rings(&mut self, sid: &Sid) {
        let Some(call) = self.calls.get_mut(sid).filter(|call| call.status == CallStatus::Queued) else { return };
        call.status = CallStatus::Ringing;
        self.call_event(sid, "ringing");
    }

    pub(crate) fn sip_answers(&mut self, sid: &Sid) {
        if let Some(leg) = self.calls.get_mut(sid).and_then(|call| call.sip.as_mut()) {
            leg.code = Some(200);
        }
        self.answer(sid);
    }

    pub(crate) fn sip_ends(&mut self, sid: &Sid, end: SipEnd) {
        let Some(leg) = self.calls.get_mut(sid).and_then(|call| call.sip.as_mut()) else { return };
        if let SipEnd::Refused(code) = end {
            leg.code = leg.code.or(Some(code));
        }
        self.end_call(sid, end.status());
    }

    pub(crate) fn sip_sounds(&mut self, sid: &Sid, sound: SoundView) {
        if let Some(leg) = self.calls.get_mut(sid).and_then(|call| call.sip.as_mut()) {
            leg.sound = Some(sound);
        }
    }

    /// What is to be done over SIP since the last call, in order.
    pub(crate) fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }
}
