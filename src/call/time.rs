//! What a call does when time passes, when its process has died, and when its task comes back.

use std::time::Duration;

use super::{Act, Call, Miss, Phase, is_unanswered, phones::Phones};
use crate::domain::Timestamp;

/// How long to wait for the callback that must follow another one.
pub(super) const SETTLE: Duration = Duration::from_secs(5);
/// How long after its end a leg that says nothing is asked about, and how often.
pub(super) const OVERDUE: Duration = Duration::from_secs(8);
/// How often a conversation is looked after, in case the callback of its end was lost.
pub(super) const CHECK: Duration = Duration::from_secs(120);
/// How long before its end a last ring is given up: time enough for one request.
const LAST_MOMENT: Duration = Duration::from_secs(3);
/// Softphones that say nothing for so long after their time are given up. They end by themselves, so this is never.
const SILENT: Duration = Duration::from_secs(2);

impl Call {
    /// When it wants a [`Call::tick`].
    pub fn due(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Phones { until } => Some(until + SILENT),
            Phase::Asking(ref asking) => self.asked_due(asking),
            Phase::Ringing { until, .. } if self.is_to_give_up() => Some(until - LAST_MOMENT),
            Phase::Ringing { until, .. } => Some(if self.leg.stopped { until + OVERDUE } else { until }),
            Phase::Talking { check_at, .. } => Some(check_at),
            Phase::AwaitingLeg { by, .. } | Phase::AwaitingReservation { by } => Some(by),
            Phase::Instructing | Phase::Over => None,
        }
    }

    /// Time passes.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Act> {
        if self.due().is_none_or(|due| now < due) {
            return Vec::new();
        }
        let (giving_up, is_left_alone) = (self.is_to_give_up(), self.is_left_alone() && self.is_ours());
        match &mut self.phase {
            Phase::Phones { .. } => self.next_step(Some(Miss::NoAnswer), now),
            Phase::Asking(_) => self.asked_tick(now),
            Phase::Ringing { .. } if giving_up => {
                self.leg.given_up = true;
                vec![Act::GiveUp]
            }
            Phase::Ringing { .. } if !self.leg.stopped => {
                self.leg.stopped = true;
                self.leg.sid.clone().map(Act::CancelLeg).into_iter().collect()
            }
            Phase::Ringing { until, asked } => {
                (*until, *asked) = (now, true);
                self.ask_both()
            }
            // The customer must not be left in an empty conference.
            Phase::Talking { check_at, .. } if is_left_alone => {
                *check_at = now + OVERDUE;
                vec![self.leg.sid.clone().map_or(Act::EndConference, Act::EndLeg)]
            }
            Phase::Talking { check_at, .. } => {
                *check_at = now + CHECK;
                vec![self.leg.sid.clone().map_or(Act::ReadConference, Act::ReadLeg)]
            }
            Phase::AwaitingLeg { .. } => self.unheard(now),
            Phase::AwaitingReservation { by } => {
                *by = now + OVERDUE;
                vec![Act::ReadReservation]
            }
            Phase::Instructing | Phase::Over => Vec::new(),
        }
    }

    /// Twilio offers a task again in the moment in which its leg fails. Once the agent is not to have it again, that must be
    /// known to Twilio before.
    fn is_to_give_up(&self) -> bool {
        let is_last = self.terms.last && self.rest.is_empty() && self.leg.phones.is_none();
        is_last && !self.leg.given_up && !self.unwanted
    }

    /// The leg never said why it ended. Where it can be asked, it is, once.
    fn unheard(&mut self, now: Timestamp) -> Vec<Act> {
        match (&mut self.phase, &self.leg.sid) {
            (Phase::AwaitingLeg { by, asked: asked @ false, .. }, Some(leg)) => {
                (*by, *asked) = (now + OVERDUE, true);
                vec![Act::ReadLeg(leg.clone())]
            }
            _ => self.conclude(),
        }
    }

    /// Ends the settling without the leg's word. A leg that rang counts as missed, so that a loop of lost callbacks ends.
    fn conclude(&mut self) -> Vec<Act> {
        let missed = match self.phase {
            Phase::AwaitingLeg { reservation, rang, .. } => rang && is_unanswered(reservation),
            _ => false,
        };
        self.over_with(if missed { self.fault(Miss::NoAnswer) } else { Vec::new() })
    }

    /// The task is offered to the same agent again: this call is over, whatever is still unheard of it. Its customer did
    /// not hang up, so that it was missed, unless it is known how it ended.
    pub fn came_back(&mut self, now: Timestamp) -> Vec<Act> {
        let acts = match self.phase {
            Phase::Asking(_) => return self.asked_came_back(now),
            Phase::Phones { .. } => self.missed(Miss::NoAnswer),
            Phase::Instructing | Phase::Ringing { .. } => self.fault(Miss::NoAnswer),
            Phase::AwaitingLeg { reservation, .. } if is_unanswered(reservation) => self.fault(Miss::NoAnswer),
            Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } => Vec::new(),
            Phase::Talking { .. } | Phase::Over => return Vec::new(),
        };
        self.over_with(acts)
    }

    /// After a restart: what is to be read, since callbacks may have been lost. `is_alive`: the softphones have outlived it,
    /// which they do if only this agent had died. A conversation goes on then; what was not one yet is hung up, since the
    /// softphones may have told what nobody heard.
    pub fn restored(&mut self, is_alive: bool, now: Timestamp) -> Vec<Act> {
        let is_talk = matches!(self.phase, Phase::Talking { .. });
        let mut acts: Vec<_> =
            if is_talk && is_alive { None } else { self.hang_up(Phones::Lost) }.into_iter().collect();
        let was_lost = !acts.is_empty();
        acts.extend(match &mut self.phase {
            Phase::Phones { .. } if self.rest.is_empty() => self.repeat_step(now),
            Phase::Phones { .. } => self.next_step(None, now),
            Phase::Asking(_) => self.asked_restored(),
            Phase::Instructing if was_lost => vec![Act::Withdraw { leg: self.leg.no }],
            Phase::Talking { check_at, .. } if was_lost => {
                *check_at = now;
                self.ask_both()
            }
            Phase::Ringing { until, .. } if was_lost => {
                *until = now;
                self.ask_both()
            }
            Phase::Talking { .. } if self.leg.sid.is_none() => vec![Act::ReadConference],
            Phase::Ringing { .. } | Phase::Talking { .. } => self.ask_both(),
            Phase::Instructing | Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } | Phase::Over => {
                Vec::new()
            }
        });
        acts
    }

    pub(super) fn ask_both(&self) -> Vec<Act> {
        let mut acts = vec![Act::ReadReservation];
        acts.extend(self.leg.sid.clone().map(Act::ReadLeg));
        acts
    }
}
