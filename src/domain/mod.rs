//! The words of the house as types: what is parsed once at the edge and trusted from there on.
//!
//! Nothing here knows of actix, tokio, HTTP, a clock or a store.

mod conversation;
mod device;
mod event;
mod handled;
mod ids;
mod notification;
mod phone;
mod profile;
mod send;
mod session;
mod sip;
mod softphone;
mod time;
mod wishes;

pub use conversation::{ChatIdentity, Media, MessageEvent, ParticipantChange, ParticipantEvent};
pub use device::{Device, DeviceId, PushTarget};
pub use event::{
    ConferenceEvent, ConferenceEventKind, Event, EventKey, Key, LegEvent, LegStatus, PickUp, ReservationEvent,
    ReservationEventKind, ReservationStatus, TaskFacts, WorkerEvent, WorkerEventKind,
};
pub use handled::{Day, Handled, Place};
pub use ids::{
    AccountSid, ActivitySid, AgentId, ApiKeySid, CallId, CallSid, ChatServiceSid, ConferenceSid, ConversationSid,
    EventSid, IdError, InteractionChannelSid, InteractionParticipantSid, InteractionSid, LegNo, MediaSid, MessageSid,
    ParticipantSid, RateLimitSid, ReservationSid, SinkSid, SubscriptionSid, SyncDocumentSid, SyncServiceSid, TaskSid,
    VerifyServiceSid, WorkerSid, WorkflowSid, WorkspaceSid,
};
pub use notification::{ActivityReason, Closed, Customer, News, NewsKind, Notification, NotificationId};
pub use phone::{E164, PhoneError};
pub use profile::{Profile, RingTarget, Role};
pub use send::{Fingerprint, SendId};
pub use session::SessionId;
pub use sip::{SipPassword, SipSecret};
pub use softphone::{
    Admission, CallQuality, EndedBy, MediaQuality, NotReached, SipLogin, SipTicket, SoftphoneLeg, SoftphoneNews,
    SoftphoneOrder,
};
pub use time::Timestamp;
pub use wishes::{Language, Privacy, QuietHours, TimeOfDay, WishChange, WishError, Wishes, Zone};
