//! A model of TaskRouter and its voice legs, with the odd rules that matter here: an instruction puts a reservation on
//! hold, a leg that fails cancels it, the task goes back to the queue and to whoever is free, and a task that was assigned
//! too often is cancelled. Time is told to it; what it would send as webhooks is in `sent`.

use std::{collections::BTreeMap, time::Duration};

use super::{conversations::Conversation, twilio_asking::Asks};
use crate::agent::request::{Instruct, RingTo};
use crate::domain::{
    CallId, CallSid, ConferenceEvent, ConferenceEventKind, Event, Key, LegEvent, LegNo, LegStatus, ReservationEvent,
    ReservationEventKind, ReservationSid, ReservationStatus, SipTicket, TaskFacts, TaskSid, Timestamp, WorkerEvent,
    WorkerEventKind, WorkerSid,
};

pub(super) const MOBILE: &str = "Available on Mobile";
pub(super) const DESK: &str = "Available";
/// Takes no tasks, and cannot be chosen on the phone.
pub(super) const LUNCH: &str = "Lunch";
pub(super) const BREAK: &str = "Break";
pub(super) const OFFLINE: &str = "Offline";
/// How long the queue takes to match a task with a worker.
const MATCHING: Duration = Duration::from_millis(100);
/// How long a wrap-up lasts.
const WRAP_UP: Duration = Duration::from_secs(10);

pub(super) fn sid<T: std::str::FromStr<Err = crate::domain::IdError>>(prefix: &str, number: usize) -> T {
    format!("{prefix}{number:032x}").parse().unwrap()
}

pub(super) fn worker() -> WorkerSid {
    sid("WK", 1)
}

/// What the phone does that Twilio rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phone {
    Ignored,
    Busy,
    Unreachable,
    /// By somebody who does not press a key, such as a voicemail.
    AnsweredAfter(Duration),
    /// By the agent, who presses 1 when asked.
    Taken(Duration),
    /// By the agent, who presses another key.
    TurnedDown(Duration),
}

impl Phone {
    pub(super) const fn answers_after(self) -> Option<Duration> {
        match self {
            Self::AnsweredAfter(pause) | Self::Taken(pause) | Self::TurnedDown(pause) => Some(pause),
            Self::Ignored | Self::Busy | Self::Unreachable => None,
        }
    }
}

pub(super) struct Task {
    pub sid: TaskSid,
    pub channel: &'static str,
    pub attributes: String,
    /// When it may be matched; none: it is with a worker, or over.
    queued: Option<Timestamp>,
    pub assignments: u32,
    pub canceled: bool,
}

pub(super) struct Reservation {
    pub sid: ReservationSid,
    pub task: usize,
    pub status: ReservationStatus,
    pub timed_out_at: Timestamp,
    pub ended_at: Timestamp,
    version: u64,
    /// Its leg, once an instruction was taken: Twilio holds it from then on.
    pub leg: Option<usize>,
    pub answered: bool,
    /// An acceptance without a leg: when the worker is in the conversation.
    pub joins_at: Option<Timestamp>,
}

pub(super) struct Leg {
    pub sid: CallSid,
    pub call: CallId,
    pub no: LegNo,
    pub reservation: usize,
    pub status: LegStatus,
    pub ends_at: Timestamp,
    pub answers_at: Option<Timestamp>,
    /// It goes to a softphone by this ticket; when its INVITE is there, and whether it was.
    pub ticket: Option<SipTicket>,
    pub invites_at: Option<Timestamp>,
    /// Of one that asks who answers.
    pub asks: Option<Asks>,
    pub sequence: u64,
}

pub(super) struct Twilio {
    pub now: Timestamp,
    /// How far its clock is ahead of ours, in milliseconds.
    pub skew: i64,
    pub reservation_timeout: Duration,
    pub max_assignments: u32,
    /// Voice tasks that one worker may have at once.
    pub capacity: usize,
    pub activity: &'static str,
    /// What is known of activities that take no tasks.
    pub unavailable: Vec<String>,
    pub activity_at: Timestamp,
    pub phone: Phone,
    /// How long its INVITE takes from an instruction to a softphone.
    pub invite: Duration,
    pub tasks: Vec<Task>,
    pub reservations: Vec<Reservation>,
    pub legs: Vec<Leg>,
    /// One a chat task, by the task's number.
    pub conversations: BTreeMap<usize, Conversation>,
    /// How long it takes to bring a worker into a conversation, and whether the next time fails.
    pub join: Duration,
    pub join_fails: bool,
    pub sent: Vec<Event>,
    /// Legs whose INVITE is at the gateway.
    pub inviting: Vec<usize>,
    /// Legs that ask how they go on, with the key that was pressed.
    pub asking: Vec<(usize, Option<Key>)>,
    /// What must never be asked of it, and was.
    pub violations: Vec<String>,
    events: usize,
}

impl Twilio {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            skew: 0,
            reservation_timeout: Duration::from_secs(60),
            max_assignments: 10,
            capacity: 1,
            unavailable: [BREAK, OFFLINE, LUNCH].map(str::to_owned).into(),
            activity: MOBILE,
            activity_at: now,
            phone: Phone::Ignored,
            invite: Duration::from_secs(1),
            tasks: Vec::new(),
            reservations: Vec::new(),
            legs: Vec::new(),
            conversations: BTreeMap::new(),
            join: Duration::from_millis(300),
            join_fails: false,
            sent: Vec::new(),
            inviting: Vec::new(),
            asking: Vec::new(),
            violations: Vec::new(),
            events: 0,
        }
    }

    /// Its own clock.
    pub(super) fn clock(&self) -> Timestamp {
        Timestamp::from_millis(self.now.as_millis().saturating_add_signed(self.skew))
    }

    pub(super) fn new_task(&mut self, channel: &'static str, attributes: &str) -> usize {
        let (number, attributes) = (self.tasks.len(), attributes.to_owned());
        let queued = Some(self.now);
        self.tasks.push(Task { sid: sid("WT", number), channel, attributes, queued, assignments: 0, canceled: false });
        self.match_tasks();
        number
    }

    pub(super) fn customer_hangs_up(&mut self, task: usize) {
        if self.is_over(task) {
            return;
        }
        let Some(current) = self.current(task) else { return self.cancel(task) };
        match (self.reservations[current].status, self.reservations[current].leg) {
            (ReservationStatus::Pending, leg) => {
                if let Some(leg) = leg {
                    self.leg_is(leg, LegStatus::Canceled);
                }
                self.cancel(task);
                self.reservation_is(current, ReservationStatus::Canceled);
            }
            (ReservationStatus::Accepted, Some(leg)) => self.hang_up(leg),
            (ReservationStatus::Accepted, None) => self.reservation_is(current, ReservationStatus::Wrapping),
            _ => {}
        }
    }

    fn is_over(&self, task: usize) -> bool {
        self.tasks[task].canceled || (self.tasks[task].queued.is_none() && self.current(task).is_none())
    }

    /// The reservation that a task is with.
    pub(super) fn current(&self, task: usize) -> Option<usize> {
        self.reservations.iter().position(|one| one.task == task && !one.status.is_final())
    }

    pub(super) fn cancel(&mut self, task: usize) {
        (self.tasks[task].canceled, self.tasks[task].queued) = (true, None);
    }

    /// Somebody picks an activity at the desk, or this model does.
    pub(super) fn set_activity(&mut self, name: &'static str) {
        if self.activity != name {
            (self.activity, self.activity_at) = (name, self.clock());
            let event = WorkerEvent {
                sid: sid("EV", self.next_event()),
                kind: WorkerEventKind::ActivityUpdated,
                worker: worker(),
                worker_name: "user-+15550100".into(),
                activity: Some(name.into()),
                version: None,
                at: self.clock(),
            };
            self.sent.push(Event::Worker(event));
        }
        self.match_tasks();
    }

    /// When it does something by itself next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let reservations = self.reservations.iter().filter_map(Reservation::next);
        let legs = self.legs.iter().filter_map(Leg::next);
        let queued = self.tasks.iter().filter_map(|task| task.queued).filter(|_| self.has_room());
        reservations.chain(legs).chain(queued).min()
    }

    /// Time passes.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.now = now;
        for leg in 0..self.legs.len() {
            if self.legs[leg].next().is_some_and(|at| at <= now) {
                if self.legs[leg].invites_at.is_some_and(|at| at <= now) {
                    self.legs[leg].invites_at = None;
                    self.inviting.push(leg);
                } else if self.legs[leg].asks.is_some() {
                    self.asking_goes_on(leg);
                } else if self.legs[leg].answers_at.is_some_and(|at| at <= now) {
                    self.answer(leg);
                } else {
                    self.leg_fails(leg, LegStatus::NoAnswer);
                }
            }
        }
        for number in 0..self.reservations.len() {
            if self.reservations[number].next().is_some_and(|at| at <= now) {
                if self.reservations[number].status == ReservationStatus::Wrapping {
                    self.reservation_is(number, ReservationStatus::Completed);
                } else if self.reservations[number].joins_at.is_some() {
                    self.joined(number);
                } else {
                    self.reservation_is(number, ReservationStatus::Timeout);
                    self.requeue(number);
                    self.set_activity(OFFLINE);
                }
            }
        }
        self.match_tasks();
    }

    fn has_room(&self) -> bool {
        let busy = self.reservations.iter().filter(|one| !one.status.is_final()).count();
        matches!(self.activity, MOBILE | DESK) && busy < self.capacity
    }

    pub(super) fn match_tasks(&mut self) {
        for task in 0..self.tasks.len() {
            if self.tasks[task].queued.is_some_and(|at| at <= self.now) && self.has_room() {
                self.reserve(task);
            }
        }
    }

    fn reserve(&mut self, task: usize) {
        self.tasks[task].queued = None;
        self.tasks[task].assignments += 1;
        let number = self.reservations.len();
        self.reservations.push(Reservation {
            sid: sid("WR", number),
            task,
            status: ReservationStatus::Pending,
            timed_out_at: self.now + self.reservation_timeout,
            ended_at: self.now,
            version: 0,
            leg: None,
            answered: false,
            joins_at: None,
        });
        self.tell_reservation(number, ReservationEventKind::Created);
    }

    /// The task goes back to the queue, unless it has been out too often.
    pub(super) fn requeue(&mut self, reservation: usize) {
        let task = self.reservations[reservation].task;
        if self.tasks[task].assignments >= self.max_assignments {
            self.cancel(task);
        } else if !self.tasks[task].canceled {
            self.tasks[task].queued = Some(self.now + MATCHING);
        }
    }

    pub(super) fn answer(&mut self, leg: usize) {
        if self.legs[leg].asks.is_some() {
            return self.asks(leg);
        }
        let number = self.legs[leg].reservation;
        self.leg_is(leg, LegStatus::InProgress);
        self.reservations[number].answered = true;
        self.reservation_is(number, ReservationStatus::Accepted);
        self.tell_conference(leg, ConferenceEventKind::Start);
    }

    pub(super) fn hang_up(&mut self, leg: usize) {
        if self.legs[leg].status == LegStatus::InProgress {
            self.leg_is(leg, LegStatus::Completed);
            if self.legs[leg].asks.is_some() {
                return;
            }
            self.tell_conference(leg, ConferenceEventKind::End);
        }
    }

    /// A leg ends unanswered: Twilio takes the reservation back.
    pub(super) fn leg_fails(&mut self, leg: usize, how: LegStatus) {
        let number = self.legs[leg].reservation;
        self.leg_is(leg, how);
        if self.legs[leg].asks.is_some() {
            return;
        }
        if self.reservations[number].status == ReservationStatus::Pending {
            self.reservation_is(number, ReservationStatus::Canceled);
            self.requeue(number);
        }
    }

    pub(super) fn leg_is(&mut self, leg: usize, status: LegStatus) {
        let one = &mut self.legs[leg];
        one.status = status;
        let event = LegEvent { call: one.call, leg: one.no, call_sid: one.sid.clone(), status, sequence: one.sequence };
        one.sequence += 1;
        self.sent.push(Event::Leg(event));
    }

    pub(super) fn new_leg(&mut self, reservation: usize, instruct: &Instruct) {
        let Instruct { call, leg: no, ring, .. } = *instruct;
        if self.legs.iter().any(|leg| !leg.status.is_final()) {
            self.violations.push(format!("{call} rings on top of another leg"));
        }
        let leg = self.legs.len();
        let ticket = match &instruct.to {
            RingTo::Softphone(admission) => Some(admission.ticket.clone()),
            RingTo::CellPhone(_) => None,
        };
        let invites_at = ticket.is_some().then(|| self.now + self.invite);
        let answers_at = self.phone.answers_after().filter(|_| ticket.is_none()).map(|pause| self.now + pause);
        let status = LegStatus::Initiated;
        let (sid, ends_at) = (sid("CA", leg), self.now + ring);
        let is_softphones = ticket.is_some();
        let leg_of = Leg {
            sid,
            call,
            no,
            reservation,
            status,
            ends_at,
            answers_at,
            ticket,
            invites_at,
            asks: None,
            sequence: 0,
        };
        self.legs.push(leg_of);
        self.reservations[reservation].leg = Some(leg);
        self.leg_is(leg, LegStatus::Initiated);
        match self.phone {
            _ if is_softphones => {}
            Phone::Unreachable => self.leg_fails(leg, LegStatus::Failed),
            Phone::Busy => self.leg_fails(leg, LegStatus::Busy),
            _ => self.leg_is(leg, LegStatus::Ringing),
        }
    }

    pub(super) fn reservation_is(&mut self, number: usize, status: ReservationStatus) {
        let kind = match status {
            ReservationStatus::Pending => ReservationEventKind::Created,
            ReservationStatus::Accepted => ReservationEventKind::Accepted,
            ReservationStatus::Rejected => ReservationEventKind::Rejected,
            ReservationStatus::Timeout => ReservationEventKind::Timeout,
            ReservationStatus::Canceled => ReservationEventKind::Canceled,
            ReservationStatus::Rescinded => ReservationEventKind::Rescinded,
            ReservationStatus::Wrapping => ReservationEventKind::Wrapup,
            ReservationStatus::Completed => ReservationEventKind::Completed,
        };
        (self.reservations[number].status, self.reservations[number].ended_at) = (status, self.now);
        self.reservations[number].version += 1;
        self.tell_reservation(number, kind);
    }

    fn tell_reservation(&mut self, number: usize, kind: ReservationEventKind) {
        let sid = sid("EV", self.next_event());
        let (one, at) = (&self.reservations[number], self.clock());
        let task = &self.tasks[one.task];
        self.sent.push(Event::Reservation(ReservationEvent {
            sid,
            kind,
            reservation: one.sid.clone(),
            version: Some(one.version),
            at,
            worker: worker(),
            worker_name: "user-+15550100".into(),
            activity: Some(self.activity.into()),
            task: TaskFacts {
                sid: task.sid.clone(),
                channel: task.channel.into(),
                workflow: None,
                attributes: task.attributes.clone(),
            },
        }));
    }

    fn tell_conference(&mut self, leg: usize, kind: ConferenceEventKind) {
        let (sequence, leg) = (self.next_event() as u64, &self.legs[leg]);
        let (call, leg, conference) = (leg.call, leg.no, sid("CF", leg.reservation));
        self.sent.push(Event::Conference(ConferenceEvent { call, leg, conference, kind, participant: None, sequence }));
    }

    pub(super) const fn next_event(&mut self) -> usize {
        self.events += 1;
        self.events
    }
}

impl Reservation {
    fn next(&self) -> Option<Timestamp> {
        match (self.status, self.leg) {
            (ReservationStatus::Pending, None) => Some(self.joins_at.unwrap_or(self.timed_out_at)),
            (ReservationStatus::Wrapping, _) => Some(self.ended_at + WRAP_UP),
            _ => None,
        }
    }
}

impl Leg {
    pub(super) const fn rings(&self) -> bool {
        matches!(self.status, LegStatus::Initiated | LegStatus::Ringing)
    }

    fn next(&self) -> Option<Timestamp> {
        if let Some(asks) = &self.asks {
            return self.asks_next(asks);
        }
        let next = [self.answers_at, self.invites_at].into_iter().flatten().fold(self.ends_at, Timestamp::min);
        self.rings().then_some(next)
    }
}
