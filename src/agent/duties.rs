//! What an agent owes Twilio: taking duties on, sending what is due, and learning from the answers.

use std::time::Duration;

use super::{
    Agent, Context, Effect,
    duty::{Duty, Ticket, Verdict},
    request::{Answer, Failure, Refusal, Request},
};
use crate::domain::{ReservationStatus, Timestamp};

/// How long the end of a task, or an activity, is worth telling Twilio. A day: it must hold however long Twilio is away.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// How long a reading or a cancelled leg is of interest.
const INTEREST: Duration = Duration::from_secs(10 * 60);

impl Agent {
    pub(super) fn owe(&mut self, request: Request, now: Timestamp, until: Timestamp) {
        if self.duties.iter().any(|duty| duty.request == request) {
            return;
        }
        let id = self.next_duty();
        self.duties.push(Duty::new(id, request, now, until));
    }

    pub(super) fn owe_for_a_day(&mut self, request: Request, now: Timestamp) {
        self.owe(request, now, now + PATIENCE);
    }

    pub(super) fn owe_briefly(&mut self, request: Request, now: Timestamp) {
        self.owe(request, now, now + INTEREST);
    }

    /// The activity is set at Twilio until it holds; a newer wish replaces an older one.
    pub(super) fn want_activity(&mut self, activity: String, reject_pending: bool, context: &Context<'_>) {
        self.duties.retain(|duty| !matches!(duty.request, Request::SetActivity { .. }));
        if let Some(worker) = self.worker.clone() {
            self.owe_for_a_day(Request::SetActivity { worker, activity, reject_pending }, context.now);
        }
    }

    /// An activity that somebody else chose ends our own attempts to set another.
    pub(super) fn superseded_by_agent(&mut self, chosen: &str) {
        self.duties.retain(|duty| match &duty.request {
            Request::SetActivity { activity, .. } => activity == chosen,
            _ => true,
        });
    }

    /// Reads every reservation that is not over: at the start, events may have been missed.
    pub(super) fn read_open_reservations(&mut self, context: &Context<'_>) {
        let open: Vec<_> = self
            .reservations
            .values()
            .filter(|one| !one.status.is_final() && one.status != ReservationStatus::Wrapping)
            .map(|one| one.offered.clone())
            .collect();
        for offered in open {
            self.owe_briefly(Request::ReadReservation(offered), context.now);
        }
    }

    /// Sends what is due, and lets go of what is too late.
    pub(super) fn discharge(&mut self, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (lapsed, open) =
            std::mem::take(&mut self.duties).into_iter().partition(|duty: &Duty| duty.is_lapsed(context.now));
        self.duties = open;
        for duty in lapsed {
            effects.extend(self.lapsed(duty.request, context));
        }
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
        let verdict = self.duties[place].answered(ticket, result, context.now);
        if verdict == Verdict::Open {
            return Vec::new();
        }
        let request = self.duties.remove(place).request;
        match verdict {
            Verdict::Done(answer) => self.done(request, answer, context),
            Verdict::Refused(refusal) => self.refused(request, refusal, context),
            Verdict::Lapsed => self.lapsed(request, context),
            Verdict::Open => Vec::new(),
        }
    }

    fn done(&mut self, request: Request, answer: Answer, context: &Context<'_>) -> Vec<Effect> {
        match (request, answer) {
            (Request::Instruct(instruct), answer) => {
                let mut effects = self.instructed(&instruct, context);
                if let Answer::Instruction { status, .. } = answer {
                    effects.extend(self.found(&instruct.offered, status, context));
                }
                effects
            }
            (Request::Reject(offered), Answer::Done) => self.found(&offered, ReservationStatus::Rejected, context),
            (Request::Close { offered, how }, Answer::Done) => self.found(&offered, how.into(), context),
            (Request::Reject(offered) | Request::Close { offered, .. }, Answer::Reservation { status }) => {
                self.found(&offered, status, context)
            }
            (Request::ReadReservation(offered), Answer::Reservation { status }) => {
                self.found(&offered, status, context)
            }
            (_, Answer::Worker { activity, changed_at }) => self.read_activity(activity, changed_at, context),
            (Request::ReadLeg(leg) | Request::CancelLeg(leg), Answer::Leg { status }) => {
                self.leg_found(&leg, status, context)
            }
            _ => Vec::new(),
        }
    }

    fn refused(&mut self, request: Request, refusal: Refusal, context: &Context<'_>) -> Vec<Effect> {
        match request {
            Request::Instruct(instruct) => self.instruct_refused(&instruct, refusal, context),
            Request::ReadReservation(offered) | Request::Close { offered, .. } | Request::Reject(offered)
                if refusal == Refusal::NotFound =>
            {
                self.found(&offered, ReservationStatus::Canceled, context)
            }
            // It is not in the state that was expected: what state it is in decides what follows.
            Request::Close { offered, .. } | Request::Reject(offered) => {
                self.owe_briefly(Request::ReadReservation(offered), context.now);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn lapsed(&mut self, request: Request, context: &Context<'_>) -> Vec<Effect> {
        match request {
            Request::Instruct(instruct) => self.instruct_lapsed(&instruct, context),
            _ => Vec::new(),
        }
    }
}
