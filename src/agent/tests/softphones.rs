//! A model of the agent's softphones and of the engine that rings them, as Twilio's leg comes to them by a ticket.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::domain::{
    Admission, EndedBy, NotReached, SipTicket, SoftphoneLeg, SoftphoneNews, SoftphoneOrder, Timestamp,
};

/// How long a ticket lives.
const TICKET: Duration = Duration::from_secs(30);
/// How long it takes to find that nobody is there.
const NOBODY: Duration = Duration::from_secs(4);

/// What the softphones do when they are rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Softphone {
    /// There is none.
    None,
    Gone,
    Asleep,
    Ignored,
    Declined,
    Busy,
    /// The gateway cannot ring any.
    NotPossible,
    AnsweredAfter(Duration),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Rings { until: Timestamp, then: Option<NotReached>, answered_at: Option<Timestamp> },
    Answered { ticket: SipTicket, until: Timestamp },
    Bridged { ticket: SipTicket },
}

pub(super) struct Softphones {
    pub does: Softphone,
    pub now: Timestamp,
    calls: BTreeMap<SoftphoneLeg, State>,
    /// Names that were used.
    used: BTreeSet<SoftphoneLeg>,
    /// Tickets whose calls have ended with a BYE to Twilio.
    pub ended: BTreeSet<String>,
    pub told: Vec<(SoftphoneLeg, SoftphoneNews)>,
    pub violations: Vec<String>,
    pub rings: usize,
    tickets: usize,
}

impl Softphones {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            does: Softphone::None,
            now,
            calls: BTreeMap::new(),
            used: BTreeSet::new(),
            ended: BTreeSet::new(),
            told: Vec::new(),
            violations: Vec::new(),
            rings: 0,
            tickets: 0,
        }
    }

    pub(super) fn order(&mut self, order: &SoftphoneOrder) {
        match order {
            SoftphoneOrder::HangUp(leg) => self.end(*leg, EndedBy::Us, false),
            SoftphoneOrder::Ring { leg, ring, .. } => {
                if !self.used.insert(*leg) {
                    self.violations.push(format!("{leg:?} is rung twice"));
                }
                self.rings += 1;
                self.ring(*leg, *ring);
            }
        }
    }

    fn ring(&mut self, leg: SoftphoneLeg, ring: Duration) {
        let until = self.now + ring;
        let rings = |until, then| State::Rings { until, then: Some(then), answered_at: None };
        let state = match self.does {
            Softphone::None => return self.told.push((leg, SoftphoneNews::Failed(NotReached::Unreachable))),
            Softphone::Gone => rings(until.min(self.now + NOBODY), NotReached::Unreachable),
            Softphone::Asleep => rings(until, NotReached::Asleep),
            Softphone::Ignored => rings(until, NotReached::NoAnswer),
            Softphone::Declined => return self.told.push((leg, SoftphoneNews::Failed(NotReached::Declined))),
            Softphone::NotPossible => {
                return self.told.push((leg, SoftphoneNews::Failed(NotReached::NotPossible)));
            }
            Softphone::Busy => return self.told.push((leg, SoftphoneNews::Failed(NotReached::Busy))),
            Softphone::AnsweredAfter(pause) => {
                State::Rings { until, then: Some(NotReached::NoAnswer), answered_at: Some(self.now + pause) }
            }
        };
        if self.does != Softphone::Gone && self.does != Softphone::Asleep {
            self.told.push((leg, SoftphoneNews::Rings));
        }
        self.calls.insert(leg, state);
    }

    /// The agent takes up what rings.
    pub(super) fn answer(&mut self) {
        let ringing = self.calls.iter().find(|(_, state)| matches!(state, State::Rings { .. })).map(|(leg, _)| *leg);
        self.answer_leg(ringing.unwrap());
    }

    fn answer_leg(&mut self, leg: SoftphoneLeg) {
        self.tickets += 1;
        let ticket = SipTicket::new(format!("feed{:028x}", self.tickets));
        self.told.push((leg, SoftphoneNews::Answered(Admission { ticket: ticket.clone(), login: None })));
        self.calls.insert(leg, State::Answered { ticket, until: self.now + TICKET });
    }

    /// The agent hangs up what was answered.
    pub(super) fn hang_up(&mut self) {
        for (leg, state) in self.calls.clone() {
            if !matches!(state, State::Rings { .. }) {
                self.end(leg, EndedBy::Phone, true);
            }
        }
    }

    fn end(&mut self, leg: SoftphoneLeg, by: EndedBy, told: bool) {
        match self.calls.remove(&leg) {
            Some(State::Answered { ticket, .. } | State::Bridged { ticket }) => {
                self.ended.insert(ticket.expose().to_owned());
            }
            Some(State::Rings { .. }) | None => return,
        }
        if told || by == EndedBy::Us {
            self.told.push((leg, SoftphoneNews::Ended { by, quality: None }));
        }
    }

    /// Twilio's INVITE: whether its ticket is live, and nobody else's.
    pub(super) fn admit(&mut self, ticket: &SipTicket) -> bool {
        let is_it = |state: &State| matches!(state, State::Answered { ticket: live, .. } if live == ticket);
        let Some(leg) = self.calls.iter().find(|(_, state)| is_it(state)).map(|(leg, _)| *leg) else { return false };
        self.calls.insert(leg, State::Bridged { ticket: ticket.clone() });
        self.told.push((leg, SoftphoneNews::Bridged));
        true
    }

    /// Twilio's BYE.
    pub(super) fn twilio_hung_up(&mut self, ticket: &SipTicket) {
        let is_it = |state: &State| matches!(state, State::Bridged { ticket: of } if of == ticket);
        if let Some(leg) = self.calls.iter().find(|(_, state)| is_it(state)).map(|(leg, _)| *leg) {
            self.end(leg, EndedBy::Twilio, true);
        }
    }

    /// The process ends, with or without a BYE for all.
    pub(super) fn die(&mut self, decently: bool) {
        for (_, state) in std::mem::take(&mut self.calls) {
            if let (true, State::Answered { ticket, .. } | State::Bridged { ticket }) = (decently, state) {
                self.ended.insert(ticket.expose().to_owned());
            }
        }
        self.told.clear();
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        let of = |state: &State| match state {
            State::Rings { until, answered_at, .. } => Some(answered_at.map_or(*until, |at| at.min(*until))),
            State::Answered { until, .. } => Some(*until),
            State::Bridged { .. } => None,
        };
        self.calls.values().filter_map(of).min()
    }

    pub(super) fn advance(&mut self, now: Timestamp) {
        self.now = now;
        for (leg, state) in self.calls.clone() {
            match state {
                State::Rings { answered_at: Some(at), until, .. } if at <= now && at < until => self.answer_leg(leg),
                State::Rings { until, then, .. } if until <= now => {
                    self.calls.remove(&leg);
                    self.told.push((leg, SoftphoneNews::Failed(then.unwrap_or(NotReached::NoAnswer))));
                }
                State::Answered { until, .. } if until <= now => self.end(leg, EndedBy::NoInvite, true),
                _ => {}
            }
        }
    }

    /// Those that ring, or on which somebody is.
    pub(super) fn live(&self) -> Vec<SoftphoneLeg> {
        self.calls.keys().copied().collect()
    }

    pub(super) fn is_answered(&self) -> bool {
        self.calls.values().any(|state| !matches!(state, State::Rings { .. }))
    }

    pub(super) fn is_bridged(&self, ticket: &SipTicket) -> bool {
        self.calls.values().any(|state| matches!(state, State::Bridged { ticket: of } if of == ticket))
    }
}
