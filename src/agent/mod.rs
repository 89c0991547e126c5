//! An agent: activity, reservations, the call, and what is owed to Twilio. Pure: an input, the time and the policy go in,
//! effects come out, and [`Agent::due`] says when it wants to be looked at again.
//!
//! The whole agent is one record. The shell writes it before it carries out the effects, so that after a crash nothing
//! is owed that is not known; [`Agent::restore`] takes up from there.

pub mod about;
mod activity;
mod answering;
pub mod changes;
pub mod chat;
mod chats;
pub mod command;
mod duties;
pub mod duty;
pub mod index_set;
mod leave;
mod misses;
pub mod offer;
mod offers;
mod policy;
mod profile;
pub mod request;
mod ringing;
pub mod sends;
mod snapshot;
#[cfg(test)]
mod tests;
pub mod view;
mod withdrawals;
mod worked;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Not,
    time::Duration,
};

use serde::{Deserialize, Serialize};

pub use activity::Activity;
pub use policy::Policy;
pub use snapshot::Snapshot;

use crate::call::{Call, Reply};
use crate::domain::{
    AgentId, CallId, CallQuality, ChatIdentity, ConversationSid, E164, Event, Handled, Notification, PickUp, Profile,
    ReservationSid, RingTarget, SoftphoneLeg, SoftphoneNews, SoftphoneOrder, Timestamp, WorkerSid,
};
use changes::Said;
use chat::{Chat, Count};
use duty::{Duty, DutyId, Ticket};
use offer::{Passed, Reservation};
use request::{Answer, Failure, Request};

/// How long a reservation that is over is remembered, so that its late events are told.
const REMEMBER: Duration = Duration::from_secs(15 * 60);
/// Reservations remembered at most: a bound on the record's size.
const REMEMBERED: usize = 32;

/// An agent's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    /// The TaskRouter worker, learned from its events where the profile does not name it.
    pub worker: Option<WorkerSid>,
    phone: E164,
    ring_plan: Option<Vec<RingTarget>>,
    /// Nothing is offered to them.
    #[serde(default, skip_serializing_if = "Not::not")]
    disabled: bool,
    activity: Option<Activity>,
    /// The activity to set as soon as the worker is known.
    wish: Option<String>,
    reservations: BTreeMap<ReservationSid, Reservation>,
    /// The call that rings or talks, if one does, and those that settle.
    calls: Vec<Call>,
    calls_made: u64,
    missed_in_a_row: u32,
    passed: Vec<Passed>,
    duties: Vec<Duty>,
    duties_made: u64,
    /// Who the agent is in conversations.
    #[serde(default)]
    identity: ChatIdentity,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    chats: BTreeMap<ConversationSid, Chat>,
    /// When Twilio's counts of unread messages are compared with ours next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compare_at: Option<Timestamp>,
    /// The activity that was asked for last, until it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
    /// Who looks at which conversation now.
    #[serde(skip)]
    viewers: Vec<(u64, ConversationSid)>,
    /// Counts that made us read the messages.
    #[serde(skip)]
    counted: HashMap<ConversationSid, Counted>,
    /// How the last call on a softphone sounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_call: Option<LastCall>,
    /// Which life the stream of changes is in; none has begun: 0.
    #[serde(default)]
    stream: u64,
}

/// A count that is to be explained by a reading of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    count: Count,
    /// The reading that is on its way was begun before: it explains nothing.
    too_early: bool,
}

/// What reaches an agent.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// Twilio told something.
    Event(&'a Event),
    /// Twilio answered a request of ours.
    Answer { ticket: Ticket, result: Result<Answer, Failure> },
    /// The softphones tell something of what they were asked for.
    Softphones { leg: SoftphoneLeg, news: &'a SoftphoneNews },
    /// The agent, or a supervisor, picks an activity.
    SetActivity(String),
    /// An administrator changed the profile, perhaps in which worker the agent is.
    Profile { profile: &'a Profile, other_worker: bool },
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
    /// Activities that are known to take no tasks, by name.
    pub unavailable: &'a [String],
}

/// What an agent wants done, in this order, after its record is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Rest {
        ticket: Ticket,
        request: Request,
    },
    Softphones(SoftphoneOrder),
    Tell(Notice),
    /// To all devices of the agent. It is on disk together with the agent's record.
    Push(Notification),
    /// A task was worked on to its end: for the reports. It is on disk together with the agent's record.
    Handled(Handled),
    /// For those who look on: a message of one of the agent's conversations.
    Said(Said),
}

/// Something that people should learn of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    CallAnswered,
    CallMissed,
    /// An offer that is no call, and that nobody answered.
    OfferMissed,
    /// Turned away, since the agent was on a call.
    RejectedBusy,
    /// The gateway takes the agent offline: too many missed rings.
    WentOffline,
    ActivityChanged {
        to: String,
    },
}

/// How a call on a softphone sounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCall {
    pub call: CallId,
    pub ended: Timestamp,
    #[serde(flatten)]
    pub quality: CallQuality,
}

impl Agent {
    pub fn new(profile: &Profile) -> Self {
        Self {
            id: profile.id,
            worker: profile.worker_sid.clone(),
            phone: profile.phone.clone(),
            ring_plan: profile.ring_plan.clone(),
            disabled: profile.disabled,
            activity: None,
            wish: None,
            reservations: BTreeMap::new(),
            calls: Vec::new(),
            calls_made: 0,
            missed_in_a_row: 0,
            passed: Vec::new(),
            duties: Vec::new(),
            duties_made: 0,
            identity: ChatIdentity::of_worker(&profile.worker_name),
            chats: BTreeMap::new(),
            compare_at: None,
            asked: None,
            viewers: Vec::new(),
            counted: HashMap::new(),
            last_call: None,
            stream: 0,
        }
    }

    /// Takes up from a record: what was on its way is asked about, and what should have happened since is looked for. `alive`
    /// are the agent's softphones that have outlived it.
    pub fn restore(
        mut record: Self,
        profile: &Profile,
        alive: &[SoftphoneLeg],
        context: &Context<'_>,
    ) -> (Self, Vec<Effect>) {
        for duty in &mut record.duties {
            duty.restore(context.now);
        }
        let mut effects = record.change_profile(profile, context);
        effects.extend(record.restore_calls(alive, context));
        record.read_open_reservations(context);
        record.compare_soon(context.now);
        effects.extend(record.work(context));
        (record, effects)
    }

    /// What only the running process knows.
    #[cfg(test)]
    fn forget_the_moment(&mut self) {
        self.viewers.clear();
        self.counted.clear();
        self.chats.values_mut().for_each(Chat::forget_the_moment);
    }

    /// Takes one input. The caller writes the new state before it carries out the effects.
    pub fn handle(&mut self, input: Input<'_>, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Event(event) => effects.extend(self.event(event, context)),
            Input::Answer { ticket, result } => effects.extend(self.answer(ticket, result, context)),
            Input::Softphones { leg, news } => effects.extend(self.softphones_tell(leg, news, context)),
            Input::SetActivity(name) => effects.extend(self.pick_activity(name, context)),
            Input::Profile { profile, other_worker } => {
                if other_worker {
                    self.forget_worker();
                }
                effects.extend(self.change_profile(profile, context));
                self.grant_wish(context);
            }
            Input::Tick => {}
        }
        effects.extend(self.work(context));
        effects
    }

    /// Somebody has picked up a leg that asks, or pressed a key there. The reply holds once the record is on disk.
    pub fn pick_up(&mut self, pick_up: &PickUp, context: &Context<'_>) -> (Reply, Vec<Effect>) {
        let mut reply = Reply::NobodyWaits;
        let mut effects = self.tell_call(
            |call| call.id == pick_up.call,
            context,
            |call, now| {
                let (said, acts) = call.picked_up(pick_up, now);
                reply = said;
                acts
            },
        );
        effects.extend(self.work(context));
        (reply, effects)
    }

    /// When this agent wants a [`Input::Tick`]; none: nothing is pending.
    pub fn due(&self) -> Option<Timestamp> {
        let duties = self.duties.iter().filter_map(Duty::due);
        let holds = self.reservations.values().filter_map(|reservation| reservation.held).map(|held| held.until);
        let offers = self.reservations.values().filter_map(Reservation::answering_due);
        let overdue = self.reservations.values().filter_map(Reservation::overdue_at);
        let calls = self.calls.iter().filter_map(Call::due);
        duties.chain(holds).chain(offers).chain(overdue).chain(calls).chain(self.compare_at).min()
    }

    /// Whether nothing would be lost if this agent left the memory.
    pub fn is_idle(&self) -> bool {
        let settled = self.reservations.values().all(|one| one.status.is_final());
        settled && self.calls.is_empty() && self.duties.is_empty() && self.wish.is_none()
    }

    /// Whether there is nothing new to write down: what differs, if anything, is in memory alone.
    pub fn is_written_as(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let mut this = self.clone();
        this.viewers.clone_from(&other.viewers);
        this.counted.clone_from(&other.counted);
        for (conversation, chat) in &mut this.chats {
            if let Some(other) = other.chats.get(conversation) {
                chat.tell_as(other);
            }
        }
        this == *other
    }

    fn event(&mut self, event: &Event, context: &Context<'_>) -> Vec<Effect> {
        match event {
            Event::Reservation(event) => self.reservation_event(event, context),
            Event::Worker(event) => self.worker_event(event, context),
            Event::Leg(event) => {
                self.tell_call(|call| call.id == event.call, context, |call, now| call.leg(event, now))
            }
            Event::Conference(event) => self.tell_call(
                |call| call.id == event.call,
                context,
                |call, _| call.conference(event.kind, event.participant.as_ref(), event.leg),
            ),
            Event::Message(event) => self.message_event(event, context),
            Event::Participant(event) => {
                self.participant_event(event, context);
                Vec::new()
            }
        }
    }

    /// Does all that is due: the calls' deadlines, held offers, duties; forgets what is old.
    fn work(&mut self, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = self.tick_calls(context);
        effects.extend(self.release_held(context));
        effects.extend(self.tend_offers(context));
        self.ask_overdue(context);
        self.compare(context.now);
        self.forget(context.now);
        effects.extend(self.discharge(context));
        effects
    }

    fn forget(&mut self, now: Timestamp) {
        self.forget_passed(now);
        self.reservations.retain(|_, one| !one.status.is_final() || now.since(one.heard_at) < REMEMBER);
        while self.reservations.len() > REMEMBERED {
            let oldest = self.reservations.iter().min_by_key(|(_, one)| (!one.status.is_final(), one.heard_at));
            let Some(sid) = oldest.map(|(sid, _)| sid.clone()) else { break };
            self.reservations.remove(&sid);
        }
        let Self { reservations, chats, .. } = self;
        chats.retain(|_, chat| reservations.contains_key(&chat.reservation));
    }

    fn next_duty(&mut self) -> DutyId {
        self.duties_made += 1;
        DutyId(self.duties_made)
    }
}
