//! What a leg has at hand while it handles an input.

use std::{collections::VecDeque, fmt, time::Instant};

use bytes::Bytes;

use super::{ALLOW, Event, Here, LegId, Output, Random};
use crate::{
    message::{Code, Head, MAGIC_COOKIE, Name, ResponseBuilder},
    transaction::{Class, Timing, TransactionId},
    transport::{Flow, Transport},
};

pub(super) struct Turn<'a> {
    pub(super) now: Instant,
    pub(super) id: LegId,
    pub(super) timing: Timing,
    pub(super) here: &'a Here,
    pub(super) random: &'a mut dyn Random,
    pub(super) out: &'a mut VecDeque<Output>,
}

/// A branch of ours (RFC 3261 §8.1.1.7).
#[derive(Clone, Copy)]
pub(super) struct Branch(u64);

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MAGIC_COOKIE}{:016x}", self.0)
    }
}

/// Our Via for a request.
pub(super) struct OurVia<'a> {
    here: &'a Here,
    transport: Transport,
    branch: Branch,
}

impl fmt::Display for OurVia<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { here, transport, branch } = self;
        write!(f, "SIP/2.0/{} {};branch={branch};rport", transport.via(), here.host_port(*transport))
    }
}

/// Where the peer of a leg finds it.
pub(super) struct OurContact<'a> {
    here: &'a Here,
    transport: Transport,
}

impl fmt::Display for OurContact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { here, transport } = self;
        write!(f, "<sip:offdesk@{}", here.host_port(*transport))?;
        match transport {
            Transport::Udp => f.write_str(">"),
            Transport::Tcp | Transport::Tls => write!(f, ";transport={transport}>"),
        }
    }
}

/// A request that is to be answered: what its response is made of.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) to: TransactionId,
    pub(super) flow: Flow,
    pub(super) head: Head,
}

impl Asked {
    pub(super) fn of(incoming: &super::Incoming<'_>) -> Self {
        Self { to: incoming.to, flow: incoming.flow, head: incoming.message.head().clone() }
    }
}

impl Turn<'_> {
    pub(super) fn tell(&mut self, event: Event) {
        self.out.push_back(Output::Tell { leg: self.id, event });
    }

    pub(super) fn branch(&mut self) -> Branch {
        Branch(self.random.bits())
    }

    pub(super) const fn via(&self, transport: Transport, branch: Branch) -> OurVia<'_> {
        OurVia { here: self.here, transport, branch }
    }

    pub(super) const fn contact(&self, transport: Transport) -> OurContact<'_> {
        OurContact { here: self.here, transport }
    }

    /// Answers with a code and nothing else.
    pub(super) fn plain(&mut self, asked: &Asked, code: Code) {
        let response = self.response(asked, code);
        self.respond(asked, code, response.finish());
    }

    /// 500 with Retry-After: an offer of the same peer is still being looked at (RFC 3261 §14.2).
    pub(super) fn later(&mut self, asked: &Asked) {
        let seconds = self.random.bits() % 11;
        let response = self.response(asked, Code::SERVER_ERROR).header(Name::RetryAfter, seconds);
        self.respond(asked, Code::SERVER_ERROR, response.finish());
    }

    /// 503 with Retry-After: there is no room for another call.
    pub(super) fn overloaded(&mut self, asked: &Asked) {
        let response = self.response(asked, Code::SERVICE_UNAVAILABLE).header(Name::RetryAfter, 10);
        self.respond(asked, Code::SERVICE_UNAVAILABLE, response.finish());
    }

    /// Begins an answer.
    pub(super) fn response(&self, asked: &Asked, code: Code) -> ResponseBuilder {
        ResponseBuilder::new(&asked.head, asked.flow.peer, code, self.id.tag())
    }

    /// Begins an answer that says where we are, and what we can.
    pub(super) fn full(&self, asked: &Asked, code: Code) -> ResponseBuilder {
        self.response(asked, code)
            .header(Name::Contact, self.contact(asked.flow.transport))
            .header(Name::Allow, ALLOW)
            .header(Name::Supported, "timer")
    }

    pub(super) fn respond(&mut self, asked: &Asked, code: Code, response: Vec<u8>) -> Bytes {
        let bytes = Bytes::from(response);
        self.out.push_back(Output::Respond { to: asked.to, class: Class::of(code.get()), bytes: bytes.clone() });
        bytes
    }
}
