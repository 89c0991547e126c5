//! Twilio's INVITE: let in by its ticket and its network, answered at once, and bridged.

use std::time::Instant;

use bytes::Bytes;

use super::{Call, Number, Stage, Waiting, exchange::incoming, speech::Answer, table::Calls};
use crate::{
    bridge::{Admission, Bridge, Side, Ticket},
    digest::{Ha1s, Verdict},
    engine::{
        Core, Media, Now, Output,
        reply::{Asked, server_key},
    },
    leg::{self, LegId, offer_of},
    message::{Code, Method},
};

impl Calls {
    pub(super) fn issue_ticket(&mut self, number: Number, until: Instant) -> Ticket {
        self.tickets.issue(number, until, &mut self.dice)
    }
}

impl Core {
    /// An INVITE outside any call whose Request-URI has a ticket as its user, or something that looks like one.
    pub(super) fn ticketed(&mut self, asked: &Asked<'_>, user: &str, now: Now) {
        let source = asked.from.peer.ip().to_canonical();
        let is_twilio = self.settings.calls.twilio_networks.iter().any(|network| network.contains(&source));
        let Admission { ticket, call } =
            match self.calls.tickets.admit(user, asked.request.call_id(), is_twilio, now.instant) {
                Ok(admission) => admission,
                Err(turned) => return self.turn_away(asked, turned.code(), now),
            };
        // Whoever has a live ticket, and sends from there, is Twilio: its other messages are not to be starved.
        self.gate.succeeded(asked.from.peer.ip(), now.instant);
        self.outputs.extend(asked.from.connection.map(Output::Trust));
        self.calls.trunks.add(asked.from);
        if !self.is_proved(asked, call, now) {
            return;
        }
        let Some(to) = self.begin(server_key(asked), asked, now) else { return };
        // None: it asks for what is not served. It may ask again, for less, with the same ticket.
        if let Some(leg) = self.calls.legs.called(&incoming(asked, to), leg::Reach::Routes, now.instant) {
            self.calls.tickets.withdraw(ticket);
            self.join(call, leg, offer_of(asked.request), now);
        }
        self.settle(None, now);
    }

    /// Whether the INVITE has what its ticket is to be shown with; else it has been challenged.
    fn is_proved(&mut self, asked: &Asked<'_>, number: Number, now: Now) -> bool {
        let login = match self.calls.get(number).map(|call| &call.stage) {
            Some(Stage::Waiting(Waiting { login, .. })) => login.clone(),
            _ => None,
        };
        let Some(login) = login else { return true };
        let realm = &self.settings.digest.realm;
        let account =
            |username: &str| (username == login.username).then(|| ((), Ha1s::new(username, realm, &login.password)));
        let source = asked.from.peer.ip();
        match self.guard.check(asked.request.head(), Method::Invite, source, now.instant, account) {
            Verdict::Granted(()) => return true,
            Verdict::Absent | Verdict::Wrong => self.challenge(asked, false, now),
            Verdict::Stale => self.challenge(asked, true, now),
            Verdict::Malformed => self.turn_away(asked, Code::BAD_REQUEST, now),
        }
        false
    }

    /// Customer and agent are one call from now on.
    fn join(&mut self, number: Number, twilio: LegId, offer: Option<Bytes>, now: Now) {
        let is_direct = matches!(self.settings.calls.media, Media::Direct);
        let Some(Call { stage, speech, .. }) = self.calls.get_mut(number) else { return };
        let Stage::Waiting(Waiting { phone, .. }) = stage else { return };
        *stage = Stage::Joined { bridge: Bridge::joined(twilio, *phone), confirmed: false };
        let answer = match &offer {
            Some(sdp) => speech.answer(Side::Caller, sdp),
            None if is_direct => Answer::Refuse(Code::NOT_ACCEPTABLE_HERE),
            None => Answer::Now(speech.offer(Side::Caller)),
        };
        self.calls.add_leg(number, twilio);
        self.calls.schedule(number);
        match (answer, offer) {
            (Answer::Now(sdp), _) => {
                self.calls.legs.answer(twilio, sdp, now.instant);
                self.narrow(number, now);
            }
            // The phone has none of Twilio's voices, or is to send to Twilio itself: it is offered what Twilio offers.
            (Answer::Ask, Some(sdp)) => self.bridge_heard(number, twilio, &leg::Event::Offer { sdp }, now),
            (Answer::Ask, None) => self.calls.legs.refuse(twilio, Code::NOT_ACCEPTABLE_HERE, now.instant),
            (Answer::Refuse(code), _) => self.calls.legs.refuse(twilio, code, now.instant),
        }
    }
}
