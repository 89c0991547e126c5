//! What legs tell, and what a bridge makes of it.

use super::{Call, Kind, Number, Stage};
use crate::{
    bridge::{Act, Side},
    engine::{Core, Ender, Event, Now},
    leg::{self, LegId},
    message::Code,
};

impl Core {
    pub(super) fn leg_told(&mut self, leg: LegId, event: &leg::Event, now: Now) {
        let Some(number) = self.calls.of_leg(leg) else { return };
        if matches!(event, leg::Event::Ended(_)) {
            self.calls.forget_leg(leg);
        }
        let Some(call) = self.calls.get_mut(number) else { return };
        match &mut call.stage {
            Stage::Ringing(_) if matches!(call.kind, Kind::Agent { caller, .. } if caller == leg) => {
                // Whoever calls has no other wish while it rings.
                if matches!(event, leg::Event::Ended(_)) {
                    self.end_call(number, Ender::Us, now);
                }
            }
            Stage::Ringing(ringing) => {
                let acts = ringing.ring.heard(leg, event);
                self.ring_acts(number, acts, now);
            }
            Stage::Waiting(_) => match event {
                leg::Event::Ended(_) => self.over(number, Ender::Phone, now),
                // There is nobody yet who could be asked: it comes again.
                leg::Event::Offer { .. } => self.calls.legs.refuse(leg, Code::REQUEST_PENDING, now.instant),
                _ => {}
            },
            Stage::Joined { .. } => self.bridge_heard(number, leg, event, now),
            Stage::Over { .. } => {}
        }
    }

    pub(super) fn bridge_heard(&mut self, number: Number, leg: LegId, event: &leg::Event, now: Now) {
        let Some(Call { kind, stage: Stage::Joined { bridge, confirmed }, speech, .. }) = self.calls.get_mut(number)
        else {
            return;
        };
        let side = bridge.side(leg);
        if side == Some(Side::Caller) && matches!(event, leg::Event::Confirmed { .. }) && !*confirmed {
            *confirmed = true;
            if let Kind::Customer(call) = *kind {
                self.tidings.tell(Event::Bridged { call });
            }
        }
        if let (Some(side), leg::Event::Refused { .. }) = (side, event) {
            speech.not_taken(side);
        }
        let ender = if side == Some(Side::Caller) { Ender::Twilio } else { Ender::Phone };
        for act in bridge.heard(leg, event, speech) {
            self.bridge_act(number, act, ender, now);
        }
        if matches!(event, leg::Event::Confirmed { sdp: Some(_) }) {
            self.narrow(number, now);
        }
    }

    /// A phone answers before it is known who will speak to it. If it may send what they do not take, it is offered less.
    pub(super) fn narrow(&mut self, number: Number, now: Now) {
        let Some(Call { kind: Kind::Customer(_), stage: Stage::Joined { bridge, .. }, speech, .. }) =
            self.calls.get_mut(number)
        else {
            return;
        };
        if speech.is_to_be_narrowed(Side::Callee)
            && let Some(phone) = bridge.ask(Side::Callee)
        {
            let offer = speech.offer(Side::Callee);
            self.calls.legs.offer(phone, offer, now.instant);
        }
    }

    fn bridge_act(&mut self, number: Number, act: Act, ender: Ender, now: Now) {
        let at = now.instant;
        match act {
            Act::Progress(leg, code, sdp) => self.calls.legs.progress(leg, code, sdp, at),
            Act::Answer(leg, sdp) => self.calls.legs.answer(leg, sdp, at),
            Act::Offer(leg, sdp) => self.calls.legs.offer(leg, sdp, at),
            Act::Refuse(leg, code) => {
                if let Some(Call { stage: Stage::Joined { bridge, .. }, speech, .. }) = self.calls.get_mut(number)
                    && let Some(side) = bridge.side(leg)
                {
                    speech.refused(side);
                }
                self.calls.legs.refuse(leg, code, at);
            }
            Act::End(leg, reason) => {
                self.calls.forget_leg(leg);
                self.calls.legs.end(leg, reason, at);
            }
            Act::Over => self.over(number, ender, now),
        }
    }
}
