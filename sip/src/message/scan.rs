//! Reads a header's value from left to right (RFC 3261 §25.1). Values have their folds replaced by spaces, so white space
//! is a space or a tab.

/// What a byte may be part of.
mod class {
    pub(super) const TOKEN: u8 = 1;
    pub(super) const WORD: u8 = 1 << 1;
    pub(super) const USER: u8 = 1 << 2;
    pub(super) const HOST: u8 = 1 << 3;
    pub(super) const PARAM: u8 = 1 << 4;
    pub(super) const HEADER: u8 = 1 << 5;
    pub(super) const OPAQUE: u8 = 1 << 6;
}

const fn has(set: &[u8], byte: u8) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}

/// RFC 3261 §25.1, one bit a class. An escape's percent sign is in every class that may hold escapes.
const fn classes(byte: u8) -> u8 {
    let alphanumeric = byte.is_ascii_alphanumeric();
    let unreserved = alphanumeric || has(b"-_.!~*'()%", byte);
    let mut of = 0;
    if alphanumeric || has(b"-.!%*_+`'~", byte) {
        of |= class::TOKEN;
    }
    if alphanumeric || has(b"-.!%*_+`'~()<>:\\\"/[]?{}", byte) {
        of |= class::WORD;
    }
    if unreserved || has(b"&=+$,;?/", byte) {
        of |= class::USER;
    }
    if alphanumeric || has(b"-._", byte) {
        of |= class::HOST;
    }
    if unreserved || has(b"[]/:&+$", byte) {
        of |= class::PARAM;
    }
    if unreserved || has(b"[]/?:+$", byte) {
        of |= class::HEADER;
    }
    if unreserved || has(b";/?:@&=+$,[]#", byte) {
        of |= class::OPAQUE;
    }
    of
}

const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "below 256")]
        let of = classes(byte as u8);
        table[byte] = of;
        byte += 1;
    }
    table
};

const fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// `token`: methods, parameter names, tags, branches.
pub(crate) const fn is_token(byte: u8) -> bool {
    is(byte, class::TOKEN)
}

/// `word`: the halves of a Call-ID.
pub(crate) const fn is_word(byte: u8) -> bool {
    is(byte, class::WORD)
}

/// `user` and `password` without what divides them.
pub(crate) const fn is_user(byte: u8) -> bool {
    is(byte, class::USER)
}

/// `hostname`, with the underscore that names in the field have.
pub(crate) const fn is_host(byte: u8) -> bool {
    is(byte, class::HOST)
}

/// `paramchar` of a URI.
pub(crate) const fn is_uri_param(byte: u8) -> bool {
    is(byte, class::PARAM)
}

/// `hname` and `hvalue` of a URI.
pub(crate) const fn is_uri_header(byte: u8) -> bool {
    is(byte, class::HEADER)
}

/// `uric`: what follows the colon of a URI that is neither `sip` nor `sips`.
pub(crate) const fn is_opaque(byte: u8) -> bool {
    is(byte, class::OPAQUE)
}

pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether the whole of `text` is one token.
pub(crate) fn all_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token)
}

/// Whether two hexadecimal digits follow every percent sign.
pub(crate) fn escapes_are_whole(text: &str) -> bool {
    let mut rest = text.as_bytes();
    count(rest.len());
    while let Some(at) = memchr::memchr(b'%', rest) {
        match rest.get(at + 1..at + 3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => rest = rest.get(at + 3..).unwrap_or_default(),
            _ => return false,
        }
    }
    true
}

/// Digits as a number; one that is too large is the largest, as RFC 3261 §20.19 reads times. None if there is anything else.
pub(crate) fn saturating(text: &str) -> Option<u32> {
    let mut number = 0_u32;
    for byte in text.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number.saturating_mul(10).saturating_add(u32::from(byte - b'0'));
    }
    (!text.is_empty()).then_some(number)
}

/// Counts looks at bytes, so that tests can tell how the work grows with the input.
#[cfg(not(test))]
#[inline]
pub(crate) const fn count(_looks: usize) {}

#[cfg(test)]
pub(crate) use self::looks::count;

#[cfg(test)]
pub(crate) mod looks {
    use std::cell::Cell;

    thread_local! {
        static LOOKS: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn count(looks: usize) {
        LOOKS.set(LOOKS.get() + looks);
    }

    /// What `work` looks at.
    pub(crate) fn of(work: impl FnOnce()) -> usize {
        let before = LOOKS.get();
        work();
        LOOKS.get() - before
    }
}

/// A place in a text. Every step moves on, or leaves the place as it was and says None or false.
#[derive(Clone, Copy)]
pub(crate) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    pub(crate) const fn rest(&self) -> &'a str {
        self.rest
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    /// Takes `length` bytes. What lies inside a character that is longer is not taken.
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a str> {
        count(length);
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.take(1);
        }
        found
    }

    pub(crate) fn blanks(&mut self) {
        self.take_while(is_blank);
    }

    /// A separator with white space round it (`SEMI`, `EQUAL`, `SLASH`, …).
    pub(crate) fn separator(&mut self, byte: u8) -> bool {
        let before = *self;
        self.blanks();
        if self.eat(byte) {
            self.blanks();
            return true;
        }
        *self = before;
        false
    }

    /// As long as the bytes are of the class; may be empty.
    pub(crate) fn take_while(&mut self, class: impl Fn(u8) -> bool) -> &'a str {
        let length = self.rest.bytes().position(|byte| !class(byte)).unwrap_or(self.rest.len());
        count(1);
        self.take(length).unwrap_or_default()
    }

    pub(crate) fn token(&mut self) -> Option<&'a str> {
        let token = self.take_while(is_token);
        (!token.is_empty()).then_some(token)
    }

    /// A quoted string with its quotes; whatever a backslash stands before belongs to it.
    pub(crate) fn quoted(&mut self) -> Option<&'a str> {
        let bytes = self.rest.as_bytes();
        if bytes.first() != Some(&b'"') {
            return None;
        }
        let mut at = 1;
        loop {
            let looked = memchr::memchr2(b'"', b'\\', bytes.get(at..)?);
            count(looked.unwrap_or(bytes.len() - at));
            at += looked?;
            if bytes.get(at) == Some(&b'"') {
                return self.take(at + 1);
            }
            at += 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_string_ends_at_the_first_quote_without_a_backslash() {
        for (text, quoted) in [
            ("\"\" rest", Some("\"\"")),
            (r#""a \" b" c"#, Some(r#""a \" b""#)),
            (r#""a \\" c""#, Some(r#""a \\""#)),
            (r#""open"#, None),
            (r#""open \"#, None),
            (r#""open \""#, None),
            ("none", None),
        ] {
            assert_eq!(Scanner::new(text).quoted(), quoted, "{text}");
        }
    }

    #[test]
    fn an_escape_has_two_hexadecimal_digits() {
        for (text, whole) in
            [("", true), ("a%41%4a", true), ("%", false), ("%4", false), ("%4g", false), ("%%41", false)]
        {
            assert_eq!(escapes_are_whole(text), whole, "{text}");
        }
    }

    #[test]
    fn a_number_too_large_is_the_largest() {
        for (text, number) in
            [("0", Some(0)), ("0042", Some(42)), ("4294967296", Some(u32::MAX)), ("", None), ("-1", None)]
        {
            assert_eq!(saturating(text), number, "{text}");
        }
    }
}
