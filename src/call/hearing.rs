//! What a call hears: Twilio's answers to its instruction, its leg, its reservation and its conference.

use super::{
    Act, Call, Miss, Phase,
    time::{CHECK, SETTLE},
};
use crate::agent::request::Refusal;
use crate::domain::{CallSid, ConferenceEventKind, LegEvent, LegNo, LegStatus, ReservationStatus, Timestamp};

/// How sure a refusal is to speak of the only try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    /// No try can have been taken.
    AllRefused,
    /// The fate of an earlier one is not known: it may have been taken, and the later ones refused for that reason.
    OneUnknown,
}

impl Call {
    /// Twilio took the instruction.
    pub fn instructed(&mut self, now: Timestamp) -> Vec<Act> {
        self.leg.taken = true;
        self.seems_instructed(now)
    }

    /// Twilio is found to have taken it, or else the desk has accepted the reservation.
    pub fn seems_instructed(&mut self, now: Timestamp) -> Vec<Act> {
        match &mut self.phase {
            Phase::Instructing => {
                // Of a leg that nobody waits for, only the end is of interest.
                self.leg.stopped |= self.is_left_alone() || self.is_unwanted_ring();
                self.phase = Phase::Ringing { until: now + self.leg_rings_for(), asked: false };
            }
            Phase::AwaitingLeg { rang, .. } => *rang = true,
            _ => {}
        }
        Vec::new()
    }

    /// Twilio refused the instruction.
    pub fn refused(&mut self, refusal: Refusal, tries: Tries, now: Timestamp) -> Vec<Act> {
        match (&self.phase, refusal, tries) {
            (Phase::Instructing, Refusal::CallerGone | Refusal::NotFound, _) => self.over_with(Vec::new()),
            (Phase::Instructing, Refusal::NotPending | Refusal::Conflict, Tries::AllRefused) => {
                self.over_with(vec![Act::ReadReservation])
            }
            (Phase::Instructing, Refusal::NotPending | Refusal::Conflict, Tries::OneUnknown) => self.perhaps_rings(now),
            (Phase::Instructing, Refusal::Unroutable | Refusal::Other, _) => self.not_taken(Miss::Unreachable, now),
            // It was accepted, and not by way of this call: the desk has it.
            (Phase::Talking { on_leg: false, .. }, Refusal::NotPending, Tries::AllRefused)
                if self.leg.sid.is_none() =>
            {
                self.over_with(Vec::new())
            }
            (Phase::AwaitingLeg { rang: false, .. }, _, Tries::AllRefused) => self.over_with(Vec::new()),
            _ => Vec::new(),
        }
    }

    /// The instruction did not get through while there was time for it.
    pub fn lapsed(&mut self, tries: Tries, now: Timestamp) -> Vec<Act> {
        match (&self.phase, tries) {
            (Phase::Instructing, Tries::AllRefused) if self.is_left_alone() => self.not_taken(Miss::Unreachable, now),
            (Phase::Instructing, Tries::AllRefused) => self.over_with(vec![Act::Reject]),
            (Phase::Instructing, Tries::OneUnknown) => self.perhaps_rings(now),
            _ => Vec::new(),
        }
    }

    /// Nobody knows whether the leg rings. It is given its time; the reservation tells the rest.
    fn perhaps_rings(&mut self, now: Timestamp) -> Vec<Act> {
        self.seems_instructed(now);
        vec![Act::ReadReservation]
    }

    /// A status callback of a leg. Those of other legs, and those that Twilio fired earlier than one we know, are old news.
    pub fn leg(&mut self, event: &LegEvent, now: Timestamp) -> Vec<Act> {
        if event.leg != self.leg.no {
            return Vec::new();
        }
        if self.leg.asks && self.leg.sid.as_ref().is_some_and(|known| *known != event.call_sid) {
            // A request whose fate was not known came to two calls: nobody is to be called twice.
            return if event.status.is_final() { Vec::new() } else { vec![Act::EndLeg(event.call_sid.clone())] };
        }
        if self.leg.heard.is_some_and(|last| event.sequence <= last) {
            return Vec::new();
        }
        self.leg.heard = Some(event.sequence);
        self.leg.sid = Some(event.call_sid.clone());
        self.leg_status(event.status, now)
    }

    /// What the leg is known to be doing, by callback or by asking.
    pub fn leg_status(&mut self, status: LegStatus, now: Timestamp) -> Vec<Act> {
        if matches!(self.phase, Phase::Asking(_)) {
            return self.asked_leg_is(status, now);
        }
        match status {
            LegStatus::Initiated | LegStatus::Ringing => {
                self.instructed(now);
                self.cancel_unwanted()
            }
            LegStatus::InProgress => self.answered(true, now),
            LegStatus::Completed => self.hung_up(),
            LegStatus::Busy | LegStatus::NoAnswer | LegStatus::Failed | LegStatus::Canceled => {
                self.not_answered(status, now)
            }
        }
    }

    pub(super) fn answered(&mut self, on_leg: bool, now: Timestamp) -> Vec<Act> {
        let check = if self.is_left_alone() { SETTLE } else { CHECK };
        match &mut self.phase {
            Phase::Instructing | Phase::Ringing { .. } => {
                self.phase = Phase::Talking { check_at: now + check, on_leg };
                self.was_answered()
            }
            Phase::Talking { on_leg: known, check_at } => {
                *known |= on_leg;
                *check_at = (*check_at).min(now + check);
                Vec::new()
            }
            // The customer was gone before the agent was heard of: the leg ends by itself.
            Phase::Phones { .. }
            | Phase::Asking(_)
            | Phase::AwaitingLeg { .. }
            | Phase::AwaitingReservation { .. }
            | Phase::Over => Vec::new(),
        }
    }

    fn was_answered(&self) -> Vec<Act> {
        if self.leg.given_up { vec![Act::Answered, Act::TakeBack] } else { vec![Act::Answered] }
    }

    /// `completed` means answered and ended, also where `in-progress` was lost or is late.
    pub(super) fn hung_up(&mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        if !matches!(self.phase, Phase::Talking { .. }) {
            acts.extend(self.was_answered());
        }
        acts.push(Act::Close);
        self.over_with(acts)
    }

    fn not_answered(&mut self, status: LegStatus, now: Timestamp) -> Vec<Act> {
        match self.phase {
            Phase::Instructing | Phase::Ringing { .. } => {
                self.phase = Phase::AwaitingReservation { by: now + SETTLE };
                self.missed_by(status)
            }
            Phase::AwaitingLeg { reservation, .. } => {
                let missed = super::is_unanswered(reservation);
                self.over_with(if missed { self.missed_by(status) } else { Vec::new() })
            }
            // The leg was answered before: whatever it is called now, this is its end.
            Phase::Talking { on_leg: true, .. } => self.hung_up(),
            // Accepted, but not on this leg: the desk has it.
            Phase::Talking { on_leg: false, .. } => self.over_with(Vec::new()),
            // The leg is of an instruction, and there was none.
            Phase::Phones { .. } | Phase::Asking(_) => Vec::new(),
            Phase::AwaitingReservation { .. } | Phase::Over => Vec::new(),
        }
    }

    /// A leg that Twilio cancelled itself means that the customer hung up: nobody missed anything. One that the gateway
    /// cancelled at the end of its ringing was not answered.
    fn missed_by(&self, status: LegStatus) -> Vec<Act> {
        match status {
            LegStatus::Busy | LegStatus::NoAnswer => self.fault(Miss::NoAnswer),
            LegStatus::Canceled if self.leg.stopped => self.fault(Miss::NoAnswer),
            LegStatus::Failed => self.fault(Miss::Unreachable),
            _ => Vec::new(),
        }
    }

    /// The reservation changed, by webhook or by reading.
    pub fn reservation(&mut self, status: ReservationStatus, now: Timestamp) -> Vec<Act> {
        use ReservationStatus::{Accepted, Canceled, Completed, Pending, Rejected, Rescinded, Timeout, Wrapping};
        if matches!(self.phase, Phase::Asking(_)) {
            return self.asked_reservation_is(status, now);
        }
        match status {
            Pending => self.still_pending(),
            Accepted => self.accepted(now),
            Wrapping | Completed => self.closed(now),
            Rejected | Timeout | Canceled | Rescinded => self.taken_back(status, now),
        }
    }

    fn still_pending(&mut self) -> Vec<Act> {
        match self.phase {
            // Nobody answered, and Twilio offers it still: the next agent shall have it.
            Phase::AwaitingReservation { .. } => self.over_with(vec![Act::Reject]),
            // The same, with a leg that nobody ever heard of.
            Phase::Ringing { asked: true, .. } if self.leg.sid.is_none() => {
                let mut acts = self.fault(Miss::NoAnswer);
                acts.push(Act::Reject);
                self.over_with(acts)
            }
            _ => Vec::new(),
        }
    }

    fn accepted(&mut self, now: Timestamp) -> Vec<Act> {
        match self.phase {
            Phase::Instructing | Phase::Ringing { .. } => self.answered(false, now),
            // The leg was not, or there is none yet: it was accepted at the desk.
            Phase::AwaitingReservation { .. } | Phase::Phones { .. } => self.over_with(Vec::new()),
            _ => Vec::new(),
        }
    }

    /// The conversation has ended, or is about to: the leg knows.
    fn closed(&mut self, now: Timestamp) -> Vec<Act> {
        let mut acts = self.accepted(now);
        if matches!(self.phase, Phase::Talking { .. }) {
            acts.extend(self.leg.sid.clone().map_or_else(|| self.hung_up(), |leg| vec![Act::ReadLeg(leg)]));
        }
        acts
    }

    fn taken_back(&mut self, reservation: ReservationStatus, now: Timestamp) -> Vec<Act> {
        let by = now + SETTLE;
        match self.phase {
            Phase::Instructing => {
                self.phase = Phase::AwaitingLeg { reservation, rang: false, by, asked: false };
                Vec::new()
            }
            Phase::Ringing { .. } => {
                self.phase = Phase::AwaitingLeg { reservation, rang: true, by, asked: false };
                self.leg.sid.clone().map(Act::CancelLeg).into_iter().collect()
            }
            Phase::Phones { .. } if reservation == ReservationStatus::Timeout => {
                self.over_with(self.missed(Miss::NoAnswer))
            }
            Phase::Phones { .. } | Phase::AwaitingReservation { .. } => self.over_with(Vec::new()),
            Phase::Talking { .. } => self.closed(now),
            Phase::Asking(_) | Phase::AwaitingLeg { .. } | Phase::Over => Vec::new(),
        }
    }

    /// The leg or its conference was ended since nobody was on it any more, or is found to be over.
    pub fn ended_at_twilio(&mut self, now: Timestamp) -> Vec<Act> {
        if matches!(self.phase, Phase::Asking(_)) {
            return self.asked_leg_is_over(Miss::NoAnswer, now);
        }
        if matches!(self.phase, Phase::Talking { .. }) { self.hung_up() } else { Vec::new() }
    }

    /// A reading says whether the conference goes on, which decides where nothing was ever heard of the leg.
    pub fn conference_found(&mut self, goes_on: bool) -> Vec<Act> {
        let unheard = matches!(self.phase, Phase::Talking { .. }) && self.leg.sid.is_none();
        if unheard && !goes_on { self.hung_up() } else { Vec::new() }
    }

    /// The conference told of its life. Its end, or the agent's leaving, ends the conversation.
    pub fn conference(&mut self, kind: ConferenceEventKind, participant: Option<&CallSid>, leg: LegNo) -> Vec<Act> {
        let mine = participant.is_some() && participant == self.leg.sid.as_ref();
        let ends = match kind {
            ConferenceEventKind::End => true,
            ConferenceEventKind::Leave => mine,
            ConferenceEventKind::Start | ConferenceEventKind::Join => false,
        };
        if ends && leg == self.leg.no && matches!(self.phase, Phase::Talking { .. }) {
            self.hung_up()
        } else {
            Vec::new()
        }
    }
}
