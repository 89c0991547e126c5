//! RFC 3261 §17.2.2, figure 8.

use std::time::Instant;

use bytes::Bytes;

use super::{Class, Step, Tell, Timing, Wish};

/// The server's side of a request that is no INVITE.
#[derive(Clone, Debug)]
pub struct ServerNonInvite {
    state: State,
    reliable: bool,
}

#[derive(Clone, Debug)]
enum State {
    Trying,
    Proceeding {
        last: Bytes,
    },
    /// Repetitions get the final answer until timer J.
    Completed {
        last: Bytes,
        until: Instant,
    },
    Done,
}

impl ServerNonInvite {
    /// A request has come; its user is to be told of it.
    pub const fn new(reliable: bool) -> Self {
        Self { state: State::Trying, reliable }
    }

    /// The request has come once more.
    pub fn request(&mut self) -> Step {
        match &self.state {
            State::Proceeding { last } | State::Completed { last, .. } => Step::send(last.clone()),
            State::Trying | State::Done => Step::NOTHING,
        }
    }

    /// The user answers. Further answers after the final one are dropped.
    pub fn respond(&mut self, class: Class, response: Bytes, now: Instant, timing: &Timing) -> Step {
        if !matches!(self.state, State::Trying | State::Proceeding { .. }) {
            return Step::NOTHING;
        }
        let last = response.clone();
        self.state = match class {
            Class::Provisional => State::Proceeding { last },
            Class::Success | Class::Failure if self.reliable => State::Done,
            Class::Success | Class::Failure => State::Completed { last, until: now + timing.give_up() },
        };
        Step::send(response)
    }

    pub fn timeout(&mut self, now: Instant) -> Step {
        if matches!(self.state, State::Completed { until, .. } if now >= until) {
            self.state = State::Done;
        }
        Step::NOTHING
    }

    /// The answer could not be sent. A repetition may come by another way and finds it (RFC 6026 §8.8 for INVITE; the same
    /// does no harm here).
    pub const fn unsent(&mut self) -> Step {
        Step::tell(Tell::Unsent)
    }

    pub const fn wish(&self) -> Wish {
        match self.state {
            State::Trying | State::Proceeding { .. } => Wish::Wait,
            State::Completed { until, .. } => Wish::Wake(until),
            State::Done => Wish::Done,
        }
    }

    /// Whether all that is left to do is to repeat the final answer.
    pub const fn is_answered(&self) -> bool {
        matches!(self.state, State::Completed { .. } | State::Done)
    }
}
