//! How SIP comes in and goes out, without the sockets: flows, keep-alives, and what a connection may do and for how long.
//! The sockets themselves are in [`crate::driver`].

mod family;
mod flow;
mod keepalive;
pub mod stun;

pub(crate) use self::family::{Family, inward};
pub use self::{
    flow::{ConnectionId, Flow, Transport},
    keepalive::{KeepAlive, keep_alive},
};
