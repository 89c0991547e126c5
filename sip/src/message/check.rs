//! What RFC 3261 demands of every message, whatever it is about.

use bytes::Bytes;

use super::addr::NameAddr;
use super::code::Code;
use super::head::{Head, Start};
use super::index::Span;
use super::limits::{Carrier, Limits};
use super::method::Method;
use super::name::Name;
use super::problem::Problem;
use super::scan::{all_token, is_blank, is_word, saturating};
use super::uri::Uri;
use super::via::Via;
use super::{AddrSpans, Message, Rejected, ViaSpans};

/// CSeq's number is below 2³¹ (RFC 3261 §8.1.1.5).
const MOST_CSEQ: u32 = (1 << 31) - 1;

/// Headers whose values are addresses, all of which are read before anybody asks for them.
const ADDRESSES: [Name; 5] = [Name::Contact, Name::Route, Name::RecordRoute, Name::Path, Name::ServiceRoute];

/// Looks at all that every message must have, and keeps where it is.
pub(crate) fn check(
    head: Head,
    body: Bytes,
    met: Option<Problem>,
    carrier: Carrier,
    limits: &Limits,
) -> Result<Message, Rejected> {
    match read(&head, &body, met, carrier, limits) {
        Ok(read) => {
            let body = read.body.map_or(body.clone(), |length| body.slice(..length));
            let Read { code, via, from, to, call_id, cseq, .. } = read;
            Ok(Message { code, via, from, to, call_id, cseq, head, body })
        }
        Err(problem) if is_answered(&head) => Err(Rejected::Answer { head, problem }),
        Err(problem) => Err(Rejected::Drop(Some(problem))),
    }
}

/// A response is never answered, nor is ACK, nor what has no Via to be answered along. A Via that is malformed is copied as it is.
fn is_answered(head: &Head) -> bool {
    matches!(head.start(), Start::Request { method, .. } if method != Method::Ack) && head.has(Name::Via)
}

struct Read {
    code: Option<Code>,
    via: ViaSpans,
    from: AddrSpans,
    to: AddrSpans,
    call_id: Span,
    cseq: u32,
    /// None: all that came.
    body: Option<usize>,
}

fn read(head: &Head, body: &Bytes, met: Option<Problem>, carrier: Carrier, limits: &Limits) -> Result<Read, Problem> {
    let code = start_line(head)?;
    if head.len() > usize::from(limits.head) || body.len() > limits.body {
        return Err(Problem::TooLarge);
    }
    met.map_or(Ok(()), Err)?;
    once(head)?;
    let via = vias(head, limits)?;
    let from = address(head, Name::From)?;
    let to = address(head, Name::To)?;
    let call_id = call_id(head)?;
    let cseq = cseq(head)?;
    number(head, Name::MaxForwards, 255)?;
    number(head, Name::Expires, u32::MAX)?;
    ADDRESSES.into_iter().filter(|name| head.has(*name)).try_for_each(|name| addresses(head, name))?;
    let body = body_length(head, body.len(), carrier, limits)?;
    Ok(Read { code, via, from, to, call_id, cseq, body })
}

/// The response's code, if it is one.
fn start_line(head: &Head) -> Result<Option<Code>, Problem> {
    match head.start() {
        Start::Request { uri, version, .. } => {
            check_version(version)?;
            match Uri::parse(uri) {
                Some(Uri::Sip(uri)) if !uri.headers.is_empty() => Err(Problem::RequestUri),
                Some(_) => Ok(None),
                None => Err(Problem::RequestUri),
            }
        }
        Start::Response { version, code, .. } => {
            check_version(version)?;
            let code = code.parse().ok().filter(|_| code.len() == 3);
            code.and_then(Code::new).map(Some).ok_or(Problem::StartLine)
        }
    }
}

fn check_version(version: &str) -> Result<(), Problem> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = version.get(..4).filter(|protocol| protocol.eq_ignore_ascii_case("SIP/")).and(version.get(4..));
    match numbers.and_then(|numbers| numbers.split_once('.')) {
        Some((major, minor)) if is_number(major) && is_number(minor) => Err(Problem::Version),
        _ => Err(Problem::StartLine),
    }
}

/// No header twice that stands once.
fn once(head: &Head) -> Result<(), Problem> {
    let mut seen = 0_u64;
    for header in head.headers().filter(|header| header.name.is_single()) {
        let bit = 1 << header.name as u8;
        if seen & bit != 0 {
            return Err(Problem::Repeated(header.name));
        }
        seen |= bit;
    }
    Ok(())
}

/// Every hop is well formed; the topmost is kept.
fn vias(head: &Head, limits: &Limits) -> Result<ViaSpans, Problem> {
    let mut vias = head.elements::<Via<'_>>(Name::Via);
    let top = match vias.next_or_malformed() {
        Some(Ok(via)) => via,
        Some(Err(_)) => return Err(Problem::Malformed(Name::Via)),
        None => return Err(Problem::Missing(Name::Via)),
    };
    let mut count = 1;
    while let Some(via) = vias.next_or_malformed() {
        via.map_err(|_| Problem::Malformed(Name::Via))?;
        count += 1;
        if count > limits.vias {
            return Err(Problem::TooManyVias);
        }
    }
    if head.is_response() && count > 1 {
        return Err(Problem::SeveralVias);
    }
    Ok(ViaSpans {
        transport: head.span_of(top.transport),
        host: head.span_of(top.host),
        port: top.port,
        params: head.span_of(top.params.as_str()),
    })
}

fn address(head: &Head, name: Name) -> Result<AddrSpans, Problem> {
    let text = head.first(name).ok_or(Problem::Missing(name))?;
    let address = NameAddr::parse(text).ok_or(Problem::Malformed(name))?;
    Ok(AddrSpans {
        display: head.span_of(address.display),
        address: head.span_of(address.address),
        params: head.span_of(address.params.as_str()),
    })
}

/// `word [ "@" word ]`.
fn call_id(head: &Head) -> Result<Span, Problem> {
    let text = head.first(Name::CallId).ok_or(Problem::Missing(Name::CallId))?;
    let is_words = |word: &str| !word.is_empty() && word.bytes().all(is_word);
    let well_formed = match text.split_once('@') {
        Some((word, host)) => is_words(word) && is_words(host),
        None => is_words(text),
    };
    if well_formed { Ok(head.span_of(text)) } else { Err(Problem::Malformed(Name::CallId)) }
}

/// `1*DIGIT LWS Method`, below 2³¹; the method is the request's own (RFC 3261 §8.1.1.5).
fn cseq(head: &Head) -> Result<u32, Problem> {
    let malformed = Problem::Malformed(Name::CSeq);
    let text = head.first(Name::CSeq).ok_or(Problem::Missing(Name::CSeq))?;
    let (number, method) = text.split_once(|blank: char| blank.is_ascii() && is_blank(blank as u8)).ok_or(malformed)?;
    let method = method.trim_ascii_start();
    let number = saturating(number).filter(|number| *number <= MOST_CSEQ).ok_or(malformed)?;
    match head.start() {
        _ if !all_token(method) => Err(malformed),
        Start::Request { method: own, .. } if own.as_str() != method => Err(Problem::CSeqMethod),
        _ => Ok(number),
    }
}

/// A header that is a number, if it is there.
fn number(head: &Head, name: Name, most: u32) -> Result<(), Problem> {
    match head.first(name).map(saturating) {
        None => Ok(()),
        Some(Some(number)) if number <= most => Ok(()),
        Some(_) => Err(Problem::Malformed(name)),
    }
}

fn addresses(head: &Head, name: Name) -> Result<(), Problem> {
    if name == Name::Contact && head.first(name) == Some("*") {
        return if head.all(name).count() == 1 { Ok(()) } else { Err(Problem::Malformed(name)) };
    }
    let mut elements = head.elements::<NameAddr<'_>>(name);
    let mut any = false;
    while let Some(element) = elements.next_or_malformed() {
        element.map_err(|_| Problem::Malformed(name))?;
        any = true;
    }
    if any { Ok(()) } else { Err(Problem::Malformed(name)) }
}

/// How much of what came is the body (RFC 3261 §18.3). None: all.
fn body_length(head: &Head, came: usize, carrier: Carrier, limits: &Limits) -> Result<Option<usize>, Problem> {
    let Some(text) = head.first(Name::ContentLength) else {
        return match carrier {
            Carrier::Datagram => Ok(None),
            Carrier::Stream => Err(Problem::Missing(Name::ContentLength)),
        };
    };
    let length = saturating(text).ok_or(Problem::Malformed(Name::ContentLength))?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    match length {
        _ if length > limits.body => Err(Problem::TooLarge),
        _ if length > came => Err(Problem::BodyShort),
        _ => Ok(Some(length)),
    }
}
