//! What the stand-in remembers: one struct a resource. Times are milliseconds since the Unix epoch.

use super::{
    script::Script,
    sid::Sid,
    sip::SipLeg,
    table::Row,
    words::{CallStatus, ConferenceStatus, Direction, EndReason, ReservationStatus, Role, TaskStatus},
};

/// Where a status callback goes, and for which events.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub(crate) url: String,
    pub(crate) events: Vec<String>,
}

impl Callback {
    pub(crate) fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|wanted| wanted == event)
    }
}

#[derive(Debug)]
pub(crate) struct Activity {
    pub(crate) sid: Sid,
    pub(crate) name: String,
    pub(crate) available: bool,
    pub(crate) created: u64,
}

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) sid: Sid,
    /// `friendly_name`, as in `user-+4915112345678`.
    pub(crate) name: String,
    /// What people call the agent.
    pub(crate) person: String,
    pub(crate) phone: String,
    pub(crate) attributes: String,
    pub(crate) activity: Sid,
    pub(crate) activity_since: u64,
    /// Since when the worker has waited for a task: the longest waiting comes first.
    pub(crate) idle_since: u64,
    /// Reservations that are not over: they fill the capacity.
    pub(crate) open: Vec<Sid>,
    pub(crate) version: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) sid: Sid,
    pub(crate) status: TaskStatus,
    /// `task_channel_unique_name`.
    pub(crate) channel: String,
    /// JSON.
    pub(crate) attributes: String,
    pub(crate) priority: i64,
    pub(crate) reason: Option<String>,
    pub(crate) timeout_s: u64,
    /// The customer's call, for a task made by `<Enqueue>`.
    pub(crate) call: Option<Sid>,
    /// The conversation that it is about, if the stand-in knows it.
    pub(crate) conversation: Option<Sid>,
    /// The Interaction's channel that made it.
    pub(crate) interaction: Option<Sid>,
    pub(crate) routing_target: Option<String>,
    pub(crate) ignore_capacity: bool,
    /// The workers it was offered to, in order; their number is the assignment count.
    pub(crate) offered_to: Vec<Sid>,
    /// The oldest first.
    pub(crate) reservations: Vec<Sid>,
    pub(crate) version: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) queued: u64,
}

#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) sid: Sid,
    pub(crate) task: Sid,
    pub(crate) worker: Sid,
    pub(crate) status: ReservationStatus,
    /// The worker's leg that an instruction made. While it is pending with one, the reservation is on hold.
    pub(crate) leg: Option<Sid>,
    /// It was accepted, and Flex is letting the agent into the conversation: it is on hold, too.
    pub(crate) joining: bool,
    pub(crate) expires: u64,
    pub(crate) version: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

impl Reservation {
    pub(crate) fn is_on_hold(&self) -> bool {
        self.status == ReservationStatus::Pending && (self.leg.is_some() || self.joining)
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.status == ReservationStatus::Pending && !self.is_on_hold()
    }
}

/// How a call takes part in a conference.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) conference: Sid,
    /// Heard and hearing: not merely dialled.
    pub(crate) joined: bool,
    pub(crate) label: Option<String>,
    pub(crate) end_on_exit: bool,
    pub(crate) start_on_enter: bool,
    pub(crate) muted: bool,
    pub(crate) hold: bool,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) sid: Sid,
    pub(crate) role: Role,
    pub(crate) direction: Direction,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) status: CallStatus,
    pub(crate) task: Option<Sid>,
    pub(crate) reservation: Option<Sid>,
    pub(crate) seat: Option<Seat>,
    pub(crate) callback: Option<Callback>,
    /// `SequenceNumber` of the next callback.
    pub(crate) sequence: u32,
    /// Whole seconds that it may ring, what Twilio adds included.
    pub(crate) ring_s: u64,
    pub(crate) rings_until: Option<u64>,
    /// It goes over the wire; none: it is at a phone of the page, or is a customer's.
    pub(crate) sip: Option<SipLeg>,
    pub(crate) recorded: bool,
    /// What it does once it is answered; none: what its conference does.
    pub(crate) script: Option<Script>,
    /// The call that it is connected with, without a conference.
    pub(crate) talks_with: Option<Sid>,
    pub(crate) answered: Option<u64>,
    pub(crate) ended: Option<u64>,
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

impl Call {
    pub(crate) fn is_live(&self) -> bool {
        !self.status.is_final()
    }

    /// It is being called, and nobody has taken it yet.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.status, CallStatus::Queued | CallStatus::Ringing)
    }
}

#[derive(Debug)]
pub(crate) struct Conference {
    pub(crate) sid: Sid,
    /// TaskRouter names it by the task's sid.
    pub(crate) name: String,
    pub(crate) status: ConferenceStatus,
    pub(crate) callback: Option<Callback>,
    pub(crate) recording_callback: Option<String>,
    /// Those that have or had a seat in it, in the order in which they got it.
    pub(crate) calls: Vec<Sid>,
    pub(crate) sequence: u32,
    pub(crate) end_on_customer_exit: bool,
    pub(crate) recorded: bool,
    pub(crate) ended_because: Option<EndReason>,
    pub(crate) ended_by: Option<Sid>,
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

/// A telephone: an agent's cell phone, or any other that was dialled.
#[derive(Clone, Debug)]
pub(crate) struct Phone {
    /// E.164, or a SIP or client URI.
    pub(crate) address: String,
    pub(crate) auto: crate::options::Auto,
    pub(crate) reachable: bool,
    pub(crate) call: Option<Sid>,
}

macro_rules! rows {
    ($($name:ty),+) => {$(
        impl Row for $name {
            fn sid(&self) -> &Sid {
                &self.sid
            }
        }
    )+};
}
rows!(Activity, Worker, Task, Reservation, Call, Conference);
rows!(super::conversations::Conversation, super::interactions::Channel, super::media::MediaFile);
rows!(super::streams::Sink, super::streams::Subscription, super::sync::Document);
