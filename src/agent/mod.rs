//! An agent: activity, reservations, the call, and what is owed to Twilio. Pure: an input, the time and the policy go in,
//! effects come out, and [`Agent::due`] says when it wants to be looked at again.
//!
//! The whole agent is one record. The shell writes it before it carries out the effects, so that after a crash nothing
//! is owed that is not known; [`Agent::restore`] takes up from there.

mod duties;
pub mod duty;
pub mod offer;
mod offers;
mod policy;
pub mod request;
mod ringing;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

pub use policy::Policy;

use crate::call::{Call, Stage};
use crate::domain::{
    AgentId, E164, Event, Profile, ReservationSid, RingTarget, Timestamp, WorkerEvent, WorkerEventKind, WorkerSid,
};
use duty::{Duty, DutyId, Ticket};
use offer::{Passed, Reservation};
use request::{Answer, Failure, Request};

/// How long a reservation that is over is remembered, so that its late events are told.
const REMEMBER: Duration = Duration::from_secs(15 * 60);
/// Reservations and passed tasks remembered at most: a bound on the record's size.
const REMEMBERED: usize = 48;

/// An agent's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    /// The TaskRouter worker, learned from its events where the profile does not name it.
    pub worker: Option<WorkerSid>,
    phone: E164,
    ring_plan: Option<Vec<RingTarget>>,
    activity: Option<Activity>,
    reservations: BTreeMap<ReservationSid, Reservation>,
    call: Option<Call>,
    calls_made: u64,
    missed_in_a_row: u32,
    passed: Vec<Passed>,
    duties: Vec<Duty>,
    duties_made: u64,
}

/// The activity, as Twilio last said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    pub name: String,
    /// Twilio's time of the change, or of the reading.
    pub at: Timestamp,
}

/// What reaches an agent.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// Twilio told something.
    Event(&'a Event),
    /// Twilio answered a request of ours.
    Answer { ticket: Ticket, result: Result<Answer, Failure> },
    /// The agent, or a supervisor, picks an activity.
    SetActivity(String),
    /// An administrator changed the profile.
    Profile(&'a Profile),
    /// A moment that [`Agent::due`] named has come.
    Tick,
}

/// What an input is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub now: Timestamp,
    pub policy: &'a Policy,
    /// The workflow's `task_reservation_timeout`.
    pub reservation_timeout: Duration,
}

/// What an agent wants done, in this order, after its record is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Rest { ticket: Ticket, request: Request },
    Tell(Notice),
}

/// Something that people should learn of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    CallAnswered,
    CallMissed,
    /// Turned away, since the agent was on a call.
    RejectedBusy,
    /// The gateway takes the agent offline: too many missed rings.
    WentOffline,
    ActivityChanged {
        to: String,
    },
}

/// A copy of what an agent is doing, for the admin listener and for tests.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    pub id: AgentId,
    pub worker: Option<WorkerSid>,
    pub activity: Option<String>,
    pub call: Option<Stage>,
    pub reservations: BTreeMap<ReservationSid, crate::domain::ReservationStatus>,
    pub missed_in_a_row: u32,
    pub duties: usize,
    /// Requests that are on their way to Twilio.
    pub in_flight: usize,
}

impl Agent {
    pub fn new(profile: &Profile) -> Self {
        Self {
            id: profile.id,
            worker: profile.worker_sid.clone(),
            phone: profile.phone.clone(),
            ring_plan: profile.ring_plan.clone(),
            activity: None,
            reservations: BTreeMap::new(),
            call: None,
            calls_made: 0,
            missed_in_a_row: 0,
            passed: Vec::new(),
            duties: Vec::new(),
            duties_made: 0,
        }
    }

    /// Takes up from a record: what was on its way is asked about, and what should have happened since is looked for.
    pub fn restore(mut record: Self, profile: &Profile, context: &Context<'_>) -> (Self, Vec<Effect>) {
        record.take_profile(profile);
        for duty in &mut record.duties {
            duty.restore(context.now);
        }
        let acts = record.call.as_ref().map(Call::restored).unwrap_or_default();
        record.act(acts, context);
        record.read_open_reservations(context);
        let effects = record.work(context);
        (record, effects)
    }

    /// Takes one input. The caller writes the new state before it carries out the effects.
    pub fn handle(&mut self, input: Input<'_>, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Event(event) => effects.extend(self.event(event, context)),
            Input::Answer { ticket, result } => effects.extend(self.answer(ticket, result, context)),
            Input::SetActivity(name) => self.want_activity(name, false, context),
            Input::Profile(profile) => self.take_profile(profile),
            Input::Tick => {}
        }
        effects.extend(self.work(context));
        effects
    }

    /// When this agent wants a [`Input::Tick`]; none: nothing is pending.
    pub fn due(&self) -> Option<Timestamp> {
        let duties = self.duties.iter().filter_map(Duty::due);
        let holds = self.reservations.values().filter_map(|reservation| reservation.held).map(|held| held.until);
        duties.chain(holds).chain(self.call.as_ref().and_then(Call::due)).min()
    }

    /// Whether nothing would be lost if this agent left the memory.
    pub fn is_idle(&self) -> bool {
        self.call.is_none() && self.duties.is_empty() && self.reservations.values().all(|one| one.status.is_final())
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            id: self.id,
            worker: self.worker.clone(),
            activity: self.activity.as_ref().map(|activity| activity.name.clone()),
            call: self.call.as_ref().map(Call::stage),
            reservations: self.reservations.iter().map(|(sid, one)| (sid.clone(), one.status)).collect(),
            missed_in_a_row: self.missed_in_a_row,
            duties: self.duties.len(),
            in_flight: self.duties.iter().filter(|duty| duty.is_in_flight()).count(),
        }
    }

    fn take_profile(&mut self, profile: &Profile) {
        self.phone = profile.phone.clone();
        self.ring_plan.clone_from(&profile.ring_plan);
        if profile.worker_sid.is_some() {
            self.worker.clone_from(&profile.worker_sid);
        }
    }

    fn event(&mut self, event: &Event, context: &Context<'_>) -> Vec<Effect> {
        match event {
            Event::Reservation(event) => self.reservation_event(event, context),
            Event::Worker(event) => self.worker_event(event, context),
            Event::Leg(event) => {
                let acts = self.call.as_mut().map(|call| call.leg(event, context.now)).unwrap_or_default();
                self.act(acts, context)
            }
            Event::Conference(event) => {
                let acts = match &mut self.call {
                    Some(call) if call.id == event.call => {
                        call.conference(event.kind, event.participant.as_ref(), event.leg)
                    }
                    _ => Vec::new(),
                };
                self.act(acts, context)
            }
        }
    }

    fn worker_event(&mut self, event: &WorkerEvent, context: &Context<'_>) -> Vec<Effect> {
        match event.kind {
            WorkerEventKind::Deleted => {
                self.worker = None;
                self.duties.retain(|duty| !matches!(duty.request, Request::SetActivity { .. }));
                Vec::new()
            }
            WorkerEventKind::Created | WorkerEventKind::ActivityUpdated | WorkerEventKind::AttributesUpdated => {
                self.worker = Some(event.worker.clone());
                let activity = event.activity.clone();
                activity.map(|name| self.learn_activity(name, event.at, context)).unwrap_or_default()
            }
        }
    }

    /// Twilio says which activity the agent is in. What is older than what is known says nothing.
    fn learn_activity(&mut self, name: String, at: Timestamp, context: &Context<'_>) -> Vec<Effect> {
        if self.activity.as_ref().is_some_and(|known| at < known.at) {
            return Vec::new();
        }
        let changed = self.activity.as_ref().is_none_or(|known| known.name != name);
        self.activity = Some(Activity { name: name.clone(), at });
        if !changed {
            return Vec::new();
        }
        self.superseded_by_agent(&name);
        if name == context.policy.mobile_activity {
            // Whoever comes back of their own accord starts afresh.
            self.missed_in_a_row = 0;
            self.passed.clear();
        }
        self.activity_is_known();
        vec![Effect::Tell(Notice::ActivityChanged { to: name })]
    }

    /// What REST says of the activity. Its time has whole seconds, so that it is compared in those.
    fn read_activity(&mut self, name: String, changed_at: Option<Timestamp>, context: &Context<'_>) -> Vec<Effect> {
        let known = self.activity.as_ref().map_or(Timestamp::EPOCH, |activity| activity.at);
        let at = changed_at.unwrap_or(known);
        if at.as_secs() < known.as_secs() { Vec::new() } else { self.learn_activity(name, at.max(known), context) }
    }

    fn is_on_mobile(&self, context: &Context<'_>) -> Option<bool> {
        self.activity.as_ref().map(|activity| activity.name == context.policy.mobile_activity)
    }

    /// Does all that is due: held offers, the call's deadlines, duties; forgets what is old.
    fn work(&mut self, context: &Context<'_>) -> Vec<Effect> {
        let acts = self.call.as_mut().map(|call| call.tick(context.now)).unwrap_or_default();
        let mut effects = self.act(acts, context);
        effects.extend(self.release_held(context));
        self.forget(context.now);
        effects.extend(self.discharge(context));
        effects
    }

    fn forget(&mut self, now: Timestamp) {
        self.reservations.retain(|_, one| !one.status.is_final() || now.since(one.heard_at) < REMEMBER);
        while self.reservations.len() > REMEMBERED {
            let oldest = self.reservations.values().min_by_key(|one| (!one.status.is_final(), one.heard_at));
            let Some(sid) = oldest.map(|one| one.offered.reservation.clone()) else { break };
            self.reservations.remove(&sid);
        }
        self.passed.retain(|passed| now.since(passed.at) < REMEMBER);
        let excess = self.passed.len().saturating_sub(REMEMBERED);
        self.passed.drain(..excess);
    }

    fn next_duty(&mut self) -> DutyId {
        self.duties_made += 1;
        DutyId(self.duties_made)
    }
}
