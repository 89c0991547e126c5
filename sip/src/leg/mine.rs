//! Requests of ours within a call: offers, and the refreshing of sessions.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{
    Ask, End, Event, Failure, LegId, Output, Reason, SDP,
    calling::prove,
    common::{Common, Proof, sdp_of},
    phase::Next,
    sent::Sent,
    session::{self, Interval, Session},
    theirs::allows_update,
    turn::Turn,
    up::Up,
};
use crate::message::{Code, Message, Method, Name};

/// What a request is for.
#[derive(Clone)]
pub(super) enum Purpose {
    Offer(Bytes),
    /// The session is to go on as it is.
    Refresh,
    /// The peer has taken what its user heard was refused: it is to go back to what was agreed before.
    Back,
}

/// What is to be asked once nothing stands in its way.
pub(super) struct Wanted {
    pub(super) purpose: Purpose,
    pub(super) at: Instant,
    /// An offer is of no use once the other side of the call has been told that it was refused.
    pub(super) until: Option<Instant>,
    tries: u8,
}

impl Wanted {
    pub(super) const fn now(purpose: Purpose, now: Instant) -> Self {
        Self { purpose, at: now, until: None, tries: 0 }
    }

    /// It is given up before the offer of the other side that it may stand for.
    pub(super) fn offer(sdp: Bytes, turn: &Turn<'_>) -> Self {
        let until = Some(turn.now + turn.timing.give_up() * 5 / 8);
        Self { purpose: Purpose::Offer(sdp), at: turn.now, until, tries: 0 }
    }
}

/// An INVITE or UPDATE of ours that is under way.
pub(super) struct Mine {
    sent: Sent,
    purpose: Purpose,
    invite: bool,
    heard: bool,
    stage: Stage,
    tries: u8,
    /// As it was wanted.
    deadline: Option<Instant>,
    until: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asking,
    /// It took too long; its user was told so.
    GivenUp,
    Cancelled,
}

/// 491 and challenges, in all.
const MOST_TRIES: u8 = 6;

impl Mine {
    /// Whether a request of the peer's has to wait for it: two INVITEs, or two offers (RFC 3311 §5.2).
    pub(super) const fn collides(&self, changes: bool) -> bool {
        self.invite || changes && matches!(self.purpose, Purpose::Offer(_))
    }

    /// The INVITE that it is, if it is one.
    pub(super) fn invite(&self, leg: LegId) -> Option<Ask> {
        self.invite.then(|| self.sent.ask(leg))
    }

    pub(super) const fn wake(&self) -> Instant {
        self.until
    }

    fn again(self, at: Instant) -> Wanted {
        Wanted { purpose: self.purpose, at, until: self.deadline, tries: self.tries + 1 }
    }
}

impl Up {
    /// Asks for what is wanted, if its time has come and nothing else is under way (RFC 3261 §14.1).
    pub(super) fn pump(&mut self, common: &mut Common, turn: &mut Turn<'_>) {
        if self.mine.is_some() || self.theirs.is_some() || self.unacknowledged.is_some() {
            return;
        }
        if let Some(wanted) = self.wanted.take_if(|wanted| wanted.at <= turn.now) {
            self.ask(common, turn, wanted, None);
        }
    }

    /// A later offer is worth more, and anything more than a refresh, which it stands for too.
    fn want(&mut self, wanted: Wanted) {
        let is_offered = self.wanted.as_ref().is_some_and(|wanted| matches!(wanted.purpose, Purpose::Offer(_)));
        if !is_offered {
            self.wanted = Some(wanted);
        }
    }

    fn ask(&mut self, common: &mut Common, turn: &mut Turn<'_>, wanted: Wanted, proof: Option<&Proof>) {
        let Wanted { purpose, until: deadline, tries, .. } = wanted;
        let (session, min_se) = (self.session, self.min_se);
        let by_update = matches!(purpose, Purpose::Refresh) && self.updates;
        let method = if by_update { Method::Update } else { Method::Invite };
        let sdp = match &purpose {
            Purpose::Offer(sdp) => sdp,
            Purpose::Refresh | Purpose::Back => &self.said,
        };
        let sent = common.ask_session(turn, method, proof, |request| {
            let request = match session {
                Some(session) => {
                    let request = request.header(Name::SessionExpires, session.in_request());
                    request.header(Name::MinSe, min_se)
                }
                None => request,
            };
            if by_update { request.finish() } else { request.finish_with(SDP, sdp) }
        });
        let until = deadline.unwrap_or(turn.now + turn.timing.give_up());
        self.mine = sent.map(|sent| {
            let (heard, stage) = (false, Stage::Asking);
            Mine { sent, purpose, invite: !by_update, heard, stage, tries, deadline, until }
        });
    }

    pub(super) fn response(
        &mut self,
        common: &mut Common,
        turn: &mut Turn<'_>,
        number: u32,
        response: &Message,
    ) -> Next {
        let Some(code) = response.code() else { return Next::Stay };
        let Some(mine) = self.mine.as_mut().filter(|mine| mine.sent.number == number) else {
            common.repeated(turn, response);
            return Next::Stay;
        };
        if code.is_provisional() {
            mine.heard = true;
            if mine.stage == Stage::GivenUp {
                mine.cancel(common, turn);
            }
            return Next::Stay;
        }
        let Some(mine) = self.mine.take() else { return Next::Stay };
        if code.is_success() {
            self.accepted(common, turn, mine, response);
        } else if matches!(code, Code::NO_SUCH_CALL | Code::REQUEST_TIMEOUT) {
            return self.lost(common, turn);
        } else {
            self.refused(common, turn, mine, code, response);
        }
        self.pump(common, turn);
        Next::Stay
    }

    fn accepted(&mut self, common: &mut Common, turn: &mut Turn<'_>, mine: Mine, response: &Message) {
        common.dialog.refresh_target(response);
        if mine.invite {
            common.acknowledge(turn, &common.dialog, response.cseq().number);
        }
        self.updates |= allows_update(response);
        self.session = match Interval::of(response.head()) {
            Some(interval) => Some(Session::asked(interval, turn.now)),
            None => self.session.map(|session| session.again(turn.now)),
        };
        if mine.stage != Stage::Asking {
            if matches!(mine.purpose, Purpose::Offer(_)) {
                self.want(Wanted::now(Purpose::Back, turn.now));
            }
            return;
        }
        match (mine.purpose, sdp_of(response)) {
            (Purpose::Offer(offer), Some(sdp)) => {
                self.said = offer;
                turn.tell(Event::Accepted { sdp });
            }
            (Purpose::Offer(_), None) => turn.tell(Event::Refused { code: Code::NOT_ACCEPTABLE_HERE }),
            (Purpose::Refresh | Purpose::Back, Some(sdp)) => turn.tell(Event::Refreshed { sdp }),
            (Purpose::Refresh | Purpose::Back, None) => {}
        }
    }

    fn refused(&mut self, common: &mut Common, turn: &mut Turn<'_>, mine: Mine, code: Code, response: &Message) {
        if mine.stage == Stage::Asking && mine.tries + 1 < MOST_TRIES {
            match code {
                Code::REQUEST_PENDING => {
                    let at = turn.now + back_off(self.caller, turn.random.bits());
                    self.want(mine.again(at));
                    return;
                }
                Code::UNAUTHORIZED | Code::PROXY_AUTHENTICATION_REQUIRED => {
                    let method = if mine.invite { Method::Invite } else { Method::Update };
                    if let Some(proof) = prove(common, turn, response, method, mine.tries) {
                        self.ask(common, turn, mine.again(turn.now), Some(&proof));
                        common.proof = Some(proof);
                        return;
                    }
                }
                Code::SESSION_INTERVAL_TOO_SMALL => {
                    if let (Some(least), Some(session)) = (session::min_se(response.head()), self.session.as_mut())
                        && least > self.min_se
                    {
                        self.min_se = least;
                        session.at_least(least);
                        self.ask(common, turn, mine.again(turn.now), None);
                        return;
                    }
                }
                _ => {}
            }
        }
        self.not_taken(turn, &mine, code);
    }

    /// Nothing has changed: whoever wanted it is told.
    fn not_taken(&mut self, turn: &mut Turn<'_>, mine: &Mine, code: Code) {
        if matches!(mine.purpose, Purpose::Offer(_)) && mine.stage == Stage::Asking {
            turn.tell(Event::Refused { code });
        }
        self.not_refreshed(turn.now);
    }

    /// What would have refreshed the session, be it an offer that took the place of a refresh, came to nothing.
    fn not_refreshed(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.failed(now);
        }
    }

    pub(super) fn failed(&mut self, common: &mut Common, turn: &mut Turn<'_>, number: u32, failure: Failure) -> Next {
        let Some(mine) = self.mine.take_if(|mine| mine.sent.number == number) else { return Next::Stay };
        match failure {
            Failure::TimedOut => return self.lost(common, turn),
            Failure::Unsent => self.not_taken(turn, &mine, Code::SERVICE_UNAVAILABLE),
        }
        self.pump(common, turn);
        Next::Stay
    }

    /// RFC 3261 §12.2.1.2: the peer knows nothing of the call, or is not there.
    fn lost(&mut self, common: &mut Common, turn: &mut Turn<'_>) -> Next {
        self.over(common, turn, End::Lost, Reason::Plain)
    }

    /// An INVITE that is not answered is cancelled, so that the call's other side does not wait for it.
    pub(super) fn hurry(&mut self, common: &mut Common, turn: &mut Turn<'_>) {
        // One that has waited for too long for something else to end.
        let is_late = |wanted: &mut Wanted| wanted.until.is_some_and(|until| turn.now >= until);
        if self.wanted.take_if(is_late).is_some() {
            turn.tell(Event::Refused { code: Code::SERVER_TIMEOUT });
            self.not_refreshed(turn.now);
        }
        let Some(mine) = self.mine.as_mut().filter(|mine| turn.now >= mine.until) else { return };
        mine.until = turn.now + turn.timing.give_up();
        if mine.stage != Stage::Asking {
            turn.out.extend(self.mine.take().and_then(|mine| mine.invite(turn.id)).map(|ask| Output::Abandon { ask }));
            self.not_refreshed(turn.now);
            self.pump(common, turn);
            return;
        }
        if mine.heard && mine.invite {
            mine.cancel(common, turn);
        } else {
            mine.stage = Stage::GivenUp;
        }
        match mine.purpose {
            // Not 408, which would end the other side's call too (RFC 3261 §12.2.1.2).
            Purpose::Offer(_) => turn.tell(Event::Refused { code: Code::SERVER_TIMEOUT }),
            Purpose::Refresh | Purpose::Back => {}
        }
    }
}

impl Mine {
    fn cancel(&mut self, common: &mut Common, turn: &mut Turn<'_>) {
        self.stage = Stage::Cancelled;
        self.until = turn.now + turn.timing.give_up();
        turn.out.extend(self.sent.cancel(turn.id, common.next_number(), Reason::Plain));
    }
}

/// RFC 3261 §14.1: whoever made the Call-ID waits longer, so that the two do not meet again.
fn back_off(caller: bool, random: u64) -> Duration {
    let tens = if caller { 210 + random % 191 } else { random % 201 };
    Duration::from_millis(tens * 10)
}
