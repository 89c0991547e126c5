//! What nobody answered: counted, remembered for the task's return, and in the end the agent is taken offline.

use std::time::Duration;

use super::{
    Agent, Context, Effect, Notice,
    offer::Passed,
    request::{Offered, Request},
};
use crate::{
    call::Miss,
    domain::{ActivityReason, News, RingTarget, TaskSid, Timestamp},
};

/// A task that comes back within this time is a re-offer: it does not ring at once.
const REOFFER_WINDOW: Duration = Duration::from_secs(60);
/// The second miss of one task within this time takes the agent offline.
const REMEMBER: Duration = Duration::from_secs(15 * 60);
/// Passed tasks remembered at most: a bound on the record's size.
const REMEMBERED: usize = 16;
/// How long a device that was away is told what was missed.
const TOLD_FOR: Duration = Duration::from_secs(4 * 3600);

/// What was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    Call,
    Offer,
}

impl Agent {
    /// Notes that a task came by, and was not taken.
    pub(super) fn pass(&mut self, task: &TaskSid, now: Timestamp) -> &mut Passed {
        let known = self.passed.iter().position(|passed| passed.task == *task);
        let mut passed = known.map_or_else(|| Passed::new(task.clone(), now), |place| self.passed.remove(place));
        if now.since(passed.at) > REOFFER_WINDOW {
            passed.tried.clear();
            passed.faulted = false;
        }
        passed.at = now;
        self.passed.push(passed);
        let last = self.passed.len() - 1;
        &mut self.passed[last]
    }

    pub(super) fn passed_of_late(&self, task: &TaskSid, now: Timestamp) -> Option<&Passed> {
        self.passed.iter().find(|passed| passed.task == *task && now.since(passed.at) <= REOFFER_WINDOW)
    }

    pub(super) fn forget_passed(&mut self, now: Timestamp) {
        self.passed.retain(|passed| now.since(passed.at) < REMEMBER);
        let excess = self.passed.len().saturating_sub(REMEMBERED);
        self.passed.drain(..excess);
    }

    pub(super) fn tried(&mut self, task: &TaskSid, target: RingTarget, miss: Miss, now: Timestamp) {
        let passed = self.pass(task, now);
        passed.tried.retain(|(known, _)| *known != target);
        passed.tried.push((target, miss));
    }

    /// The gateway did not reach the agent, who is not to blame. The task waits before it is tried once more: what is wrong is
    /// not over in a moment.
    pub(super) fn faulted(&mut self, task: &TaskSid, now: Timestamp) -> &mut Passed {
        let passed = self.pass(task, now);
        passed.faulted = true;
        passed
    }

    /// Something that nobody answered. After too many in a row, or the second for one task, the agent goes offline, so that
    /// customers do not wait for somebody who is not there.
    pub(super) fn missed(&mut self, offered: &Offered, what: Missed, context: &Context<'_>) -> Vec<Effect> {
        let enough = self.is_last_chance(&offered.task, context);
        let passed = self.pass(&offered.task, context.now);
        passed.missed = passed.missed.saturating_add(1);
        self.missed_in_a_row = self.missed_in_a_row.saturating_add(1);
        let mut effects = match what {
            Missed::Call => vec![
                Effect::Tell(Notice::CallMissed),
                self.push(News::CallMissed { task: offered.reservation.clone() }, context.now + TOLD_FOR),
            ],
            Missed::Offer => vec![Effect::Tell(Notice::OfferMissed)],
        };
        if enough {
            self.go_offline(context);
        }
        if enough && self.is_going_offline(context) {
            let name = context.policy.offline_activity.clone();
            effects.push(Effect::Tell(Notice::WentOffline));
            effects.push(self.push(News::Activity { name, because: ActivityReason::Missed }, context.now + TOLD_FOR));
        }
        effects
    }

    /// Whether one more miss takes the agent offline.
    pub(super) fn is_last_chance(&self, task: &TaskSid, context: &Context<'_>) -> bool {
        let known = self.passed.iter().find(|passed| passed.task == *task);
        known.is_some_and(|passed| passed.missed > 0) || self.missed_in_a_row >= context.policy.missed_keep_activity
    }

    fn is_going_offline(&self, context: &Context<'_>) -> bool {
        let offline = &context.policy.offline_activity;
        self.activity.as_ref().is_some_and(|activity| activity.name == *offline)
            || self
                .duties
                .iter()
                .any(|duty| matches!(&duty.request, Request::SetActivity { activity, .. } if activity == offline))
    }

    /// An agent who has left mobile meanwhile chose to, and stays there.
    pub(super) fn go_offline(&mut self, context: &Context<'_>) {
        if self.is_on_mobile(context) == Some(true) {
            self.want_activity(context.policy.offline_activity.clone(), true, context);
        }
    }
}
