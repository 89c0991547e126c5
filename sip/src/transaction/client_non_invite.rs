//! RFC 3261 §17.1.2, figure 6.

use std::time::Instant;

use bytes::Bytes;

use super::{Class, Repeat, Step, Tell, Timing, Wish, earliest};

/// The client's side of a request that is no INVITE.
#[derive(Clone, Debug)]
pub struct ClientNonInvite {
    state: State,
    reliable: bool,
}

#[derive(Clone, Debug)]
enum State {
    /// Trying or Proceeding: the request is repeated (timer E) until timer F.
    Asking {
        request: Bytes,
        repeat: Option<Repeat>,
        until: Instant,
        heard: bool,
    },
    /// Repetitions of the final answer are swallowed until timer K.
    Completed {
        until: Instant,
    },
    Done,
}

impl ClientNonInvite {
    /// Sends the request.
    pub fn new(request: Bytes, now: Instant, timing: &Timing, reliable: bool) -> (Self, Step) {
        let repeat = Repeat::first(now, timing, reliable);
        let until = now + timing.give_up();
        let state = State::Asking { request: request.clone(), repeat, until, heard: false };
        (Self { state, reliable }, Step::send(request))
    }

    /// A response has come.
    pub fn response(&mut self, class: Class, now: Instant, timing: &Timing) -> Step {
        let State::Asking { heard, .. } = &mut self.state else { return Step::NOTHING };
        match class {
            Class::Provisional => *heard = true,
            Class::Success | Class::Failure if self.reliable => self.state = State::Done,
            Class::Success | Class::Failure => self.state = State::Completed { until: now + timing.t4 },
        }
        Step::tell(Tell::Pass)
    }

    pub fn timeout(&mut self, now: Instant, timing: &Timing) -> Step {
        match &mut self.state {
            State::Asking { until, .. } if now >= *until => {
                self.state = State::Done;
                Step::tell(Tell::TimedOut)
            }
            State::Asking { request, repeat: Some(repeat), heard, .. } if now >= repeat.at => {
                *repeat = if *heard {
                    // RFC 3261 §17.1.2.2: after a provisional answer timer E is set to T2.
                    Repeat { at: now + timing.t2, interval: timing.t2 }
                } else {
                    repeat.next(now, Some(timing.t2))
                };
                Step::send(request.clone())
            }
            State::Completed { until } if now >= *until => {
                self.state = State::Done;
                Step::NOTHING
            }
            _ => Step::NOTHING,
        }
    }

    pub fn unsent(&mut self) -> Step {
        if !matches!(self.state, State::Asking { .. }) {
            return Step::NOTHING;
        }
        self.state = State::Done;
        Step::tell(Tell::Unsent)
    }

    pub fn wish(&self) -> Wish {
        match &self.state {
            State::Asking { repeat, until, .. } => earliest(*until, *repeat),
            State::Completed { until } => Wish::Wake(*until),
            State::Done => Wish::Done,
        }
    }
}
