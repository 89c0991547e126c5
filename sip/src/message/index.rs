//! Where the lines of a message's head are.

use std::ops::Range;

use super::name::Name;
use super::problem::Problem;
use super::scan::{count, is_blank, is_token};

/// Part of a head, in bytes. A head has 65,535 at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    from: u16,
    to: u16,
}

impl Span {
    fn new(from: usize, to: usize) -> Self {
        let clamp = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        Self { from: clamp(from), to: clamp(to) }
    }

    /// Where `part`, which was cut out of `whole`, is in it.
    pub(crate) fn of(whole: &str, part: &str) -> Self {
        let from = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        if from > whole.len() { Self::default() } else { Self::new(from, from + part.len()) }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.from.into()..self.to.into()
    }
}

/// A header line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name: Name,
    pub(crate) label: Span,
    pub(crate) value: Span,
}

/// All that is known of a head before its values are read.
#[derive(Debug)]
pub(crate) struct Index {
    /// The start line's three parts.
    pub(crate) start: (Span, Span, Span),
    pub(crate) is_response: bool,
    /// A bit a [`Name`] that is there.
    pub(crate) seen: u64,
    pub(crate) lines: Vec<Line>,
    /// Where the body begins.
    pub(crate) end: usize,
    /// The first that was met.
    pub(crate) problem: Option<Problem>,
}

#[derive(Debug)]
pub(crate) enum Found {
    Whole(Index),
    /// Some lines go on in the next one; nothing else is known.
    Folded,
    /// No start line, or more than 65,535 bytes.
    Nothing,
}

const USUAL_LINES: usize = 16;

/// Finds the lines, one look at each byte.
pub(crate) fn find(bytes: &[u8], most_lines: usize) -> Found {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let Some((first, mut at)) = line_at(bytes, blank) else { return Found::Nothing };
    let Some((start, is_response)) = start_line(bytes, first.range.clone()) else { return Found::Nothing };
    let mut index = Index {
        start,
        is_response,
        seen: 0,
        lines: Vec::with_capacity(USUAL_LINES),
        end: bytes.len(),
        problem: (!first.is_ended_well).then_some(Problem::HeaderLine),
    };
    loop {
        let goes_on = bytes.get(at).copied().is_some_and(is_blank);
        if goes_on && bytes.get(..at).is_some_and(|before| before.ends_with(b"\r\n")) {
            return Found::Folded;
        }
        let Some((line, next)) = line_at(bytes, at) else {
            index.note(Problem::Unterminated);
            break;
        };
        at = next;
        if line.range.is_empty() && line.is_ended_well {
            index.end = at;
            break;
        }
        index.take(bytes, &line, most_lines);
    }
    if index.end > usize::from(u16::MAX) { Found::Nothing } else { Found::Whole(index) }
}

impl Index {
    fn note(&mut self, problem: Problem) {
        self.problem = self.problem.or(Some(problem));
    }

    fn take(&mut self, bytes: &[u8], line: &Ended, most_lines: usize) {
        if self.lines.len() == most_lines {
            self.note(Problem::TooManyHeaders);
            return;
        }
        match header(bytes, line.range.clone()).filter(|_| line.is_ended_well) {
            Some(header) => {
                self.seen |= 1 << header.name as u8;
                self.lines.push(header);
            }
            None => self.note(Problem::HeaderLine),
        }
    }
}

/// A line without its end, and whether that was CR LF, with no other CR before.
struct Ended {
    range: Range<usize>,
    is_ended_well: bool,
}

/// The line that begins at `at`, and where the next one does.
fn line_at(bytes: &[u8], at: usize) -> Option<(Ended, usize)> {
    let rest = bytes.get(at..)?;
    let length = memchr::memchr2(b'\r', b'\n', rest);
    count(length.unwrap_or(rest.len()));
    let length = length?;
    let end = match rest.get(length..)? {
        [b'\r', b'\n', ..] => return Some((Ended { range: at..at + length, is_ended_well: true }, at + length + 2)),
        stray => {
            let more = memchr::memchr(b'\n', stray);
            count(more.unwrap_or(stray.len()));
            length + more?
        }
    };
    Some((Ended { range: at..at + end, is_ended_well: false }, at + end + 1))
}

/// `INVITE sip:anna@example.com SIP/2.0`, or `SIP/2.0 200 OK`: divided, not judged.
fn start_line(bytes: &[u8], line: Range<usize>) -> Option<((Span, Span, Span), bool)> {
    let text = bytes.get(line.clone())?;
    let first = memchr::memchr(b' ', text)?;
    let is_response = text.get(..4)?.eq_ignore_ascii_case(b"SIP/");
    let rest = text.get(first + 1..)?;
    let second =
        if is_response { memchr::memchr(b' ', rest).unwrap_or(rest.len()) } else { memchr::memrchr(b' ', rest)? };
    let second = first + 1 + second;
    let span = |from: usize, to: usize| Span::new(line.start + from, line.start + to);
    let third = span((second + 1).min(text.len()), text.len());
    Some(((span(0, first), span(first + 1, second), third), is_response))
}

/// `Name : value`.
fn header(bytes: &[u8], line: Range<usize>) -> Option<Line> {
    let text = bytes.get(line.clone())?;
    let length = text.iter().position(|byte| !is_token(*byte))?;
    let label = text.get(..length).filter(|label| !label.is_empty())?;
    let colon = length + text.get(length..)?.iter().position(|byte| !is_blank(*byte))?;
    let value = text.get(colon..)?.strip_prefix(b":")?;
    let before = value.iter().take_while(|byte| is_blank(**byte)).count();
    let after = value.iter().rev().take_while(|byte| is_blank(**byte)).count();
    let from = line.start + colon + 1 + before;
    let to = (line.end - after).max(from);
    Some(Line {
        name: Name::of_bytes(label),
        label: Span::new(line.start, line.start + length),
        value: Span::new(from, to),
    })
}
