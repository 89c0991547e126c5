//! The whole state, for tests and for the page. Times are milliseconds since the Unix epoch.

use serde::{Deserialize, Serialize};

use super::{
    World,
    conversations::view::ConversationView,
    model::{Call, Conference, Reservation, Task},
    script::Script,
    sid::Sid,
    sip::SoundView,
    words::{CallStatus, ConferenceStatus, Direction, ReservationStatus, Role, TaskStatus},
};
use crate::{options::Auto, push::DeviceView, world::verify::CodeView};

/// What everything is like at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub now_ms: u64,
    /// Where TaskRouter's events go.
    pub event_callback: Option<String>,
    pub activities: Vec<ActivityView>,
    pub agents: Vec<AgentView>,
    pub phones: Vec<PhoneView>,
    pub tasks: Vec<TaskView>,
    pub reservations: Vec<ReservationView>,
    pub calls: Vec<CallView>,
    pub conferences: Vec<ConferenceView>,
    pub conversations: Vec<ConversationView>,
    pub devices: Vec<DeviceView>,
    /// The phones that have the agents' app.
    pub apps: Vec<String>,
    /// One-time codes.
    pub codes: Vec<CodeView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityView {
    pub sid: Sid,
    pub name: String,
    pub available: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    pub worker_sid: Sid,
    pub worker_name: String,
    pub name: String,
    pub phone: String,
    pub activity: String,
    pub available: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneView {
    pub address: String,
    pub reachable: bool,
    pub auto: Auto,
    /// The call that rings at it or is talked on.
    pub call_sid: Option<Sid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    pub sid: Sid,
    pub status: TaskStatus,
    pub channel: String,
    pub reason: Option<String>,
    pub call_sid: Option<Sid>,
    /// The conversation that it is about.
    pub conversation_sid: Option<Sid>,
    /// How often it was offered.
    pub assignments: usize,
    pub created_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationView {
    pub sid: Sid,
    pub task_sid: Sid,
    pub worker_sid: Sid,
    pub worker_name: String,
    pub status: ReservationStatus,
    /// An instruction has been given and the worker is being called: the timeout is ignored.
    pub on_hold: bool,
    pub leg_sid: Option<Sid>,
    pub expires_ms: u64,
    pub version: u64,
    pub created_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallView {
    pub sid: Sid,
    pub role: Role,
    pub direction: Direction,
    pub from: String,
    pub to: String,
    pub status: CallStatus,
    /// The customer hears music: nobody has answered yet.
    pub in_queue: bool,
    pub task_sid: Option<Sid>,
    pub reservation_sid: Option<Sid>,
    pub conference_sid: Option<Sid>,
    pub end_conference_on_exit: bool,
    pub recorded: bool,
    /// What a voice says on it, or has said last.
    pub says: Option<String>,
    /// It asks for a key.
    pub asks_for_key: bool,
    /// The call that it is connected with, without a conference.
    pub talks_with_sid: Option<Sid>,
    pub status_callback: Option<String>,
    /// Seconds that it may ring, what Twilio adds included.
    pub ring_s: u64,
    pub rings_until_ms: Option<u64>,
    /// The final answer to its INVITE, of a call over SIP.
    pub sip_code: Option<u16>,
    /// Of a call over SIP that was answered.
    pub sound: Option<SoundView>,
    pub answered_ms: Option<u64>,
    pub ended_ms: Option<u64>,
    pub created_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceView {
    pub sid: Sid,
    pub friendly_name: String,
    pub status: ConferenceStatus,
    pub recorded: bool,
    pub end_on_customer_exit: bool,
    /// Calls that are in it now.
    pub participants: Vec<Sid>,
}

impl Snapshot {
    pub fn agent(&self, phone: &str) -> Option<&AgentView> {
        self.agents.iter().find(|agent| agent.phone == phone)
    }

    pub fn task(&self, sid: &Sid) -> Option<&TaskView> {
        self.tasks.iter().find(|task| task.sid == *sid)
    }

    pub fn call(&self, sid: &Sid) -> Option<&CallView> {
        self.calls.iter().find(|call| call.sid == *sid)
    }

    pub fn conversation(&self, sid: &Sid) -> Option<&ConversationView> {
        self.conversations.iter().find(|conversation| conversation.sid == *sid)
    }

    /// The conversation that a task is about.
    pub fn conversation_of(&self, task: &Sid) -> Option<&ConversationView> {
        self.task(task)?.conversation_sid.as_ref().and_then(|sid| self.conversation(sid))
    }

    /// The reservations of a task, the oldest first.
    pub fn reservations_of(&self, task: &Sid) -> Vec<&ReservationView> {
        self.reservations.iter().filter(|reservation| reservation.task_sid == *task).collect()
    }

    /// The latest reservation of a task.
    pub fn reservation_of(&self, task: &Sid) -> Option<&ReservationView> {
        self.reservations.iter().rfind(|reservation| reservation.task_sid == *task)
    }

    /// The call that rings at a phone or is talked on.
    pub fn call_at(&self, address: &str) -> Option<&CallView> {
        let sid = self.phones.iter().find(|phone| phone.address == address)?.call_sid.as_ref()?;
        self.call(sid)
    }

    /// The one-time code that was sent to a phone last.
    pub fn last_code(&self, phone: &str) -> Option<&CodeView> {
        self.codes.iter().filter(|code| code.to == phone).max_by_key(|code| code.at_ms)
    }

    pub fn is_ringing(&self, address: &str) -> bool {
        self.call_at(address).is_some_and(|call| call.status == CallStatus::Ringing)
    }
}

impl World {
    /// `last`: so many tasks, reservations, calls, conferences and conversations at most, the latest ones. Devices and
    /// apps are no part of it.
    pub(crate) fn snapshot(&self, last: usize) -> Snapshot {
        Snapshot {
            now_ms: self.now,
            event_callback: self.event_callback.clone(),
            activities: self.activities.iter().map(view_activity).collect(),
            agents: self.workers.iter().take(last).map(|row| self.view_agent(row)).collect(),
            phones: self.phones.iter().take(last).map(view_phone).collect(),
            tasks: latest(self.tasks.iter(), last, view_task),
            reservations: latest(self.reservations.iter(), last, |row| self.view_reservation(row)),
            calls: latest(self.calls.iter(), last, |row| self.view_call(row)),
            conferences: latest(self.conferences.iter(), last, |row| self.view_conference(row)),
            conversations: latest(self.conversations.iter(), last, |row| self.view_conversation(row, last)),
            devices: Vec::new(),
            apps: Vec::new(),
            codes: self.view_codes(last),
        }
    }

    fn view_agent(&self, worker: &super::model::Worker) -> AgentView {
        let activity = self.activities.get(&worker.activity);
        AgentView {
            worker_sid: worker.sid.clone(),
            worker_name: worker.name.clone(),
            name: worker.person.clone(),
            phone: worker.phone.clone(),
            activity: activity.map(|activity| activity.name.clone()).unwrap_or_default(),
            available: activity.is_some_and(|activity| activity.available),
        }
    }

    fn view_reservation(&self, row: &Reservation) -> ReservationView {
        ReservationView {
            sid: row.sid.clone(),
            task_sid: row.task.clone(),
            worker_sid: row.worker.clone(),
            worker_name: self.workers.get(&row.worker).map(|worker| worker.name.clone()).unwrap_or_default(),
            status: row.status,
            on_hold: row.is_on_hold(),
            leg_sid: row.leg.clone(),
            expires_ms: row.expires,
            version: row.version,
            created_ms: row.created,
        }
    }

    fn view_call(&self, row: &Call) -> CallView {
        CallView {
            sid: row.sid.clone(),
            role: row.role,
            direction: row.direction,
            from: row.from.clone(),
            to: row.to.clone(),
            status: row.status,
            in_queue: self.waits_in_queue(row),
            task_sid: row.task.clone(),
            reservation_sid: row.reservation.clone(),
            conference_sid: row.seat.as_ref().map(|seat| seat.conference.clone()),
            end_conference_on_exit: row.seat.as_ref().is_some_and(|seat| seat.end_on_exit),
            recorded: row.recorded,
            says: row.script.as_ref().and_then(|script| script.says.clone()),
            asks_for_key: row.is_live() && row.script.as_ref().is_some_and(Script::is_asking),
            talks_with_sid: row.talks_with.clone(),
            status_callback: row.callback.as_ref().map(|callback| callback.url.clone()),
            ring_s: row.ring_s,
            rings_until_ms: row.rings_until,
            sip_code: row.sip.as_ref().and_then(|leg| leg.code),
            sound: row.sip.as_ref().and_then(|leg| leg.sound),
            answered_ms: row.answered,
            ended_ms: row.ended,
            created_ms: row.created,
        }
    }

    fn view_conference(&self, row: &Conference) -> ConferenceView {
        let inside = |call: &&Call| call.seat.as_ref().is_some_and(|seat| seat.joined);
        ConferenceView {
            sid: row.sid.clone(),
            friendly_name: row.name.clone(),
            status: row.status,
            recorded: row.recorded,
            end_on_customer_exit: row.end_on_customer_exit,
            participants: self.seated(&row.sid).filter(inside).map(|call| call.sid.clone()).collect(),
        }
    }
}

fn view_activity(row: &super::model::Activity) -> ActivityView {
    ActivityView { sid: row.sid.clone(), name: row.name.clone(), available: row.available }
}

fn view_phone(row: &super::model::Phone) -> PhoneView {
    PhoneView { address: row.address.clone(), reachable: row.reachable, auto: row.auto, call_sid: row.call.clone() }
}

fn view_task(row: &Task) -> TaskView {
    TaskView {
        sid: row.sid.clone(),
        status: row.status,
        channel: row.channel.clone(),
        reason: row.reason.clone(),
        call_sid: row.call.clone(),
        conversation_sid: row.conversation.clone(),
        assignments: row.offered_to.len(),
        created_ms: row.created,
    }
}

fn latest<'a, R: 'a, V>(rows: impl DoubleEndedIterator<Item = &'a R>, last: usize, view: impl Fn(&R) -> V) -> Vec<V> {
    let mut views: Vec<_> = rows.rev().take(last).map(view).collect();
    views.reverse();
    views
}
