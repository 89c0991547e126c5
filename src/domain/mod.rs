//! The words of the house as types: what is parsed once at the edge and trusted from there on.
//!
//! Nothing here knows of actix, tokio, HTTP, a clock or a store.

mod event;
mod ids;
mod phone;
mod profile;
mod time;

pub use event::{
    ConferenceEvent, ConferenceEventKind, Event, EventKey, LegEvent, LegStatus, ReservationEvent, ReservationEventKind,
    ReservationStatus, TaskFacts, WorkerEvent, WorkerEventKind,
};
pub use ids::{
    AccountSid, ActivitySid, AgentId, ApiKeySid, CallId, CallSid, ConferenceSid, EventSid, IdError, LegNo,
    ReservationSid, TaskSid, VerifyServiceSid, WorkerSid, WorkflowSid, WorkspaceSid,
};
pub use phone::{E164, PhoneError};
pub use profile::{Profile, RingTarget, Role};
pub use time::Timestamp;
