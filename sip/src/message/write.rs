//! Messages that we send.

use std::fmt::{self, Display, Write as _};
use std::hash::BuildHasher;
use std::net::SocketAddr;

use super::code::Code;
use super::element::Element as _;
use super::head::{Head, Header};
use super::method::Method;
use super::name::Name;
use super::scan::{Scanner, all_token};
use super::uri::Uri;
use super::via::Via;

/// A tag of ours (RFC 3261 §19.3): 16 hexadecimal digits, made of 64 bits that nobody can guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(u64);

impl Tag {
    pub const fn new(random: u64) -> Self {
        Self(random)
    }

    /// The tag of a server that remembers nothing: a request that comes again gets the same one (RFC 3261 §8.2.7). `keys` is
    /// random (`std::hash::RandomState`), so that nobody else can tell it.
    pub fn of_request(keys: &impl BuildHasher, request: &Head) -> Self {
        let values = [Name::Via, Name::From, Name::CallId, Name::CSeq].map(|name| request.first(name));
        Self(keys.hash_one(values))
    }
}

impl Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Writes a text as a quoted string (RFC 3261 §25.1).
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for part in self.0.split_inclusive(['"', '\\']) {
            match part.strip_suffix(['"', '\\']) {
                Some(before) => write!(f, "{before}\\{}", &part[before.len()..])?,
                None => f.write_str(part)?,
            }
        }
        f.write_char('"')
    }
}

/// Where all text goes through that did not come from a line of a message: no CR or LF gets out.
struct Lines(Vec<u8>);

impl fmt::Write for Lines {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let from = self.0.len();
        self.0.extend_from_slice(text.as_bytes());
        if memchr::memchr2(b'\r', b'\n', text.as_bytes()).is_some() {
            let written = self.0.get_mut(from..).unwrap_or_default();
            written.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
        }
        Ok(())
    }
}

impl Lines {
    fn with_room() -> Self {
        Self(Vec::with_capacity(768))
    }

    fn text(&mut self, text: &str) {
        // Writing to memory does not fail.
        let _ = self.write_str(text);
    }

    fn show(&mut self, value: impl Display) {
        let _ = write!(self, "{value}");
    }

    fn end(&mut self) {
        self.0.extend_from_slice(b"\r\n");
    }

    fn header(&mut self, label: &str, value: impl Display) {
        self.text(label);
        self.text(": ");
        self.show(value);
        self.end();
    }

    fn finish(mut self, content: Option<(&str, &[u8])>) -> Vec<u8> {
        let (kind, body) = content.unwrap_or_default();
        if !kind.is_empty() {
            self.header(Name::ContentType.as_str(), kind);
        }
        self.header(Name::ContentLength.as_str(), body.len());
        self.end();
        self.0.extend_from_slice(body);
        self.0
    }
}

/// A response, as RFC 3261 §8.2.6 has it made of its request.
#[must_use]
pub struct ResponseBuilder {
    lines: Lines,
}

impl ResponseBuilder {
    /// Writes the status line and what is copied: every Via, the topmost with `received` and `rport` (RFC 3261 §18.2.1,
    /// RFC 3581 §4) of `source`, where the request came from; From; To, with `tag` if it has none and the code is not 100;
    /// Call-ID; CSeq. Of a request that was rejected, what there is of them.
    pub fn new(request: &Head, source: SocketAddr, code: Code, tag: Tag) -> Self {
        Self::with_reason(request, source, code, code.reason(), tag)
    }

    /// The same, with a reason phrase of its own, such as a [`Problem`](super::Problem).
    pub fn with_reason(request: &Head, source: SocketAddr, code: Code, reason: impl Display, tag: Tag) -> Self {
        let mut lines = Lines::with_room();
        lines.text("SIP/2.0 ");
        lines.show(code);
        lines.text(" ");
        lines.show(reason);
        lines.end();
        let mut vias = request.headers().filter(|header| header.name == Name::Via);
        if let Some(top) = vias.next() {
            top_via(&mut lines, top.value, source);
        }
        vias.for_each(|via| lines.header("Via", via.value));
        copy(&mut lines, request, Name::From);
        if let Some(to) = request.first(Name::To) {
            lines.text("To: ");
            lines.text(to);
            if code != Code::TRYING && !has_tag(to) {
                lines.text(";tag=");
                lines.show(tag);
            }
            lines.end();
        }
        copy(&mut lines, request, Name::CallId);
        copy(&mut lines, request, Name::CSeq);
        Self { lines }
    }

    /// Adds a header line.
    pub fn header(mut self, name: Name, value: impl Display) -> Self {
        self.lines.header(name.as_str(), value);
        self
    }

    /// Copies all lines of that name from the request: Record-Route (RFC 3261 §12.1.1), Path (RFC 3327 §5.3).
    pub fn copy(mut self, request: &Head, name: Name) -> Self {
        request.all(name).for_each(|value| self.lines.header(name.as_str(), value));
        self
    }

    /// Ends the response without a body.
    pub fn finish(self) -> Vec<u8> {
        self.lines.finish(None)
    }

    /// Ends it with a body and its Content-Type.
    pub fn finish_with(self, content_type: &str, body: &[u8]) -> Vec<u8> {
        self.lines.finish(Some((content_type, body)))
    }
}

fn copy(lines: &mut Lines, request: &Head, name: Name) {
    if let Some(value) = request.first(name) {
        lines.header(name.as_str(), value);
    }
}

fn has_tag(to: &str) -> bool {
    super::NameAddr::parse(to).is_some_and(|to| to.tag().is_some())
}

/// The first line of Via: its first value with what is known of its sender, then the rest as it was. What the sender wrote of
/// itself (`received`, a value of `rport`) does not count.
fn top_via(lines: &mut Lines, value: &str, source: SocketAddr) {
    lines.text("Via: ");
    let mut scanner = Scanner::new(value);
    let Some(via) = Via::read(&mut scanner) else {
        lines.text(value);
        lines.end();
        return;
    };
    let params = via.params.as_str();
    let before = value.len() - scanner.rest().len() - params.len();
    lines.text(value.get(..before).unwrap_or_default());
    for param in via.params.iter() {
        if param.name.eq_ignore_ascii_case("received") || param.name.eq_ignore_ascii_case("rport") {
            continue;
        }
        lines.text(";");
        lines.text(param.name);
        if let Some(value) = param.value {
            lines.text("=");
            lines.text(value);
        }
    }
    let address = source.ip().to_canonical();
    if via.wants_rport() || via.host().and_then(|host| host.ip()) != Some(address) {
        lines.text(";received=");
        lines.show(address);
    }
    if via.wants_rport() {
        lines.text(";rport=");
        lines.show(source.port());
    }
    lines.text(scanner.rest());
    lines.end();
}

/// A request of ours. The caller gives Via, From, To, Call-ID and CSeq, all of which are its own.
#[must_use]
pub struct RequestBuilder {
    lines: Lines,
}

impl RequestBuilder {
    /// Begins a request for `target`. None: that is no URI that a request may have, or `method` is no token.
    pub fn new(method: Method<'_>, target: &str) -> Option<Self> {
        let fits = match Uri::parse(target)? {
            Uri::Sip(uri) => uri.headers.is_empty(),
            Uri::Tel(_) | Uri::Other { .. } => true,
        };
        if !(fits && all_token(method.as_str())) {
            return None;
        }
        let mut lines = Lines::with_room();
        lines.text(method.as_str());
        lines.text(" ");
        lines.text(target);
        lines.text(" SIP/2.0");
        lines.end();
        Some(Self { lines })
    }

    /// Adds a header line.
    pub fn header(mut self, name: Name, value: impl Display) -> Self {
        self.lines.header(name.as_str(), value);
        self
    }

    /// Adds a line as it stands in another message.
    pub fn line(mut self, header: Header<'_>) -> Self {
        self.lines.header(header.label, header.value);
        self
    }

    /// Ends the request without a body.
    pub fn finish(self) -> Vec<u8> {
        self.lines.finish(None)
    }

    /// Ends it with a body and its Content-Type.
    pub fn finish_with(self, content_type: &str, body: &[u8]) -> Vec<u8> {
        self.lines.finish(Some((content_type, body)))
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
