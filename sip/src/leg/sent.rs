//! Requests on their way, and what is made of them later: CANCEL, and the ACK to a failure.

use bytes::Bytes;

use super::{Ask, LegId, Output, Reason, turn::Branch};
use crate::{
    message::{Carrier, Header, Limits, Message, Method, Name, RequestBuilder},
    transaction::ClientKey,
    transport::Flow,
};

/// A request of ours that has no final response yet.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) number: u32,
    pub(super) branch: Branch,
    pub(super) flow: Flow,
    pub(super) bytes: Bytes,
}

impl Sent {
    pub(super) const fn ask(&self, leg: LegId) -> Ask {
        Ask { leg, number: self.number }
    }

    /// The request as an output, by the method that it has.
    pub(super) fn output(&self, leg: LegId, method: Method<'_>) -> Output {
        let key = ClientKey::new(&self.branch.to_string(), method.as_str());
        let (ask, flow, bytes) = (self.ask(leg), self.flow, self.bytes.clone());
        match method {
            Method::Invite => Output::Invite { ask, key, flow, bytes },
            _ => Output::Ask { ask, key, flow, bytes },
        }
    }

    /// Cancels an INVITE that was answered provisionally (RFC 3261 §9.1). `number` is the CANCEL's own.
    pub(super) fn cancel(&self, leg: LegId, number: u32, reason: Reason) -> Option<Output> {
        let invite = reread(&self.bytes)?;
        let to = invite.head().first(Name::To)?;
        let mut cancel = derived(&invite, Method::Cancel, to)?;
        if let Some(reason) = reason.header() {
            cancel = cancel.header(Name::Reason, reason);
        }
        let key = ClientKey::new(&self.branch.to_string(), Method::Cancel.as_str());
        Some(Output::Ask { ask: Ask { leg, number }, key, flow: self.flow, bytes: cancel.finish().into() })
    }
}

/// The ACK to a failed INVITE (RFC 3261 §17.1.1.3), of the bytes that were sent. Empty only if those are no INVITE.
pub fn acknowledge(invite: &Bytes, response: &Message) -> Bytes {
    let ack = || {
        let invite = reread(invite)?;
        let to = response.head().first(Name::To)?;
        Some(derived(&invite, Method::Ack, to)?.finish().into())
    };
    ack().unwrap_or_default()
}

fn reread(invite: &Bytes) -> Option<Message> {
    Message::parse(invite.clone(), Carrier::Datagram, &Limits { head: u16::MAX, ..Limits::default() }).ok()
}

/// A request of the INVITE's own transaction: its Request-URI, its topmost Via, its Route, its From, its Call-ID, its number.
fn derived(invite: &Message, method: Method<'_>, to: &str) -> Option<RequestBuilder> {
    let head = invite.head();
    let uri = match invite.kind() {
        crate::message::Kind::Request { uri, .. } => uri,
        crate::message::Kind::Response { .. } => return None,
    };
    let is_kept = |header: &Header<'_>| matches!(header.name, Name::Via | Name::Route | Name::From | Name::CallId);
    let kept = head.headers().filter(is_kept);
    let request = kept.fold(RequestBuilder::new(method, uri)?, RequestBuilder::line);
    let cseq = invite.cseq().number;
    Some(request.header(Name::To, to).header(Name::CSeq, format_args!("{cseq} {method}")).header(Name::MaxForwards, 70))
}
