//! Answers that leave nothing behind.

use std::{collections::hash_map::RandomState, hash::BuildHasher, net::SocketAddr};

use bytes::Bytes;

use super::{Core, Count, Now, Output};
use crate::{
    abuse::Shed,
    message::{Code, Head, Kind, Message, Method, Name, Problem, ResponseBuilder, Tag, Via},
    transaction::{Earlier, ServerKey},
    transport::{Flow, Transport},
};

/// Numbers that nobody can guess who has not seen them: a keyed hash of a counter. They name things and keep nothing secret.
#[derive(Debug, Default)]
pub(super) struct Lots {
    key: RandomState,
    count: u64,
}

impl Lots {
    pub(super) fn draw(&mut self) -> u64 {
        self.count += 1;
        self.key.hash_one(self.count)
    }

    /// What answers to this request bear, also when it comes again (RFC 3261 §8.2.7).
    pub(super) fn tag(&self, request: &Head) -> Tag {
        Tag::of_request(&self.key, request)
    }
}

/// Where a request's answers go (RFC 3261 §18.2.2, RFC 3581 §4): over the connection that it came by, or to the address that
/// it came from, at the port that it came from if the sender wants that, else at the one that it names.
pub(super) fn way_back(from: &Flow, via: Option<&Via<'_>>) -> Flow {
    if from.transport != Transport::Udp {
        return *from;
    }
    let port = via.filter(|via| !via.wants_rport()).map(Via::port_or_default);
    Flow::udp(SocketAddr::new(from.peer.ip(), port.unwrap_or_else(|| from.peer.port())))
}

/// A request that is to be answered, and by which way it came.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) request: &'a Message,
    pub(super) from: Flow,
    /// Bytes that came.
    pub(super) length: usize,
}

/// Beside what RFC 3261 §17.2.3 names, the address that it came from: nobody gets at an answer who only knows its branch.
pub(super) fn server_key(asked: &Asked<'_>) -> ServerKey {
    server_key_of(asked, asked.request.cseq().method)
}

/// The same of another request of that transaction: a CANCEL's INVITE.
pub(super) fn server_key_of(asked: &Asked<'_>, method: Method<'_>) -> ServerKey {
    let (request, source) = (asked.request, asked.from.peer.ip());
    let via = request.via();
    if let Some(branch) = via.unique_branch()
        && let Some(key) = ServerKey::new(branch, (via.host, via.port), source, method.as_str())
    {
        return key;
    }
    let request_uri = match request.kind() {
        Kind::Request { uri, .. } => uri,
        Kind::Response { .. } => "",
    };
    let of = Earlier {
        request_uri,
        from_tag: request.from().tag().unwrap_or_default(),
        call_id: request.call_id(),
        cseq: request.cseq().number,
        via: request.head().first(Name::Via).unwrap_or_default(),
    };
    ServerKey::earlier(method.as_str(), source, &of)
}

impl Core {
    pub(super) fn response(&self, asked: &Asked<'_>, code: Code) -> ResponseBuilder {
        let head = asked.request.head();
        ResponseBuilder::new(head, asked.from.peer, code, self.lots.tag(head))
    }

    /// Sends an answer of which nothing is kept, if its receiver may have it.
    pub(super) fn reply(&mut self, asked: &Asked<'_>, response: ResponseBuilder, now: Now) {
        let back = way_back(&asked.from, Some(&asked.request.via()));
        self.send_back(asked.from, asked.length, back, response.finish(), now);
    }

    /// Answers a message that is not taken, and ends a stream in which nobody can say where the next one begins.
    pub(super) fn reject(&mut self, head: &Head, problem: Problem, from: Flow, length: usize, now: Now) {
        self.counters.add(Count::Refused);
        let tag = self.lots.tag(head);
        let response = ResponseBuilder::with_reason(head, from.peer, problem.code(), problem, tag);
        let via = head.elements::<Via<'_>>(Name::Via).next();
        self.send_back(from, length, way_back(&from, via.as_ref()), response.finish(), now);
        if problem.ends_stream() {
            self.outputs.extend(from.connection.map(Output::Close));
        }
    }

    /// Sends what answers so many bytes from there.
    pub(super) fn send_back(&mut self, from: Flow, length: usize, back: Flow, bytes: Vec<u8>, now: Now) {
        if from.transport == Transport::Udp
            && let Err(why) = self.gate.may_reply(from.peer.ip(), length, bytes.len(), now.instant)
        {
            self.shed(why);
            return;
        }
        self.outputs.push_back(Output::Send { flow: back, bytes: Bytes::from(bytes), of: None });
    }

    pub(super) fn shed(&mut self, why: Shed) {
        self.counters.add_shed(why);
    }
}
