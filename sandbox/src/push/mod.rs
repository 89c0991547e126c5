//! The push services, and what the agents' phones make of what these bring: Web Push (RFC 8030, 8291, 8292) and Firebase
//! Cloud Messaging (HTTP v1).
//!
//! Nothing here reads a socket or a clock: `http` brings the requests in, and the time with them.

mod answer;
mod device;
mod devices;
mod encryption;
pub(crate) mod fcm;
mod handle;
mod jwt;
mod notification;
pub(crate) mod refused;
mod screen;
mod vapid;
pub(crate) mod view;
pub(crate) mod webpush;

pub use self::{
    answer::PushAnswer,
    device::{PushKind, PushSubscription},
    view::{DeviceView, Effect, NotificationView},
};
pub(crate) use self::{
    device::{Address, Message},
    devices::Devices,
};

use aws_lc_rs::{error::Unspecified, rand};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

/// 128 random bits in base64url: nobody guesses an endpoint or a token.
fn unguessable() -> Result<String, Unspecified> {
    let mut bits = [0; 16];
    rand::fill(&mut bits)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bits))
}
