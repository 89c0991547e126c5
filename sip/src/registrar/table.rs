//! The table between requests: who is in it, and whose time is over.

use std::time::{Duration, Instant};

use super::binding::{Binding, Record, State, Texts};
use super::timers::Timer;
use super::{Aor, BindingId, Change, Changed, Registrar};

impl<F> Registrar<F> {
    pub(super) fn tick(&self, at: Instant) -> u32 {
        u32::try_from(at.saturating_duration_since(self.began).as_secs()).unwrap_or(u32::MAX)
    }

    fn instant(&self, tick: u32) -> Instant {
        self.began + Duration::from_secs(tick.into())
    }

    /// How many bindings there are, awake and asleep.
    pub const fn len(&self) -> usize {
        self.count
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bindings of an AOR.
    pub fn bindings(&self, aor: Aor) -> impl Iterator<Item = Record<'_, F>> {
        self.aors.get(&aor).into_iter().flatten().map(move |binding| self.show(aor, binding))
    }

    pub fn binding(&self, aor: Aor, id: BindingId) -> Option<Record<'_, F>> {
        self.bindings(aor).find(|binding| binding.id == id)
    }

    fn show<'a>(&self, aor: Aor, binding: &'a Binding<F>) -> Record<'a, F> {
        let Texts { uri, params, call_id, path } = binding.texts();
        let Binding { id, state, cseq, ref flow, .. } = *binding;
        let expires = self.instant(binding.expires);
        Record { aor, id, state, uri, params, path, call_id, cseq, expires, flow }
    }

    /// Gives a binding another flow, such as one that was proven to work. False: it is not there.
    pub fn set_flow(&mut self, aor: Aor, id: BindingId, flow: F) -> bool {
        self.find(aor, id).map(|binding| binding.flow = flow).is_some()
    }

    /// Takes away all bindings of an AOR, as when its password is another.
    pub fn remove(&mut self, aor: Aor, changes: &mut Vec<Change>) {
        let gone = self.aors.remove(&aor).unwrap_or_default();
        self.count -= gone.len();
        changes.extend(gone.iter().map(|binding| Change { aor, id: binding.id, what: Changed::Removed }));
    }

    /// Takes away one binding.
    pub fn remove_binding(&mut self, aor: Aor, id: BindingId, changes: &mut Vec<Change>) {
        let Some(bindings) = self.aors.get_mut(&aor) else { return };
        let Some(place) = bindings.iter().position(|binding| binding.id == id) else { return };
        bindings.remove(place);
        self.count -= 1;
        if bindings.is_empty() {
            self.aors.remove(&aor);
        }
        changes.push(Change { aor, id, what: Changed::Removed });
    }

    /// Ends a binding's time at once, as when its connection is gone: it falls asleep, or is removed if nothing can wake it.
    pub fn end(&mut self, aor: Aor, id: BindingId, now: Instant, changes: &mut Vec<Change>) {
        let asleep = self.tick(now).saturating_add(self.policy.asleep);
        let push = self.policy.push_project.is_some();
        let Some(binding) = self.find(aor, id) else { return };
        if binding.state == State::Asleep || !(push && binding.has_token()) {
            self.remove_binding(aor, id, changes);
            return;
        }
        binding.state = State::Asleep;
        binding.expires = asleep;
        changes.push(Change { aor, id, what: Changed::Asleep });
    }

    /// The same of a phone that is expected back: one that nothing can wake sleeps for what is left of its time, so that it
    /// is known again.
    pub fn doze(&mut self, aor: Aor, id: BindingId, now: Instant, changes: &mut Vec<Change>) {
        let push = self.policy.push_project.is_some();
        match self.find(aor, id) {
            Some(binding) if binding.state == State::Awake && !(push && binding.has_token()) => {
                binding.state = State::Asleep;
                changes.push(Change { aor, id, what: Changed::Asleep });
            }
            _ => self.end(aor, id, now, changes),
        }
    }

    fn find(&mut self, aor: Aor, id: BindingId) -> Option<&mut Binding<F>> {
        self.aors.get_mut(&aor).into_iter().flatten().find(|binding| binding.id == id)
    }

    /// When [`Registrar::expire`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.next().map(|tick| self.instant(tick.saturating_add(1)))
    }

    /// Ends the bindings whose time is over.
    pub fn expire(&mut self, now: Instant, changes: &mut Vec<Change>) {
        let tick = self.tick(now);
        while let Some(Timer { at, aor, id }) = self.timers.due(tick) {
            let Some(binding) = self.find(aor, id).filter(|binding| binding.timer == at) else { continue };
            if binding.expires < tick {
                self.end(aor, id, now, changes);
            }
            self.look_again(aor, id);
        }
    }

    /// Sets the timer of a binding that is still there.
    fn look_again(&mut self, aor: Aor, id: BindingId) {
        if let Some(binding) = self.find(aor, id) {
            let at = binding.expires;
            binding.timer = at;
            self.timers.add(Timer { at, aor, id });
        }
    }
}
