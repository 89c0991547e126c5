//! Tasks and who is offered them: the queue, the offers, and what becomes of a task that nobody takes.

use super::{
    World,
    model::{Reservation, Task, Worker},
    sid::{Sid, named},
    timers::Timer,
    words::{CallStatus, ReservationStatus, TaskStatus},
};

/// The default of `<Enqueue>` and CreateTask: a day.
const TASK_TIMEOUT_S: u64 = 86_400;
const TOO_OFTEN: &str = "Task exceeded the maximum number of assignments";

/// What a new task is made of.
#[derive(Debug, Default)]
pub(crate) struct NewTask {
    pub(crate) channel: String,
    pub(crate) attributes: String,
    pub(crate) call: Option<Sid>,
    pub(crate) conversation: Option<Sid>,
    pub(crate) interaction: Option<Sid>,
    pub(crate) priority: i64,
    pub(crate) timeout_s: Option<u64>,
    pub(crate) routing_target: Option<String>,
    pub(crate) ignore_capacity: bool,
}

pub(crate) fn channel_sid(channel: &str) -> Sid {
    named("TC", channel)
}

impl World {
    pub(crate) fn create_task(&mut self, new: NewTask) -> Sid {
        self.forget_the_oldest_task();
        let sid = self.make_sid("WT");
        let timeout_s = new.timeout_s.unwrap_or(TASK_TIMEOUT_S);
        self.tasks.add(Task {
            sid: sid.clone(),
            status: TaskStatus::Pending,
            channel: new.channel,
            attributes: new.attributes,
            priority: new.priority,
            reason: None,
            timeout_s,
            call: new.call,
            conversation: new.conversation.clone(),
            interaction: new.interaction,
            routing_target: new.routing_target,
            ignore_capacity: new.ignore_capacity,
            offered_to: Vec::new(),
            reservations: Vec::new(),
            version: 0,
            created: self.now,
            updated: self.now,
            queued: self.now,
        });
        self.timers.set(self.now + timeout_s * 1000, Timer::Task(sid.clone()));
        if let Some(conversation) = new.conversation.and_then(|sid| self.conversations.get_mut(&sid)) {
            conversation.task = Some(sid.clone());
            conversation.orphaned = false;
        }
        for kind in ["task.created", "workflow.target-matched", "workflow.entered", "task-queue.entered"] {
            self.emit_task(kind, &sid);
        }
        self.waiting.push(sid.clone());
        self.route();
        sid
    }

    /// Offers what waits to who is free: the most urgent and oldest task first.
    pub(super) fn route(&mut self) {
        let mut waiting = self.waiting.clone();
        waiting.sort_by_key(|sid| std::cmp::Reverse(self.tasks.get(sid).map_or(0, |task| task.priority)));
        for task in waiting {
            if let Some(worker) = self.pick_worker(&task) {
                self.offer(&task, &worker);
            }
        }
    }

    /// Who has been offered this task the least, and of those who has waited longest.
    fn pick_worker(&self, task: &Sid) -> Option<Sid> {
        let task = self.tasks.get(task)?;
        self.workers
            .iter()
            .filter(|worker| self.may_be_offered(worker, task))
            .min_by_key(|worker| (task.offered_to.iter().filter(|sid| **sid == worker.sid).count(), worker.idle_since))
            .map(|worker| worker.sid.clone())
    }

    fn may_be_offered(&self, worker: &Worker, task: &Task) -> bool {
        if task.routing_target.as_ref().is_some_and(|target| worker.sid != *target.as_str() && worker.name != *target) {
            return false;
        }
        let available = self.activities.get(&worker.activity).is_some_and(|activity| activity.available);
        task.ignore_capacity || (available && self.load(worker, &task.channel) < self.capacity(&task.channel))
    }

    /// Reservations of a channel that the worker has and that are not over.
    pub(crate) fn load(&self, worker: &Worker, channel: &str) -> usize {
        let on_channel = |sid: &&Sid| {
            let task = self.reservations.get(sid).and_then(|reservation| self.tasks.get(&reservation.task));
            task.is_some_and(|task| task.channel == channel)
        };
        worker.open.iter().filter(on_channel).count()
    }

    pub(crate) const fn capacity(&self, channel: &str) -> usize {
        if channel.eq_ignore_ascii_case("voice") { self.rules.voice_capacity } else { 3 }
    }

    fn offer(&mut self, task_sid: &Sid, worker_sid: &Sid) {
        let sid = self.make_sid("WR");
        let expires = self.now + self.rules.reservation_timeout_s * 1000;
        self.waiting.retain(|waiting| waiting != task_sid);
        if let Some(task) = self.tasks.get_mut(task_sid) {
            task.offered_to.push(worker_sid.clone());
            task.reservations.push(sid.clone());
        }
        if let Some(worker) = self.workers.get_mut(worker_sid) {
            worker.open.push(sid.clone());
        }
        self.set_task_status(task_sid, TaskStatus::Reserved, None);
        self.reservations.add(Reservation {
            sid: sid.clone(),
            task: task_sid.clone(),
            worker: worker_sid.clone(),
            status: ReservationStatus::Pending,
            leg: None,
            joining: false,
            expires,
            version: 0,
            created: self.now,
            updated: self.now,
        });
        self.timers.set(expires, Timer::Reservation(sid.clone()));
        self.emit_reservation("reservation.created", &sid);
    }

    /// The task goes back to the queue, or is cancelled if it has been offered often enough.
    pub(super) fn requeue(&mut self, sid: &Sid) {
        let Some(task) = self.tasks.get(sid) else { return };
        if task.status.is_final() {
            return;
        }
        if task.offered_to.len() >= self.rules.max_assignments {
            let call = task.call.clone();
            self.cancel_task(sid, TOO_OFTEN);
            if let Some(call) = call {
                self.end_call(&call, CallStatus::Completed);
            }
            return;
        }
        if !self.waiting.contains(sid) {
            self.waiting.push(sid.clone());
        }
        self.route();
    }

    /// Cancels a task that nobody has accepted, with the offer that is out.
    pub(super) fn cancel_task(&mut self, sid: &Sid, reason: &str) {
        let Some(task) = self.tasks.get(sid) else { return };
        if !matches!(task.status, TaskStatus::Pending | TaskStatus::Reserved) {
            return;
        }
        self.waiting.retain(|waiting| waiting != sid);
        self.set_task_status(sid, TaskStatus::Canceled, Some(reason));
        let open: Vec<_> =
            self.reservations_of(sid).filter(|row| !row.status.is_final()).map(|row| row.sid.clone()).collect();
        for reservation in open {
            let leg = self.reservations.get(&reservation).and_then(|row| row.leg.clone());
            self.close_reservation(&reservation, ReservationStatus::Canceled);
            if let Some(leg) = leg {
                self.end_call(&leg, CallStatus::Canceled);
            }
        }
        self.emit_task("task.canceled", sid);
        self.conversation_follows(sid);
        self.route();
    }

    pub(super) fn task_times_out(&mut self, sid: &Sid) {
        let call = self.tasks.get(sid).and_then(|task| task.call.clone());
        let taken =
            self.tasks.get(sid).is_none_or(|task| !matches!(task.status, TaskStatus::Pending | TaskStatus::Reserved));
        self.cancel_task(sid, "Task TTL Exceeded");
        if let Some(call) = call.filter(|_| !taken) {
            self.end_call(&call, CallStatus::Completed);
        }
    }

    /// Changes the status; events are the caller's.
    pub(super) fn set_task_status(&mut self, sid: &Sid, status: TaskStatus, reason: Option<&str>) {
        let now = self.now;
        if let Some(task) = self.tasks.get_mut(sid) {
            task.status = status;
            task.version += 1;
            task.updated = now;
            if reason.is_some() {
                task.reason = reason.map(str::to_owned);
            }
        }
    }

    /// The oldest first.
    pub(crate) fn reservations_of(&self, task: &Sid) -> impl DoubleEndedIterator<Item = &Reservation> {
        let sids = self.tasks.get(task).map_or(&[][..], |task| &task.reservations);
        sids.iter().filter_map(|sid| self.reservations.get(sid))
    }
}
