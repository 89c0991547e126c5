//! How calls end: by their owner, by silence, by their time; and what is told then.

use std::time::Duration;

use super::{Call, Kind, MediaNews, Number, Stage};
use crate::{
    bridge::Side,
    engine::{CallId, Core, Ender, Event, Now, Quality},
    leg::{LegId, Reason},
    media::{Leg, Silence},
    ring::Outcome,
};

/// How long the relay's report is waited for once a call is over.
const REPORT: Duration = Duration::from_secs(1);

/// How many times longer one side may be silent than both together: 5 minutes where that is 30 s.
const ALONE: u32 = 10;

impl Core {
    /// Ends a call of the owner's.
    pub(in crate::engine) fn hang_up(&mut self, call: CallId, now: Now) {
        if let Some(number) = self.calls.named(call) {
            self.end_call(number, Ender::Us, now);
            self.settle(None, now);
        }
    }

    /// Ends all calls. Those of which only the relay's report is missing are told without it, the second time.
    pub(in crate::engine) fn end_calls(&mut self, now: Now) {
        self.calls.drain();
        for number in self.calls.numbers() {
            match self.calls.get(number).map(|call| &call.stage) {
                Some(Stage::Over { .. }) => self.conclude(number, None),
                _ => self.end_call(number, Ender::Us, now),
            }
        }
        self.settle(None, now);
    }

    /// Whether nothing is left of any call, nor anything owed to a peer.
    pub fn is_idle(&self) -> bool {
        self.calls.is_idle()
    }

    /// The relay tells something.
    pub fn media(&mut self, news: MediaNews, now: Now) {
        match news {
            MediaNews::Silent(silence) => self.silent(silence, now),
            MediaNews::Report(session, report) => {
                let number = self.calls.of_session(session);
                if let Some(number) = number.filter(|number| self.calls.is_over(*number)) {
                    self.conclude(number, Some(Quality::of(&report)));
                }
            }
        }
        self.settle(None, now);
    }

    /// Nothing is heard of one side. A phone that is muted may send nothing at all while its agent listens, so a side that is
    /// silent alone is asked whether it is still there: a request within the call that nobody answers ends it.
    fn silent(&mut self, silence: Silence, now: Now) {
        let Some(number) = self.calls.of_session(silence.session) else { return };
        let Some(Call { stage: Stage::Joined { bridge, confirmed: true }, .. }) = self.calls.get(number) else {
            return;
        };
        if silence.both || silence.since >= self.settings.calls.call_silence * ALONE {
            return self.end_call(number, Ender::Silence, now);
        }
        let leg = bridge.leg(match silence.leg {
            Leg::A => Side::Caller,
            Leg::B => Side::Callee,
        });
        self.calls.legs.refresh(leg, now.instant);
    }

    /// Ends whatever is left of a call, and tells of it.
    pub(super) fn end_call(&mut self, number: Number, by: Ender, now: Now) {
        let Some(call) = self.calls.get_mut(number) else { return };
        let caller = match call.kind {
            Kind::Agent { caller, .. } => Some(caller),
            Kind::Customer(_) => None,
        };
        match &mut call.stage {
            Stage::Ringing(ringing) => {
                let acts = ringing.ring.cancel(Reason::Plain);
                self.ring_acts(number, acts, now);
                caller.into_iter().for_each(|leg| self.end_leg(leg, now));
                self.fail(number, Outcome::NoAnswer);
            }
            Stage::Waiting(waiting) => {
                let phone = waiting.phone;
                self.end_leg(phone, now);
                self.over(number, by, now);
            }
            Stage::Joined { bridge, .. } => {
                let legs = [Side::Caller, Side::Callee].map(|side| bridge.leg(side));
                legs.into_iter().for_each(|leg| self.end_leg(leg, now));
                self.over(number, by, now);
            }
            Stage::Over { .. } => {}
        }
    }

    /// Nothing more is heard of a leg that is told to end.
    pub(super) fn end_leg(&mut self, leg: LegId, now: Now) {
        self.calls.forget_leg(leg);
        self.calls.legs.end(leg, Reason::Plain, now.instant);
    }

    /// No phone has taken the call.
    pub(super) fn fail(&mut self, number: Number, outcome: Outcome) {
        if let Some(Kind::Customer(call)) = self.calls.remove(number).map(|call| call.kind) {
            self.tidings.tell(Event::Failed { call, outcome });
        }
    }

    /// Its legs have been told. What the relay has counted is told with the end.
    pub(super) fn over(&mut self, number: Number, by: Ender, now: Now) {
        self.calls.forget_legs(number);
        let Some(call) = self.calls.get_mut(number) else { return };
        if let Stage::Waiting(waiting) = &call.stage {
            let ticket = waiting.ticket;
            self.calls.tickets.withdraw(ticket);
        }
        let Some(call) = self.calls.get_mut(number) else { return };
        let asked = matches!(call.kind, Kind::Customer(_)) && call.speech.ask_report();
        call.stage = Stage::Over { by, until: now.instant + REPORT };
        if asked { self.calls.schedule(number) } else { self.conclude(number, None) }
    }

    /// The last of a call that is over.
    fn conclude(&mut self, number: Number, quality: Option<Quality>) {
        let Some(Call { kind: Kind::Customer(call), stage: Stage::Over { by, .. }, .. }) = self.calls.remove(number)
        else {
            return;
        };
        self.tidings.tell(Event::Ended { call, by, quality });
    }

    /// What is due.
    pub(in crate::engine) fn calls_due(&mut self, now: Now) {
        self.calls.legs.timeout(now.instant);
        self.settle(None, now);
        while let Some(number) = self.calls.take_due(now.instant) {
            let Some(call) = self.calls.get_mut(number) else { continue };
            match &mut call.stage {
                Stage::Ringing(ringing) => {
                    let nudged = ringing.nudge.take_if(|at| *at <= now.instant);
                    let quiet: Vec<_> = nudged.map(|_| ringing.ring.unheard().collect()).unwrap_or_default();
                    let acts = ringing.ring.timeout(now.instant);
                    quiet.into_iter().for_each(|binding| self.wake_phone(number, binding));
                    self.ring_acts(number, acts, now);
                }
                Stage::Waiting(_) => self.end_call(number, Ender::NoInvite, now),
                Stage::Over { .. } => self.conclude(number, None),
                Stage::Joined { .. } => {}
            }
            self.calls.schedule(number);
        }
        self.settle(None, now);
    }
}
