//! What an administrator writes of an agent, as far as it decides what rings and where.

use super::{Agent, Context, Effect};
use crate::call::Call;
use crate::domain::{ChatIdentity, Profile};

impl Agent {
    /// What was learned of the worker, and what it was still to be told, is another's.
    pub(super) fn forget_worker(&mut self) {
        self.worker = None;
        self.identity = ChatIdentity::default();
        self.drop_wish(|_| true);
    }

    /// Takes another profile: what rings for a disabled agent, or at a number that is not theirs any more, stops.
    pub(super) fn change_profile(&mut self, profile: &Profile, context: &Context<'_>) -> Vec<Effect> {
        let (has_moved, was_disabled) = (self.phone != profile.phone, self.disabled);
        self.take_profile(profile);
        let is_stopped = |call: &Call| profile.disabled || has_moved && call.is_at_cell_phone();
        let mut effects = self.stop_ringing(is_stopped, context);
        if profile.disabled && !was_disabled {
            effects.extend(self.take_offers_down(true, context));
        }
        effects
    }

    pub(super) fn take_profile(&mut self, profile: &Profile) {
        self.phone = profile.phone.clone();
        if self.identity.as_str().is_empty() {
            self.heard_name(&profile.worker_name);
        }
        self.ring_plan.clone_from(&profile.ring_plan);
        self.disabled = profile.disabled;
        if profile.worker_sid.is_some() {
            self.worker.clone_from(&profile.worker_sid);
        }
    }
}
