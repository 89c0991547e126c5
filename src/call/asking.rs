//! A cell phone whose answerer is asked. We call it ourselves while the reservation stays pending, and Twilio brings the customer
//! only when 1 was pressed: so a voicemail never takes one, and the plan goes on behind it.
//!
//! ```text
//!  Dialling ──taken──▶ Calling ──1──▶ Connecting ──reservation accepted──▶ Talking
//!    │                  │    │          └─leg over──▶ Judging ──reservation read──▶ closed, or the next step
//!    │                  │    └─leg over──▶ the next step, or reject and over
//!    └──────────────────┴─reservation over, no time left──▶ HangingUp ──leg over──▶ over
//! ```

mod time;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Act, Call, Miss, Phase, Tries,
    time::{CHECK, OVERDUE, SETTLE},
};
use crate::domain::{CallSid, Key, LegStatus, PickUp, ReservationSid, ReservationStatus, Timestamp};

/// How long the question takes, put twice, and a word of farewell.
const QUESTION: Duration = Duration::from_secs(25);
/// What stays at least for an answer of whoever picks up at the last ring.
pub(super) const ANSWER: Duration = Duration::from_secs(8);
/// How long after its end a leg may still be heard of.
const LATE: Duration = Duration::from_secs(15);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asking {
    /// The call is on its way to Twilio.
    Dialling,
    /// Twilio calls, or somebody has picked up and is asked.
    Calling { until: Timestamp },
    /// 1 was pressed, and Twilio was told to bring the customer.
    Connecting {
        by: Timestamp,
        /// It takes long: whether the reservation is accepted has been asked for.
        asked: bool,
    },
    /// The leg is over behind that; whether the customer was ever on it, the reservation tells.
    Judging { by: Timestamp },
    /// Nothing will come of the leg, which has to end before anything else rings here.
    HangingUp { by: Timestamp },
}

/// How the call goes on for whoever has picked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The question is put.
    Ask,
    /// The customer of this reservation comes.
    Connect(ReservationSid),
    /// The customer goes to somebody else.
    NotTaken,
    /// There is no customer, or not any more.
    NobodyWaits,
}

impl Call {
    /// Twilio has made the call.
    pub fn dialled(&mut self, sid: &CallSid, now: Timestamp) -> Vec<Act> {
        if self.leg.sid.as_ref().is_some_and(|known| known != sid) {
            return vec![Act::EndLeg(sid.clone())];
        }
        self.leg.sid = Some(sid.clone());
        match self.phase {
            Phase::Asking(Asking::Dialling) => {
                self.phase = Phase::Asking(Asking::Calling { until: self.within_plan(now + self.leg.step.ring) });
                Vec::new()
            }
            Phase::Asking(Asking::HangingUp { .. }) => vec![Act::EndLeg(sid.clone())],
            _ => Vec::new(),
        }
    }

    /// Twilio refused to call.
    pub fn dial_refused(&mut self, now: Timestamp) -> Vec<Act> {
        match self.phase {
            Phase::Asking(Asking::Dialling) => self.next_step(Some(Miss::Unreachable), now),
            Phase::Asking(Asking::HangingUp { .. }) if self.leg.sid.is_none() => self.over_with(Vec::new()),
            _ => Vec::new(),
        }
    }

    /// The call was not made while there was time for it, or is not wanted any more.
    pub fn dial_lapsed(&mut self, tries: Tries, now: Timestamp) -> Vec<Act> {
        match (&self.phase, tries) {
            (Phase::Asking(Asking::Dialling), Tries::AllRefused) => self.over_with(vec![Act::Reject]),
            // It may ring all the same; then its end is waited for.
            (Phase::Asking(Asking::Dialling), Tries::OneUnknown) => {
                self.phase = Phase::Asking(Asking::HangingUp { by: self.surely_over(now) });
                vec![Act::Reject]
            }
            (Phase::Asking(Asking::HangingUp { .. }), Tries::AllRefused) if self.leg.sid.is_none() => {
                self.over_with(Vec::new())
            }
            _ => Vec::new(),
        }
    }

    /// Whether it is of interest what became of the request to call.
    pub const fn wants_dial(&self) -> bool {
        matches!(self.phase, Phase::Asking(Asking::Dialling | Asking::HangingUp { .. }))
    }

    /// Somebody has picked up, or pressed a key. The reply holds once what has changed is on disk.
    pub fn picked_up(&mut self, pick_up: &PickUp, now: Timestamp) -> (Reply, Vec<Act>) {
        let is_it = self.leg.asks
            && self.leg.no == pick_up.leg
            && self.leg.sid.as_ref().is_none_or(|known| *known == pick_up.call_sid);
        if !is_it {
            return (Reply::NobodyWaits, Vec::new());
        }
        let acts = self.dialled(&pick_up.call_sid, now);
        let by = now + SETTLE;
        let reply = match (&mut self.phase, pick_up.key) {
            (Phase::Asking(Asking::Calling { .. }), _) if self.leg.stopped => Reply::NotTaken,
            (Phase::Asking(Asking::Calling { .. }), None) => {
                self.was_picked_up(now);
                Reply::Ask
            }
            (Phase::Asking(Asking::Calling { .. }), Some(Key::One)) => {
                self.phase = Phase::Asking(Asking::Connecting { by, asked: false });
                Reply::Connect(self.offered.reservation.clone())
            }
            (Phase::Asking(Asking::Calling { until }), Some(Key::Other)) => {
                *until = (*until).min(by);
                Reply::NotTaken
            }
            // The same once more.
            (Phase::Asking(Asking::Connecting { .. }) | Phase::Talking { .. }, Some(Key::One)) => {
                Reply::Connect(self.offered.reservation.clone())
            }
            _ => Reply::NobodyWaits,
        };
        (reply, acts)
    }

    /// Twilio queues calls of an account that come faster than it may call: the ring has its time from here on.
    fn has_begun_to_ring(&mut self, now: Timestamp) {
        let end = self.within_plan(now + self.leg.step.ring);
        if let Phase::Asking(Asking::Calling { until }) = &mut self.phase
            && !self.leg.picked_up
            && !self.leg.stopped
        {
            *until = end;
        }
    }

    fn was_picked_up(&mut self, now: Timestamp) {
        let end = self.within_plan(now + QUESTION);
        if let Phase::Asking(Asking::Calling { until }) = &mut self.phase
            && !self.leg.picked_up
        {
            *until = end;
            self.leg.picked_up = true;
        }
    }

    /// What the leg is known to be doing.
    pub(super) fn asked_leg_is(&mut self, status: LegStatus, now: Timestamp) -> Vec<Act> {
        let acts = self.leg.sid.clone().map(|sid| self.dialled(&sid, now)).unwrap_or_default();
        match status {
            LegStatus::Initiated => acts,
            LegStatus::Ringing => {
                self.has_begun_to_ring(now);
                acts
            }
            LegStatus::InProgress => {
                if !self.leg.stopped {
                    self.was_picked_up(now);
                }
                acts
            }
            LegStatus::Failed => self.asked_leg_is_over(Miss::Unreachable, now),
            LegStatus::Completed | LegStatus::Busy | LegStatus::NoAnswer | LegStatus::Canceled => {
                self.asked_leg_is_over(Miss::NoAnswer, now)
            }
        }
    }

    pub(super) fn asked_leg_is_over(&mut self, miss: Miss, now: Timestamp) -> Vec<Act> {
        match self.phase {
            Phase::Asking(Asking::Dialling | Asking::Calling { .. }) => self.next_step(Some(miss), now),
            Phase::Asking(Asking::Connecting { .. }) => {
                self.phase = Phase::Asking(Asking::Judging { by: now + OVERDUE });
                vec![Act::ReadReservation]
            }
            Phase::Asking(Asking::HangingUp { .. }) => self.over_with(Vec::new()),
            _ => Vec::new(),
        }
    }

    /// The reservation changed, or was read, before a conversation is known to have begun.
    pub(super) fn asked_reservation_is(&mut self, status: ReservationStatus, now: Timestamp) -> Vec<Act> {
        let Phase::Asking(asking) = &self.phase else { return Vec::new() };
        let is_pending = status == ReservationStatus::Pending;
        match asking {
            Asking::Dialling | Asking::Calling { .. } if !is_pending => {
                let missed = status == ReservationStatus::Timeout;
                let acts = if missed { self.missed(Miss::NoAnswer) } else { Vec::new() };
                self.hang_up_asked(acts, now)
            }
            // Twilio does not bring the customer: there is nothing to wait for.
            Asking::Connecting { asked: true, .. } if is_pending => {
                self.leg.sid.clone().map(Act::EndLeg).into_iter().collect()
            }
            Asking::Connecting { .. } if is_taken(status) => self.connected(status, now),
            Asking::Connecting { .. } if !is_pending => self.hang_up_asked(Vec::new(), now),
            Asking::Judging { .. } if is_pending => self.next_step(Some(Miss::NoAnswer), now),
            Asking::Judging { .. } if is_taken(status) => self.hung_up(),
            Asking::Judging { .. } => self.over_with(Vec::new()),
            Asking::Dialling | Asking::Calling { .. } | Asking::Connecting { .. } | Asking::HangingUp { .. } => {
                Vec::new()
            }
        }
    }

    fn connected(&mut self, status: ReservationStatus, now: Timestamp) -> Vec<Act> {
        self.leg.taken = true;
        self.phase = Phase::Talking { check_at: now + CHECK, on_leg: true };
        let mut acts = vec![Act::Answered];
        if status != ReservationStatus::Accepted {
            acts.extend(self.leg.sid.clone().map(Act::ReadLeg));
        }
        acts
    }

    /// Ends the leg, or finds it first, and whatever else there is to be done.
    pub(super) fn hang_up_asked(&mut self, mut acts: Vec<Act>, now: Timestamp) -> Vec<Act> {
        acts.push(self.leg.sid.clone().map_or(Act::Withdraw { leg: self.leg.no }, Act::EndLeg));
        self.phase = Phase::Asking(Asking::HangingUp { by: self.surely_over(now) });
        acts
    }

    fn within_plan(&self, at: Timestamp) -> Timestamp {
        at.min(self.terms.deadline)
    }

    /// When a leg that is called now is over, whatever it does.
    fn surely_over(&self, now: Timestamp) -> Timestamp {
        now + self.leg.step.ring + QUESTION + LATE
    }
}

const fn is_taken(status: ReservationStatus) -> bool {
    matches!(status, ReservationStatus::Accepted | ReservationStatus::Wrapping | ReservationStatus::Completed)
}
