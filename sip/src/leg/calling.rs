//! A call of ours that is not answered yet (RFC 3261 §13.2).

use std::time::Instant;

use super::{
    Ask, End, Event, Failure, Incoming, Invite, Output, Reason, SDP,
    common::{Common, Proof, sdp_of},
    ending::Ending,
    phase::{Next, Phase},
    sent::Sent,
    session::{self, Interval, LEAST, OURS, Session},
    theirs,
    turn::{Asked, Turn},
    up::Up,
};
use crate::{
    dialog::Dialog,
    message::{Code, Message, Method, Name},
};

pub(super) struct Calling {
    invite: Invite,
    sent: Sent,
    /// A response has come: it may be cancelled (§9.1).
    heard: bool,
    /// The early dialogs: who is ringing.
    forks: Vec<Dialog>,
    /// How often the INVITE was sent anew: with credentials, or for a longer session.
    tries: u8,
    min_se: u32,
    over: Option<Over>,
    /// Until when an answer is awaited; when it is over, until when anything is.
    until: Instant,
}

/// Its user has heard that it is over.
struct Over {
    reason: Reason,
    cancelled: bool,
}

/// Credentials twice (the second time for a nonce that was stale), and two longer sessions.
const MOST_TRIES: u8 = 4;
/// More phones ring behind no binding; early dialogs of more are not remembered.
const MOST_FORKS: usize = 8;

impl Calling {
    pub(super) fn new(common: &mut Common, turn: &mut Turn<'_>, invite: Invite) -> Option<Self> {
        let sent = send(common, turn, &invite, LEAST)?;
        let until = invite.until;
        Some(Self { invite, sent, heard: false, forks: Vec::new(), tries: 0, min_se: LEAST, over: None, until })
    }

    pub(super) fn response(
        &mut self,
        common: &mut Common,
        turn: &mut Turn<'_>,
        number: u32,
        response: &Message,
    ) -> Next {
        // What else was asked is a CANCEL, or an INVITE that was sent anew since.
        let Some(code) = response.code().filter(|_| number == self.sent.number) else { return Next::Stay };
        if code.is_provisional() {
            self.progress(common, turn, code, response);
            return Next::Stay;
        }
        if code.is_success() {
            return self.won(common, turn, response);
        }
        if self.over.is_none() && self.again(common, turn, code, response) {
            return Next::Stay;
        }
        self.gone(turn, End::Declined(code))
    }

    pub(super) fn failed(&self, turn: &mut Turn<'_>, number: u32, _: Failure) -> Next {
        if number == self.sent.number { self.gone(turn, End::Unreachable) } else { Next::Stay }
    }

    fn gone(&self, turn: &mut Turn<'_>, end: End) -> Next {
        if self.over.is_none() {
            turn.tell(Event::Ended(end));
        }
        Next::Gone
    }

    fn progress(&mut self, common: &mut Common, turn: &mut Turn<'_>, code: Code, response: &Message) {
        self.heard = true;
        if self.over.is_some() {
            self.cancel(common, turn);
            return;
        }
        if code == Code::TRYING {
            return;
        }
        let is_new = response.to().tag().is_some() && !self.forks.iter().any(|fork| fork.is_from_peer(response));
        if is_new && self.forks.len() < MOST_FORKS {
            self.forks.push(common.dialog.fork(response));
        }
        turn.tell(Event::Progress { code, sdp: sdp_of(response) });
    }

    fn won(&self, common: &mut Common, turn: &mut Turn<'_>, response: &Message) -> Next {
        common.dialog = common.dialog.fork(response);
        common.acknowledge(turn, &common.dialog, response.cseq().number);
        let (end, reason) = match (&self.over, sdp_of(response)) {
            (Some(over), _) => (None, over.reason),
            (None, None) => (Some(End::NoSession), Reason::Plain),
            (None, Some(sdp)) => {
                turn.tell(Event::Answered { sdp });
                let session = Interval::of(response.head()).map(|interval| Session::asked(interval, turn.now));
                let up = Up::calling(self.invite.sdp.clone(), session, response);
                return Next::To(Phase::Up(Box::new(up)));
            }
        };
        if let Some(end) = end {
            turn.tell(Event::Ended(end));
        }
        Ending::begin(common, turn, reason, None, None)
    }

    /// Sends the INVITE anew if that may help (RFC 3261 §22.2, RFC 4028 §7.4). False: it does not.
    fn again(&mut self, common: &mut Common, turn: &mut Turn<'_>, code: Code, response: &Message) -> bool {
        if self.tries >= MOST_TRIES {
            return false;
        }
        match code {
            Code::UNAUTHORIZED | Code::PROXY_AUTHENTICATION_REQUIRED => {
                match prove(common, turn, response, Method::Invite, self.tries) {
                    Some(proof) => common.proof = Some(proof),
                    None => return false,
                }
            }
            Code::SESSION_INTERVAL_TOO_SMALL => match session::min_se(response.head()) {
                Some(least) if least > self.min_se => self.min_se = least,
                _ => return false,
            },
            _ => return false,
        }
        self.tries += 1;
        self.heard = false;
        self.forks.clear();
        match send(common, turn, &self.invite, self.min_se) {
            Some(sent) => self.sent = sent,
            None => return false,
        }
        true
    }

    fn cancel(&mut self, common: &mut Common, turn: &mut Turn<'_>) {
        let Some(over) = self.over.as_mut().filter(|over| self.heard && !over.cancelled) else { return };
        over.cancelled = true;
        self.until = turn.now + turn.timing.give_up();
        turn.out.extend(self.sent.cancel(turn.id, common.next_number(), over.reason));
    }

    /// Its user wants no more of it, or its time is up. The INVITE is cancelled as soon as that is allowed.
    fn give_up(&mut self, common: &mut Common, turn: &mut Turn<'_>, end: End, reason: Reason) {
        turn.tell(Event::Ended(end));
        self.over = Some(Over { reason, cancelled: false });
        self.until = turn.now + turn.timing.give_up();
        self.cancel(common, turn);
    }

    pub(super) fn end(&mut self, common: &mut Common, turn: &mut Turn<'_>, reason: Reason) {
        if self.over.is_none() {
            self.give_up(common, turn, End::ByUs, reason);
        }
    }

    pub(super) fn request(&mut self, turn: &mut Turn<'_>, incoming: &Incoming<'_>) {
        let asked = Asked::of(incoming);
        let fork = self.forks.iter_mut().map(|fork| fork.heard(incoming.message));
        match fork.reduce(|one, other| if one == Err(crate::dialog::Stray::Unknown) { other } else { one }) {
            Some(Ok(())) => theirs::early(turn, &asked, incoming.message),
            Some(Err(stray)) => turn.plain(&asked, stray.code()),
            None => turn.plain(&asked, Code::NO_SUCH_CALL),
        }
    }

    pub(super) fn timeout(&mut self, common: &mut Common, turn: &mut Turn<'_>) -> Next {
        if turn.now < self.until {
            return Next::Stay;
        }
        if self.over.is_some() {
            let ask: Ask = self.sent.ask(turn.id);
            turn.out.push_back(Output::Abandon { ask });
            return Next::Gone;
        }
        let end = if self.heard { End::NoAnswer } else { End::Unreachable };
        self.give_up(common, turn, end, Reason::Plain);
        Next::Stay
    }

    pub(super) const fn wake(&self) -> Instant {
        self.until
    }
}

fn send(common: &mut Common, turn: &mut Turn<'_>, invite: &Invite, min_se: u32) -> Option<Sent> {
    let proof = common.proof.clone();
    common.ask_session(turn, Method::Invite, proof.as_ref(), |request| {
        let interval = Interval { seconds: OURS.max(min_se), refresher: None };
        let request = request.header(Name::SessionExpires, interval).header(Name::MinSe, min_se);
        let request = invite.headers.iter().fold(request, |request, (label, value)| {
            request.line(crate::message::Header { name: Name::of(label), label, value })
        });
        request.finish_with(SDP, &invite.sdp)
    })
}

/// The credentials that a challenge asks for. None: we have none, or they were refused before.
pub(super) fn prove(
    common: &Common,
    turn: &mut Turn<'_>,
    response: &Message,
    method: Method<'_>,
    tries: u8,
) -> Option<Proof> {
    let login = common.login.as_ref()?;
    let is_stale = || {
        let challenges = [Name::WwwAuthenticate, Name::ProxyAuthenticate];
        let mut lines = challenges.into_iter().flat_map(|name| response.head().all(name));
        lines.any(|line| line.to_ascii_lowercase().contains("stale=true"))
    };
    if tries > 0 && !is_stale() {
        return None;
    }
    login.answer(response, method, common.dialog.request_uri(), turn.random.bits())
}
