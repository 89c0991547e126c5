//! How long tasks are worked on, and where they were taken.

use serde::{Deserialize, Serialize};

use super::{Agent, Effect, offer::Answering};
use crate::domain::{Handled, Place, ReservationSid, ReservationStatus, Timestamp};

/// A task that is worked on, by Twilio's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worked {
    since: Timestamp,
    place: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wrapping: Option<Timestamp>,
}

impl Agent {
    /// A reservation has this status since then. It is called before the offer and the call hear of it.
    pub(super) fn work_moved(&mut self, sid: &ReservationSid, to: ReservationStatus, at: Timestamp) -> Option<Effect> {
        let rings_here = self.calls.iter().any(|call| call.is_of(sid) && call.may_be_accepted());
        let reservation = self.reservations.get_mut(sid)?;
        let here = rings_here || matches!(reservation.answering, Some(Answering::Connecting { .. }));
        let place = if here { Place::Mobile } else { Place::Desktop };
        match to {
            ReservationStatus::Accepted => {
                reservation.worked.get_or_insert(Worked { since: at, place, wrapping: None });
                None
            }
            ReservationStatus::Wrapping => {
                if let Some(worked) = &mut reservation.worked {
                    worked.wrapping.get_or_insert(at);
                }
                None
            }
            ReservationStatus::Completed => {
                let Worked { since, place, wrapping } = reservation.worked.take()?;
                let completed = at.max(since);
                let wrapped = wrapping.unwrap_or(completed).clamp(since, completed);
                let channel = reservation.about.channel.clone();
                Some(Effect::Handled(Handled { channel, place, accepted: since, wrapped, completed }))
            }
            ReservationStatus::Pending
            | ReservationStatus::Rejected
            | ReservationStatus::Timeout
            | ReservationStatus::Canceled
            | ReservationStatus::Rescinded => None,
        }
    }
}
