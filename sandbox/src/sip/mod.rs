//! Twilio's SIP: calls to `sip:` addresses are real INVITEs over UDP or TCP, and their sound is real RTP.
//!
//! ```text
//! World ──Order──▶ Switch ⇄ Agent (legs, transactions) ⇄ Edge ⇄ sockets        a thread of its own, in real time
//!       ◀─────────        └▶ Media: one task a call
//! ```

mod address;
mod agent;
mod edge;
mod media;
mod random;
mod sockets;
mod sound;
mod switch;

use std::{net::IpAddr, sync::Arc};

use tokio::sync::{mpsc, oneshot};

pub(crate) use self::sockets::Sockets;
use crate::{
    engine::Engine,
    world::{sid::Sid, sip::SipLogin},
};

/// What waits to be done over SIP. The world's commands come at a person's or a gateway's pace.
pub(crate) const ORDERS: usize = 1_024;

/// What the world wants of it.
#[derive(Debug)]
pub(crate) enum Order {
    Call(Box<NewCall>),
    /// The call is over: whatever it is doing, the other side is told.
    End(Sid),
}

#[derive(Debug)]
pub(crate) struct NewCall {
    pub(crate) sid: Sid,
    pub(crate) account: Sid,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) login: Option<SipLogin>,
    /// Seconds.
    pub(crate) ring_s: u64,
}

/// Runs until `stopped`: the sockets are bound already.
pub(crate) fn run(
    engine: Arc<Engine>,
    sockets: Sockets,
    orders: mpsc::Receiver<Order>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the sandbox has no thread for SIP"),
    };
    runtime.block_on(async {
        tokio::select! {
            ended = switch::run(engine, sockets, orders) => {
                if let Err(error) = ended {
                    tracing::error!(%error, "the sandbox makes no more calls over SIP");
                }
            }
            _ = stopped => {}
        }
    });
}

/// Takes a port of both UDP and TCP that is free.
pub(crate) fn bind(ip: IpAddr) -> std::io::Result<Sockets> {
    Sockets::bind(ip)
}
