//! RFC 3261 §17.1.1, figure 5, as RFC 6026 §7.2 draws it anew.

use std::time::Instant;

use bytes::Bytes;

use super::{Class, Repeat, Step, Tell, Timing, Wish, earliest};

/// The client's side of an INVITE.
#[derive(Clone, Debug)]
pub struct ClientInvite {
    state: State,
    reliable: bool,
}

#[derive(Clone, Debug)]
enum State {
    /// The INVITE is repeated (timer A) until timer B.
    Calling {
        request: Bytes,
        repeat: Option<Repeat>,
        until: Instant,
    },
    /// It rings. How long it may is the user's business.
    Proceeding,
    /// Every 2xx is passed on, also those of other forks, until timer M.
    Accepted {
        until: Instant,
    },
    /// The failure was acknowledged; its repetitions are too, until timer D.
    Completed {
        ack: Bytes,
        until: Instant,
    },
    Done,
}

impl ClientInvite {
    /// Sends the INVITE.
    pub fn new(request: Bytes, now: Instant, timing: &Timing, reliable: bool) -> (Self, Step) {
        let repeat = Repeat::first(now, timing, reliable);
        let state = State::Calling { request: request.clone(), repeat, until: now + timing.give_up() };
        (Self { state, reliable }, Step::send(request))
    }

    /// A response has come. `ack` writes the ACK to a failure (RFC 3261 §17.1.1.3) and is asked for it once; the ACK to a
    /// 2xx is the user's.
    pub fn response(&mut self, class: Class, ack: impl FnOnce() -> Bytes, now: Instant, timing: &Timing) -> Step {
        match (&self.state, class) {
            (State::Calling { .. } | State::Proceeding, Class::Provisional) => {
                self.state = State::Proceeding;
                Step::tell(Tell::Pass)
            }
            (State::Calling { .. } | State::Proceeding, Class::Success) => {
                self.state = State::Accepted { until: now + timing.give_up() };
                Step::tell(Tell::Pass)
            }
            (State::Accepted { .. }, Class::Success) => Step::tell(Tell::Pass),
            (State::Calling { .. } | State::Proceeding, Class::Failure) => {
                let ack = ack();
                self.state = if self.reliable {
                    State::Done
                } else {
                    State::Completed { ack: ack.clone(), until: now + Timing::INVITE_LINGERS }
                };
                Step { send: Some(ack), tell: Some(Tell::Pass) }
            }
            (State::Completed { ack, .. }, Class::Failure) => Step::send(ack.clone()),
            _ => Step::NOTHING,
        }
    }

    pub fn timeout(&mut self, now: Instant) -> Step {
        match &mut self.state {
            State::Calling { until, .. } if now >= *until => {
                self.state = State::Done;
                Step::tell(Tell::TimedOut)
            }
            State::Calling { request, repeat: Some(repeat), .. } if now >= repeat.at => {
                *repeat = repeat.next(now, None);
                Step::send(request.clone())
            }
            State::Accepted { until } | State::Completed { until, .. } if now >= *until => {
                self.state = State::Done;
                Step::NOTHING
            }
            _ => Step::NOTHING,
        }
    }

    /// What was to be sent could not be: the INVITE, or the ACK to a failure.
    pub fn unsent(&mut self) -> Step {
        if !matches!(self.state, State::Calling { .. } | State::Completed { .. }) {
            return Step::NOTHING;
        }
        self.state = State::Done;
        Step::tell(Tell::Unsent)
    }

    pub fn wish(&self) -> Wish {
        match &self.state {
            State::Calling { repeat, until, .. } => earliest(*until, *repeat),
            State::Proceeding => Wish::Wait,
            State::Accepted { until } | State::Completed { until, .. } => Wish::Wake(*until),
            State::Done => Wish::Done,
        }
    }
}
