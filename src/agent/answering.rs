//! Offers that the agent answers with a tap: shown on the agent's devices, taken, declined, or given back in time.

use std::time::Duration;

use super::{
    Agent, Context, Effect,
    command::Denial,
    misses::Missed,
    offer::{Answering, HeldFor, Kind, Reservation},
    request::{Closing, Ending, Offered, Request},
};
use crate::call::Call;
use crate::domain::{Closed, News, Notification, ReservationSid, ReservationStatus, Timestamp};

/// How often the devices are alerted while an offer waits.
const ALERT_EVERY: Duration = Duration::from_secs(10);
/// How soon Twilio is asked what became of a yes, and how often from then on. It says so by itself, as a rule at once.
const ASK_AFTER: Duration = Duration::from_secs(5);
const ASK_EVERY: Duration = Duration::from_secs(15);
/// How long a device that was away is told that an offer is over.
const WITHDRAWN_FOR: Duration = Duration::from_secs(3600);

impl Agent {
    /// The offer goes to the agent's devices.
    pub(super) fn show_offer(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let Some(task) = self.reservations.get(sid).map(|one| one.task.clone()) else { return Vec::new() };
        let last = self.is_last_chance(&task, context);
        if let Some(reservation) = self.reservations.get_mut(sid) {
            let again_at = context.now + ALERT_EVERY;
            reservation.answering = Some(Answering::Shown { again_at, last, given_up: false });
        }
        self.push_offer(sid).into_iter().collect()
    }

    fn push_offer(&self, sid: &ReservationSid) -> Option<Effect> {
        let reservation = self.reservations.get(sid)?;
        let about = &reservation.about;
        let news = News::TaskOffered {
            task: sid.clone(),
            channel: about.channel.to_string(),
            customer: about.customer.clone(),
            conversation: about.conversation.clone(),
        };
        Some(self.push(news, reservation.give_up_at()))
    }

    pub(super) fn push(&self, news: News, expires: Timestamp) -> Effect {
        Effect::Push(Notification { news, expires, unread: self.unread() })
    }

    fn withdraw(&self, sid: &ReservationSid, why: Closed, now: Timestamp) -> Effect {
        self.push(News::TaskClosed { task: sid.clone(), why }, now + WITHDRAWN_FOR)
    }

    /// Looks after the offers whose moment has come.
    pub(super) fn tend_offers(&mut self, context: &Context<'_>) -> Vec<Effect> {
        let due = self.reservations.iter().filter(|(_, one)| one.answering_due().is_some_and(|at| at <= context.now));
        let due: Vec<_> = due.map(|(sid, _)| sid.clone()).collect();
        due.into_iter().flat_map(|sid| self.tend_offer(&sid, context)).collect()
    }

    fn tend_offer(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let now = context.now;
        let Some(reservation) = self.reservations.get_mut(sid) else { return Vec::new() };
        let (offered, deadline, end) = (reservation.offered(sid), reservation.deadline, reservation.give_up_at());
        match &mut reservation.answering {
            Some(Answering::Shown { .. }) if now >= end => {
                reservation.answering = Some(Answering::Rejecting);
                self.owe_briefly(Request::Reject(offered.clone()), now);
                self.not_answered(&offered, context)
            }
            Some(Answering::Shown { again_at, last, given_up }) => {
                let again = now >= *again_at;
                if again {
                    *again_at = now + ALERT_EVERY;
                }
                if *last && !*given_up && now >= deadline {
                    // Twilio offers the task again in the moment in which it is given back: the agent leaves before that.
                    *given_up = true;
                    self.go_offline(context);
                }
                again.then(|| self.push_offer(sid)).flatten().into_iter().collect()
            }
            Some(Answering::Connecting { ask_at }) => {
                *ask_at = now + ASK_EVERY;
                self.owe_briefly(Request::ReadReservation(offered), now);
                Vec::new()
            }
            Some(Answering::Rejecting) | None => Vec::new(),
        }
    }

    fn not_answered(&mut self, offered: &Offered, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = vec![self.withdraw(&offered.reservation, Closed::Missed, context.now)];
        effects.extend(self.missed(offered, Missed::Offer, context));
        effects
    }

    /// The agent has left mobile: what is offered is shown at the desk, or is for the next agent where the new activity takes
    /// no tasks, or the agent is disabled. Neither is a miss. An offer for which the agent is being taken offline is missed already.
    pub(super) fn take_offers_down(&mut self, nobody_there: bool, context: &Context<'_>) -> Vec<Effect> {
        let is_shown = |one: &Reservation| matches!(one.answering, Some(Answering::Shown { given_up: false, .. }));
        let shown = self.reservations.iter().filter(|(_, one)| is_shown(one));
        let shown: Vec<_> = shown.map(|(sid, one)| (sid.clone(), one.deadline)).collect();
        let mut effects = Vec::new();
        for (sid, deadline) in shown {
            let Some(reservation) = self.reservations.get_mut(&sid) else { continue };
            if nobody_there {
                self.turn_down(&sid, context.now);
            } else {
                reservation.answering = None;
                self.hold(&sid, HeldFor::Mobile, deadline, context.now);
            }
            effects.push(self.withdraw(&sid, Closed::Gone, context.now));
        }
        effects
    }

    /// An offer goes to the next agent, and is nobody's miss.
    pub(super) fn turn_down(&mut self, sid: &ReservationSid, now: Timestamp) {
        let Some(reservation) = self.reservations.get_mut(sid) else { return };
        (reservation.answering, reservation.held) = (Some(Answering::Rejecting), None);
        let offered = reservation.offered(sid);
        self.owe_briefly(Request::Reject(offered), now);
    }

    /// Whether something that is on offer has been taken up, and Twilio has yet to say so.
    pub(super) fn is_taking_up(&self) -> bool {
        let connects = |one: &Reservation| matches!(one.answering, Some(Answering::Connecting { .. }));
        self.calls.iter().any(Call::is_being_taken) || self.reservations.values().any(connects)
    }

    /// The agent says yes.
    pub(super) fn accept(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Result<Vec<Effect>, Denial> {
        let reservation = self.reservations.get(sid).ok_or(Denial::NotFound)?;
        match (reservation.status, reservation.answering) {
            (ReservationStatus::Pending, Some(Answering::Connecting { .. })) => return Err(Denial::Taken),
            // The agent is being taken offline for it.
            (ReservationStatus::Pending, Some(Answering::Rejecting | Answering::Shown { given_up: true, .. })) => {
                return Err(Denial::NotPending);
            }
            (ReservationStatus::Pending, _) if context.now < reservation.give_up_at() => {}
            (ReservationStatus::Accepted | ReservationStatus::Wrapping, _) => return Err(Denial::Taken),
            (ReservationStatus::Rejected | ReservationStatus::Completed, _) => return Err(Denial::NotPending),
            _ => return Err(Denial::Gone),
        }
        if reservation.kind == Kind::Call {
            return self.ring_at_once(sid, context);
        }
        let (offered, until) = (reservation.offered(sid), reservation.give_up_at());
        self.owe(Request::Accept(offered), context.now, until);
        self.let_go(sid);
        if let Some(reservation) = self.reservations.get_mut(sid) {
            reservation.answering = Some(Answering::Connecting { ask_at: context.now + ASK_AFTER });
        }
        self.missed_in_a_row = 0;
        Ok(vec![self.withdraw(sid, Closed::Accepted, context.now)])
    }

    /// A call that waits for its moment rings now, in whichever activity: the agent asks for it. One that rings already is not
    /// taken by a tap, and nothing rings while the agent is on another call.
    fn ring_at_once(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Result<Vec<Effect>, Denial> {
        let task = self.reservations.get(sid).filter(|one| one.held.is_some()).map(|one| one.task.clone());
        let task = task.ok_or(Denial::Taken)?;
        if self.disabled || self.is_on_a_call(sid) {
            return Err(Denial::NotPending);
        }
        self.let_go(sid);
        let mut effects = self.came_back(&task, sid, context);
        effects.extend(self.ring(sid, context));
        Ok(effects)
    }

    /// The agent says no: the next agent gets it.
    pub(super) fn decline(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Result<Vec<Effect>, Denial> {
        let reservation = self.reservations.get(sid).ok_or(Denial::NotFound)?;
        match (reservation.status, reservation.answering) {
            // It has been said before.
            (_, Some(Answering::Rejecting)) | (ReservationStatus::Rejected, _) => return Ok(Vec::new()),
            (ReservationStatus::Pending, Some(Answering::Connecting { .. })) => return Err(Denial::Taken),
            (ReservationStatus::Pending, _) if self.calls.iter().any(|call| call.is_of(sid)) => {
                return Err(Denial::NotPending);
            }
            (ReservationStatus::Pending, _) => {}
            (ReservationStatus::Accepted | ReservationStatus::Wrapping, _) => return Err(Denial::Taken),
            _ => return Err(Denial::Gone),
        }
        self.turn_down(sid, context.now);
        self.missed_in_a_row = 0;
        Ok(vec![self.withdraw(sid, Closed::Declined, context.now)])
    }

    /// The agent is done with a task, or with all but what comes after it.
    pub(super) fn finish(&mut self, sid: &ReservationSid, how: Closing, context: &Context<'_>) -> Result<(), Denial> {
        let reservation = self.reservations.get(sid).ok_or(Denial::NotFound)?;
        match reservation.status {
            ReservationStatus::Pending => return Err(Denial::NotAccepted),
            status if how.is_reached_by(status) && !status.is_final() => return Ok(()),
            ReservationStatus::Completed => return Ok(()),
            ReservationStatus::Accepted | ReservationStatus::Wrapping => {}
            _ => return Err(Denial::Gone),
        }
        let (worker, leave) = (self.worker.clone(), context.policy.leave_chats);
        let at = reservation.about.interaction.clone();
        let ending = at.map_or(Ending::Reservation, |at| Ending::Interaction { at, worker, leave });
        let offered = reservation.offered(sid);
        // Of two ends the later wish holds.
        self.duties.retain(|duty| match &duty.request {
            Request::Close { offered: known, .. } => known.reservation != *sid || duty.is_in_flight(),
            _ => true,
        });
        self.owe_for_a_day(Request::Close { offered, how, ending }, context.now);
        Ok(())
    }

    /// Twilio could not be told of the agent's yes while there was time for it.
    pub(super) fn accept_lapsed(&mut self, offered: &Offered, context: &Context<'_>) -> Vec<Effect> {
        let Some(reservation) = self.reservations.get_mut(&offered.reservation) else { return Vec::new() };
        if !matches!(reservation.answering, Some(Answering::Connecting { .. })) {
            return Vec::new();
        }
        reservation.answering = Some(Answering::Rejecting);
        self.owe_briefly(Request::Reject(offered.clone()), context.now);
        vec![self.withdraw(&offered.reservation, Closed::Gone, context.now)]
    }

    /// An offer's reservation has another status.
    pub(super) fn offer_moved(
        &mut self,
        sid: &ReservationSid,
        to: ReservationStatus,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        let Some(reservation) = self.reservations.get_mut(sid) else { return Vec::new() };
        if to == ReservationStatus::Pending {
            return Vec::new();
        }
        let offered = reservation.offered(sid);
        let taken = matches!(to, ReservationStatus::Accepted | ReservationStatus::Wrapping);
        match reservation.answering.take() {
            // The worker's going offline has given it back, or nothing of ours got through and Twilio did.
            Some(Answering::Shown { given_up: true, .. }) if to == ReservationStatus::Rejected => {
                self.not_answered(&offered, context)
            }
            Some(Answering::Shown { .. }) if to == ReservationStatus::Timeout => self.not_answered(&offered, context),
            // At the desk.
            Some(Answering::Shown { .. }) if taken => vec![self.withdraw(sid, Closed::Accepted, context.now)],
            Some(Answering::Shown { .. }) => vec![self.withdraw(sid, Closed::Gone, context.now)],
            Some(Answering::Connecting { .. }) if !taken => vec![self.withdraw(sid, Closed::Gone, context.now)],
            _ => Vec::new(),
        }
    }
}
