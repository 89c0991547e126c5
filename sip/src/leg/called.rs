//! A call of the peer's that is not answered yet (RFC 3261 §13.3).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{
    End, Event, Incoming, SDP, SERVED,
    answer::Unacknowledged,
    common::{Common, sdp_of},
    phase::{Next, Phase},
    session::{self, Interval, LEAST, Session, TooSmall},
    theirs,
    turn::{Asked, Turn},
    up::Up,
};
use crate::{
    message::{Code, Message, Method, Name},
    transaction::TransactionId,
};

pub(super) struct Called {
    pub(super) asked: Asked,
    cseq: u32,
    /// It came with an offer; else our answer is one.
    offered: bool,
    interval: Option<Interval>,
    updates: bool,
    /// Whoever is to answer has forgotten it.
    until: Instant,
}

/// As long as a proxy waits (timer C, RFC 3261 §16.6).
const MOST: Duration = Duration::from_secs(180);

/// Why an INVITE is not even offered to whoever answers calls: it was refused.
pub(super) fn refusal(turn: &mut Turn<'_>, incoming: &Incoming<'_>) -> bool {
    let asked = Asked::of(incoming);
    if let Err(why) = SERVED.check(incoming.message) {
        let response = SERVED.explain(why, &asked.head, turn.response(&asked, why.code()));
        turn.respond(&asked, why.code(), response.finish());
        return true;
    }
    // RFC 3891 §3: it would take over a call, and there is none that may be taken over.
    if asked.head.has(Name::Replaces) {
        turn.plain(&asked, Code::NO_SUCH_CALL);
        return true;
    }
    if session::grant(&asked.head, None) == Err(TooSmall) {
        too_small(turn, &asked);
        return true;
    }
    false
}

pub(super) fn too_small(turn: &mut Turn<'_>, asked: &Asked) {
    let code = Code::SESSION_INTERVAL_TOO_SMALL;
    let response = turn.response(asked, code).header(Name::MinSe, LEAST);
    turn.respond(asked, code, response.finish());
}

impl Called {
    pub(super) fn new(turn: &Turn<'_>, incoming: &Incoming<'_>) -> Self {
        let message = incoming.message;
        let interval = session::grant(message.head(), None).ok().flatten();
        Self {
            asked: Asked::of(incoming),
            cseq: message.cseq().number,
            offered: sdp_of(message).is_some(),
            interval,
            updates: theirs::allows_update(message),
            until: turn.now + MOST,
        }
    }

    /// 180, or 183 with a preview of the answer.
    pub(super) fn progress(&self, turn: &mut Turn<'_>, code: Code, sdp: Option<&Bytes>) {
        if !code.is_provisional() {
            return;
        }
        let response = turn.full(&self.asked, code).copy(&self.asked.head, Name::RecordRoute);
        let response = match sdp {
            Some(sdp) => response.finish_with(SDP, sdp),
            None => response.finish(),
        };
        turn.respond(&self.asked, code, response);
    }

    pub(super) fn answer(&self, turn: &mut Turn<'_>, sdp: Bytes) -> Next {
        let response = turn.full(&self.asked, Code::OK).copy(&self.asked.head, Name::RecordRoute);
        let response = theirs::with_interval(response, self.interval);
        let bytes = turn.respond(&self.asked, Code::OK, response.finish_with(SDP, &sdp));
        let unacknowledged = Unacknowledged::new(turn, self.asked.to, bytes, self.cseq, !self.offered);
        let session = self.interval.map(|interval| Session::granted(interval, turn.now));
        Next::To(Phase::Up(Box::new(Up::called(sdp, session, self.updates, unacknowledged))))
    }

    /// 300 to 699.
    pub(super) fn refuse(&self, turn: &mut Turn<'_>, code: Code, end: End) -> Next {
        turn.plain(&self.asked, code);
        turn.tell(Event::Ended(end));
        Next::Gone
    }

    pub(super) fn cancelled(&self, turn: &mut Turn<'_>, invite: TransactionId) -> Next {
        if invite != self.asked.to {
            return Next::Stay;
        }
        self.refuse(turn, Code::REQUEST_TERMINATED, End::Cancelled)
    }

    pub(super) fn request(&self, common: &mut Common, turn: &mut Turn<'_>, incoming: &Incoming<'_>) -> Next {
        let asked = Asked::of(incoming);
        if let Err(stray) = common.dialog.heard(incoming.message) {
            turn.plain(&asked, stray.code());
            return Next::Stay;
        }
        common.moved(incoming);
        if incoming.message.method() == Some(Method::Bye) {
            turn.plain(&asked, Code::OK);
            return self.refuse(turn, Code::REQUEST_TERMINATED, End::Cancelled);
        }
        theirs::early(turn, &asked, incoming.message);
        Next::Stay
    }

    pub(super) fn timeout(&self, turn: &mut Turn<'_>) -> Next {
        if turn.now < self.until {
            return Next::Stay;
        }
        self.refuse(turn, Code::TEMPORARILY_UNAVAILABLE, End::NoAnswer)
    }

    pub(super) const fn wake(&self) -> Instant {
        self.until
    }
}

/// What an INVITE offers.
pub fn offer_of(invite: &Message) -> Option<Bytes> {
    sdp_of(invite)
}
