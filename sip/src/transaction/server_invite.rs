//! RFC 3261 §17.2.1, figure 7, as RFC 6026 §7.1 draws it anew.

use std::time::Instant;

use bytes::Bytes;

use super::{Class, Repeat, Step, Tell, Timing, Wish, earliest};

/// The server's side of an INVITE.
#[derive(Clone, Debug)]
pub struct ServerInvite {
    state: State,
    reliable: bool,
}

#[derive(Clone, Debug)]
enum State {
    /// Until the user answers; `trying` is sent if that takes too long.
    Proceeding {
        last: Option<Bytes>,
        trying: Option<(Bytes, Instant)>,
    },
    /// A 2xx was given: the user repeats it until the ACK comes, and repetitions of the INVITE are swallowed until timer L.
    Accepted {
        until: Instant,
    },
    /// A failure was given: it is repeated (timer G) until its ACK comes, or timer H.
    Completed {
        last: Bytes,
        repeat: Option<Repeat>,
        until: Instant,
    },
    /// The ACK has come: repetitions of it are swallowed until timer I.
    Confirmed {
        until: Instant,
    },
    Done,
}

impl ServerInvite {
    /// An INVITE has come; its user is to be told of it. `trying` is the 100 for the case that nothing else is answered
    /// within 200 ms.
    pub fn new(trying: Bytes, now: Instant, reliable: bool) -> Self {
        let trying = Some((trying, now + Timing::TRYING_AFTER));
        Self { state: State::Proceeding { last: None, trying }, reliable }
    }

    /// The INVITE has come once more.
    pub fn request(&mut self) -> Step {
        match &self.state {
            State::Proceeding { last: Some(last), .. } | State::Completed { last, .. } => Step::send(last.clone()),
            _ => Step::NOTHING,
        }
    }

    /// An ACK that belongs to this INVITE. One to a 2xx is a transaction of its own (RFC 3261 §13.3.1.4), but may bear the
    /// same branch; it is the user's.
    pub fn ack(&mut self, now: Instant, timing: &Timing) -> Step {
        match self.state {
            State::Completed { .. } if self.reliable => self.state = State::Done,
            State::Completed { .. } => self.state = State::Confirmed { until: now + timing.t4 },
            State::Accepted { .. } => return Step::tell(Tell::Pass),
            State::Proceeding { .. } | State::Confirmed { .. } | State::Done => {}
        }
        Step::NOTHING
    }

    /// The user answers. A 2xx may be given again, to repeat it (RFC 6026 §7.1); nothing else after a final one.
    pub fn respond(&mut self, class: Class, response: Bytes, now: Instant, timing: &Timing) -> Step {
        let until = now + timing.give_up();
        match (&self.state, class) {
            (State::Proceeding { .. }, Class::Provisional) => {
                self.state = State::Proceeding { last: Some(response.clone()), trying: None };
            }
            (State::Proceeding { .. }, Class::Success) => self.state = State::Accepted { until },
            (State::Proceeding { .. }, Class::Failure) => {
                let repeat = Repeat::first(now, timing, self.reliable);
                self.state = State::Completed { last: response.clone(), repeat, until };
            }
            (State::Accepted { .. }, Class::Success) => {}
            _ => return Step::NOTHING,
        }
        Step::send(response)
    }

    pub fn timeout(&mut self, now: Instant, timing: &Timing) -> Step {
        match &mut self.state {
            State::Proceeding { last, trying } => match trying.take_if(|(_, at)| now >= *at) {
                Some((bytes, _)) => {
                    *last = Some(bytes.clone());
                    Step::send(bytes)
                }
                None => Step::NOTHING,
            },
            State::Completed { until, .. } if now >= *until => {
                self.state = State::Done;
                Step::tell(Tell::TimedOut)
            }
            State::Completed { last, repeat: Some(repeat), .. } if now >= repeat.at => {
                *repeat = repeat.next(now, Some(timing.t2));
                Step::send(last.clone())
            }
            State::Accepted { until } | State::Confirmed { until } if now >= *until => {
                self.state = State::Done;
                Step::NOTHING
            }
            _ => Step::NOTHING,
        }
    }

    /// An answer could not be sent: RFC 6026 §7.1 has the user told, and the machine go on.
    pub const fn unsent(&mut self) -> Step {
        Step::tell(Tell::Unsent)
    }

    pub fn wish(&self) -> Wish {
        match &self.state {
            State::Proceeding { trying: Some((_, at)), .. } => Wish::Wake(*at),
            State::Proceeding { trying: None, .. } => Wish::Wait,
            State::Accepted { until } | State::Confirmed { until } => Wish::Wake(*until),
            State::Completed { repeat, until, .. } => earliest(*until, *repeat),
            State::Done => Wish::Done,
        }
    }

    /// Whether a final answer was given, after which a CANCEL changes nothing (RFC 3261 §9.2).
    pub const fn is_answered(&self) -> bool {
        !matches!(self.state, State::Proceeding { .. })
    }
}
