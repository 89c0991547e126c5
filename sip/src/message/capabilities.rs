//! What a server says of a request that is well formed, and asks for what it does not do (RFC 3261 §8.2).

use super::code::Code;
use super::head::Head;
use super::method::Method;
use super::name::Name;
use super::scan::{Scanner, is_token};
use super::uri::Uri;
use super::write::ResponseBuilder;
use super::{Kind, Message};

/// What a server does.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    pub methods: &'static [Method<'static>],
    /// Option tags that may stand in Require.
    pub extensions: &'static [&'static str],
    /// Media types of bodies, in lower case: `application/sdp`.
    pub bodies: &'static [&'static str],
}

/// Why a request cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incapable {
    /// A method that Offdesk has no name for: 501.
    UnknownMethod,
    /// 405, with Allow.
    Method,
    /// The Request-URI's scheme: 416.
    Scheme,
    /// Something in Require or Proxy-Require: 420, with Unsupported.
    Extension,
    /// The body: 415, with Accept.
    Body,
    /// An encoded body: 415, with Accept-Encoding.
    Encoding,
    /// An answer's body would be of no type that Accept names: 406.
    Answer,
}

impl Capabilities {
    /// Looks at a request in the order of RFC 3261 §8.2. ACK is always served, since it cannot be refused, and CANCEL's Require
    /// does not count.
    ///
    /// A body that may be left aside (`Content-Disposition: …;handling=optional`) is not looked at.
    pub fn check(&self, request: &Message) -> Result<(), Incapable> {
        let Kind::Request { method, uri } = request.kind() else { return Ok(()) };
        if method == Method::Ack {
            return Ok(());
        }
        if !self.methods.contains(&method) {
            let known = !matches!(method, Method::Other(_));
            return Err(if known { Incapable::Method } else { Incapable::UnknownMethod });
        }
        if matches!(Uri::parse(uri), Some(Uri::Other { .. }) | None) {
            return Err(Incapable::Scheme);
        }
        if method != Method::Cancel && self.unsupported(request.head()).next().is_some() {
            return Err(Incapable::Extension);
        }
        self.body(request)?;
        self.answer(request, method)
    }

    /// The option tags of Require and Proxy-Require that nobody here knows.
    fn unsupported<'a>(&'a self, head: &'a Head) -> impl Iterator<Item = &'a str> {
        let demanded = head.tokens(Name::Require).chain(head.tokens(Name::ProxyRequire));
        demanded.filter(|tag| !self.extensions.iter().any(|known| known.eq_ignore_ascii_case(tag)))
    }

    fn body(&self, request: &Message) -> Result<(), Incapable> {
        let optional = request.head().first(Name::ContentDisposition).is_some_and(is_optional);
        if request.body().is_empty() || optional {
            return Ok(());
        }
        let encoding = request.head().first(Name::ContentEncoding).unwrap_or("identity");
        if !encoding.eq_ignore_ascii_case("identity") {
            return Err(Incapable::Encoding);
        }
        let kind = request.head().first(Name::ContentType).unwrap_or_default();
        let known = self.bodies.iter().any(|known| is_media(kind, known));
        if known { Ok(()) } else { Err(Incapable::Body) }
    }

    /// An INVITE is answered with SDP (RFC 3261 §13.3.1).
    fn answer(&self, request: &Message, method: Method<'_>) -> Result<(), Incapable> {
        if method != Method::Invite || !request.head().has(Name::Accept) {
            return Ok(());
        }
        let mut ranges = request.head().all(Name::Accept).flat_map(|line| line.split(','));
        let takes = |range: &str| is_media(range, "application/sdp") || is_range(range);
        if ranges.any(takes) { Ok(()) } else { Err(Incapable::Answer) }
    }

    /// Adds to a response what `why` asks for: Allow, Unsupported, Accept, Accept-Encoding.
    pub fn explain(&self, why: Incapable, request: &Head, response: ResponseBuilder) -> ResponseBuilder {
        match why {
            Incapable::UnknownMethod | Incapable::Method => response.header(Name::Allow, Joined(self.methods)),
            Incapable::Extension => {
                let tags: Vec<_> = self.unsupported(request).collect();
                response.header(Name::Unsupported, Joined(&tags))
            }
            Incapable::Body => response.header(Name::Accept, Joined(self.bodies)),
            Incapable::Encoding => response.header(Name::AcceptEncoding, "identity"),
            Incapable::Scheme | Incapable::Answer => response,
        }
    }
}

impl Incapable {
    pub const fn code(self) -> Code {
        match self {
            Self::UnknownMethod => Code::NOT_IMPLEMENTED,
            Self::Method => Code::METHOD_NOT_ALLOWED,
            Self::Scheme => Code::UNSUPPORTED_URI_SCHEME,
            Self::Extension => Code::BAD_EXTENSION,
            Self::Body | Self::Encoding => Code::UNSUPPORTED_MEDIA_TYPE,
            Self::Answer => Code::NOT_ACCEPTABLE,
        }
    }
}

/// `type / subtype`, white space and parameters aside.
fn media(text: &str) -> Option<(&str, &str)> {
    let mut scanner = Scanner::new(text);
    scanner.blanks();
    let kind = scanner.token()?;
    scanner.separator(b'/').then(|| scanner.take_while(is_token)).map(|subtype| (kind, subtype))
}

fn is_media(text: &str, known: &str) -> bool {
    match (media(text), known.split_once('/')) {
        (Some((kind, subtype)), Some((known, known_subtype))) => {
            kind.eq_ignore_ascii_case(known) && subtype.eq_ignore_ascii_case(known_subtype)
        }
        _ => false,
    }
}

fn is_range(text: &str) -> bool {
    media(text)
        .is_some_and(|(kind, subtype)| subtype == "*" && (kind == "*" || kind.eq_ignore_ascii_case("application")))
}

fn is_optional(disposition: &str) -> bool {
    disposition.split(';').skip(1).any(|param| match param.split_once('=') {
        Some((name, value)) => {
            name.trim_ascii().eq_ignore_ascii_case("handling") && value.trim_ascii().eq_ignore_ascii_case("optional")
        }
        None => false,
    })
}

/// `a, b, c`.
struct Joined<'a, T>(&'a [T]);

impl<T: std::fmt::Display> std::fmt::Display for Joined<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{item}")?;
        }
        Ok(())
    }
}
