//! `Instruction=conference`: TaskRouter calls the worker and puts the customer into a conference with the answer
//! (<https://www.twilio.com/docs/taskrouter/api/reservations#update-with-conference>).

use super::{
    Done, World,
    calls::NewLeg,
    conferences::NewConference,
    model::{Callback, Seat},
    sid::Sid,
    sip::SipLogin,
    words::{Role, TaskStatus},
};
use crate::rest::error::Refusal;

/// Twilio adds so many seconds to `Timeout`.
pub(super) const RING_SLACK_S: u64 = 5;
const DEFAULT_TIMEOUT_S: u64 = 60;

#[derive(Debug, Default)]
pub(crate) struct ConferenceInstruction {
    pub(crate) to: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) timeout_s: Option<u64>,
    pub(crate) callback: Option<Callback>,
    pub(crate) conference_callback: Option<Callback>,
    pub(crate) end_on_exit: bool,
    pub(crate) end_on_customer_exit: bool,
    pub(crate) record_leg: bool,
    pub(crate) record_conference: bool,
    pub(crate) recording_callback: Option<String>,
    pub(crate) login: Option<SipLogin>,
}

impl World {
    /// Puts a pending reservation on hold and calls the worker. A reservation gets one such instruction.
    pub(crate) fn instruct(&mut self, sid: &Sid, order: ConferenceInstruction) -> Done {
        let (task, to, from) = self.check_instruction(sid, &order)?;
        let conference = self.create_conference(NewConference {
            name: task.to_string(),
            callback: order.conference_callback,
            recording_callback: order.recording_callback,
            end_on_customer_exit: order.end_on_customer_exit,
            recorded: order.record_conference,
        });
        let leg = self.create_leg(NewLeg {
            role: Role::Worker,
            from,
            to,
            task: Some(task),
            reservation: Some(sid.clone()),
            seat: Some(Seat {
                conference,
                joined: false,
                label: None,
                end_on_exit: order.end_on_exit,
                start_on_enter: true,
                muted: false,
                hold: false,
            }),
            callback: order.callback,
            ring_s: order.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S) + RING_SLACK_S,
            login: order.login,
            recorded: order.record_leg,
            document: None,
        });
        let now = self.now;
        if let Some(row) = self.reservations.get_mut(sid) {
            row.leg = Some(leg);
            row.updated = now;
        }
        Ok(())
    }

    fn check_instruction(&self, sid: &Sid, order: &ConferenceInstruction) -> Done<(Sid, String, String)> {
        let row = self.reservations.get(sid).ok_or_else(Refusal::not_found)?;
        let task = self.tasks.get(&row.task).ok_or_else(Refusal::not_found)?;
        let Some(caller) = task.call.as_ref().and_then(|call| self.calls.get(call)) else {
            return Err(Refusal::twilio(40151, "Conference can only be issued on a task created using Enqueue"));
        };
        if task.status == TaskStatus::Canceled || (row.is_waiting() && !caller.is_live()) {
            return Err(Refusal::twilio(40144, "Unable to conference: the task is canceled, the caller has hung up"));
        }
        if !row.is_waiting() {
            let cause = format!(
                "Unable to execute Conference instruction. Reservation {sid} is not currently in a Pending state."
            );
            return Err(Refusal::twilio(40136, &cause));
        }
        let to = order.to.clone().or_else(|| self.contact_uri(&row.worker)).unwrap_or_default();
        let from = order.from.clone().unwrap_or_default();
        if !self.may_call_from(&from, &to) {
            return Err(Refusal::twilio(40141, "Unable to conference: From is not a valid caller id of this account"));
        }
        if !self.may_call_to(&to) {
            return Err(Refusal::twilio(40145, "Unable to conference: To is not routable"));
        }
        Ok((row.task.clone(), to, from))
    }

    fn contact_uri(&self, worker: &Sid) -> Option<String> {
        let attributes: serde_json::Value = serde_json::from_str(&self.workers.get(worker)?.attributes).ok()?;
        attributes.get("contact_uri")?.as_str().map(str::to_owned)
    }

    /// Whether `from` may stand as the caller's id: a number of the account, or any name towards a SIP phone.
    pub(super) fn may_call_from(&self, from: &str, to: &str) -> bool {
        if to.starts_with("sip") || to.starts_with("client:") {
            return !from.is_empty();
        }
        is_number(from) && (self.rules.numbers.is_empty() || self.rules.numbers.iter().any(|own| own == from))
    }

    pub(super) fn may_call_to(&self, to: &str) -> bool {
        let address =
            ["sip:", "sips:", "client:"].iter().any(|scheme| to.len() > scheme.len() && to.starts_with(scheme));
        (address || is_number(to)) && !self.unroutable.iter().any(|barred| barred == to)
    }
}

/// E.164: a plus sign and 7 to 15 digits.
pub(crate) fn is_number(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
