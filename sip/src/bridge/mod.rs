//! Two legs that are one call, and the tickets by which Twilio's INVITE finds the call that it is for.
//!
//! A [`Bridge`] passes offers, answers and the end from one leg to the other; descriptions go through [`Rewrite`], where a relay
//! puts its own addresses. It begins when both legs are up ([`Bridge::joined`]: the agent's was answered first, then Twilio's),
//! or while the second is being called ([`Bridge::ringing`]; after a [`crate::ring::Ring`], with the leg that won, which is then
//! heard as answered). No header crosses but those of [`CROSSING`].

mod tickets;

use bytes::Bytes;

pub use self::tickets::{Admission, Ticket, Tickets, Turned};
use crate::{
    leg::{Event, LegId, Reason},
    message::{Code, Name},
};

/// What may go from one leg's INVITE to the other's. All else that one side says stays on its side.
pub const CROSSING: [Name; 1] = [Name::Privacy];

/// One of the two legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Whose call it was.
    Caller,
    /// Who was called.
    Callee,
}

impl Side {
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// What a description is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Offer,
    Answer,
    /// An answer to what its side was told before: only the relay has to know. What it is given instead is of no use.
    Again,
}

/// What the relay makes of descriptions.
pub trait Rewrite {
    /// What the other side is given in the place of this description of `from`'s. Err: it cannot be, for example 488.
    fn rewrite(&mut self, from: Side, role: Role, sdp: &Bytes) -> Result<Bytes, Code>;
}

/// What is to be done for a bridge; by the names of [`crate::leg::Legs`]' methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Progress(LegId, Code, Option<Bytes>),
    Answer(LegId, Bytes),
    Refuse(LegId, Code),
    Offer(LegId, Bytes),
    End(LegId, Reason),
    /// Both legs are over or told to end: there is nothing left of the call.
    Over,
}

/// What goes on between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The callee is being called with the caller's offer.
    Ringing,
    Up,
    /// An offer of this side's was passed on; its answer is awaited.
    Passing(Side),
    /// An offer of our own was made to this side; its answer is awaited.
    Asking(Side),
    Over,
}

#[derive(Debug)]
pub struct Bridge {
    caller: LegId,
    callee: LegId,
    state: State,
}

impl Bridge {
    /// The callee is being called with what the caller offers.
    pub const fn ringing(caller: LegId, callee: LegId) -> Self {
        Self { caller, callee, state: State::Ringing }
    }

    /// Both are up.
    pub const fn joined(caller: LegId, callee: LegId) -> Self {
        Self { caller, callee, state: State::Up }
    }

    pub const fn leg(&self, side: Side) -> LegId {
        match side {
            Side::Caller => self.caller,
            Side::Callee => self.callee,
        }
    }

    pub fn side(&self, leg: LegId) -> Option<Side> {
        match leg {
            _ if leg == self.caller => Some(Side::Caller),
            _ if leg == self.callee => Some(Side::Callee),
            _ => None,
        }
    }

    /// An offer of our own goes to one side, and concerns that side alone. None: something else is under way.
    pub fn ask(&mut self, side: Side) -> Option<LegId> {
        if self.state != State::Up {
            return None;
        }
        self.state = State::Asking(side);
        Some(self.leg(side))
    }

    /// One of its legs tells something.
    pub fn heard(&mut self, leg: LegId, event: &Event, relay: &mut dyn Rewrite) -> Vec<Act> {
        let Some(from) = self.side(leg).filter(|_| self.state != State::Over) else { return Vec::new() };
        let other = self.leg(from.other());
        match event {
            Event::Progress { code, sdp } if self.state == State::Ringing => {
                let sdp = sdp.as_ref().and_then(|sdp| relay.rewrite(from, Role::Answer, sdp).ok());
                vec![Act::Progress(other, *code, sdp)]
            }
            Event::Answered { sdp } if self.state == State::Ringing => self.answered(sdp, relay),
            Event::Offer { sdp } => self.offered(from, sdp, relay),
            // It was given anew what it had: the relay is to see where its media go, and nobody else has to know.
            Event::Confirmed { sdp: Some(sdp) } | Event::Refreshed { sdp } => {
                // A description that the relay cannot use leaves it with the one that it has.
                let _ = relay.rewrite(from, Role::Again, sdp);
                Vec::new()
            }
            Event::Accepted { sdp } => self.accepted(from, sdp, relay),
            Event::Refused { code } if self.state == State::Passing(from.other()) => {
                self.state = State::Up;
                vec![Act::Refuse(other, *code)]
            }
            Event::Refused { .. } if self.state == State::Asking(from) => {
                self.state = State::Up;
                Vec::new()
            }
            Event::Ended(end) => {
                let was_ringing = self.state == State::Ringing;
                self.state = State::Over;
                let act = match end {
                    crate::leg::End::Declined(code) if was_ringing && from == Side::Callee => Act::Refuse(other, *code),
                    _ => Act::End(other, Reason::Plain),
                };
                vec![act, Act::Over]
            }
            Event::Progress { .. } | Event::Answered { .. } | Event::Confirmed { .. } | Event::Refused { .. } => {
                Vec::new()
            }
        }
    }

    fn answered(&mut self, sdp: &Bytes, relay: &mut dyn Rewrite) -> Vec<Act> {
        match relay.rewrite(Side::Callee, Role::Answer, sdp) {
            Ok(sdp) => {
                self.state = State::Up;
                vec![Act::Answer(self.caller, sdp)]
            }
            Err(code) => {
                self.state = State::Over;
                vec![Act::Refuse(self.caller, code), Act::End(self.callee, Reason::Plain), Act::Over]
            }
        }
    }

    /// One side's offer becomes the other's, if nothing is under way; else it comes again later (RFC 3261 §14.2).
    fn offered(&mut self, from: Side, sdp: &Bytes, relay: &mut dyn Rewrite) -> Vec<Act> {
        if self.state != State::Up {
            return vec![Act::Refuse(self.leg(from), Code::REQUEST_PENDING)];
        }
        match relay.rewrite(from, Role::Offer, sdp) {
            Ok(sdp) => {
                self.state = State::Passing(from);
                vec![Act::Offer(self.leg(from.other()), sdp)]
            }
            Err(code) => vec![Act::Refuse(self.leg(from), code)],
        }
    }

    fn accepted(&mut self, from: Side, sdp: &Bytes, relay: &mut dyn Rewrite) -> Vec<Act> {
        let is_ours = self.state == State::Asking(from);
        if !is_ours && self.state != State::Passing(from.other()) {
            return Vec::new();
        }
        self.state = State::Up;
        let other = self.leg(from.other());
        match relay.rewrite(from, Role::Answer, sdp) {
            _ if is_ours => Vec::new(),
            Ok(sdp) => vec![Act::Answer(other, sdp)],
            Err(code) => vec![Act::Refuse(other, code)],
        }
    }
}

#[cfg(test)]
mod tests;
