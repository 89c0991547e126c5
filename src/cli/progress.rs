//! How far a long command is, on a terminal only.

use std::io::{self, IsTerminal, Write};

/// One line on standard error that is written over and over.
pub(super) struct Progress {
    what: &'static str,
    shown: bool,
    terminal: bool,
}

impl Progress {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, shown: false, terminal: io::stderr().is_terminal() }
    }

    pub(super) fn at(&mut self, count: u64) {
        if self.terminal {
            self.shown = true;
            self.write(&format!("\r{count} {}", self.what));
        }
    }

    /// Wipes the line.
    pub(super) fn done(&mut self) {
        if self.shown {
            self.shown = false;
            self.write("\r\x1b[K");
        }
    }

    /// A terminal that is gone is no reason to stop.
    fn write(&self, text: &str) {
        let mut out = io::stderr().lock();
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }
}
