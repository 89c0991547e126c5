//! The model's REST side.

use super::twilio::{BREAK, DESK, MOBILE, OFFLINE, Reservation, Twilio};
use crate::agent::request::{Answer, Closing, Ending, Instruct, Offered, Refusal, Request};
use crate::domain::{CallSid, LegStatus, ReservationStatus, Timestamp};

type Reply = Result<Answer, Refusal>;

impl Twilio {
    pub(super) fn perform(&mut self, request: &Request) -> Reply {
        match request {
            Request::Instruct(instruct) => self.instruct(instruct),
            Request::Dial(dial) => Ok(Answer::Dialled(Some(self.dial(dial)))),
            Request::FindDialled(dial) => Ok(Answer::Dialled(self.find_dialled(dial))),
            Request::Reject(offered) => self.reject(offered),
            Request::Accept(offered) => self.accept(offered),
            Request::Close { offered, how, ending } => self.close(offered, *how, ending),
            Request::SetRead { conversation, index, .. } => self.set_read(conversation, *index),
            Request::ReadCounts(_) => Ok(Answer::Counts(self.counts())),
            Request::ReadMessages(conversation) => self.newest_messages(conversation),
            Request::ReadReservations(_) => Ok(Answer::Reservations(self.open_reservations())),
            Request::SetActivity { activity, reject_pending, .. } => self.update_worker(activity, *reject_pending),
            Request::CancelLeg(leg) => self.cancel_leg(leg),
            Request::EndLeg(leg) => self.end_leg(leg),
            Request::EndConference(offered) => self.end_conference(offered),
            Request::ReadReservation(offered) => {
                let number = self.find(offered)?;
                let one = &self.reservations[number];
                Ok(Answer::Reservation { status: one.status, changed_at: Some(one.changed_at()) })
            }
            Request::ReadInstruction(offered) => {
                let reservation = &self.reservations[self.find(offered)?];
                let on_leg = reservation.leg.is_some_and(|leg| !self.legs[leg].status.is_final());
                let at_desk = reservation.status == ReservationStatus::Accepted && !reservation.answered;
                let conference = on_leg || at_desk;
                Ok(Answer::Instruction { status: reservation.status, conference })
            }
            Request::ReadWorker(_) => Ok(self.worker()),
            Request::ReadLeg(leg) => Ok(Answer::Leg { status: self.legs[self.find_leg(leg)?].status }),
        }
    }

    pub(super) fn find(&self, offered: &Offered) -> Result<usize, Refusal> {
        self.reservations.iter().position(|one| one.sid == offered.reservation).ok_or(Refusal::NotFound)
    }

    fn find_leg(&self, leg: &CallSid) -> Result<usize, Refusal> {
        self.legs.iter().position(|one| one.sid == *leg).ok_or(Refusal::NotFound)
    }

    fn worker(&self) -> Answer {
        let changed_at = Timestamp::from_millis(self.activity_at.as_secs() * 1000);
        Answer::Worker { activity: self.activity.into(), changed_at: Some(changed_at) }
    }

    fn instruct(&mut self, instruct: &Instruct) -> Reply {
        let number = self.find(&instruct.offered)?;
        let reservation = &self.reservations[number];
        if reservation.leg.is_some() {
            self.violations.push(format!("{} was instructed twice", reservation.sid));
        }
        let reservation = &self.reservations[number];
        if self.tasks[reservation.task].canceled {
            return Err(Refusal::CallerGone);
        }
        if reservation.status != ReservationStatus::Pending || reservation.leg.is_some() {
            return Err(Refusal::NotPending);
        }
        self.new_leg(number, instruct);
        Ok(Answer::Done)
    }

    fn reject(&mut self, offered: &Offered) -> Reply {
        let number = self.find(offered)?;
        if !self.reservations[number].is_free() {
            return Err(Refusal::NotPending);
        }
        self.reservation_is(number, ReservationStatus::Rejected);
        self.requeue(number);
        Ok(Answer::Done)
    }

    fn close(&mut self, offered: &Offered, how: Closing, ending: &Ending) -> Reply {
        let number = self.find(offered)?;
        self.judge_ending(number, ending);
        let status = self.reservations[number].status;
        if !matches!(status, ReservationStatus::Accepted | ReservationStatus::Wrapping) {
            return Err(Refusal::NotPending);
        }
        if status != how.into() {
            self.reservation_is(number, how.into());
        }
        self.match_tasks();
        Ok(Answer::Done)
    }

    fn update_worker(&mut self, activity: &str, reject_pending: bool) -> Reply {
        let known = [MOBILE, DESK, BREAK, OFFLINE];
        let name = known.into_iter().find(|name| *name == activity).ok_or(Refusal::Other)?;
        let pending: Vec<_> = (0..self.reservations.len()).filter(|at| self.reservations[*at].is_free()).collect();
        if !pending.is_empty() && !reject_pending {
            return Err(Refusal::Other);
        }
        for number in pending {
            self.reservation_is(number, ReservationStatus::Rejected);
            self.requeue(number);
        }
        self.set_activity(name);
        Ok(self.worker())
    }

    fn cancel_leg(&mut self, leg: &CallSid) -> Reply {
        let leg = self.find_leg(leg)?;
        if self.legs[leg].rings() {
            self.leg_fails(leg, LegStatus::Canceled);
        }
        Ok(Answer::Done)
    }

    fn end_leg(&mut self, leg: &CallSid) -> Reply {
        let leg = self.find_leg(leg)?;
        match self.legs[leg].status {
            LegStatus::InProgress => self.hang_up(leg),
            _ if self.legs[leg].rings() => self.leg_fails(leg, LegStatus::Canceled),
            _ => return Err(Refusal::NotPending),
        }
        Ok(Answer::Done)
    }

    fn end_conference(&mut self, offered: &Offered) -> Reply {
        let number = self.find(offered)?;
        match self.reservations[number].leg {
            Some(leg) => self.hang_up(leg),
            None => self.violations.push(format!("the desk's conference of {} was ended", offered.reservation)),
        }
        Ok(Answer::Done)
    }

    pub(super) fn is_free_at_desk(&self, task: usize) -> bool {
        self.current(task).is_some_and(|number| self.reservations[number].is_free())
    }

    /// The desk does something to a pending reservation.
    pub(super) fn at_desk(&mut self, task: usize, status: ReservationStatus) {
        let number = self.current(task).unwrap();
        if status == ReservationStatus::Accepted {
            self.enter(task);
        }
        self.reservation_is(number, status);
        if matches!(status, ReservationStatus::Rejected | ReservationStatus::Rescinded) {
            self.requeue(number);
        }
    }
}

impl Reservation {
    /// In whole seconds, as REST says it.
    pub(super) const fn changed_at(&self) -> Timestamp {
        Timestamp::from_millis(self.ended_at.as_secs() * 1000)
    }

    /// Pending, and not on hold.
    pub(super) const fn is_free(&self) -> bool {
        matches!(self.status, ReservationStatus::Pending) && self.leg.is_none() && self.joins_at.is_none()
    }
}
