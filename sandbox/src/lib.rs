//! A stand-in for the parts of Twilio that Offdesk talks to: TaskRouter, Voice, Verify, Conversations with their media,
//! Flex's Interactions and configuration, Event Streams, and documents of Sync; and for the push services behind which the agents' phones are.
//!
//! It keeps state and Twilio's rules, answers REST requests in Twilio's shapes, sends signed webhooks, and goes wrong on
//! demand. At its address there is a page where a person plays the customer and the agents' cell phones.
//!
//! ```no_run
//! use std::time::Duration;
//! use offdesk_sandbox::{AgentSeed, Options, ReservationStatus, Sandbox, TaskStatus};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start(Options {
//!     agents: vec![AgentSeed::new("Ada", "+4915550101001", "Available on Mobile")],
//!     ..Options::default()
//! })?;
//! // Start the daemon with `sandbox.url()` as the base URL of every product, and then:
//! sandbox.set_event_callback("http://127.0.0.1:8080/webhooks/taskrouter");
//!
//! let call = sandbox.place_call("+15550123");
//! let limit = Duration::from_secs(5);
//! sandbox.wait_until(limit, |state| state.is_ringing("+4915550101001")).await?;
//! sandbox.answer("+4915550101001")?;
//! sandbox.hang_up("+4915550101001")?;
//! let state = sandbox
//!     .wait_until(limit, |state| state.task(&call.task_sid).is_some_and(|task| task.status == TaskStatus::Wrapping))
//!     .await?;
//! assert_eq!(state.reservation_of(&call.task_sid).map(|row| row.status), Some(ReservationStatus::Wrapping));
//! # Ok(())
//! # }
//! ```
//!
//! The same over HTTP, JSON in and out (every POST has a body, if only `{}`):
//!
//! | call | what it does |
//! |---|---|
//! | `GET /sandbox/state` | the [`Snapshot`] |
//! | `GET /sandbox/log?after=N` | [`LogEntry`]s |
//! | `GET /sandbox/stream` | both, as server-sent events |
//! | `POST /sandbox/calls` `{"from"?}` | a customer calls → 201 [`CustomerCall`] |
//! | `POST /sandbox/calls/{CA…}/hang-up` | the customer hangs up |
//! | `POST /sandbox/phones/{number}/answer`, `decline`, `no-answer`, `hang-up` | as at the phone; 409 if it makes no sense |
//! | `POST /sandbox/phones/{number}/keys` `{"key"}` | a key is pressed at the phone, as in `"1"` |
//! | `POST /sandbox/phones/{number}` `{"reachable"?, "auto"?, "codes"?}` | `auto` is an [`Auto`], as in `{"do":"answer","after_ms":500}`, `codes` a [`CodeDelivery`] |
//! | `POST /sandbox/chats` `{"from"?, "name"?, "text", "plain"?}` | a customer writes → 201 [`CustomerChat`] |
//! | `POST /sandbox/chats/{CH…}/messages` `{"text"}` | the customer writes more → 201 `{"message_sid"}` |
//! | `POST /sandbox/chats/{CH…}/files` `{"filename", "content_type", "content"}` | the customer sends a file, in Base64 |
//! | `POST /sandbox/chats/{CH…}/close`, `leave`, `time-out` | the customer ends the chat or leaves it, or Twilio's timer ends it |
//! | `POST /sandbox/chats/{CH…}/supervisors` `{"identity"}` | a supervisor looks in → 201 `{"participant_sid"}` |
//! | `POST /sandbox/chats/{CH…}/desk/messages` `{"worker", "text"}`, `read` `{"worker"}` | as at the Flex desk |
//! | `POST /sandbox/reservations/{WR…}/accept` | as at the Flex desk |
//! | `POST /sandbox/joins/fail` | the next agent who accepts an Interaction does not get in |
//! | `POST /sandbox/workers/{worker}/activity` `{"activity"}` | as at the Flex desk |
//! | `GET /sandbox/devices` | [`DeviceView`]s: what notifications are pushed to |
//! | `POST /sandbox/devices` `{"owner","kind","name"?}` | one more, of `kind` `webpush` or `fcm` → 201 `{"subscription"}` or `{"token"}` |
//! | `POST /sandbox/devices/{id}` `{"answer"?, "times"?, "offline"?, "dismiss"?}` | `answer` is a [`PushAnswer`], as in `"gone"` |
//! | `GET /sandbox/apps/{phone}/tasks` | what the gateway's `GET /api/v1/tasks` answers to that agent's app |
//! | `POST /sandbox/apps/{phone}/tasks/{WR…}/accept`, `decline`, `wrapup`, `complete` | the same of what the app can do there, |
//! | `POST /sandbox/apps/{phone}/conversations/{CH…}/messages` `{"body"}`, `read` `{"index"}` | and there; |
//! | `PUT /sandbox/apps/{phone}/activity` `{"activity"}` | 404: no app is installed, 502: the gateway does not answer |
//! | `GET`, `PUT`, `DELETE /sandbox/faults` | all [`Faults`] |
//! | `POST /sandbox/faults` | one more [`RestFault`] |
//!
//! All products share one host. Where their paths would collide (Flex and Conversations both have `/v1/Configuration`),
//! a prefix tells them apart: `/taskrouter`, `/api`, `/flex`, `/conversations`, `/verify`, `/media`, `/events` and `/sync`
//! stand before the same paths, and links keep them.
//!
//! With [`Options::sip`], calls to `sip:` addresses of this machine are real: an INVITE as Twilio's, and RTP with a tone of 660 Hz for
//! the customer's voice. What the customer hears is in [`CallView::sound`]; the messages are in the log.
//!
//! The endpoints of Web Push are below `/push`; FCM's base URL ends with `/fcm`.

mod app;
mod deliver;
mod engine;
mod faults;
mod handle;
mod http;
mod log;
mod options;
mod push;
mod rest;
mod signature;
mod sip;
mod start;
mod time;
mod twiml;
mod world;

pub use self::{
    faults::{Faults, Reorder, RestAct, RestFault, WebhookFaults},
    handle::{CustomerCall, CustomerChat, Facts, Handle, NotInTime},
    log::{FlowDirection, LogEntry},
    options::{AgentSeed, Auto, DocumentSeed, OnCode, Options, WebhookSeed, WorkerSeed},
    push::{DeviceView, Effect, NotificationView, PushAnswer, PushKind, PushSubscription},
    rest::{error::Refusal, route::Operation},
    signature::sign,
    start::{Error, Sandbox},
    time::{SystemTime, Time},
    world::{
        conversations::view::{ChannelView, ConversationView, CustomerView, MediaView, MessageView, ParticipantView},
        sid::Sid,
        sip::SoundView,
        snapshot::{ActivityView, AgentView, CallView, ConferenceView, PhoneView, ReservationView, Snapshot, TaskView},
        verify::{CodeChannel, CodeDelivery, CodeSent, CodeView, VerificationStatus},
        words::{
            CallStatus, ChannelKind, ChannelStatus, ConferenceStatus, ConversationState, Direction, EndReason,
            ReservationStatus, Role, TaskStatus,
        },
    },
};
