//! Values that are joined by commas, or stand in a line of their own each: it is the same (RFC 3261 §7.3.1).

use super::head::Lines;
use super::name::Name;
use super::scan::Scanner;

/// One value of a list.
pub(crate) trait Element<'a>: Sized {
    /// Reads one, with its parameters, up to the comma or the end. None if there is none.
    fn read(scanner: &mut Scanner<'a>) -> Option<Self>;
}

/// An option tag, a method, an event: any token.
impl<'a> Element<'a> for &'a str {
    fn read(scanner: &mut Scanner<'a>) -> Option<Self> {
        scanner.token()
    }
}

/// All values of one name, over all its lines.
///
/// It ends before the first that is malformed. In a message that was parsed, no Via, Contact, Route, Record-Route or Path is.
#[derive(Clone, Debug)]
pub struct Elements<'a, T> {
    lines: Lines<'a>,
    name: Name,
    scanner: Scanner<'a>,
    read: fn(&mut Scanner<'a>) -> Option<T>,
}

impl<'a, T> Elements<'a, T> {
    pub(crate) fn new(lines: Lines<'a>, name: Name) -> Self
    where
        T: Element<'a>,
    {
        Self { lines, name, scanner: Scanner::new(""), read: T::read }
    }

    /// The next value; `Err` if something stands there that is none.
    pub(crate) fn next_or_malformed(&mut self) -> Option<Result<T, Malformed>> {
        if self.scanner.is_done() {
            let name = self.name;
            let line = self.lines.by_ref().find(|line| line.name == name)?;
            self.scanner = Scanner::new(line.value);
        }
        let element = (self.read)(&mut self.scanner).filter(|_| {
            self.scanner.blanks();
            self.scanner.is_done() || self.scanner.separator(b',') && !self.scanner.is_done()
        });
        if element.is_none() {
            self.scanner = Scanner::new("");
            self.lines = Lines::default();
        }
        Some(element.ok_or(Malformed))
    }
}

/// Something stands where a value should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl<T> Iterator for Elements<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.next_or_malformed()?.ok()
    }
}
