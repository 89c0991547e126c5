//! Requests of the peer's within a call.

use std::time::Instant;

use bytes::Bytes;

use super::{
    End, Event, Incoming, SDP, SERVED,
    answer::Unacknowledged,
    called::too_small,
    common::{Common, sdp_of},
    ending::Ending,
    phase::Next,
    session::{self, Interval, Refresher, Session},
    turn::{Asked, Turn},
    up::Up,
};
use crate::{
    dialog::contact,
    message::{Code, Message, Method, Name, ResponseBuilder},
    transaction::TransactionId,
};

/// An INVITE or UPDATE of the peer's whose answer is awaited from our user.
pub(super) struct Theirs {
    pub(super) asked: Asked,
    method: SessionMethod,
    cseq: u32,
    /// It came with an offer; else our answer is one.
    offered: bool,
    interval: Option<Interval>,
    target: Option<Box<str>>,
    /// Later than that of an offer of ours: by then the other side of the call has said what it makes of it.
    until: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SessionMethod {
    Invite,
    Update,
}

pub(super) fn allows_update(message: &Message) -> bool {
    message.head().tokens(Name::Allow).any(|method| method == "UPDATE")
}

/// Whether `tag` of the session's time is to be known to the peer: it refreshes, so it must (RFC 4028 §9).
pub(super) fn with_interval(response: ResponseBuilder, interval: Option<Interval>) -> ResponseBuilder {
    let Some(interval) = interval else { return response };
    let response = response.header(Name::SessionExpires, interval);
    if interval.refresher == Some(Refresher::Uac) { response.header(Name::Require, "timer") } else { response }
}

/// A request that changes no session: OPTIONS, INFO, or one that is not served. False: it is another.
fn is_simple(turn: &mut Turn<'_>, asked: &Asked, request: &Message) -> bool {
    if let Err(why) = SERVED.check(request) {
        let response = SERVED.explain(why, &asked.head, turn.response(asked, why.code()));
        turn.respond(asked, why.code(), response.finish());
        return true;
    }
    match request.method() {
        Some(Method::Options) => {
            let response = turn.full(asked, Code::OK).header(Name::Accept, SDP);
            turn.respond(asked, Code::OK, response.finish());
            true
        }
        Some(Method::Info) => {
            turn.plain(asked, Code::OK);
            true
        }
        _ => false,
    }
}

/// A request within an early dialog. The session is under way: another offer has to wait (RFC 3311 §5.2).
pub(super) fn early(turn: &mut Turn<'_>, asked: &Asked, request: &Message) {
    if is_simple(turn, asked, request) {
        return;
    }
    match request.method() {
        Some(Method::Update) if sdp_of(request).is_none() => {
            let response = turn.full(asked, Code::OK).finish();
            turn.respond(asked, Code::OK, response);
        }
        Some(Method::Update | Method::Invite) => turn.later(asked),
        _ => turn.plain(asked, Code::NO_SUCH_CALL),
    }
}

impl Up {
    pub(super) fn request(&mut self, common: &mut Common, turn: &mut Turn<'_>, incoming: &Incoming<'_>) -> Next {
        let (asked, request) = (Asked::of(incoming), incoming.message);
        if let Err(stray) = common.dialog.heard(request) {
            turn.plain(&asked, stray.code());
            return Next::Stay;
        }
        common.moved(incoming);
        match request.method() {
            Some(Method::Bye) => return self.bye(turn, &asked),
            _ if is_simple(turn, &asked, request) => {}
            Some(Method::Invite) => self.session(common, turn, asked, request, SessionMethod::Invite),
            Some(Method::Update) => self.session(common, turn, asked, request, SessionMethod::Update),
            _ => turn.plain(&asked, Code::METHOD_NOT_ALLOWED),
        }
        Next::Stay
    }

    /// The peer hangs up. What else of its is unanswered is answered first (RFC 3261 §15.1.2).
    fn bye(&mut self, turn: &mut Turn<'_>, asked: &Asked) -> Next {
        self.terminate(turn);
        turn.plain(asked, Code::OK);
        turn.tell(Event::Ended(End::ByPeer));
        Ending::after_bye(turn, self.mine.take())
    }

    pub(super) fn terminate(&mut self, turn: &mut Turn<'_>) {
        if let Some(theirs) = self.theirs.take() {
            turn.plain(&theirs.asked, Code::REQUEST_TERMINATED);
        }
    }

    fn session(
        &mut self,
        common: &mut Common,
        turn: &mut Turn<'_>,
        asked: Asked,
        request: &Message,
        method: SessionMethod,
    ) {
        let offer = sdp_of(request);
        let changes = method == SessionMethod::Invite || offer.is_some();
        if changes && self.theirs.is_some() {
            return turn.later(&asked);
        }
        // Both want something at once, or the answer to our offer is still on its way (RFC 3261 §14.2, RFC 3311 §5.2).
        let ours = self.mine.as_ref().is_some_and(|mine| mine.collides(changes));
        if changes && (ours || self.unacknowledged.as_ref().is_some_and(|answer| answer.offers)) {
            return turn.plain(&asked, Code::REQUEST_PENDING);
        }
        let current = self.session.map(|session| session.in_answer());
        let Ok(interval) = session::grant(&asked.head, current) else { return too_small(turn, &asked) };
        let theirs = Theirs {
            method,
            cseq: request.cseq().number,
            offered: offer.is_some(),
            interval,
            target: contact(request),
            until: turn.now + turn.timing.give_up() * 3 / 4,
            asked,
        };
        match offer {
            Some(sdp) => {
                turn.tell(Event::Offer { sdp });
                self.theirs = Some(theirs);
            }
            // It asks for an offer: what was agreed, since nobody wants anything else.
            None if changes => self.agree(common, turn, theirs, Some(self.said.clone())),
            None => self.agree(common, turn, theirs, None),
        }
    }

    /// 200, and all that comes of it.
    fn agree(&mut self, common: &mut Common, turn: &mut Turn<'_>, theirs: Theirs, sdp: Option<Bytes>) {
        if let Some(target) = theirs.target {
            common.dialog.retarget(target);
        }
        let response = with_interval(turn.full(&theirs.asked, Code::OK), theirs.interval);
        let response = match &sdp {
            Some(sdp) => response.finish_with(SDP, sdp),
            None => response.finish(),
        };
        let bytes = turn.respond(&theirs.asked, Code::OK, response);
        self.session = match theirs.interval {
            Some(interval) => Some(Session::granted(interval, turn.now)),
            None => self.session.map(|session| session.again(turn.now)),
        };
        if theirs.method == SessionMethod::Invite {
            let to = theirs.asked.to;
            // A later INVITE shows that an earlier 2xx has come (RFC 5407 §3.1.5).
            self.unacknowledged = Some(Unacknowledged::new(turn, to, bytes, theirs.cseq, !theirs.offered));
        }
        if let Some(sdp) = sdp {
            self.said = sdp;
        }
    }

    pub(super) fn answer(&mut self, common: &mut Common, turn: &mut Turn<'_>, sdp: Bytes) {
        if let Some(theirs) = self.theirs.take() {
            self.agree(common, turn, theirs, Some(sdp));
            self.pump(common, turn);
        }
    }

    pub(super) fn refuse(&mut self, common: &mut Common, turn: &mut Turn<'_>, code: Code) {
        if let Some(theirs) = self.theirs.take() {
            turn.plain(&theirs.asked, code);
            self.pump(common, turn);
        }
    }

    /// The peer takes back an INVITE of this call.
    pub(super) fn cancelled(&mut self, common: &mut Common, turn: &mut Turn<'_>, invite: TransactionId) {
        if self.theirs.as_ref().is_some_and(|theirs| theirs.asked.to == invite) {
            self.refuse(common, turn, Code::REQUEST_TERMINATED);
        }
    }

    pub(super) fn ack(&mut self, common: &mut Common, turn: &mut Turn<'_>, ack: &Message) {
        let matches = |answer: &mut Unacknowledged| answer.is_for(ack.cseq().number);
        if let Some(answer) = self.unacknowledged.take_if(matches) {
            let sdp = if answer.offers { sdp_of(ack) } else { None };
            turn.tell(Event::Confirmed { sdp });
            self.pump(common, turn);
        }
    }
}

impl Theirs {
    pub(super) const fn wake(&self) -> Instant {
        self.until
    }
}
