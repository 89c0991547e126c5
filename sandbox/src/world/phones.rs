//! Telephones, and the hands that hold them.

use super::{
    Done, World,
    model::Phone,
    sid::Sid,
    timers::Timer,
    words::{CallStatus, Role},
};
use crate::{options::Auto, rest::error::Refusal};

impl World {
    /// The phone at an address; one that is dialled for the first time comes into being.
    pub(super) fn phone(&mut self, address: &str) -> &mut Phone {
        let place = self.phones.iter().position(|phone| phone.address == address).unwrap_or_else(|| {
            let address = address.to_owned();
            self.phones.push(Phone { address, auto: Auto::Nothing, reachable: true, call: None });
            self.phones.len() - 1
        });
        &mut self.phones[place]
    }

    pub(crate) fn phone_answers(&mut self, address: &str) -> Done {
        let call = self.call_at(address, CallStatus::Ringing)?;
        self.answer(&call);
        Ok(())
    }

    pub(crate) fn phone_declines(&mut self, address: &str) -> Done {
        let call = self.call_at(address, CallStatus::Ringing)?;
        self.end_call(&call, CallStatus::Busy);
        Ok(())
    }

    /// The caller gives up now, not at the end of the ring.
    pub(crate) fn phone_is_not_answered(&mut self, address: &str) -> Done {
        let call = self.call_at(address, CallStatus::Ringing)?;
        self.end_call(&call, CallStatus::NoAnswer);
        Ok(())
    }

    pub(crate) fn phone_hangs_up(&mut self, address: &str) -> Done {
        let call = self.call_at(address, CallStatus::InProgress)?;
        self.end_call(&call, CallStatus::Completed);
        Ok(())
    }

    pub(crate) fn set_auto(&mut self, address: &str, auto: Auto) {
        self.phone(address).auto = auto;
        if let Ok(call) = self.call_at(address, CallStatus::Ringing) {
            self.plan_automatic_act(&call, auto);
        }
    }

    /// A phone that is not reachable makes its legs fail; one that rings already goes on ringing.
    pub(crate) fn set_reachable(&mut self, address: &str, reachable: bool) {
        self.phone(address).reachable = reachable;
    }

    pub(crate) fn customer_hangs_up(&mut self, call: &Sid) -> Done {
        let row = self.calls.get(call).filter(|row| row.role == Role::Customer).ok_or_else(Refusal::not_found)?;
        if !row.is_live() {
            return Err(Refusal::invalid("the call has already ended".to_owned()));
        }
        self.end_call(call, CallStatus::Completed);
        Ok(())
    }

    pub(super) fn phone_is_free(&mut self, address: &str, call: &Sid) {
        if let Some(phone) = self.phones.iter_mut().find(|phone| phone.address == address)
            && phone.call.as_ref() == Some(call)
        {
            phone.call = None;
        }
    }

    pub(super) fn plan_automatic_act(&mut self, call: &Sid, auto: Auto) {
        if let Auto::Answer { after_ms } | Auto::Take { after_ms } | Auto::Decline { after_ms } = auto {
            self.timers.set(self.now + after_ms, Timer::Auto(call.clone()));
        }
    }

    pub(super) fn phone_acts_by_itself(&mut self, call: &Sid) {
        let Some(address) =
            self.calls.get(call).filter(|row| row.status == CallStatus::Ringing).map(|row| row.to.clone())
        else {
            return;
        };
        match self.phone(&address).auto {
            Auto::Nothing => {}
            Auto::Answer { .. } | Auto::Take { .. } => self.answer(call),
            Auto::Decline { .. } => self.end_call(call, CallStatus::Busy),
        }
    }

    pub(super) fn call_at(&self, address: &str, status: CallStatus) -> Done<Sid> {
        let call = self.phones.iter().find(|phone| phone.address == address).and_then(|phone| phone.call.as_ref());
        call.filter(|call| self.calls.get(call).is_some_and(|row| row.status == status))
            .cloned()
            .ok_or_else(|| Refusal::invalid(format!("no call is {status} at that phone")))
    }
}
