//! What a leg has in every state.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;

use super::{ALLOW, Incoming, Login, Output, Reach, SDP, sent::Sent, turn::Turn};
use crate::{
    dialog::Dialog,
    message::{Message, Method, Name, RequestBuilder, Uri},
    transport::{Flow, Transport},
};

pub(super) struct Common {
    pub(super) dialog: Dialog,
    /// The way that the peer's latest message came.
    pub(super) flow: Flow,
    pub(super) reach: Reach,
    pub(super) login: Option<Arc<Login>>,
    /// The credentials that our INVITE was taken with: the ACK has them too (RFC 3261 §22.1).
    pub(super) proof: Option<Proof>,
    /// The number of our latest request.
    pub(super) asked: u32,
    /// Forks that answered too late, and were told BYE. More than a few are not remembered.
    strays: Vec<Box<str>>,
}

/// A header line with credentials.
pub(super) type Proof = (Name, Box<str>);

const MOST_STRAYS: usize = 8;

impl Common {
    pub(super) const fn new(dialog: Dialog, flow: Flow, reach: Reach, login: Option<Arc<Login>>) -> Self {
        Self { dialog, flow, reach, login, proof: None, asked: 0, strays: Vec::new() }
    }

    pub(super) const fn next_number(&mut self) -> u32 {
        self.asked += 1;
        self.asked
    }

    /// Where the next request goes.
    fn way(&self, dialog: &Dialog) -> Flow {
        match self.reach {
            Reach::Flow => self.flow,
            Reach::Routes => by_uri(dialog.next_hop(), self.flow),
        }
    }

    /// Writes and sends a request within the dialog. `write` adds what it has beyond its dialog.
    ///
    /// None is not to be expected: see [`Dialog::request`].
    pub(super) fn ask(
        &mut self,
        turn: &mut Turn<'_>,
        method: Method<'_>,
        write: impl FnOnce(RequestBuilder) -> Vec<u8>,
    ) -> Option<Sent> {
        let (flow, branch) = (self.way(&self.dialog), turn.branch());
        let request = self.dialog.request(method, turn.via(flow.transport, branch))?;
        let sent = Sent { number: self.next_number(), branch, flow, bytes: write(request).into() };
        turn.out.push_back(sent.output(turn.id, method));
        Some(sent)
    }

    /// Writes and sends one that may change the session: INVITE or UPDATE, with where we are and what we can.
    pub(super) fn ask_session(
        &mut self,
        turn: &mut Turn<'_>,
        method: Method<'_>,
        proof: Option<&Proof>,
        write: impl FnOnce(RequestBuilder) -> Vec<u8>,
    ) -> Option<Sent> {
        let contact = turn.contact(self.way(&self.dialog).transport).to_string();
        self.ask(turn, method, |request| {
            let request = with(request, proof)
                .header(Name::Contact, contact)
                .header(Name::Allow, ALLOW)
                .header(Name::Supported, "timer");
            write(request)
        })
    }

    pub(super) fn bye(&mut self, turn: &mut Turn<'_>, reason: super::Reason, proof: Option<&Proof>) -> Option<Sent> {
        self.ask(turn, Method::Bye, |request| {
            let request = with(request, proof);
            match reason.header() {
                Some(reason) => request.header(Name::Reason, reason).finish(),
                None => request.finish(),
            }
        })
    }

    /// Acknowledges a 2xx to an INVITE, each time that it comes.
    pub(super) fn acknowledge(&self, turn: &mut Turn<'_>, dialog: &Dialog, cseq: u32) {
        let (flow, branch) = (self.way(dialog), turn.branch());
        if let Some(ack) = dialog.acknowledge(cseq, turn.via(flow.transport, branch)) {
            let bytes = with(ack, self.proof.as_ref()).finish().into();
            turn.out.push_back(Output::Send { flow, bytes });
        }
    }

    /// A 2xx that nothing awaits: a repetition, which is acknowledged again, or a fork that answered after another had won
    /// (RFC 3261 §13.2.2.4), which is acknowledged and told BYE.
    pub(super) fn repeated(&mut self, turn: &mut Turn<'_>, response: &Message) {
        let cseq = response.cseq();
        if !response.code().is_some_and(crate::message::Code::is_success) || cseq.method != Method::Invite {
            return;
        }
        if self.dialog.is_from_peer(response) {
            self.acknowledge(turn, &self.dialog, cseq.number);
            return;
        }
        let mut stray = self.dialog.fork(response);
        self.acknowledge(turn, &stray, cseq.number);
        let tag: Box<str> = stray.remote_tag().unwrap_or_default().into();
        if self.strays.len() < MOST_STRAYS && !self.strays.contains(&tag) {
            self.strays.push(tag);
            std::mem::swap(&mut self.dialog, &mut stray);
            self.bye(turn, super::Reason::Plain, None);
            std::mem::swap(&mut self.dialog, &mut stray);
        }
    }

    /// A request of the peer's has come by this way.
    pub(super) const fn moved(&mut self, incoming: &Incoming<'_>) {
        self.flow = incoming.flow;
    }
}

pub(super) fn with(request: RequestBuilder, proof: Option<&Proof>) -> RequestBuilder {
    match proof {
        Some((name, value)) => request.header(*name, value),
        None => request,
    }
}

/// The way to a URI's address, or `other` if it is a name.
fn by_uri(uri: &str, other: Flow) -> Flow {
    let Some(uri) = Uri::parse(uri).and_then(Uri::sip) else { return other };
    let Some(address) = uri.host.ip().map(|address| address.to_canonical()) else { return other };
    let named = uri.params.value("transport").and_then(|name| name.parse().ok());
    let transport = named.unwrap_or(if uri.secure { Transport::Tls } else { Transport::Udp });
    let default = if transport == Transport::Tls { 5061 } else { 5060 };
    let peer = SocketAddr::new(address, uri.port.unwrap_or(default));
    // A server that connects to us does so from any port: its connection is the way to all that it is (RFC 5923).
    let same = other.peer == peer || other.connection.is_some() && other.peer.ip() == address;
    if other.transport == transport && same {
        return other;
    }
    Flow { transport, peer, connection: None }
}

/// The session description that a message has.
pub(super) fn sdp_of(message: &Message) -> Option<Bytes> {
    let kind = message.head().first(Name::ContentType).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    (!message.body().is_empty() && kind.trim_ascii().eq_ignore_ascii_case(SDP)).then(|| message.body().clone())
}
