//! A leg that is over for its user: what its peer is still owed.

use std::time::Instant;

use super::{
    Ask, Incoming, Output, Reason,
    answer::Unacknowledged,
    calling::prove,
    common::Common,
    mine::Mine,
    phase::{Next, Phase},
    sent::Sent,
    turn::{Asked, Turn},
};
use crate::message::{Code, Message, Method};

pub(super) struct Ending {
    reason: Reason,
    /// Our BYE, and how often it was challenged.
    bye: Option<(Sent, u8)>,
    /// Our 2xx: a callee sends no BYE before its ACK has come (RFC 3261 §15).
    unacknowledged: Option<Unacknowledged>,
    /// An INVITE of ours within the call: if a 2xx comes yet, it wants an ACK.
    invite: Option<Ask>,
    until: Instant,
}

impl Ending {
    /// We end it.
    pub(super) fn begin(
        common: &mut Common,
        turn: &mut Turn<'_>,
        reason: Reason,
        unacknowledged: Option<Unacknowledged>,
        mine: Option<Mine>,
    ) -> Next {
        let invite = mine.and_then(|mine| mine.invite(turn.id));
        let until = turn.now + turn.timing.give_up() * 2;
        let mut ending = Self { reason, bye: None, unacknowledged, invite, until };
        if ending.unacknowledged.is_none() {
            ending.bye(common, turn);
        }
        Next::To(Phase::Ending(Box::new(ending)))
    }

    /// The peer has ended it.
    pub(super) fn after_bye(turn: &Turn<'_>, mine: Option<Mine>) -> Next {
        let Some(invite) = mine.and_then(|mine| mine.invite(turn.id)) else { return Next::Gone };
        let until = turn.now + turn.timing.give_up();
        let invite = Some(invite);
        Next::To(Phase::Ending(Box::new(Self {
            reason: Reason::Plain,
            bye: None,
            unacknowledged: None,
            invite,
            until,
        })))
    }

    fn bye(&mut self, common: &mut Common, turn: &mut Turn<'_>) {
        self.until = turn.now + turn.timing.give_up() + turn.timing.t1;
        self.bye = common.bye(turn, self.reason, None).map(|sent| (sent, 0));
    }

    fn next(&self) -> Next {
        let is_done = self.bye.is_none() && self.unacknowledged.is_none() && self.invite.is_none();
        if is_done { Next::Gone } else { Next::Stay }
    }

    pub(super) fn response(
        &mut self,
        common: &mut Common,
        turn: &mut Turn<'_>,
        number: u32,
        response: &Message,
    ) -> Next {
        let is_final = response.code().is_some_and(|code| !code.is_provisional());
        if let Some((_, tries)) = self.bye.take_if(|(bye, _)| is_final && bye.number == number) {
            let proof = prove(common, turn, response, Method::Bye, tries);
            if let Some(proof) = proof.filter(|_| tries < 2) {
                self.bye = common.bye(turn, self.reason, Some(&proof)).map(|sent| (sent, tries + 1));
            }
        } else {
            self.invite.take_if(|invite| is_final && invite.number == number);
            common.repeated(turn, response);
        }
        self.next()
    }

    pub(super) fn failed(&mut self, number: u32) -> Next {
        self.bye.take_if(|(bye, _)| bye.number == number);
        self.invite.take_if(|invite| invite.number == number);
        self.next()
    }

    pub(super) fn request(&mut self, common: &mut Common, turn: &mut Turn<'_>, incoming: &Incoming<'_>) -> Next {
        let asked = Asked::of(incoming);
        let is_bye = incoming.message.method() == Some(Method::Bye);
        match common.dialog.heard(incoming.message) {
            Ok(()) if is_bye => turn.plain(&asked, Code::OK),
            Ok(()) => turn.plain(&asked, Code::NO_SUCH_CALL),
            Err(stray) => turn.plain(&asked, stray.code()),
        }
        // BYEs that cross are each answered; ours goes on until its answer has come.
        if is_bye {
            self.unacknowledged = None;
        }
        self.next()
    }

    pub(super) fn ack(&mut self, common: &mut Common, turn: &mut Turn<'_>, ack: &Message) -> Next {
        let number = ack.cseq().number;
        if self.unacknowledged.take_if(|answer| answer.is_for(number)).is_some() {
            self.bye(common, turn);
        }
        self.next()
    }

    pub(super) fn timeout(&mut self, common: &mut Common, turn: &mut Turn<'_>) -> Next {
        if self.unacknowledged.as_mut().is_some_and(|answer| !answer.timeout(turn)) {
            self.unacknowledged = None;
            self.bye(common, turn);
        }
        if turn.now < self.until {
            return self.next();
        }
        turn.out.extend(self.invite.take().map(|ask| Output::Abandon { ask }));
        Next::Gone
    }

    pub(super) fn wake(&self) -> Instant {
        self.unacknowledged.as_ref().map_or(self.until, |answer| answer.wake().min(self.until))
    }
}
