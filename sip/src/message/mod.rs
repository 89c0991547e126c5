//! SIP messages (RFC 3261 §7): read once, held as the bytes that came, and written.
//!
//! ```text
//! bytes ──Framer──▶ one message's bytes ──Message::parse──▶ Message          what everybody works with
//!        (streams)                                    └───▶ Rejected         a bad one: answer it, or drop it
//! Message ──ResponseBuilder──▶ bytes        Rejected::Answer ──ResponseBuilder──▶ bytes
//! RequestBuilder ──▶ bytes
//! ```
//!
//! [`Message::parse`] finds every line, and reads all that any message must have (start line, Via, From, To, Call-ID, CSeq,
//! Max-Forwards, Content-Length) or that is an address (Contact, Route, Record-Route, Path), so that what a [`Message`] gives
//! is well formed. It gives borrowed values: [`Via`], [`NameAddr`], [`Uri`], [`Params`]. All other headers are text, found by
//! [`Name`]; compact forms are the same names, folds are spaces, and `a, b` in a line is the same as two lines.
//!
//! What is written can bring no line of its own: CR and LF in a value become spaces.
//!
//! What a server says of a good request that it does not understand (405, 415, 416, 420) is [`Capabilities`].

mod addr;
mod capabilities;
mod check;
mod code;
mod element;
mod frame;
mod head;
mod hidden;
mod host;
mod index;
mod limits;
mod method;
mod name;
mod params;
mod problem;
pub(crate) mod scan;
mod uri;
mod uri_same;
mod via;
mod write;

use std::fmt;

use bytes::Bytes;

use self::index::Span;
pub(crate) use self::params::unquote;
pub use self::{
    addr::{NameAddr, Q},
    capabilities::{Capabilities, Incapable},
    code::Code,
    element::Elements,
    frame::{Frame, Framer},
    head::{Head, Header, Lines, Start},
    host::Host,
    limits::{Carrier, Limits},
    method::Method,
    name::Name,
    params::{Param, Params},
    problem::Problem,
    uri::{SipUri, TelUri, Uri},
    via::{MAGIC_COOKIE, Via},
    write::{Quoted, RequestBuilder, ResponseBuilder, Tag},
};

/// A message that keeps RFC 3261's rules for all messages. Its head's lines are those of [`Head`], which it gives by `head()`.
///
/// Cloning shares the bytes and copies the index of the lines.
#[derive(Clone)]
pub struct Message {
    head: Head,
    body: Bytes,
    code: Option<Code>,
    via: ViaSpans,
    from: AddrSpans,
    to: AddrSpans,
    call_id: Span,
    cseq: u32,
}

/// A message that is not taken.
#[derive(Debug)]
pub enum Rejected {
    /// A request that has where to answer to: send `problem.code()` with `problem` as reason, by [`ResponseBuilder`].
    Answer { head: Head, problem: Problem },
    /// A response, an ACK, or nothing that could be answered. None: it does not even begin as a message does.
    Drop(Option<Problem>),
}

/// A request, or a response with its code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    Request { method: Method<'a>, uri: &'a str },
    Response { code: Code, reason: &'a str },
}

/// CSeq (RFC 3261 §20.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2³¹.
    pub number: u32,
    pub method: Method<'a>,
}

/// What stands in Contact.
#[derive(Clone, Debug)]
pub enum Contacts<'a> {
    /// `*`: all bindings (RFC 3261 §10.2.2).
    All,
    /// Those listed; none if there is no Contact.
    Some(Elements<'a, NameAddr<'a>>),
}

#[derive(Clone, Copy)]
struct ViaSpans {
    transport: Span,
    host: Span,
    port: Option<u16>,
    params: Span,
}

#[derive(Clone, Copy)]
struct AddrSpans {
    display: Span,
    address: Span,
    params: Span,
}

impl Message {
    /// Reads a datagram, or a message that a [`Framer`] cut out of a stream. Time and memory are linear in its length.
    pub fn parse(bytes: Bytes, carrier: Carrier, limits: &Limits) -> Result<Self, Rejected> {
        let (head, body, problem) = Head::read(bytes, limits.headers).ok_or(Rejected::Drop(None))?;
        check::check(head, body, problem, carrier, limits)
    }

    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// As long as Content-Length says; any bytes.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    pub fn kind(&self) -> Kind<'_> {
        match (self.head.start(), self.code) {
            (Start::Response { reason, .. }, Some(code)) => Kind::Response { code, reason },
            (Start::Response { reason, .. }, None) => Kind::Response { code: Code::SERVER_ERROR, reason },
            (Start::Request { method, uri, .. }, _) => Kind::Request { method, uri },
        }
    }

    /// A request's method. None: it is a response.
    pub fn method(&self) -> Option<Method<'_>> {
        match self.kind() {
            Kind::Request { method, .. } => Some(method),
            Kind::Response { .. } => None,
        }
    }

    /// A request's URI. None: it is a response.
    pub fn request_uri(&self) -> Option<Uri<'_>> {
        match self.kind() {
            Kind::Request { uri, .. } => Uri::parse(uri),
            Kind::Response { .. } => None,
        }
    }

    /// A response's code. None: it is a request.
    pub const fn code(&self) -> Option<Code> {
        self.code
    }

    /// The topmost hop: who sent it to us, or, in a response, we.
    pub fn via(&self) -> Via<'_> {
        let ViaSpans { transport, host, port, params } = self.via;
        let params = Params::known(self.head.at(params));
        Via { transport: self.head.at(transport), host: self.head.at(host), port, params }
    }

    /// All hops, topmost first.
    pub fn vias(&self) -> Elements<'_, Via<'_>> {
        self.head.elements(Name::Via)
    }

    pub fn from(&self) -> NameAddr<'_> {
        self.address(self.from)
    }

    pub fn to(&self) -> NameAddr<'_> {
        self.address(self.to)
    }

    fn address(&self, spans: AddrSpans) -> NameAddr<'_> {
        let AddrSpans { display, address, params } = spans;
        let params = Params::known(self.head.at(params));
        NameAddr { display: self.head.at(display), address: self.head.at(address), params }
    }

    pub fn call_id(&self) -> &str {
        self.head.at(self.call_id)
    }

    pub fn cseq(&self) -> CSeq<'_> {
        let text = self.head.first(Name::CSeq).unwrap_or_default();
        let method = text.trim_start_matches(|byte: char| byte.is_ascii_digit()).trim_ascii_start();
        CSeq { number: self.cseq, method: Method::named(method) }
    }

    pub fn contacts(&self) -> Contacts<'_> {
        match self.head.first(Name::Contact) {
            Some("*") => Contacts::All,
            _ => Contacts::Some(self.head.elements(Name::Contact)),
        }
    }

    /// The addresses of Route, Record-Route, Path or Service-Route, in order.
    pub fn routes(&self, name: Name) -> Elements<'_, NameAddr<'_>> {
        self.head.elements(name)
    }

    /// 0 to 255.
    pub fn max_forwards(&self) -> Option<u32> {
        self.head.first(Name::MaxForwards).and_then(scan::saturating)
    }

    /// The header `Expires` in seconds.
    pub fn expires(&self) -> Option<u32> {
        self.head.first(Name::Expires).and_then(scan::saturating)
    }
}

/// Nothing that it says but its kind: there are names, numbers and credentials in it.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut message = f.debug_struct("Message");
        match self.kind() {
            Kind::Request { method: Method::Other(_), .. } => message.field("method", &"other"),
            Kind::Request { method, .. } => message.field("method", &method),
            Kind::Response { code, .. } => message.field("code", &code),
        };
        message.field("head", &self.head).field("body", &self.body.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod linear_tests;
#[cfg(test)]
mod tests;
