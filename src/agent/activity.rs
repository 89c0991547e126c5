//! The activity: what Twilio says it is, and what it should be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Agent, Context, Effect, Notice, request::Request};
use crate::domain::{ActivityReason, News, Timestamp, WorkerEvent, WorkerEventKind, WorkerSid};

/// How long a device that was away is told of another activity.
const TOLD_FOR: Duration = Duration::from_secs(3600);

/// The activity, as Twilio last said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    pub name: String,
    /// Twilio's time of the change, or of the reading.
    pub at: Timestamp,
}

impl Agent {
    pub(super) fn worker_event(&mut self, event: &WorkerEvent, context: &Context<'_>) -> Vec<Effect> {
        match event.kind {
            WorkerEventKind::Deleted => {
                self.worker = None;
                self.drop_wish(|_| true);
                Vec::new()
            }
            WorkerEventKind::Created | WorkerEventKind::ActivityUpdated | WorkerEventKind::AttributesUpdated => {
                self.heard_of_worker(&event.worker, event.activity.as_deref(), event.at, context)
            }
        }
    }

    /// An event names the worker and, mostly, the activity at that time.
    pub(super) fn heard_of_worker(
        &mut self,
        worker: &WorkerSid,
        activity: Option<&str>,
        at: Timestamp,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        self.worker = Some(worker.clone());
        self.grant_wish(context);
        activity.map(|name| self.learn_activity(name, at, context)).unwrap_or_default()
    }

    /// The activity is set at Twilio until it holds; a newer wish replaces an older one.
    pub(super) fn want_activity(&mut self, activity: String, reject_pending: bool, context: &Context<'_>) {
        self.drop_wish(|wish| wish != activity);
        self.asked = Some(activity.clone());
        match self.worker.clone() {
            Some(worker) => {
                self.owe_for_a_day(Request::SetActivity { worker, activity, reject_pending }, context.now);
            }
            None => self.wish = Some(activity),
        }
    }

    /// The agent, or a supervisor, picks an activity. On the way to one that takes no tasks nothing rings or waits any more,
    /// which Twilio would refuse it for, unless something has been taken up in this moment.
    pub(super) fn pick_activity(&mut self, activity: String, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if context.unavailable.contains(&activity) {
            effects.extend(self.take_offers_down(true, context));
            effects.extend(self.give_back(context));
        }
        self.want_picked(activity, context);
        effects
    }

    fn want_picked(&mut self, activity: String, context: &Context<'_>) {
        let reject_pending = context.unavailable.contains(&activity) && !self.is_taking_up();
        self.want_activity(activity, reject_pending, context);
    }

    /// Sets the activity that was wished for before the worker was known.
    pub(super) fn grant_wish(&mut self, context: &Context<'_>) {
        if let Some(wish) = self.wish.take() {
            self.want_picked(wish, context);
        }
    }

    pub(super) fn drop_wish(&mut self, which: impl Fn(&str) -> bool) {
        self.duties.retain(|duty| match &duty.request {
            Request::SetActivity { activity, .. } => !which(activity),
            _ => true,
        });
    }

    /// Twilio says which activity the agent is in. What is older than what is known says nothing.
    fn learn_activity(&mut self, name: &str, at: Timestamp, context: &Context<'_>) -> Vec<Effect> {
        if self.activity.as_ref().is_some_and(|known| at < known.at) {
            return Vec::new();
        }
        let before = self.activity.replace(Activity { name: name.to_owned(), at });
        let first = before.is_none();
        let changed = before.as_ref().is_none_or(|known| known.name != name);
        let asked = self.asked.take_if(|asked| *asked == name).is_some();
        if !changed {
            return Vec::new();
        }
        if !first {
            // An activity that somebody else chose ends our own attempts to set another.
            self.drop_wish(|wish| wish != name);
            self.asked = None;
        }
        let mut effects = vec![Effect::Tell(Notice::ActivityChanged { to: name.to_owned() })];
        let mobile = &context.policy.mobile_activity;
        let was_mobile = before.is_some_and(|before| before.name == *mobile);
        if was_mobile && !asked && !self.is_at_desk(context) {
            // Calls and offers stay away from now on, and the agent does not know why.
            let news = News::Activity { name: name.to_owned(), because: ActivityReason::Elsewhere };
            effects.push(self.push(news, context.now + TOLD_FOR));
        }
        if was_mobile {
            let nobody_there = self.is_unavailable(context);
            effects.extend(self.take_offers_down(nobody_there, context));
            effects.extend(nobody_there.then(|| self.give_back(context)).into_iter().flatten());
        }
        if name == context.policy.mobile_activity {
            // Whoever comes back of their own accord starts afresh.
            self.missed_in_a_row = 0;
            self.passed.clear();
            effects.extend(self.consider_held_for_mobile(context));
        }
        effects
    }

    /// What REST says of the activity. Its time has whole seconds, so that it is compared in those.
    pub(super) fn read_activity(
        &mut self,
        name: &str,
        changed_at: Option<Timestamp>,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        if self.activity.as_ref().is_some_and(|known| known.name == name) {
            // As it was: whoever asked for it has it.
            self.asked.take_if(|asked| *asked == name);
        }
        let known = self.activity.as_ref().map_or(Timestamp::EPOCH, |activity| activity.at);
        let at = changed_at.unwrap_or(known);
        if at.as_secs() < known.as_secs() { Vec::new() } else { self.learn_activity(name, at.max(known), context) }
    }

    /// In an activity that takes no tasks.
    pub(super) fn is_unavailable(&self, context: &Context<'_>) -> bool {
        self.activity.as_ref().is_some_and(|activity| context.unavailable.contains(&activity.name))
    }

    /// Where Flex shows everything: in an activity that takes tasks, or may, and that cannot be chosen on the phone.
    pub(super) fn is_at_desk(&self, context: &Context<'_>) -> bool {
        let chosen = |activity: &Activity| context.policy.choices.contains(&activity.name);
        self.activity.as_ref().is_some_and(|activity| !chosen(activity)) && !self.is_unavailable(context)
    }

    pub(super) fn read_worker(&mut self, now: Timestamp) {
        if let Some(worker) = self.worker.clone() {
            self.owe_briefly(Request::ReadWorker(worker), now);
        }
    }

    /// Whether calls may ring. Those of a disabled agent may not, and one who is on the way to another activity is not to be rung any more.
    pub(super) fn is_on_mobile(&self, context: &Context<'_>) -> Option<bool> {
        let mobile = &context.policy.mobile_activity;
        let leaves = |request: &Request| matches!(request, Request::SetActivity { activity, .. } if activity != mobile);
        if self.disabled || self.duties.iter().any(|duty| leaves(&duty.request)) {
            return Some(false);
        }
        self.activity.as_ref().map(|activity| activity.name == context.policy.mobile_activity)
    }
}
