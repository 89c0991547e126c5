//! Calls of an agent who is not to be rung any more: disabled, gone to where nobody answers, or with another number.

use super::{Act, Call, Phase, asking::Asking, phones::Phones};
use crate::domain::Timestamp;

impl Call {
    /// What rings, or is about to, stops without blame, and the customer goes to the next agent. Whoever has taken the call up
    /// keeps it; if it fails all the same, no other phone rings.
    pub fn stop_ringing(&mut self, now: Timestamp) -> Vec<Act> {
        match self.phase {
            Phase::Phones { .. } | Phase::Asking(_) | Phase::Instructing | Phase::Ringing { .. } => {
                self.unwanted = true;
                self.rest.clear();
            }
            Phase::Talking { .. } | Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } | Phase::Over => {}
        }
        match &mut self.phase {
            Phase::Phones { .. } => {
                let mut acts: Vec<_> = self.hang_up(Phones::Over).into_iter().collect();
                acts.push(Act::Reject);
                self.over_with(acts)
            }
            Phase::Asking(Asking::Dialling | Asking::Calling { .. }) => self.hang_up_asked(vec![Act::Reject], now),
            // It may be on its way: then its leg is stopped once it is heard of.
            Phase::Instructing if self.leg.phones.is_none() => vec![Act::Withdraw { leg: self.leg.no }],
            Phase::Ringing { until, .. } if self.leg.phones.is_none() => {
                (*until, self.leg.stopped) = (now, true);
                self.cancel_unwanted()
            }
            _ => Vec::new(),
        }
    }

    /// The agent is gone: whatever is still under way for them ends. At the desk nothing does.
    pub fn cut(&mut self, _: Timestamp) -> Vec<Act> {
        let mut acts: Vec<_> = self.hang_up(Phones::Over).into_iter().collect();
        let leg = || self.leg.sid.clone().map(Act::EndLeg);
        match &self.phase {
            Phase::Talking { .. } if self.is_ours() => {
                acts.extend([leg().unwrap_or(Act::EndConference), Act::Close]);
            }
            Phase::Ringing { .. } => acts.push(leg().unwrap_or(Act::EndConference)),
            Phase::Asking(_) => acts.extend(leg().into_iter().chain([Act::Reject])),
            Phase::Instructing => acts.extend([Act::Withdraw { leg: self.leg.no }, Act::Reject]),
            Phase::Phones { .. } => acts.push(Act::Reject),
            Phase::Talking { .. } | Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } | Phase::Over => {}
        }
        self.over_with(acts)
    }

    /// Whether its cell phone is not to ring.
    pub(super) const fn is_unwanted_ring(&self) -> bool {
        self.unwanted && self.leg.phones.is_none()
    }

    /// Stops a leg that rings against all wishes, as far as it is known.
    pub(super) fn cancel_unwanted(&self) -> Vec<Act> {
        let rings = self.is_unwanted_ring() && matches!(self.phase, Phase::Ringing { .. });
        self.leg.sid.clone().filter(|_| rings).map(Act::CancelLeg).into_iter().collect()
    }

    /// Whether a cell phone rings or is talked at, or is about to ring.
    pub const fn is_at_cell_phone(&self) -> bool {
        self.leg.phones.is_none()
    }

    /// Whether somebody has taken it up, or may be about to, and the customer is not there yet.
    pub const fn is_being_taken(&self) -> bool {
        match &self.phase {
            Phase::Asking(asking) => matches!(asking, Asking::Connecting { .. } | Asking::Judging { .. }),
            Phase::Instructing | Phase::Ringing { .. } => true,
            _ => false,
        }
    }

    /// Whether the agent is being taken offline for it already.
    pub const fn is_given_up(&self) -> bool {
        self.leg.given_up
    }
}
