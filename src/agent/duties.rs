//! What an agent owes Twilio: taking duties on, sending what is due, and learning from the answers.

use std::time::Duration;

use super::{
    Agent, Context, Effect,
    duty::{Duty, Ticket, Verdict},
    request::{Answer, Dial, Failure, Instruct, Offered, Refusal, Request},
};
use crate::call::{Call, Tries};
use crate::domain::{CallId, LegNo, LegStatus, ReservationStatus, Timestamp};

/// How long the end of a task, or an activity, is worth telling Twilio. A day: it must hold however long Twilio is away.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// How long a reading, a rejection or a cancelled leg is of interest.
const INTEREST: Duration = Duration::from_secs(10 * 60);
/// Duties at most: a bound on the record's size. The least important goes first, or does not come.
const OWED: usize = 24;

impl Agent {
    pub(super) fn owe(&mut self, request: Request, now: Timestamp, until: Timestamp) {
        if self.duties.iter().any(|duty| duty.request == request) {
            return;
        }
        while self.duties.len() >= OWED {
            // The first of the least important. Of what is under way the answer is still to come.
            let rank = |duty: &Duty| (duty.is_in_flight(), duty.request.importance());
            let Some((place, least)) = self.duties.iter().map(rank).enumerate().min_by_key(|(_, rank)| *rank) else {
                break;
            };
            if least.1 > request.importance() {
                return;
            }
            self.duties.remove(place);
        }
        let id = self.next_duty();
        self.duties.push(Duty::new(id, request, now, until));
    }

    pub(super) fn owe_for_a_day(&mut self, request: Request, now: Timestamp) {
        self.owe(request, now, now + PATIENCE);
    }

    /// The instruction is not to be issued, or the call made, (again); whether it was taken is still asked.
    pub(super) fn call_off(&mut self, call: CallId, leg: LegNo) {
        let is_it = |duty: &&mut Duty| match &duty.request {
            Request::Instruct(one) => (one.call, one.leg) == (call, leg),
            Request::Dial(one) => (one.call, one.leg) == (call, leg),
            _ => false,
        };
        if let Some(duty) = self.duties.iter_mut().find(is_it) {
            duty.withdraw();
        }
    }

    pub(super) fn owe_briefly(&mut self, request: Request, now: Timestamp) {
        self.owe(request, now, now + INTEREST);
    }

    /// Reads every reservation that is not over: at the start, events may have been missed.
    pub(super) fn read_open_reservations(&mut self, context: &Context<'_>) {
        let open = self.reservations.iter().filter(|(_, one)| !one.status.is_final());
        let open: Vec<_> = open.map(|(sid, one)| one.offered(sid)).collect();
        for offered in open {
            self.owe_briefly(Request::ReadReservation(offered), context.now);
        }
    }

    /// Sends what is due, and lets go of what is too late or pointless.
    pub(super) fn discharge(&mut self, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (lapsed, open): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.duties).into_iter().partition(|duty| duty.is_lapsed(context.now));
        self.duties = open;
        for duty in lapsed {
            effects.extend(self.lapsed(&duty.request, duty.tries(), context));
        }
        let calls = &self.calls;
        self.duties.retain(|duty| match &duty.request {
            // Its leg has been heard of, or its reservation is over: it is not sent (again). Only whether it was taken
            // is still of interest, since a phone that rang was missed.
            Request::Instruct(instruct) if !duty.is_in_flight() => {
                calls.iter().any(|call| call.is_at(instruct.call, instruct.leg) && call.wants_instruction(duty.tries()))
            }
            Request::Dial(dial) if !duty.is_in_flight() => {
                calls.iter().any(|call| call.is_at(dial.call, dial.leg) && call.wants_dial())
            }
            _ => true,
        });
        for duty in &mut self.duties {
            effects.extend(duty.send(context.now).map(|(ticket, request)| Effect::Rest { ticket, request }));
        }
        effects
    }

    pub(super) fn answer(
        &mut self,
        ticket: Ticket,
        result: Result<Answer, Failure>,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        let Some(place) = self.duties.iter().position(|duty| duty.id == ticket.duty) else { return Vec::new() };
        let duty = &mut self.duties[place];
        let verdict = duty.answered(ticket, result, context.now);
        let (request, tries) = (duty.request.clone(), duty.tries());
        if !matches!(verdict, Verdict::Open | Verdict::Missing(_)) {
            self.duties.remove(place);
        }
        match verdict {
            Verdict::Open => Vec::new(),
            Verdict::Missing(found) => self.learn(&request, &found, context),
            Verdict::Done(answer) => self.done(&request, &answer, context),
            Verdict::Refused(refusal) => self.refused(&request, refusal, tries, context),
            Verdict::Lapsed => self.lapsed(&request, tries, context),
        }
    }

    fn done(&mut self, request: &Request, answer: &Answer, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        match request {
            Request::Instruct(Instruct { call, leg, .. }) => {
                let told = |one: &mut Call, now| match answer {
                    Answer::Instruction { status, .. } if *status != ReservationStatus::Pending => {
                        one.seems_instructed(now)
                    }
                    _ => one.instructed(now),
                };
                effects.extend(self.tell_call(|one| one.is_at(*call, *leg), context, told));
            }
            Request::Dial(dial) => effects.extend(self.dialled(dial, answer, context)),
            Request::EndLeg(leg) => {
                effects.extend(self.tell_call(|call| call.is_leg(leg), context, Call::ended_at_twilio));
            }
            Request::EndConference(offered) => effects.extend(self.conference_ended(offered, context)),
            _ => {}
        }
        effects.extend(self.learn(request, answer, context));
        effects
    }

    fn conference_ended(&mut self, offered: &Offered, context: &Context<'_>) -> Vec<Effect> {
        let of_it = |call: &Call| call.is_of(&offered.reservation);
        self.tell_call(of_it, context, Call::ended_at_twilio)
    }

    /// A call was made. If nobody wants it any more, it is ended.
    fn dialled(&mut self, dial: &Dial, answer: &Answer, context: &Context<'_>) -> Vec<Effect> {
        let Answer::Dialled(Some(sid)) = answer else { return Vec::new() };
        let is_it = |call: &Call| call.is_at(dial.call, dial.leg);
        if self.calls.iter().any(is_it) {
            return self.tell_call(is_it, context, |call, now| call.dialled(sid, now));
        }
        self.owe_briefly(Request::EndLeg(sid.clone()), context.now);
        Vec::new()
    }

    /// An answer is news, whatever it was asked for.
    fn learn(&mut self, request: &Request, answer: &Answer, context: &Context<'_>) -> Vec<Effect> {
        match (request, answer) {
            (Request::ReadMessages(conversation), Answer::Messages(lines)) => {
                self.found_messages(conversation, lines, context)
            }
            (_, Answer::Counts(counts)) => {
                self.found_counts(counts, context);
                Vec::new()
            }
            (_, Answer::Reservations(found)) => self.found_reservations(found, context),
            (_, Answer::Worker { activity, changed_at }) => self.read_activity(activity, *changed_at, context),
            (Request::Reject(offered), Answer::Done) => self.found(offered, ReservationStatus::Rejected, None, context),
            (Request::Close { offered, how, .. }, Answer::Done) => self.found(offered, (*how).into(), None, context),
            (Request::ReadInstruction(offered), Answer::Instruction { status, conference }) => {
                let mut effects = self.found(offered, *status, None, context);
                let of_it = |call: &Call| call.is_of(&offered.reservation);
                effects.extend(self.tell_call(of_it, context, |call, _| call.conference_found(*conference)));
                effects
            }
            (request, Answer::Reservation { status, changed_at }) => {
                request.offered().map(|offered| self.found(offered, *status, *changed_at, context)).unwrap_or_default()
            }
            (request, Answer::Instruction { status, .. }) => {
                request.offered().map(|offered| self.found(offered, *status, None, context)).unwrap_or_default()
            }
            (Request::ReadLeg(leg) | Request::CancelLeg(leg), Answer::Leg { status }) => {
                self.tell_call(|call| call.is_leg(leg), context, |call, now| call.leg_status(*status, now))
            }
            _ => Vec::new(),
        }
    }

    fn refused(&mut self, request: &Request, refusal: Refusal, tries: Tries, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        match request {
            Request::Instruct(instruct) => {
                effects.extend(self.tell_call(
                    |one| one.is_at(instruct.call, instruct.leg),
                    context,
                    |one, now| one.refused(refusal, tries, now),
                ));
            }
            Request::Dial(dial) => {
                let is_it = |call: &Call| call.is_at(dial.call, dial.leg);
                effects.extend(self.tell_call(is_it, context, Call::dial_refused));
            }
            // There is nothing to end, or no way to.
            Request::EndLeg(leg) => {
                effects.extend(self.tell_call(|call| call.is_leg(leg), context, Call::ended_at_twilio));
            }
            Request::EndConference(offered) => effects.extend(self.conference_ended(offered, context)),
            // Twilio knows the leg no more: it is over, that much is sure.
            Request::ReadLeg(leg) | Request::CancelLeg(leg) if refusal == Refusal::NotFound => {
                let over = LegStatus::Failed;
                effects.extend(self.tell_call(
                    |call| call.is_leg(leg),
                    context,
                    |call, now| call.leg_status(over, now),
                ));
            }
            _ => {}
        }
        if let (Request::Accept(offered), Refusal::NotPending | Refusal::Conflict | Refusal::Other) = (request, refusal)
        {
            self.owe_briefly(Request::ReadReservation(offered.clone()), context.now);
        }
        if let (Refusal::CallerGone | Refusal::NotFound, Some(offered)) = (refusal, request.offered()) {
            effects.extend(self.found(offered, ReservationStatus::Canceled, None, context));
        }
        effects
    }

    fn lapsed(&mut self, request: &Request, tries: Tries, context: &Context<'_>) -> Vec<Effect> {
        match request {
            Request::Instruct(instruct) => {
                let of_it = |call: &Call| call.is_at(instruct.call, instruct.leg);
                self.tell_call(of_it, context, |call, now| call.lapsed(tries, now))
            }
            Request::Dial(dial) => {
                let is_it = |call: &Call| call.is_at(dial.call, dial.leg);
                self.tell_call(is_it, context, |call, now| call.dial_lapsed(tries, now))
            }
            Request::Accept(offered) => self.accept_lapsed(offered, context),
            _ => Vec::new(),
        }
    }
}

impl Request {
    /// The reservation that it is about.
    fn offered(&self) -> Option<&Offered> {
        match self {
            Self::Instruct(instruct) => Some(&instruct.offered),
            Self::Accept(offered)
            | Self::Reject(offered)
            | Self::Close { offered, .. }
            | Self::EndConference(offered)
            | Self::ReadReservation(offered)
            | Self::ReadInstruction(offered) => Some(offered),
            Self::SetActivity { .. }
            | Self::Dial(_)
            | Self::FindDialled(_)
            | Self::CancelLeg(_)
            | Self::EndLeg(_)
            | Self::ReadWorker(_)
            | Self::ReadLeg(_)
            | Self::SetRead { .. }
            | Self::ReadCounts(_)
            | Self::ReadMessages(_)
            | Self::ReadReservations(_) => None,
        }
    }

    /// What is read is read again when it is overdue; a task that is not closed keeps its agent from the next.
    const fn importance(&self) -> u8 {
        match self {
            Self::ReadReservation(_)
            | Self::ReadInstruction(_)
            | Self::FindDialled(_)
            | Self::ReadWorker(_)
            | Self::ReadLeg(_)
            | Self::ReadCounts(_)
            | Self::ReadMessages(_)
            | Self::ReadReservations(_) => 0,
            Self::Reject(_) | Self::CancelLeg(_) | Self::SetRead { .. } => 1,
            Self::Close { .. }
            | Self::SetActivity { .. }
            | Self::Instruct(_)
            | Self::Dial(_)
            | Self::Accept(_)
            | Self::EndLeg(_)
            | Self::EndConference(_) => 2,
        }
    }
}
