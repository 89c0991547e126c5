//! A call that is answered.

use std::time::Instant;

use bytes::Bytes;

use super::{
    End, Event, Reason,
    answer::Unacknowledged,
    common::Common,
    ending::Ending,
    mine::{Mine, Purpose, Wanted},
    phase::Next,
    session::{Due, LEAST, Session},
    theirs::{Theirs, allows_update},
    turn::Turn,
};
use crate::message::{Code, Message};

pub(super) struct Up {
    /// Whether the call, and with it its Call-ID, is ours.
    pub(super) caller: bool,
    /// The peer can be refreshed by UPDATE (RFC 4028 §7.4).
    pub(super) updates: bool,
    /// The description that we gave last.
    pub(super) said: Bytes,
    pub(super) session: Option<Session>,
    pub(super) min_se: u32,
    pub(super) unacknowledged: Option<Unacknowledged>,
    pub(super) theirs: Option<Theirs>,
    pub(super) mine: Option<Mine>,
    pub(super) wanted: Option<Wanted>,
}

impl Up {
    /// Our call, answered by this 2xx.
    pub(super) fn calling(said: Bytes, session: Option<Session>, response: &Message) -> Self {
        Self::new(said, session, allows_update(response), None)
    }

    /// The peer's call, which we have answered.
    pub(super) fn called(said: Bytes, session: Option<Session>, updates: bool, answer: Unacknowledged) -> Self {
        Self::new(said, session, updates, Some(answer))
    }

    const fn new(said: Bytes, session: Option<Session>, updates: bool, answer: Option<Unacknowledged>) -> Self {
        Self {
            caller: answer.is_none(),
            updates,
            said,
            session,
            min_se: LEAST,
            unacknowledged: answer,
            theirs: None,
            mine: None,
            wanted: None,
        }
    }

    /// Offers another session; the latest counts if several wait.
    pub(super) fn offer(&mut self, common: &mut Common, turn: &mut Turn<'_>, sdp: Bytes) {
        self.wanted = Some(Wanted::offer(sdp, turn));
        self.pump(common, turn);
    }

    /// Asks the peer to go on as it is, unless it is asked for something anyhow.
    pub(super) fn refresh(&mut self, common: &mut Common, turn: &mut Turn<'_>) {
        if self.mine.is_none() {
            self.wanted.get_or_insert_with(|| Wanted::now(Purpose::Refresh, turn.now));
            self.pump(common, turn);
        }
    }

    pub(super) fn over(&mut self, common: &mut Common, turn: &mut Turn<'_>, end: End, reason: Reason) -> Next {
        self.terminate(turn);
        turn.tell(Event::Ended(end));
        Ending::begin(common, turn, reason, self.unacknowledged.take(), self.mine.take())
    }

    pub(super) fn timeout(&mut self, common: &mut Common, turn: &mut Turn<'_>) -> Next {
        if self.unacknowledged.as_mut().is_some_and(|answer| !answer.timeout(turn)) {
            // RFC 3261 §13.3.1.4: the session is over.
            self.unacknowledged = None;
            return self.over(common, turn, End::Lost, Reason::Plain);
        }
        match self.session.as_mut().map_or(Due::Nothing, |session| session.due(turn.now)) {
            Due::Expired => return self.over(common, turn, End::Expired, Reason::Plain),
            Due::Refresh => {
                self.wanted.get_or_insert_with(|| Wanted::now(Purpose::Refresh, turn.now));
            }
            Due::Nothing => {}
        }
        if self.theirs.as_ref().is_some_and(|theirs| turn.now >= theirs.wake()) {
            self.refuse(common, turn, Code::SERVER_TIMEOUT);
        }
        self.hurry(common, turn);
        self.pump(common, turn);
        Next::Stay
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        let is_free = self.mine.is_none() && self.theirs.is_none() && self.unacknowledged.is_none();
        [
            self.unacknowledged.as_ref().map(Unacknowledged::wake),
            self.session.as_ref().map(Session::wake),
            self.theirs.as_ref().map(Theirs::wake),
            self.mine.as_ref().map(Mine::wake),
            self.wanted.as_ref().map(|wanted| wanted.at).filter(|_| is_free),
            self.wanted.as_ref().and_then(|wanted| wanted.until),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
