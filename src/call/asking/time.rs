//! What a call that asks does when time passes, when its process has died, and when its task comes back.

use std::time::Duration;

use super::Asking;
use crate::call::{Act, Call, Miss, Phase, time::OVERDUE};
use crate::domain::Timestamp;

/// How long behind the plan's end a leg is waited for, until its reservation goes to the next agent all the same.
const LAST_WAIT: Duration = Duration::from_secs(1);

impl Call {
    pub(in crate::call) fn asked_due(&self, asking: &Asking) -> Option<Timestamp> {
        match asking {
            Asking::Dialling => None,
            Asking::Calling { until } if self.leg.stopped => {
                Some((*until + OVERDUE).min(self.terms.deadline.max(*until) + LAST_WAIT))
            }
            Asking::Calling { until: at }
            | Asking::Connecting { by: at, .. }
            | Asking::Judging { by: at }
            | Asking::HangingUp { by: at } => Some(*at),
        }
    }

    pub(in crate::call) fn asked_tick(&mut self, now: Timestamp) -> Vec<Act> {
        let leg = self.leg.sid.clone();
        let is_too_late = now >= self.terms.deadline + LAST_WAIT;
        match &mut self.phase {
            Phase::Asking(Asking::Calling { until }) if !self.leg.stopped => {
                (*until, self.leg.stopped) = (now, true);
                leg.map(Act::EndLeg).into_iter().collect()
            }
            // It cannot be ended, and the customer has waited long enough.
            Phase::Asking(Asking::Calling { .. }) if is_too_late => {
                let mut acts = self.missed(Miss::NoAnswer);
                acts.push(Act::Reject);
                self.hang_up_asked(acts, now)
            }
            Phase::Asking(Asking::Calling { until }) => {
                *until = now;
                leg.map(Act::ReadLeg).into_iter().collect()
            }
            Phase::Asking(Asking::Connecting { by, asked }) => {
                (*by, *asked) = (now + OVERDUE, true);
                self.ask_both()
            }
            Phase::Asking(Asking::Judging { by }) => {
                *by = now + OVERDUE;
                vec![Act::ReadReservation]
            }
            Phase::Asking(Asking::HangingUp { .. }) => self.over_with(Vec::new()),
            _ => Vec::new(),
        }
    }

    /// After a restart: what is to be read, since callbacks may have been lost. What was on its way is found by its duty.
    pub(in crate::call) fn asked_restored(&self) -> Vec<Act> {
        match &self.phase {
            Phase::Asking(Asking::Calling { .. } | Asking::Connecting { .. } | Asking::Judging { .. }) => {
                self.ask_both()
            }
            Phase::Asking(Asking::HangingUp { .. }) => self.leg.sid.clone().map(Act::ReadLeg).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The task is offered to the same agent again.
    pub(in crate::call) fn asked_came_back(&mut self, now: Timestamp) -> Vec<Act> {
        match self.phase {
            Phase::Asking(Asking::Dialling | Asking::Calling { .. }) => {
                let missed = self.missed(Miss::NoAnswer);
                self.hang_up_asked(missed, now)
            }
            Phase::Asking(Asking::Connecting { .. }) => self.hang_up_asked(Vec::new(), now),
            Phase::Asking(Asking::Judging { .. }) => self.over_with(Vec::new()),
            _ => Vec::new(),
        }
    }
}
