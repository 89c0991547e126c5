//! A message's start line and header lines, found but not looked into.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use super::element::{Element, Elements};
use super::index::{Found, Index, Line, Span, find};
use super::method::Method;
use super::name::Name;
use super::problem::Problem;
use super::scan::{all_token, count};

/// The first line of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    Request { method: Method<'a>, uri: &'a str, version: &'a str },
    Response { version: &'a str, code: &'a str, reason: &'a str },
}

/// One header line. A value that was folded has spaces where the folds were.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    pub name: Name,
    /// The name as it is written.
    pub label: &'a str,
    /// Without white space at its ends.
    pub value: &'a str,
}

/// The lines before the body, each found once. Values may be anything yet: see [`Message`](super::Message).
#[derive(Clone)]
pub struct Head {
    text: ByteString,
    start: (Span, Span, Span),
    is_response: bool,
    seen: u64,
    lines: Vec<Line>,
}

impl Head {
    /// Divides a message into its head and the rest. None: it does not begin as a SIP message does.
    ///
    /// The problem is the first that was met on the way; lines that are well formed are found all the same, so that it can be
    /// answered.
    pub(crate) fn read(mut bytes: Bytes, most_lines: usize) -> Option<(Self, Bytes, Option<Problem>)> {
        let found = match find(&bytes, most_lines) {
            Found::Folded => {
                bytes = unfold(&bytes);
                find(&bytes, most_lines)
            }
            found => found,
        };
        let Found::Whole(Index { start, is_response, seen, lines, end, mut problem }) = found else { return None };
        let body = if end == bytes.len() { Bytes::new() } else { bytes.split_off(end) };
        if std::str::from_utf8(&bytes).is_err() {
            problem = problem.or(Some(Problem::NotUtf8));
            bytes = bytes.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect();
        }
        let text = ByteString::try_from(bytes).ok()?;
        let head = Self { text, start, is_response, seen, lines };
        let is_begun = head.is_response || all_token(head.at(start.0));
        is_begun.then_some((head, body, problem))
    }

    /// Bytes, the blank line included.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn at(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    pub(crate) fn span_of(&self, part: &str) -> Span {
        Span::of(&self.text, part)
    }

    pub fn start(&self) -> Start<'_> {
        let (first, second, third) = self.start;
        if self.is_response {
            Start::Response { version: self.at(first), code: self.at(second), reason: self.at(third) }
        } else {
            Start::Request { method: Method::named(self.at(first)), uri: self.at(second), version: self.at(third) }
        }
    }

    pub const fn is_response(&self) -> bool {
        self.is_response
    }

    /// Every header line, in order.
    pub fn headers(&self) -> Lines<'_> {
        Lines { text: &self.text, lines: self.lines.iter() }
    }

    pub const fn has(&self, name: Name) -> bool {
        self.seen & (1 << name as u8) != 0
    }

    /// The value of the first line of that name.
    pub fn first(&self, name: Name) -> Option<&str> {
        if !self.has(name) {
            return None;
        }
        let line = self.lines.iter().find(|line| line.name == name)?;
        Some(self.at(line.value))
    }

    /// The values of all lines of that name, not divided at commas.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &str> {
        self.headers().filter(move |header| header.name == name).map(|header| header.value)
    }

    /// The first line that RFC 3261 §20 has no name for, by the name given.
    pub fn other(&self, label: &str) -> Option<&str> {
        let found = |header: &Header<'_>| header.name == Name::Other && header.label.eq_ignore_ascii_case(label);
        self.headers().find(found).map(|header| header.value)
    }

    /// The tokens of all lines of that name: Supported, Require, Allow.
    pub fn tokens(&self, name: Name) -> Elements<'_, &str> {
        self.elements(name)
    }

    pub(crate) fn elements<'a, T: Element<'a>>(&'a self, name: Name) -> Elements<'a, T> {
        let lines = if self.has(name) { self.headers() } else { Lines::default() };
        Elements::new(lines, name)
    }
}

/// Spaces for the line ends before a line that goes on (RFC 3261 §7.3.1), so that nobody else has to know of folds.
fn unfold(bytes: &[u8]) -> Bytes {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n").unwrap_or(bytes.len());
    let mut unfolded = bytes.to_vec();
    for at in memchr::memchr_iter(b'\n', bytes.get(..head).unwrap_or_default()) {
        let goes_on = matches!(bytes.get(at + 1), Some(b' ' | b'\t'));
        if let Some(fold) = at.checked_sub(1).and_then(|cr| unfolded.get_mut(cr..=at))
            && goes_on
            && fold == b"\r\n"
        {
            fold.fill(b' ');
        }
    }
    unfolded.into()
}

/// The header lines of a [`Head`].
#[derive(Clone, Default)]
pub struct Lines<'a> {
    text: &'a str,
    lines: std::slice::Iter<'a, Line>,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        count(1);
        let line = self.lines.next()?;
        let at = |span: Span| self.text.get(span.range()).unwrap_or_default();
        Some(Header { name: line.name, label: at(line.label), value: at(line.value) })
    }
}

/// Nothing of what it says: there are names, numbers and credentials in it.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("bytes", &self.text.len())
            .field("lines", &self.lines.len())
            .finish_non_exhaustive()
    }
}
