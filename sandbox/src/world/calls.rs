//! Calls: the customer's, and the legs to workers and others.

use serde_json::json;

use super::{
    Done, World,
    model::{Call, Callback, Seat},
    routing::NewTask,
    script::Script,
    sid::Sid,
    sip::SipLogin,
    timers::Timer,
    words::{CallStatus, Direction, ReservationStatus, Role, TaskStatus},
};
use crate::rest::error::Refusal;

const HANGUP: &str = "hangup";

/// What a new leg is made of.
#[derive(Debug)]
pub(crate) struct NewLeg {
    pub(crate) role: Role,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) task: Option<Sid>,
    pub(crate) reservation: Option<Sid>,
    pub(crate) seat: Option<Seat>,
    pub(crate) callback: Option<Callback>,
    /// Whole seconds.
    pub(crate) ring_s: u64,
    pub(crate) login: Option<SipLogin>,
    pub(crate) recorded: bool,
    /// The URL of what it does once it is answered.
    pub(crate) document: Option<String>,
}

impl World {
    /// A customer calls one of the account's numbers and is enqueued for TaskRouter.
    pub(crate) fn place_call(&mut self, from: &str) -> (Sid, Sid) {
        let to = self.rules.numbers.first().cloned().unwrap_or_else(|| "+15550100".to_owned());
        let call = self.add_call(
            NewLeg {
                role: Role::Customer,
                from: from.to_owned(),
                to: to.clone(),
                task: None,
                reservation: None,
                seat: None,
                callback: None,
                ring_s: 0,
                login: None,
                recorded: false,
                document: None,
            },
            Direction::Inbound,
            CallStatus::InProgress,
        );
        let attributes = json!({
            "call_sid": &call, "account_sid": &self.fixed.account, "from": from, "caller": from, "name": from,
            "to": &to, "called": &to, "direction": "inbound", "type": "inbound",
        });
        let task = self.create_task(NewTask {
            channel: "voice".to_owned(),
            attributes: attributes.to_string(),
            call: Some(call.clone()),
            ..NewTask::default()
        });
        if let Some(row) = self.calls.get_mut(&call) {
            row.task = Some(task.clone());
        }
        (call, task)
    }

    /// Makes a call that is dialled as soon as the command is answered.
    pub(super) fn create_leg(&mut self, leg: NewLeg) -> Sid {
        let sid = self.add_call(leg, Direction::OutboundApi, CallStatus::Queued);
        self.timers.set(self.now, Timer::Dial(sid.clone()));
        sid
    }

    /// `POST …/Calls.json`.
    pub(crate) fn create_call(&mut self, leg: NewLeg) -> Done<Sid> {
        if !self.may_call_from(&leg.from, &leg.to) {
            return Err(Refusal::twilio(21212, "Invalid 'From' Phone Number: it is not a number of this account"));
        }
        if !self.may_call_to(&leg.to) {
            return Err(Refusal::twilio(21211, "Invalid 'To' Phone Number"));
        }
        Ok(self.create_leg(leg))
    }

    fn add_call(&mut self, leg: NewLeg, direction: Direction, status: CallStatus) -> Sid {
        self.forget_the_oldest_call();
        let sid = self.make_sid("CA");
        let sip = self.sip_leg(leg.role, &leg.to, leg.login);
        self.calls.add(Call {
            sid: sid.clone(),
            role: leg.role,
            direction,
            from: leg.from,
            to: leg.to,
            status,
            task: leg.task,
            reservation: leg.reservation,
            seat: None,
            callback: leg.callback,
            sequence: 0,
            ring_s: leg.ring_s,
            rings_until: None,
            sip,
            recorded: leg.recorded,
            script: leg.document.map(Script::new),
            talks_with: None,
            answered: (status == CallStatus::InProgress).then_some(self.now),
            ended: None,
            created: self.now,
            updated: self.now,
        });
        if let Some(seat) = leg.seat {
            self.seat(&sid, seat);
        }
        sid
    }

    pub(super) fn dial(&mut self, sid: &Sid) {
        let Some((to, ring_s)) = self
            .calls
            .get(sid)
            .filter(|call| call.status == CallStatus::Queued)
            .map(|call| (call.to.clone(), call.ring_s))
        else {
            return;
        };
        self.call_event(sid, "initiated");
        if self.is_over_sip(sid) {
            return self.invite(sid, ring_s);
        }
        let phone = self.phone(&to).clone();
        if !phone.reachable {
            return self.end_call(sid, CallStatus::Failed);
        }
        if phone.call.is_some() {
            return self.end_call(sid, CallStatus::Busy);
        }
        let until = self.now + ring_s * 1000;
        if let Some(call) = self.calls.get_mut(sid) {
            call.status = CallStatus::Ringing;
            call.rings_until = Some(until);
        }
        self.timers.set(until, Timer::Ring(sid.clone()));
        self.phone(&to).call = Some(sid.clone());
        self.call_event(sid, "ringing");
        self.plan_automatic_act(sid, phone.auto);
    }

    pub(super) fn ring_times_out(&mut self, sid: &Sid) {
        let due = self.calls.get(sid).is_some_and(Call::is_unanswered);
        if due {
            self.end_call(sid, CallStatus::NoAnswer);
        }
    }

    pub(super) fn answer(&mut self, sid: &Sid) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(sid).filter(|call| call.is_unanswered()) else { return };
        call.status = CallStatus::InProgress;
        call.answered = Some(now);
        call.rings_until = None;
        call.updated = now;
        let reservation = call.reservation.clone();
        self.call_event(sid, "answered");
        if let Some(reservation) = reservation {
            self.reservation_is_accepted(&reservation);
        }
        self.begin_script(sid);
        self.join(sid);
        self.bring_customer(sid);
    }

    /// The customer leaves the queue for the conference of the worker who has answered.
    fn bring_customer(&mut self, worker_leg: &Sid) {
        let Some(leg) = self.calls.get(worker_leg).filter(|call| call.role == Role::Worker) else { return };
        let Some(conference) = leg.seat.as_ref().map(|seat| seat.conference.clone()) else { return };
        let customer = leg.task.as_ref().and_then(|task| self.tasks.get(task)).and_then(|task| task.call.clone());
        let Some(customer) = customer else { return };
        let end_on_exit = self.conferences.get(&conference).is_some_and(|row| row.end_on_customer_exit);
        if self.calls.get(&customer).is_some_and(|call| call.is_live() && call.seat.is_none()) {
            let label = Some("customer".to_owned());
            let seat =
                Seat { conference, joined: false, label, end_on_exit, start_on_enter: true, muted: false, hold: false };
            self.seat(&customer, seat);
            self.join(&customer);
        }
    }

    /// Ends a call, whoever did it, and draws every conclusion.
    pub(super) fn end_call(&mut self, sid: &Sid, status: CallStatus) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(sid).filter(|call| call.is_live()) else { return };
        call.status = status;
        call.ended = Some(now);
        call.rings_until = None;
        call.updated = now;
        let (role, address, task, reservation) =
            (call.role, call.to.clone(), call.task.clone(), call.reservation.clone());
        if role != Role::Customer {
            self.phone_is_free(&address, sid);
            self.end_over_sip(sid);
        }
        self.call_event(sid, "completed");
        self.leave(sid);
        self.part(sid);
        match role {
            Role::Customer => self.customer_is_gone(task),
            Role::Worker => self.worker_leg_is_gone(reservation),
            Role::Other => {}
        }
    }

    fn customer_is_gone(&mut self, task: Option<Sid>) {
        if let Some(task) = task {
            self.cancel_task(&task, HANGUP);
        }
    }

    /// A leg that ends before it was answered takes its reservation with it.
    fn worker_leg_is_gone(&mut self, reservation: Option<Sid>) {
        let Some(sid) = reservation else { return };
        match self.reservations.get(&sid) {
            Some(row) if row.is_on_hold() => self.give_back(&sid, ReservationStatus::Canceled),
            Some(row) if row.status == ReservationStatus::Accepted && self.rules.auto_wrapup => {
                let wrapped = self.update_reservation(&sid, ReservationStatus::Wrapping, None);
                debug_assert!(wrapped.is_ok(), "an accepted reservation can wrap up");
            }
            _ => {}
        }
    }

    /// `Status=…` of a call, as REST sets it.
    pub(crate) fn update_call(&mut self, sid: &Sid, to: CallStatus) -> Done {
        let status = self.calls.get(sid).map(|call| call.status).ok_or_else(Refusal::not_found)?;
        match (to, status) {
            (_, status) if status.is_final() => {
                Err(Refusal::twilio(21220, "Call is not in-progress. Cannot redirect."))
            }
            (CallStatus::Canceled, CallStatus::InProgress) => {
                Err(Refusal::twilio(21220, "Call is in-progress and can not be canceled; use Status=completed"))
            }
            (CallStatus::Completed, CallStatus::InProgress) => {
                self.end_call(sid, CallStatus::Completed);
                Ok(())
            }
            (CallStatus::Canceled | CallStatus::Completed, _) => {
                self.end_call(sid, CallStatus::Canceled);
                Ok(())
            }
            _ => Err(Refusal::invalid(format!("Invalid Status: {to} can not be set"))),
        }
    }

    /// Whether a task's customer still waits in the queue.
    pub(crate) fn waits_in_queue(&self, call: &Call) -> bool {
        let task = call.task.as_ref().and_then(|task| self.tasks.get(task));
        call.is_live()
            && call.seat.is_none()
            && task.is_some_and(|task| matches!(task.status, TaskStatus::Pending | TaskStatus::Reserved))
    }
}
