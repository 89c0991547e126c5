//! The model's legs that ask: calls of ours whose document puts a question, and a customer who is brought by a reservation's sid.

use std::time::Duration;

use super::twilio::{Leg, Phone, Twilio, sid};
use crate::agent::request::Dial;
use crate::call::Reply;
use crate::domain::{CallSid, Key, LegStatus, PickUp, ReservationStatus, Timestamp};

/// How long the whole question takes, put twice.
const QUESTION: Duration = Duration::from_secs(19);
/// How long a person takes to press a key.
const THINKING: Duration = Duration::from_secs(2);

/// What a leg that asks is at.
pub(super) struct Asks {
    pub created: Timestamp,
    /// When the key is pressed, and which.
    presses: Option<(Timestamp, Key)>,
    /// When the document is at its end.
    ends_at: Option<Timestamp>,
    pub connected: bool,
}

impl Twilio {
    pub(super) fn dial(&mut self, dial: &Dial) -> CallSid {
        if self.legs.iter().any(|leg| !leg.status.is_final()) {
            self.violations.push(format!("{} is dialled on top of another leg", dial.call));
        }
        let number = self.legs.len();
        let sid: CallSid = sid("CA", number);
        self.legs.push(Leg {
            sid: sid.clone(),
            call: dial.call,
            no: dial.leg,
            reservation: usize::MAX,
            status: LegStatus::Initiated,
            ends_at: self.now + dial.ring,
            answers_at: self.phone.answers_after().map(|pause| self.now + pause),
            ticket: None,
            invites_at: None,
            asks: Some(Asks { created: self.now, presses: None, ends_at: None, connected: false }),
            sequence: 0,
        });
        self.leg_is(number, LegStatus::Initiated);
        match self.phone {
            Phone::Unreachable => self.leg_is(number, LegStatus::Failed),
            Phone::Busy => self.leg_is(number, LegStatus::Busy),
            _ => self.leg_is(number, LegStatus::Ringing),
        }
        sid
    }

    pub(super) fn find_dialled(&self, dial: &Dial) -> Option<CallSid> {
        let since = dial.since - Duration::from_secs(2);
        let is_it = |leg: &&Leg| leg.asks.as_ref().is_some_and(|asks| asks.created >= since);
        self.legs.iter().rev().find(is_it).map(|leg| leg.sid.clone())
    }

    /// A leg that asks does what is due: it is answered, or has rung long enough, or a key is pressed, or the document ends.
    pub(super) fn asking_goes_on(&mut self, leg: usize) {
        let (now, one) = (self.now, &mut self.legs[leg]);
        let Some(asks) = &mut one.asks else { return };
        if let Some((_, key)) = asks.presses.take_if(|(at, _)| *at <= now) {
            asks.ends_at = None;
            return self.asking.push((leg, Some(key)));
        }
        if asks.ends_at.is_some_and(|at| at <= now) {
            return self.hang_up(leg);
        }
        let answered = one.answers_at.is_some_and(|at| at <= now);
        if answered { self.asks(leg) } else { self.leg_is(leg, LegStatus::NoAnswer) }
    }

    /// It was answered.
    pub(super) fn asks(&mut self, leg: usize) {
        self.legs[leg].answers_at = None;
        self.leg_is(leg, LegStatus::InProgress);
        self.asking.push((leg, None));
    }

    pub(super) fn pick_up(&self, leg: usize, key: Option<Key>) -> PickUp {
        let one = &self.legs[leg];
        PickUp { call: one.call, leg: one.no, call_sid: one.sid.clone(), key }
    }

    /// None: no answer came, and Twilio says that it is sorry.
    pub(super) fn replied(&mut self, leg: usize, reply: Option<Reply>) {
        if self.legs[leg].status != LegStatus::InProgress {
            return;
        }
        match reply {
            Some(Reply::Ask) => {
                let key = match self.phone {
                    Phone::Taken(_) => Some(Key::One),
                    Phone::TurnedDown(_) => Some(Key::Other),
                    _ => None,
                };
                let (presses, ends_at) = (key.map(|key| (self.now + THINKING, key)), self.now + QUESTION);
                if let Some(asks) = &mut self.legs[leg].asks {
                    (asks.presses, asks.ends_at) = (presses, Some(ends_at));
                }
            }
            Some(Reply::Connect(reservation)) => self.connect(leg, reservation.as_str()),
            Some(Reply::NotTaken | Reply::NobodyWaits) | None => self.hang_up(leg),
        }
    }

    fn connect(&mut self, leg: usize, reservation: &str) {
        let number = self.reservations.iter().position(|one| one.sid.as_str() == reservation);
        let is_free = |number: &usize| {
            let one = &self.reservations[*number];
            one.status == ReservationStatus::Pending && one.leg.is_none() && !self.tasks[one.task].canceled
        };
        let Some(number) = number.filter(is_free) else { return self.hang_up(leg) };
        self.reservations[number].leg = Some(leg);
        self.reservations[number].answered = true;
        self.legs[leg].reservation = number;
        if let Some(asks) = &mut self.legs[leg].asks {
            asks.connected = true;
        }
        self.reservation_is(number, ReservationStatus::Accepted);
    }
}

impl Leg {
    pub(super) fn asks_next(&self, asks: &Asks) -> Option<Timestamp> {
        match self.status {
            LegStatus::Initiated | LegStatus::Ringing => {
                Some(self.answers_at.map_or(self.ends_at, |at| at.min(self.ends_at)))
            }
            LegStatus::InProgress => {
                let pressed = asks.presses.map(|(at, _)| at);
                pressed.into_iter().chain(asks.ends_at).min()
            }
            _ => None,
        }
    }
}
