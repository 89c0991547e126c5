//! A reservation's way from `pending` to its end, and the task's with it
//! (<https://www.twilio.com/docs/taskrouter/api/reservations>).

use super::{
    Done, World,
    sid::Sid,
    words::{ReservationStatus, TaskStatus},
};
use crate::rest::error::Refusal;

impl World {
    /// `ReservationStatus=…`, as REST sets it, with a worker's next activity (`WorkerActivitySid`).
    pub(crate) fn update_reservation(
        &mut self,
        sid: &Sid,
        to: ReservationStatus,
        activity: Option<(Sid, Sid)>,
    ) -> Done {
        match to {
            ReservationStatus::Accepted => self.accept(sid)?,
            ReservationStatus::Rejected => {
                self.must_wait(sid, ReservationStatus::Rejected)?;
                // The worker moves first: else the task could come straight back.
                if let Some((worker, activity)) = activity {
                    self.change_activity(&worker, &activity);
                }
                return self.reject(sid);
            }
            ReservationStatus::Wrapping => self.wrap_up(sid)?,
            ReservationStatus::Completed => self.complete(sid)?,
            _ => return Err(Refusal::invalid(format!("Invalid ReservationStatus: {to} can not be set"))),
        }
        if let Some((worker, activity)) = activity {
            self.change_activity(&worker, &activity);
        }
        Ok(())
    }

    /// An Interaction's reservation is answered as still `pending`: it is on hold until its agent is in the conversation.
    fn accept(&mut self, sid: &Sid) -> Done {
        self.must_wait(sid, ReservationStatus::Accepted)?;
        let task = self.reservations.get(sid).map(|row| row.task.clone()).ok_or_else(Refusal::not_found)?;
        if self.open_channel_of(&task).is_some() {
            self.start_joining(sid);
            return Ok(());
        }
        self.reservation_is_accepted(sid);
        // A plain chat may be closed by now, and is accepted all the same.
        let _closed = self.agent_comes_in(sid);
        Ok(())
    }

    pub(super) fn reservation_is_accepted(&mut self, sid: &Sid) {
        let Some(task) = self.reservations.get(sid).map(|row| row.task.clone()) else { return };
        self.set_task_status(&task, TaskStatus::Assigned, None);
        self.close_reservation(sid, ReservationStatus::Accepted);
    }

    pub(crate) fn reject(&mut self, sid: &Sid) -> Done {
        self.must_wait(sid, ReservationStatus::Rejected)?;
        self.give_back(sid, ReservationStatus::Rejected);
        Ok(())
    }

    /// The offer has come to nothing, and the task goes back to the queue.
    pub(super) fn give_back(&mut self, sid: &Sid, status: ReservationStatus) {
        let Some(task) = self.reservations.get(sid).map(|row| row.task.clone()) else { return };
        self.set_task_status(&task, TaskStatus::Pending, None);
        self.close_reservation(sid, status);
        self.requeue(&task);
    }

    pub(super) fn wrap_up(&mut self, sid: &Sid) -> Done {
        let (status, task) = self.reservation_and_task(sid)?;
        if status != ReservationStatus::Accepted {
            return Err(Refusal::invalid(format!(
                "Cannot wrap up a task {task} in workspace {} for account {} because it's not currently assigned.",
                self.fixed.workspace, self.fixed.account
            )));
        }
        self.set_task_status(&task, TaskStatus::Wrapping, None);
        self.close_reservation(sid, ReservationStatus::Wrapping);
        self.emit_task("task.wrapup", &task);
        self.conversation_follows(&task);
        Ok(())
    }

    pub(super) fn complete(&mut self, sid: &Sid) -> Done {
        let (status, task) = self.reservation_and_task(sid)?;
        if !matches!(status, ReservationStatus::Accepted | ReservationStatus::Wrapping) {
            return Err(Refusal::invalid(format!(
                "Cannot complete task {task} in workspace {} for reservation {sid} because it is not currently assigned.",
                self.fixed.workspace
            )));
        }
        self.set_task_status(&task, TaskStatus::Completed, Some("All reservations were completed"));
        self.close_reservation(sid, ReservationStatus::Completed);
        self.emit_task("task.completed", &task);
        self.conversation_follows(&task);
        self.route();
        Ok(())
    }

    /// `AssignmentStatus=…` of a task, as REST sets it.
    pub(crate) fn update_task_status(&mut self, sid: &Sid, to: TaskStatus, reason: Option<&str>) -> Done {
        let status = self.tasks.get(sid).map(|task| task.status).ok_or_else(Refusal::not_found)?;
        let accepted = self
            .reservations_of(sid)
            .rfind(|row| matches!(row.status, ReservationStatus::Accepted | ReservationStatus::Wrapping))
            .map(|row| row.sid.clone());
        let place = format!("task {sid} in workspace {} for account {}", self.fixed.workspace, self.fixed.account);
        match (to, accepted) {
            (TaskStatus::Canceled, _) => {
                if !matches!(status, TaskStatus::Pending | TaskStatus::Reserved) {
                    return Err(Refusal::invalid(format!(
                        "Cannot cancel {place} because it is not pending or reserved."
                    )));
                }
                self.cancel_task(sid, reason.unwrap_or_default());
                Ok(())
            }
            (TaskStatus::Wrapping, Some(reservation)) => self.wrap_up(&reservation),
            (TaskStatus::Completed, Some(reservation)) => self.complete(&reservation),
            (TaskStatus::Wrapping, None) => {
                Err(Refusal::invalid(format!("Cannot wrap up a {place} because it's not currently assigned.")))
            }
            (TaskStatus::Completed, None) => {
                Err(Refusal::invalid(format!("Cannot complete {place} because it is not currently assigned.")))
            }
            _ => Err(Refusal::invalid(format!("Invalid AssignmentStatus: {to} can not be set"))),
        }
    }

    pub(crate) fn update_task_facts(&mut self, sid: &Sid, attributes: Option<String>, priority: Option<u64>) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(sid) else { return };
        if let Some(attributes) = attributes {
            task.attributes = attributes;
        }
        if let Some(priority) = priority {
            task.priority = i64::try_from(priority).unwrap_or(i64::MAX);
        }
        task.version += 1;
        task.updated = now;
        self.emit_task("task.updated", sid);
    }

    pub(super) fn reservation_times_out(&mut self, sid: &Sid) {
        let Some(worker) = self.reservations.get(sid).filter(|row| row.is_waiting()).map(|row| row.worker.clone())
        else {
            return;
        };
        // The worker leaves first: else the task would come straight back.
        let timeout_activity = self.fixed.timeout_activity.clone();
        let Some(task) = self.reservations.get(sid).map(|row| row.task.clone()) else { return };
        self.set_task_status(&task, TaskStatus::Pending, None);
        self.close_reservation(sid, ReservationStatus::Timeout);
        self.change_activity(&worker, &timeout_activity);
        self.requeue(&task);
    }

    /// Moves a reservation and says so; one that is over frees its worker.
    pub(super) fn close_reservation(&mut self, sid: &Sid, status: ReservationStatus) {
        let now = self.now;
        let Some(row) = self.reservations.get_mut(sid) else { return };
        row.status = status;
        row.version += 1;
        row.updated = now;
        let worker = row.worker.clone();
        if status.is_final()
            && let Some(worker) = self.workers.get_mut(&worker)
        {
            worker.open.retain(|open| open != sid);
            worker.idle_since = now;
        }
        let event = if status == ReservationStatus::Wrapping { "wrapup" } else { status.as_str() };
        self.emit_reservation(&format!("reservation.{event}"), sid);
    }

    fn must_wait(&self, sid: &Sid, to: ReservationStatus) -> Done {
        let row = self.reservations.get(sid).ok_or_else(Refusal::not_found)?;
        if row.is_waiting() {
            return Ok(());
        }
        Err(Refusal::invalid(if row.is_on_hold() {
            format!("Unable to execute. Reservation {sid} is not currently in a Pending state.")
        } else {
            format!("Reservation {sid} is already in state [{}] and cannot be updated to [{to}]", row.status)
        }))
    }

    fn reservation_and_task(&self, sid: &Sid) -> Done<(ReservationStatus, Sid)> {
        self.reservations.get(sid).map(|row| (row.status, row.task.clone())).ok_or_else(Refusal::not_found)
    }
}
