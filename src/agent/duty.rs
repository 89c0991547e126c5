//! Duties: REST calls that an agent owes Twilio, kept in its record until they are done or pointless.
//!
//! Twilio's APIs know no idempotency key. A request that was certainly not carried out is sent again; after one that may
//! have been, the state is read first, and only what is still missing is repeated.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request::{Answer, Failure, Refusal, Request};
use crate::domain::Timestamp;

/// Names a duty within its agent. An answer that comes for an older attempt is told by the attempt's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DutyId(pub u64);

/// Which try of which duty an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub duty: DutyId,
    pub attempt: u32,
}

/// Something owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    pub id: DutyId,
    pub request: Request,
    /// After this it is pointless.
    pub until: Timestamp,
    attempt: u32,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Progress {
    /// Waits for its turn.
    Waiting { at: Timestamp, next: Next },
    /// On its way to Twilio.
    Sent { what: Next },
}

/// What goes out next for a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Next {
    Act,
    Read,
}

/// What an answer means for its duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// More is to come; the duty knows when.
    Open,
    /// Done, or found done.
    Done(Answer),
    Refused(Refusal),
    /// Its time is over.
    Lapsed,
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

impl Duty {
    pub fn new(id: DutyId, request: Request, now: Timestamp, until: Timestamp) -> Self {
        Self { id, request, until, attempt: 0, progress: Progress::Waiting { at: now, next: Next::Act } }
    }

    /// When it wants to be looked at; none while an answer is awaited.
    pub fn due(&self) -> Option<Timestamp> {
        match self.progress {
            Progress::Waiting { at, .. } => Some(at.min(self.until)),
            Progress::Sent { .. } => None,
        }
    }

    /// Whether an answer is awaited.
    pub fn is_in_flight(&self) -> bool {
        matches!(self.progress, Progress::Sent { .. })
    }

    pub fn is_lapsed(&self, now: Timestamp) -> bool {
        now >= self.until && matches!(self.progress, Progress::Waiting { .. })
    }

    /// The request that is due now, if one is; it counts as sent from here on.
    pub fn send(&mut self, now: Timestamp) -> Option<(Ticket, Request)> {
        let Progress::Waiting { at, next } = self.progress else { return None };
        if now < at {
            return None;
        }
        self.attempt += 1;
        self.progress = Progress::Sent { what: next };
        let request = match next {
            Next::Act => self.request.clone(),
            Next::Read => self.request.reading().unwrap_or_else(|| self.request.clone()),
        };
        Some((Ticket { duty: self.id, attempt: self.attempt }, request))
    }

    /// After a restart nobody knows what became of what was on its way.
    pub fn restore(&mut self, now: Timestamp) {
        if let Progress::Sent { .. } = self.progress {
            self.progress = Progress::Waiting { at: now, next: Next::Read };
        }
    }

    /// Takes Twilio's answer; one for an older attempt changes nothing.
    pub fn answered(&mut self, ticket: Ticket, result: Result<Answer, Failure>, now: Timestamp) -> Verdict {
        let Progress::Sent { what } = self.progress else { return Verdict::Open };
        if ticket.attempt != self.attempt {
            return Verdict::Open;
        }
        match (result, what) {
            (Ok(answer), Next::Act) => Verdict::Done(answer),
            (Ok(found), Next::Read) => match self.request.judge(&found) {
                Finding::Reached => Verdict::Done(found),
                Finding::Pointless(refusal) => Verdict::Refused(refusal),
                Finding::Missing => self.again(now, Next::Act, None),
            },
            (Err(Failure::Refused(Refusal::Conflict)), Next::Act) => self.again(now, Next::Read, None),
            // An activity is insisted on: what Twilio refuses now (a pending reservation, say) it takes later.
            (Err(Failure::Refused(Refusal::Other | Refusal::NotPending)), _) if self.request.is_insistent() => {
                self.again(now, Next::Read, Some(LONGEST_PAUSE))
            }
            (Err(Failure::Refused(refusal)), _) => Verdict::Refused(refusal),
            (Err(Failure::NotDone { retry_after }), what) => self.again(now, what, retry_after),
            (Err(Failure::Unknown), _) => self.again(now, Next::Read, None),
        }
    }

    fn again(&mut self, now: Timestamp, next: Next, retry_after: Option<Duration>) -> Verdict {
        let at = now + retry_after.unwrap_or_default().max(self.pause());
        if at >= self.until {
            return Verdict::Lapsed;
        }
        self.progress = Progress::Waiting { at, next };
        Verdict::Open
    }

    /// Doubles with each attempt, spread by a quarter so that a thousand agents do not come back in one instant. The
    /// spread follows from the duty's own number: the core is pure.
    fn pause(&self) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.attempt.saturating_sub(1).min(5)).min(LONGEST_PAUSE);
        let spread = (self.id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(self.attempt)) % 256;
        doubled + doubled.mul_f64(spread as f64 / 1024.0)
    }
}

/// What reading the state says about a duty whose fate was unknown.
enum Finding {
    Reached,
    Missing,
    Pointless(Refusal),
}

impl Request {
    /// The request that tells whether this one was carried out.
    fn reading(&self) -> Option<Self> {
        match self {
            Self::Instruct(instruct) => Some(Self::ReadInstruction(instruct.offered.clone())),
            Self::Reject(offered) | Self::Close { offered, .. } => Some(Self::ReadReservation(offered.clone())),
            Self::SetActivity { worker, .. } => Some(Self::ReadWorker(worker.clone())),
            Self::CancelLeg(leg) => Some(Self::ReadLeg(leg.clone())),
            Self::ReadReservation(_) | Self::ReadInstruction(_) | Self::ReadWorker(_) | Self::ReadLeg(_) => None,
        }
    }

    fn is_insistent(&self) -> bool {
        matches!(self, Self::SetActivity { .. })
    }

    fn judge(&self, found: &Answer) -> Finding {
        use crate::domain::ReservationStatus::Pending;
        match (self, found) {
            (Self::Instruct(_), Answer::Instruction { status: Pending, conference: false }) => Finding::Missing,
            (Self::Instruct(_), Answer::Instruction { status, .. }) if status.is_final() => {
                Finding::Pointless(Refusal::NotPending)
            }
            (Self::Reject(_), Answer::Reservation { status: Pending }) => Finding::Missing,
            (Self::Close { how, .. }, Answer::Reservation { status }) if !how.is_reached_by(*status) => {
                Finding::Missing
            }
            (Self::SetActivity { activity, .. }, Answer::Worker { activity: now, .. }) if activity != now => {
                Finding::Missing
            }
            (Self::CancelLeg(_), Answer::Leg { status }) if !status.is_final() => Finding::Missing,
            _ => Finding::Reached,
        }
    }
}
