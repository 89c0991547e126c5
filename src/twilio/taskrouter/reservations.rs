//! Reservations: the offer of one task to one worker (<https://www.twilio.com/docs/taskrouter/api/reservations>).

use serde::Deserialize;

use super::{PAGE_SIZE, instruction::ConferenceInstruction};
use crate::{
    domain::{ReservationSid, ReservationStatus, TaskSid, Timestamp, WorkerSid},
    twilio::{
        client::{Call, Twilio, TwilioError},
        wire::optional_moment,
    },
};

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Reservation {
    pub sid: ReservationSid,
    pub task_sid: TaskSid,
    pub worker_sid: WorkerSid,
    #[serde(rename = "reservation_status")]
    pub status: ReservationStatus,
    /// When it changed last, in whole seconds.
    #[serde(default, deserialize_with = "optional_moment")]
    pub date_updated: Option<Timestamp>,
}

impl Twilio {
    /// <https://www.twilio.com/docs/taskrouter/api/reservations#fetch-a-reservation-resource>
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn reservation(&self, task: &TaskSid, sid: &ReservationSid) -> Result<Reservation, TwilioError> {
        let path = ["Tasks", task.as_str(), "Reservations", sid.as_str()];
        self.send(self.get_in_workspace("fetch_task_reservation", &path).await?).await
    }

    /// A worker's reservations, of one status or of any
    /// (<https://www.twilio.com/docs/taskrouter/api/worker/reservation#list-all-reservations-for-a-worker>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn reservations(
        &self,
        worker: &WorkerSid,
        status: Option<ReservationStatus>,
    ) -> Result<Vec<Reservation>, TwilioError> {
        let call = self
            .get_in_workspace("list_worker_reservation", &["Workers", worker.as_str(), "Reservations"])
            .await?
            .with_some("ReservationStatus", status.map(wire))
            .with("PageSize", PAGE_SIZE);
        self.all(call, "reservations").await
    }

    /// Accepts without an instruction: no call is made.
    ///
    /// # Errors
    /// [`TwilioError`]; so for all that follow. A refusal leaves the reservation as it was.
    pub async fn accept(&self, task: &TaskSid, sid: &ReservationSid) -> Result<Reservation, TwilioError> {
        self.set_status(task, sid, ReservationStatus::Accepted).await
    }

    /// Gives the task back: the next worker gets it.
    ///
    /// # Errors
    /// As [`Twilio::accept`].
    pub async fn reject(&self, task: &TaskSid, sid: &ReservationSid) -> Result<Reservation, TwilioError> {
        self.set_status(task, sid, ReservationStatus::Rejected).await
    }

    /// The talk is over, the work after it goes on.
    ///
    /// # Errors
    /// As [`Twilio::accept`].
    pub async fn wrap_up(&self, task: &TaskSid, sid: &ReservationSid) -> Result<Reservation, TwilioError> {
        self.set_status(task, sid, ReservationStatus::Wrapping).await
    }

    /// All is done.
    ///
    /// # Errors
    /// As [`Twilio::accept`].
    pub async fn complete(&self, task: &TaskSid, sid: &ReservationSid) -> Result<Reservation, TwilioError> {
        self.set_status(task, sid, ReservationStatus::Completed).await
    }

    /// Has Twilio call the worker and put the two into one conference
    /// (<https://www.twilio.com/docs/taskrouter/api/reservations#conference>). The reservation must be pending; from then
    /// on Twilio holds it, and cancels it if the call fails.
    ///
    /// # Errors
    /// As [`Twilio::accept`]; [`NotPending`](crate::twilio::Refusal::NotPending),
    /// [`CallerGone`](crate::twilio::Refusal::CallerGone), [`BadCallerId`](crate::twilio::Refusal::BadCallerId) and
    /// [`Unroutable`](crate::twilio::Refusal::Unroutable) are its own refusals.
    pub async fn instruct_conference(
        &self,
        task: &TaskSid,
        sid: &ReservationSid,
        instruction: &ConferenceInstruction,
    ) -> Result<Reservation, TwilioError> {
        let call = self.update(task, sid).await?;
        self.send(instruction.add_to(call)).await
    }

    async fn set_status(
        &self,
        task: &TaskSid,
        sid: &ReservationSid,
        status: ReservationStatus,
    ) -> Result<Reservation, TwilioError> {
        let call = self.update(task, sid).await?.with("ReservationStatus", wire(status));
        self.send(call).await
    }

    async fn update(&self, task: &TaskSid, sid: &ReservationSid) -> Result<Call, TwilioError> {
        let path = ["Tasks", task.as_str(), "Reservations", sid.as_str()];
        self.post_in_workspace("update_task_reservation", &path).await
    }
}

const fn wire(status: ReservationStatus) -> &'static str {
    match status {
        ReservationStatus::Pending => "pending",
        ReservationStatus::Accepted => "accepted",
        ReservationStatus::Rejected => "rejected",
        ReservationStatus::Timeout => "timeout",
        ReservationStatus::Canceled => "canceled",
        ReservationStatus::Rescinded => "rescinded",
        ReservationStatus::Wrapping => "wrapping",
        ReservationStatus::Completed => "completed",
    }
}
