//! Ringing an agent's phones: all at once, and the first that answers has the call.
//!
//! A [`Ring`] knows targets by a key of its user's (a binding), and gives each a leg of its own. It is told what its legs tell,
//! and says which legs to make and to end ([`Act`]). A target is rung once; one whose phone could not be reached is rung again
//! when it is added again, since its phone has registered anew meanwhile; so is one that has moved before anything was heard
//! of it. One that is asleep is waited for.

use std::{collections::HashMap, hash::Hash, time::Instant};

use bytes::Bytes;

use crate::{
    leg::{End, Event, LegId, Reason},
    message::Code,
};

/// How a target's ringing came out, the better known first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Somebody said no: 603, 403, and all of 6xx.
    Declined,
    /// 486, 600: in another call, or not to be disturbed.
    Busy,
    /// It rang, and nobody answered: 408, 480, 487, or its time was up.
    NoAnswer,
    /// The phone was to be woken, and did not register in time.
    Asleep,
    /// Nobody tried: there was no room for it, no port, or it was taken back.
    NotPossible,
    /// Nothing is there: no response, no way, or a phone that knows nothing of its user.
    Unreachable,
}

impl Outcome {
    /// What a leg's end says of its target.
    pub const fn of(end: End) -> Self {
        match end {
            End::Declined(Code::BUSY_HERE | Code::BUSY_EVERYWHERE) => Self::Busy,
            End::Declined(Code::REQUEST_TIMEOUT | Code::TEMPORARILY_UNAVAILABLE | Code::REQUEST_TERMINATED) => {
                Self::NoAnswer
            }
            End::Declined(Code::FORBIDDEN | Code::DECLINE) => Self::Declined,
            End::NoAnswer | End::ByUs | End::ByPeer | End::Cancelled => Self::NoAnswer,
            End::Declined(_) | End::Unreachable | End::Lost | End::Expired | End::NoSession => Self::Unreachable,
        }
    }

    /// Whether one phone speaks for all (RFC 3261 §16.7, point 5).
    const fn is_for_all(end: End) -> bool {
        matches!(end, End::Declined(Code::BUSY_EVERYWHERE | Code::DECLINE))
    }
}

/// What is to be done for a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act<K> {
    /// Call this target, and tell the leg by [`Ring::called`], or that there is none by [`Ring::uncalled`].
    Call(K),
    /// Wake this target's phone; when it has registered, [`Ring::add`] it.
    Wake(K),
    End(LegId, Reason),
    Tell(News),
}

/// What the ring's user hears. The last is Answered or Failed, once.
#[derive(Clone, PartialEq, Eq)]
pub enum News {
    /// A phone rings; told once.
    Ringing,
    Answered {
        leg: LegId,
        sdp: Bytes,
    },
    Failed(Outcome),
}

impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ringing => f.write_str("Ringing"),
            Self::Answered { leg, .. } => write!(f, "Answered({leg:?})"),
            Self::Failed(outcome) => write!(f, "Failed({outcome:?})"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fork {
    /// It was asked to be woken.
    Waking,
    /// It was asked to be called.
    Wanted,
    Called {
        leg: LegId,
        /// Something was heard of the phone.
        heard: bool,
    },
    Over(Outcome),
}

impl Fork {
    fn is_of(self, of: LegId) -> bool {
        matches!(self, Self::Called { leg, .. } if leg == of)
    }
}

/// One try at an agent's phones.
#[derive(Debug)]
pub struct Ring<K> {
    forks: HashMap<K, Fork>,
    rings: bool,
    over: bool,
    until: Instant,
}

/// An address-of-record has fewer bindings.
const MOST: usize = 32;

impl<K: Copy + Eq + Hash> Ring<K> {
    /// Rings `awake` now, and wakes `asleep`. Without any it has failed at once.
    pub fn new(
        awake: impl IntoIterator<Item = K>,
        asleep: impl IntoIterator<Item = K>,
        until: Instant,
    ) -> (Self, Vec<Act<K>>) {
        let mut ring = Self { forks: HashMap::new(), rings: false, over: false, until };
        let mut acts: Vec<_> = awake.into_iter().flat_map(|key| ring.add(key)).collect();
        for key in asleep {
            if ring.forks.len() < MOST && !ring.forks.contains_key(&key) {
                ring.forks.insert(key, Fork::Waking);
                acts.push(Act::Wake(key));
            }
        }
        acts.extend(ring.settle());
        (ring, acts)
    }

    /// A phone is there, such as one that was woken and has registered.
    pub fn add(&mut self, key: K) -> Vec<Act<K>> {
        let is_new = match self.forks.get(&key) {
            None => self.forks.len() < MOST,
            Some(Fork::Waking | Fork::Over(Outcome::Unreachable | Outcome::NotPossible | Outcome::Asleep)) => true,
            Some(Fork::Wanted | Fork::Called { .. } | Fork::Over(_)) => false,
        };
        if self.over || !is_new {
            return Vec::new();
        }
        self.forks.insert(key, Fork::Wanted);
        vec![Act::Call(key)]
    }

    /// A target's phone is to be reached another way than it was called by. If nothing was heard of it, it is called anew.
    pub fn moved(&mut self, key: K) -> Vec<Act<K>> {
        match self.forks.get_mut(&key).filter(|_| !self.over) {
            Some(fork @ Fork::Called { heard: false, .. }) => {
                let Fork::Called { leg, .. } = std::mem::replace(fork, Fork::Wanted) else { return Vec::new() };
                vec![Act::End(leg, Reason::Plain), Act::Call(key)]
            }
            _ => Vec::new(),
        }
    }

    /// Targets that were called, and of whose phones nothing was heard.
    pub fn unheard(&self) -> impl Iterator<Item = K> {
        let is_unheard = |fork: &Fork| matches!(fork, Fork::Called { heard: false, .. });
        self.forks.iter().filter(move |(_, fork)| is_unheard(fork)).map(|(key, _)| *key)
    }

    /// A target has its leg.
    pub fn called(&mut self, key: K, leg: LegId) -> Vec<Act<K>> {
        match self.forks.get_mut(&key) {
            Some(fork @ Fork::Wanted) if !self.over => {
                *fork = Fork::Called { leg, heard: false };
                Vec::new()
            }
            _ => vec![Act::End(leg, Reason::Plain)],
        }
    }

    /// A target could not be called, for this reason.
    pub fn uncalled(&mut self, key: K, why: Outcome) -> Vec<Act<K>> {
        if let Some(fork @ Fork::Wanted) = self.forks.get_mut(&key) {
            *fork = Fork::Over(why);
        }
        self.settle()
    }

    /// A leg of this ring tells something. What it tells after it has won is not the ring's business.
    pub fn heard(&mut self, leg: LegId, event: &Event) -> Vec<Act<K>> {
        let Some(fork) = self.forks.values_mut().find(|fork| fork.is_of(leg)).filter(|_| !self.over) else {
            return Vec::new();
        };
        match event {
            Event::Progress { code, .. } => {
                *fork = Fork::Called { leg, heard: true };
                let is_first = *code != Code::TRYING && !std::mem::replace(&mut self.rings, true);
                if is_first { vec![Act::Tell(News::Ringing)] } else { Vec::new() }
            }
            Event::Answered { sdp } => {
                let won = News::Answered { leg, sdp: sdp.clone() };
                *fork = Fork::Over(Outcome::NoAnswer);
                self.finish(Reason::AnsweredElsewhere, won)
            }
            Event::Ended(end) => {
                let outcome = Outcome::of(*end);
                *fork = Fork::Over(outcome);
                if Outcome::is_for_all(*end) {
                    return self.finish(Reason::Plain, News::Failed(outcome));
                }
                self.settle()
            }
            _ => Vec::new(),
        }
    }

    /// Its user wants no more of it: every leg ends, and nothing more is told.
    pub fn cancel(&mut self, reason: Reason) -> Vec<Act<K>> {
        if self.over { Vec::new() } else { self.end_all(reason) }
    }

    pub fn timeout(&mut self, now: Instant) -> Vec<Act<K>> {
        if self.over || now < self.until {
            return Vec::new();
        }
        // Those that rang have been told by their legs, unless they are told in this very moment.
        let outcomes = self.forks.values().map(|fork| match fork {
            Fork::Waking => Outcome::Asleep,
            Fork::Wanted => Outcome::Unreachable,
            Fork::Called { .. } => Outcome::NoAnswer,
            Fork::Over(outcome) => *outcome,
        });
        let outcome = outcomes.min().unwrap_or(Outcome::Unreachable);
        self.finish(Reason::Plain, News::Failed(outcome))
    }

    /// When to call [`Ring::timeout`]. None: it is over.
    pub fn next_timeout(&self) -> Option<Instant> {
        (!self.over).then_some(self.until)
    }

    /// Whether nothing more will come of it.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Fails once every target has.
    fn settle(&mut self) -> Vec<Act<K>> {
        let outcomes = self.forks.values().map(|fork| match fork {
            Fork::Over(outcome) => Some(*outcome),
            Fork::Waking | Fork::Wanted | Fork::Called { .. } => None,
        });
        let all: Option<Vec<_>> = outcomes.collect();
        match all.filter(|_| !self.over) {
            Some(all) => {
                let outcome = all.into_iter().min().unwrap_or(Outcome::Unreachable);
                self.finish(Reason::Plain, News::Failed(outcome))
            }
            None => Vec::new(),
        }
    }

    fn finish(&mut self, reason: Reason, news: News) -> Vec<Act<K>> {
        let mut acts = self.end_all(reason);
        acts.push(Act::Tell(news));
        acts
    }

    fn end_all(&mut self, reason: Reason) -> Vec<Act<K>> {
        self.over = true;
        let leg = |(_, fork)| match fork {
            Fork::Called { leg, .. } => Some(Act::End(leg, reason)),
            Fork::Waking | Fork::Wanted | Fork::Over(_) => None,
        };
        self.forks.drain().filter_map(leg).collect()
    }
}

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;
