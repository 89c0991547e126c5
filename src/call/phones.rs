//! The softphones' part of a call: they are rung while Twilio waits, and Twilio is told to call when one was answered.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Act, Call, Miss, Phase, time::SETTLE};
use crate::domain::{EndedBy, LegNo, NotReached, SoftphoneNews, Timestamp};

/// How long Twilio's leg to a softphone may take. It is answered at once, so this is for setting it up.
const CONNECT: Duration = Duration::from_secs(10);

/// Where a leg's softphones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phones {
    /// They ring, or one was answered.
    Live,
    /// The agent took one up, and hung up.
    HungUp,
    /// They went with an earlier life of this process.
    Lost,
    /// Whatever else.
    Over,
}

impl Call {
    /// The softphones tell something of one of this call's legs.
    pub fn phones(&mut self, leg: LegNo, news: &SoftphoneNews, now: Timestamp) -> Vec<Act> {
        if leg != self.leg.no || self.leg.phones != Some(Phones::Live) {
            let answered = matches!(news, SoftphoneNews::Answered(_));
            return if answered { vec![Act::HangUp { leg }] } else { Vec::new() };
        }
        match (news, &self.phase) {
            (SoftphoneNews::Answered(to), Phase::Phones { .. }) => {
                self.phase = Phase::Instructing;
                vec![Act::InstructPhone { leg, to: to.clone(), ring: CONNECT }]
            }
            (SoftphoneNews::Rings | SoftphoneNews::Answered(_), _) => Vec::new(),
            (SoftphoneNews::Bridged, _) => {
                self.leg.taken = true;
                self.answered(true, now)
            }
            (SoftphoneNews::Failed(why), Phase::Phones { .. }) => {
                self.leg.phones = Some(Phones::Over);
                let miss = miss_of(*why);
                let mut acts: Vec<_> = miss.is_none().then_some(Act::Faulted).into_iter().collect();
                acts.extend(self.next_step(miss, now));
                acts
            }
            (SoftphoneNews::Failed(_), _) => self.phones_ended(Phones::Over, now),
            (SoftphoneNews::Ended { by: EndedBy::Phone, .. }, _) => self.phones_ended(Phones::HungUp, now),
            (SoftphoneNews::Ended { .. }, _) => self.phones_ended(Phones::Over, now),
        }
    }

    /// What was answered is over. Twilio hears of it by BYE, or finds no ticket, and says so by the leg's callbacks; only if
    /// these do not come it is told.
    pub(super) fn phones_ended(&mut self, how: Phones, now: Timestamp) -> Vec<Act> {
        self.leg.phones = Some(how);
        let is_ours = self.is_ours();
        match &mut self.phase {
            Phase::Phones { .. } => self.next_step(Some(Miss::NoAnswer), now),
            Phase::Instructing => vec![Act::Withdraw { leg: self.leg.no }],
            Phase::Ringing { until, .. } => {
                *until = (*until).min(now);
                Vec::new()
            }
            Phase::Talking { check_at, .. } if is_ours => {
                *check_at = now + SETTLE;
                Vec::new()
            }
            // The desk has it: Twilio never called here.
            Phase::Talking { .. } => self.over_with(Vec::new()),
            // There are none.
            Phase::Asking(_) => Vec::new(),
            Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } | Phase::Over => Vec::new(),
        }
    }

    /// Hangs up what has no more use. To be called after whatever the call hears.
    pub fn let_go_of_phones(&mut self) -> Option<Act> {
        if self.is_busy() { None } else { self.hang_up(Phones::Over) }
    }

    pub(super) fn hang_up(&mut self, how: Phones) -> Option<Act> {
        if self.leg.phones != Some(Phones::Live) {
            return None;
        }
        self.leg.phones = Some(how);
        Some(Act::HangUp { leg: self.leg.no })
    }

    /// How long Twilio's leg rings at most.
    pub(super) const fn leg_rings_for(&self) -> Duration {
        match self.leg.phones {
            None if self.unwanted => Duration::ZERO,
            None => self.leg.step.ring,
            Some(Phones::Live) => CONNECT,
            Some(_) => Duration::ZERO,
        }
    }

    /// Whether a conversation is known to be on this call's own leg.
    pub(super) const fn is_ours(&self) -> bool {
        self.leg.taken || self.leg.sid.is_some()
    }

    /// Whether the softphones, of which there were some, are over.
    pub(super) fn is_left_alone(&self) -> bool {
        self.leg.phones.is_some_and(|phones| phones != Phones::Live)
    }

    /// The instruction was not taken, although somebody may have waited for it.
    pub(super) fn not_taken(&mut self, miss: Miss, now: Timestamp) -> Vec<Act> {
        match self.leg.phones {
            Some(Phones::HungUp) => {
                let mut acts = self.missed(Miss::NoAnswer);
                acts.push(Act::Reject);
                self.over_with(acts)
            }
            Some(Phones::Lost) => self.next_step(None, now),
            Some(Phones::Live | Phones::Over) | None => self.next_step(Some(miss), now),
        }
    }

    /// Twilio's leg was not answered. Of a softphone the agent is not to blame for it, unless it was hung up.
    pub(super) fn fault(&self, miss: Miss) -> Vec<Act> {
        let target = self.leg.step.target;
        match self.leg.phones {
            None => self.missed(miss),
            Some(Phones::HungUp) => self.missed(Miss::NoAnswer),
            Some(Phones::Lost) => Vec::new(),
            Some(Phones::Live | Phones::Over) => vec![Act::Tried { target, miss: Miss::Unreachable }],
        }
    }
}

/// None: it is the gateway's fault.
const fn miss_of(why: NotReached) -> Option<Miss> {
    match why {
        NotReached::Declined | NotReached::Busy | NotReached::NoAnswer => Some(Miss::NoAnswer),
        NotReached::Asleep | NotReached::Unreachable => Some(Miss::Unreachable),
        NotReached::NotPossible => None,
    }
}
