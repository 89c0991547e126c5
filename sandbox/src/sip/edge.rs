//! Twilio's edge: the proxy between its user agents, which have private addresses, and everybody else.
//!
//! ```text
//! 172.16.0.9 (user agent) ⇄ edge's inner side ⇄ edge's outer side, the only address that there really is ⇄ the gateway
//! ```
//! Its INVITE has two Vias, a Record-Route for each side, and a Contact that only the edge can reach. Whoever does not send
//! the requests of a call by both routes to that Contact is not heard, as at Twilio: the call drops after 32 s
//! (<https://www.twilio.com/docs/api/errors/32022>).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use offdesk_sip::{
    message::{Carrier, Header, Kind, Limits, Message, Method, Name, RequestBuilder, SipUri},
    transport::{Flow, Transport},
};

/// (<https://gist.github.com/anderiv/54371cf3be723ed2968088b7eebf25b2>)
const ALLOW: &str = "INVITE,ACK,CANCEL,OPTIONS,BYE";
const USER_AGENT: &str = "Twilio Gateway";
/// Seconds.
const MIN_SE: u32 = 120;
/// What is left of 70 after Twilio's own hops.
const MAX_FORWARDS: u32 = 68;
/// What the edge's branches have more than the user agent's.
const BRANCH_END: &str = "e";

pub(super) struct Edge {
    outer: SocketAddr,
}

impl Edge {
    pub(super) const fn new(outer: SocketAddr) -> Self {
        Self { outer }
    }

    /// Puts the edge into a message of the user agent's, and says which way it goes. None is not to be expected.
    pub(super) fn outward(&self, bytes: &Bytes, flow: Flow) -> Option<(Bytes, Flow)> {
        let message = read(bytes.clone())?;
        match message.kind() {
            Kind::Request { method, uri } => self.request(&message, method, uri, flow),
            Kind::Response { .. } => Some((response(&message), flow)),
        }
    }

    /// What the user agent is given of a message from outside. None: it is not for it.
    pub(super) fn inward(&self, bytes: Bytes) -> Option<Message> {
        if bytes.starts_with(b"SIP/") {
            return read(without_edge(&bytes)?);
        }
        let message = read(bytes)?;
        match message.kind() {
            Kind::Request { uri, .. } => (self.is_routed(&message) && is_private(uri)).then_some(message),
            Kind::Response { .. } => None,
        }
    }

    fn request(&self, message: &Message, method: Method<'_>, uri: &str, flow: Flow) -> Option<(Bytes, Flow)> {
        let (head, via) = (message.head(), message.via());
        let (branch, transport) = (via.branch()?, flow.transport.via());
        let begins = method == Method::Invite && message.to().tag().is_none();
        let mut request = RequestBuilder::new(method, uri)?
            .header(Name::Via, format_args!("SIP/2.0/{transport} {};branch={branch}{BRANCH_END};rport", self.outer));
        if begins {
            for route in self.routes(flow.transport) {
                request = request.header(Name::RecordRoute, route);
            }
        }
        for header in head.headers().filter(|header| is_passed(header, method)) {
            request = changed(request, header);
        }
        if method == Method::Invite {
            request = request.header(Name::UserAgent, USER_AGENT);
        }
        let body = message.body();
        let bytes = match head.first(Name::ContentType) {
            Some(kind) if !body.is_empty() => request.finish_with(kind, body),
            _ => request.finish(),
        };
        Some((bytes.into(), way(uri, flow)))
    }

    /// Of the outer side, then of the inner one: the order in which proxies add themselves, the latest first.
    fn routes(&self, transport: Transport) -> [String; 2] {
        let (outer, ip) = (self.outer, bracketed(self.outer.ip()));
        [format!("<sip:{outer};transport={transport};r2=on;lr>"), format!("<sip:{ip};r2=on;lr>")]
    }

    /// Whether it comes by both sides in their order. A CANCEL has the Route of its INVITE, an ACK to a failure too. Parameters
    /// may come in another order than they went.
    fn is_routed(&self, message: &Message) -> bool {
        let mut routes = message.routes(Name::Route);
        let ports = [Some(self.outer.port()), None];
        let is_ours = |port: Option<u16>| {
            let route = routes.next().and_then(|route| SipUri::parse(route.address));
            route.is_some_and(|uri| uri.port == port && uri.host.ip() == Some(self.outer.ip()) && uri.params.has("r2"))
        };
        ports.into_iter().all(is_ours) && message.routes(Name::Route).count() == ports.len()
    }
}

fn read(bytes: Bytes) -> Option<Message> {
    Message::parse(bytes, Carrier::Datagram, &Limits::default()).ok()
}

/// Where a request for this URI goes; for a host's name, where `flow` goes.
fn way(uri: &str, flow: Flow) -> Flow {
    let Some(uri) = SipUri::parse(uri) else { return flow };
    match uri.host.ip() {
        Some(ip) => Flow { peer: SocketAddr::new(ip, uri.port_or_default()), ..flow },
        None => flow,
    }
}

fn is_private(uri: &str) -> bool {
    let ip = SipUri::parse(uri).and_then(|uri| uri.host.ip());
    matches!(ip, Some(IpAddr::V4(ip)) if ip.is_private())
}

/// Whether a line of the user agent's goes out: its routes are the edge itself, and Twilio speaks of no session's time.
fn is_passed(header: &Header<'_>, method: Method<'_>) -> bool {
    let by_edge = matches!(header.name, Name::Route | Name::ContentType | Name::ContentLength);
    let of_session = matches!(header.name, Name::SessionExpires | Name::Supported) && method == Method::Invite;
    !by_edge && !of_session
}

fn changed(request: RequestBuilder, header: Header<'_>) -> RequestBuilder {
    match header.name {
        Name::Allow => request.header(Name::Allow, ALLOW),
        Name::Contact => request.header(Name::Contact, contact(header.value)),
        Name::MinSe => request.header(Name::MinSe, MIN_SE),
        Name::MaxForwards => request.header(Name::MaxForwards, MAX_FORWARDS),
        _ => request.line(header),
    }
}

/// A response with Twilio's Allow and Contact.
fn response(message: &Message) -> Bytes {
    let mut text = match message.kind() {
        Kind::Response { code, reason } => format!("SIP/2.0 {code} {reason}\r\n"),
        Kind::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
    };
    for header in message.head().headers() {
        let value = match header.name {
            Name::Allow => ALLOW.to_owned(),
            Name::Contact => contact(header.value),
            _ => header.value.to_owned(),
        };
        text += &format!("{}: {value}\r\n", header.label);
    }
    text += "\r\n";
    [text.as_bytes(), message.body()].concat().into()
}

/// Twilio's has no user.
fn contact(value: &str) -> String {
    match value.split_once('@') {
        Some((_, place)) => format!("<sip:{place}"),
        None => value.to_owned(),
    }
}

/// A response without the edge's Via, before it is read: whoever gets one with two Vias drops it (RFC 3261 §8.1.3.3). None: the
/// topmost is not the edge's.
fn without_edge(bytes: &[u8]) -> Option<Bytes> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let mut text = String::with_capacity(bytes.len());
    let mut found = false;
    for line in std::str::from_utf8(head).ok()?.split("\r\n") {
        let (name, value) = line.split_once(':').unwrap_or_default();
        if found || Name::of(name.trim_ascii()) != Name::Via {
            text += line;
        } else {
            found = true;
            let (top, below) = value.split_once(',').unwrap_or((value, ""));
            let branch = top.split(';').find_map(|param| param.trim_ascii().strip_prefix("branch="));
            branch?.strip_suffix(BRANCH_END)?;
            if below.is_empty() {
                continue;
            }
            text += &format!("{name}:{below}");
        }
        text += "\r\n";
    }
    let text = text.strip_suffix("\r\n")?.as_bytes();
    Some([text, rest].concat().into())
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_loses_the_edges_via_and_no_other() {
        for vias in [
            "Via: SIP/2.0/UDP 127.0.0.1:5;branch=z9hG4bK1e;rport=7\r\nVia: SIP/2.0/UDP 172.16.0.9:5060;branch=z9hG4bK1",
            "v: SIP/2.0/UDP 127.0.0.1:5;branch=z9hG4bK1e, SIP/2.0/UDP 172.16.0.9:5060;branch=z9hG4bK1",
        ] {
            let text = format!(
                "SIP/2.0 180 Ringing\r\n{vias}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\n\
                 CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
            );
            let message = Edge::new(([127, 0, 0, 1], 5).into()).inward(text.into()).expect("it is for Twilio");
            assert_eq!(message.vias().count(), 1);
            assert_eq!((message.via().host, message.via().port), ("172.16.0.9", Some(5060)));
            assert_eq!(message.via().branch(), Some("z9hG4bK1"));
        }
    }
}
