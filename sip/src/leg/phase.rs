//! What a leg is at, and where inputs go.

use std::time::Instant;

use bytes::Bytes;

use super::{
    End, Failure, Incoming, Reason, called::Called, calling::Calling, common::Common, ending::Ending, turn::Turn,
    up::Up,
};
use crate::{
    message::{Code, Message},
    transaction::TransactionId,
};

pub(super) struct Leg {
    pub(super) common: Common,
    pub(super) phase: Phase,
}

pub(super) enum Phase {
    Calling(Box<Calling>),
    Called(Box<Called>),
    Up(Box<Up>),
    Ending(Box<Ending>),
}

/// What comes of an input.
pub(super) enum Next {
    Stay,
    To(Phase),
    /// Nothing is left to do.
    Gone,
}

/// What a leg's user wants.
pub(super) enum Wish {
    Progress(Code, Option<Bytes>),
    Answer(Bytes),
    Refuse(Code),
    Offer(Bytes),
    Refresh,
    End(Reason),
}

impl Leg {
    pub(super) fn response(&mut self, turn: &mut Turn<'_>, number: u32, response: &Message) -> Next {
        let common = &mut self.common;
        match &mut self.phase {
            Phase::Calling(calling) => calling.response(common, turn, number, response),
            Phase::Called(_) => Next::Stay,
            Phase::Up(up) => up.response(common, turn, number, response),
            Phase::Ending(ending) => ending.response(common, turn, number, response),
        }
    }

    pub(super) fn failed(&mut self, turn: &mut Turn<'_>, number: u32, failure: Failure) -> Next {
        match &mut self.phase {
            Phase::Calling(calling) => calling.failed(turn, number, failure),
            Phase::Called(_) => Next::Stay,
            Phase::Up(up) => up.failed(&mut self.common, turn, number, failure),
            Phase::Ending(ending) => ending.failed(number),
        }
    }

    pub(super) fn request(&mut self, turn: &mut Turn<'_>, incoming: &Incoming<'_>) -> Next {
        let common = &mut self.common;
        match &mut self.phase {
            Phase::Calling(calling) => {
                calling.request(turn, incoming);
                Next::Stay
            }
            Phase::Called(called) => called.request(common, turn, incoming),
            Phase::Up(up) => up.request(common, turn, incoming),
            Phase::Ending(ending) => ending.request(common, turn, incoming),
        }
    }

    pub(super) fn ack(&mut self, turn: &mut Turn<'_>, ack: &Message) -> Next {
        if self.common.dialog.heard(ack).is_err() {
            return Next::Stay;
        }
        match &mut self.phase {
            Phase::Calling(_) | Phase::Called(_) => Next::Stay,
            Phase::Up(up) => {
                up.ack(&mut self.common, turn, ack);
                Next::Stay
            }
            Phase::Ending(ending) => ending.ack(&mut self.common, turn, ack),
        }
    }

    pub(super) fn cancelled(&mut self, turn: &mut Turn<'_>, invite: TransactionId) -> Next {
        match &mut self.phase {
            Phase::Called(called) => called.cancelled(turn, invite),
            Phase::Up(up) => {
                up.cancelled(&mut self.common, turn, invite);
                Next::Stay
            }
            Phase::Calling(_) | Phase::Ending(_) => Next::Stay,
        }
    }

    pub(super) fn wish(&mut self, turn: &mut Turn<'_>, wish: Wish) -> Next {
        let common = &mut self.common;
        match (&mut self.phase, wish) {
            (Phase::Calling(calling), Wish::End(reason)) => calling.end(common, turn, reason),
            (Phase::Called(called), Wish::Progress(code, sdp)) => called.progress(turn, code, sdp.as_ref()),
            (Phase::Called(called), Wish::Answer(sdp)) => return called.answer(turn, sdp),
            (Phase::Called(called), Wish::Refuse(code)) => return called.refuse(turn, code, End::ByUs),
            (Phase::Called(called), Wish::End(_)) => {
                return called.refuse(turn, Code::TEMPORARILY_UNAVAILABLE, End::ByUs);
            }
            (Phase::Up(up), Wish::Answer(sdp)) => up.answer(common, turn, sdp),
            (Phase::Up(up), Wish::Refuse(code)) => up.refuse(common, turn, code),
            (Phase::Up(up), Wish::Offer(sdp)) => up.offer(common, turn, sdp),
            (Phase::Up(up), Wish::Refresh) => up.refresh(common, turn),
            (Phase::Up(up), Wish::End(reason)) => return up.over(common, turn, End::ByUs, reason),
            _ => {}
        }
        Next::Stay
    }

    pub(super) fn timeout(&mut self, turn: &mut Turn<'_>) -> Next {
        let common = &mut self.common;
        match &mut self.phase {
            Phase::Calling(calling) => calling.timeout(common, turn),
            Phase::Called(called) => called.timeout(turn),
            Phase::Up(up) => up.timeout(common, turn),
            Phase::Ending(ending) => ending.timeout(common, turn),
        }
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Calling(calling) => Some(calling.wake()),
            Phase::Called(called) => Some(called.wake()),
            Phase::Up(up) => up.wake(),
            Phase::Ending(ending) => Some(ending.wake()),
        }
    }

    /// The INVITE that is unanswered, by which its CANCEL finds it: that has no tag of ours.
    pub(super) fn awaiting(&self) -> Option<TransactionId> {
        match &self.phase {
            Phase::Called(called) => Some(called.asked.to),
            Phase::Calling(_) | Phase::Up(_) | Phase::Ending(_) => None,
        }
    }
}
