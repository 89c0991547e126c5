//! Workers and their activities.

use serde_json::json;

use super::{
    Done, World,
    events::pair,
    model::{Activity, Phone, Worker},
    sid::{Sid, named},
};
use crate::{
    options::{AgentSeed, Auto, WorkerSeed},
    rest::error::Refusal,
};

impl World {
    pub(super) fn seed_agent(&mut self, agent: &AgentSeed) {
        let activity = self.activity_named(&agent.activity).unwrap_or_else(|| self.fixed.timeout_activity.clone());
        let attributes = json!({ "full_name": agent.name, "contact_uri": agent.phone, "roles": ["agent"] });
        let worker = WorkerSeed { name: agent.worker_name(), attributes };
        self.add_worker(&worker, &agent.name, &agent.phone, activity);
        self.phones.push(Phone { address: agent.phone.clone(), auto: Auto::Nothing, reachable: true, call: None });
    }

    pub(super) fn seed_worker(&mut self, worker: &WorkerSeed) {
        self.add_worker(worker, &worker.name, "", self.fixed.timeout_activity.clone());
    }

    fn add_worker(&mut self, worker: &WorkerSeed, person: &str, phone: &str, activity: Sid) {
        self.workers.add(Worker {
            sid: named("WK", &worker.name),
            name: worker.name.clone(),
            person: person.to_owned(),
            phone: phone.to_owned(),
            attributes: worker.attributes.to_string(),
            activity,
            activity_since: self.now,
            idle_since: self.now,
            open: Vec::new(),
            version: 0,
            created: self.now,
            updated: self.now,
        });
    }

    pub(crate) fn activity_named(&self, name: &str) -> Option<Sid> {
        self.activities.iter().find(|activity| activity.name == name).map(|activity| activity.sid.clone())
    }

    pub(crate) fn activity_name(&self, sid: &Sid) -> &str {
        self.activities.get(sid).map_or("", |activity| activity.name.as_str())
    }

    pub(crate) fn create_activity(&mut self, name: &str, available: bool) -> Done<Sid> {
        if self.activity_named(name).is_some() {
            return Err(Refusal::invalid(format!("Activity name {name} is already in use.")));
        }
        let sid = self.make_sid("WA");
        self.activities.add(Activity { sid: sid.clone(), name: name.to_owned(), available, created: self.now });
        self.emit("activity.created", "activity", &sid, vec![pair("ActivitySid", &sid), pair("ActivityName", name)]);
        Ok(sid)
    }

    /// One that a worker is in, or that the workspace puts workers in, stays. Twilio documents neither code nor words of
    /// that refusal.
    pub(crate) fn remove_activity(&mut self, sid: &Sid) -> Done {
        let used = self.fixed.timeout_activity == *sid || self.workers.iter().any(|worker| worker.activity == *sid);
        if used {
            return Err(Refusal::invalid(format!("Activity {sid} cannot be deleted: it is in use.")));
        }
        self.activities.remove(sid).map(|_| ()).ok_or_else(Refusal::not_found)
    }

    /// `ActivitySid=…`, with `RejectPendingReservations` for one that makes the worker unavailable.
    ///
    /// Reservations that an instruction has put on hold stay: the worker is already being connected.
    pub(crate) fn update_activity(&mut self, worker: &Sid, to: &Sid, reject_pending: bool) -> Done {
        let available = self.activities.get(to).map(|activity| activity.available);
        let Some(available) = available else {
            return Err(Refusal::invalid(format!("ActivitySid {to} does not exist.")));
        };
        let open = self.workers.get(worker).map(|worker| worker.open.clone()).ok_or_else(Refusal::not_found)?;
        self.change_activity(worker, to);
        if reject_pending && !available {
            for reservation in open {
                if self.reservations.get(&reservation).is_some_and(|row| row.is_waiting()) {
                    self.reject(&reservation)?;
                }
            }
        }
        Ok(())
    }

    /// A worker with open reservations stays. Twilio documents neither code nor words of that refusal.
    pub(crate) fn remove_worker(&mut self, sid: &Sid) -> Done {
        let worker = self.workers.get(sid).ok_or_else(Refusal::not_found)?;
        if !worker.open.is_empty() {
            return Err(Refusal::invalid(format!("Worker {sid} cannot be deleted: it has active reservations.")));
        }
        let fields = self.worker_fields(sid);
        self.workers.remove(sid);
        self.emit("worker.deleted", "worker", sid, fields);
        Ok(())
    }

    /// By sid, name or phone.
    pub(super) fn worker_meant(&self, worker: &str) -> Option<&Worker> {
        self.workers.iter().find(|row| row.sid == *worker || row.name == worker || row.phone == worker)
    }

    /// An agent at the Flex desk picks an activity; pending offers are rejected, as Flex's interface has it.
    pub(crate) fn desk_sets_activity(&mut self, worker: &str, activity: &str) -> Done {
        let sid = self.worker_meant(worker).map(|row| row.sid.clone()).ok_or_else(Refusal::not_found)?;
        let to = self.activity_named(activity).ok_or_else(Refusal::not_found)?;
        self.update_activity(&sid, &to, true)
    }

    pub(super) fn change_activity(&mut self, sid: &Sid, to: &Sid) {
        let now = self.now;
        let Some(worker) = self.workers.get_mut(sid).filter(|worker| worker.activity != *to) else { return };
        let previous = std::mem::replace(&mut worker.activity, to.clone());
        let lasted = now.saturating_sub(worker.activity_since);
        worker.activity_since = now;
        worker.idle_since = now;
        worker.version += 1;
        worker.updated = now;
        let mut fields = self.worker_fields(sid);
        fields.extend([
            pair("WorkerPreviousActivityName", self.activity_name(&previous)),
            pair("WorkerPreviousActivitySid", &previous),
            pair("WorkerTimeInPreviousActivity", lasted / 1000),
            pair("WorkerTimeInPreviousActivityMs", lasted),
        ]);
        self.emit("worker.activity.update", "worker", sid, fields);
        self.route();
    }

    pub(crate) fn update_attributes(&mut self, sid: &Sid, attributes: &str) -> Done {
        let now = self.now;
        let worker = self.workers.get_mut(sid).ok_or_else(Refusal::not_found)?;
        worker.attributes = attributes.to_owned();
        worker.version += 1;
        worker.updated = now;
        let fields = self.worker_fields(sid);
        self.emit("worker.attributes.update", "worker", sid, fields);
        Ok(())
    }
}
