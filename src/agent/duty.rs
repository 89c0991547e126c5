//! Duties: REST calls that an agent owes Twilio, kept in its record until they are done or pointless.
//!
//! Twilio's APIs know no idempotency key. A request that was certainly not carried out is sent again; after one that may
//! have been, the state is read first, and only what is still missing is repeated.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request::{Answer, Failure, Refusal, Request};
use crate::call::Tries;
use crate::domain::{LegStatus, ReservationStatus, Timestamp};

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
    /// What became of one of its attempts was never known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    one_unknown: bool,
    /// It is not to be carried out any more; only whether it was is of interest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    withdrawn: bool,
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
    /// It was found not to be done, and goes out again. This is what was found.
    Missing(Answer),
    /// Done, or found done.
    Done(Answer),
    Refused(Refusal),
    /// Its time is over.
    Lapsed,
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);

impl Duty {
    pub fn new(id: DutyId, request: Request, now: Timestamp, until: Timestamp) -> Self {
        let progress = Progress::Waiting { at: now, next: Next::Act };
        Self { id, request, until, attempt: 0, one_unknown: false, withdrawn: false, progress }
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
        let is_needless = self.withdrawn && matches!(self.progress, Progress::Waiting { next: Next::Act, .. });
        is_needless || now >= self.until && !self.is_in_flight()
    }

    /// What it was for is gone.
    pub const fn withdraw(&mut self) {
        self.withdrawn = true;
    }

    /// Whether all that came back so far are refusals, or an earlier attempt may have been carried out.
    pub fn tries(&self) -> Tries {
        if self.one_unknown { Tries::OneUnknown } else { Tries::AllRefused }
    }

    /// The request that is due now, if one is; it counts as sent from here on.
    pub fn send(&mut self, now: Timestamp) -> Option<(Ticket, Request)> {
        let Progress::Waiting { at, next } = self.progress else { return None };
        if now < at {
            return None;
        }
        self.attempt = self.attempt.saturating_add(1);
        self.progress = Progress::Sent { what: next };
        let request = match next {
            Next::Act => self.request.clone(),
            Next::Read => self.request.reading().unwrap_or_else(|| self.request.clone()),
        };
        Some((Ticket { duty: self.id, attempt: self.attempt }, request))
    }

    /// After a restart nobody knows what became of what was on its way.
    pub fn restore(&mut self, now: Timestamp) {
        if let Progress::Sent { what } = self.progress {
            self.one_unknown |= what == Next::Act;
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
            (Ok(found), Next::Read) if self.request.is_reached(&found) => Verdict::Done(found),
            (Ok(_), Next::Read) if self.withdrawn => {
                self.one_unknown = false;
                Verdict::Lapsed
            }
            // Twilio is there, and has it not: no reason to wait.
            (Ok(_), Next::Read) if now >= self.until => Verdict::Lapsed,
            (Ok(found), Next::Read) => {
                self.progress = Progress::Waiting { at: now, next: Next::Act };
                Verdict::Missing(found)
            }
            (Err(Failure::NotDone { retry_after }), what) => self.again(now, what, retry_after),
            (Err(Failure::Unknown), what) => {
                self.one_unknown |= what == Next::Act;
                self.again(now, Next::Read, None)
            }
            (Err(Failure::Refused(refusal)), _) if self.request.is_insisted_on(refusal) => {
                self.again(now, Next::Read, None)
            }
            (Err(Failure::Refused(Refusal::Conflict)), Next::Act) => self.again(now, Next::Read, None),
            (Err(Failure::Refused(refusal)), _) => Verdict::Refused(refusal),
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
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.attempt.saturating_sub(1).min(7));
        let pause = doubled.min(self.request.longest_pause());
        let spread = (self.id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(self.attempt)) % 256;
        pause + pause.mul_f64(spread as f64 / 1024.0)
    }
}

impl Request {
    /// The request that tells whether this one was carried out; none for those that only read.
    fn reading(&self) -> Option<Self> {
        match self {
            Self::Instruct(instruct) => Some(Self::ReadInstruction(instruct.offered.clone())),
            Self::Dial(dial) => Some(Self::FindDialled(dial.clone())),
            Self::Accept(offered) | Self::Reject(offered) | Self::Close { offered, .. } => {
                Some(Self::ReadReservation(offered.clone()))
            }
            Self::SetRead { identity, .. } => Some(Self::ReadCounts(identity.clone())),
            Self::SetActivity { worker, .. } => Some(Self::ReadWorker(worker.clone())),
            Self::CancelLeg(leg) | Self::EndLeg(leg) => Some(Self::ReadLeg(leg.clone())),
            Self::EndConference(offered) => Some(Self::ReadInstruction(offered.clone())),
            Self::ReadReservation(_)
            | Self::ReadInstruction(_)
            | Self::FindDialled(_)
            | Self::ReadWorker(_)
            | Self::ReadLeg(_)
            | Self::ReadCounts(_)
            | Self::ReadMessages(_)
            | Self::ReadReservations(_) => None,
        }
    }

    /// Whether a refusal is taken as "not now": what Twilio refuses in this moment (an activity while a reservation is
    /// pending, the end of a task that it has not yet seen begin) it takes a little later, or it is found done.
    fn is_insisted_on(&self, refusal: Refusal) -> bool {
        let insistent = matches!(self, Self::Reject(_) | Self::Close { .. } | Self::SetActivity { .. });
        insistent && refusal != Refusal::NotFound
    }

    /// The customer waits for the first, the agent for the second; the end of a task has a day.
    const fn longest_pause(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Instruct(_)
            | Self::Dial(_)
            | Self::FindDialled(_)
            | Self::Accept(_)
            | Self::Reject(_)
            | Self::CancelLeg(_)
            | Self::EndLeg(_)
            | Self::EndConference(_) => 4,
            Self::SetActivity { .. }
            | Self::ReadReservation(_)
            | Self::ReadInstruction(_)
            | Self::ReadWorker(_)
            | Self::ReadLeg(_)
            | Self::ReadCounts(_)
            | Self::ReadMessages(_)
            | Self::ReadReservations(_) => 15,
            Self::Close { .. } | Self::SetRead { .. } => 20,
        })
    }

    /// Whether nothing is left to do, seeing what a reading found.
    fn is_reached(&self, found: &Answer) -> bool {
        match (self, found) {
            (Self::Instruct(_), Answer::Instruction { status, conference }) => {
                *conference || *status != ReservationStatus::Pending
            }
            (Self::Dial(_), Answer::Dialled(sid)) => sid.is_some(),
            (Self::EndLeg(_), Answer::Leg { status }) => status.is_final(),
            (Self::EndConference(_), Answer::Instruction { conference, .. }) => !conference,
            (Self::Accept(_) | Self::Reject(_), Answer::Reservation { status, .. }) => {
                *status != ReservationStatus::Pending
            }
            (Self::SetRead { conversation, index, .. }, Answer::Counts(counts)) => {
                let of_it = counts.iter().find(|(sid, _)| sid == conversation);
                of_it.is_none_or(|(_, count)| count.read.is_some_and(|read| read >= *index))
            }
            (Self::Close { how, .. }, Answer::Reservation { status, .. }) => how.is_reached_by(*status),
            (Self::SetActivity { activity, .. }, Answer::Worker { activity: now, .. }) => activity == now,
            // A leg that was answered in the meantime is not stopped any more.
            (Self::CancelLeg(_), Answer::Leg { status }) => {
                !matches!(status, LegStatus::Initiated | LegStatus::Ringing)
            }
            _ => true,
        }
    }
}
