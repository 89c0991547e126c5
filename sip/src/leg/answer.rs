//! Our 2xx to an INVITE: repeated until its ACK comes (RFC 3261 §13.3.1.4), over TCP too, since proxies may lose it behind that.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Output, turn::Turn};
use crate::transaction::{Class, TransactionId};

pub(super) struct Unacknowledged {
    to: TransactionId,
    bytes: Bytes,
    /// The INVITE's CSeq, which the ACK has too.
    cseq: u32,
    /// It made an offer; the ACK brings the answer.
    pub(super) offers: bool,
    at: Instant,
    interval: Duration,
    until: Instant,
}

impl Unacknowledged {
    pub(super) fn new(turn: &Turn<'_>, to: TransactionId, bytes: Bytes, cseq: u32, offers: bool) -> Self {
        let (now, interval) = (turn.now, turn.timing.t1);
        Self { to, bytes, cseq, offers, at: now + interval, interval, until: now + turn.timing.give_up() }
    }

    pub(super) const fn is_for(&self, cseq: u32) -> bool {
        self.cseq == cseq
    }

    /// False: no ACK came in time.
    pub(super) fn timeout(&mut self, turn: &mut Turn<'_>) -> bool {
        if turn.now >= self.until {
            return false;
        }
        if turn.now >= self.at {
            turn.out.push_back(Output::Respond { to: self.to, class: Class::Success, bytes: self.bytes.clone() });
            self.interval = (self.interval * 2).min(turn.timing.t2);
            self.at = turn.now + self.interval;
        }
        true
    }

    pub(super) fn wake(&self) -> Instant {
        self.at.min(self.until)
    }
}
