//! Which phones an address-of-record has: the location service of RFC 3261 §10, without I/O.
//!
//! A [`Registrar`] takes a REGISTER that was authenticated, changes its table or says why not, and writes what the answer
//! holds. One request is done whole or not at all. Each change is told ([`Change`]), so that somebody else can write it down;
//! [`Registrar::restore`] takes back what was written.
//!
//! Bindings follow RFC 5626 where a phone gives `+sip.instance` (and `reg-id`), RFC 3327 with Path, RFC 8599 with push tokens:
//! a phone that gave one is kept when its time is over, *asleep*, so that it can be woken.
//!
//! `F` is a flow: whatever the caller reaches the phone by.

mod answer;
mod binding;
mod policy;
mod table;
mod timers;
mod wanted;

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use self::{
    binding::{Binding, Texts},
    timers::{Timer, Timers},
    wanted::{Contact, Wanted},
};
pub use self::{
    binding::{Record, State},
    policy::{Change, Changed, Policy, Refusal},
};
use crate::message::{Contacts, Message, Name};

/// An address-of-record, by the number that whoever keeps the accounts gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aor(pub u32);

/// A binding of a table; none gets another's number, nor does one that is restored lose its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindingId(pub u64);

/// The table of all bindings.
pub struct Registrar<F> {
    policy: Policy,
    /// Times are ticks of a second since then.
    began: Instant,
    aors: HashMap<Aor, Vec<Binding<F>>>,
    timers: Timers,
    last_id: u64,
    count: usize,
}

/// Fewer timers than these are not worth the work.
const LEAST_TIDIED: usize = 1024;

/// What becomes of a contact, once it is known that nothing stands against the whole request.
struct Step<'a> {
    contact: Contact<'a>,
    /// The binding that it is about.
    place: Option<usize>,
}

impl<F: Clone> Registrar<F> {
    pub fn new(policy: Policy, now: Instant) -> Self {
        Self { policy, began: now, aors: HashMap::new(), timers: Timers::default(), last_id: 0, count: 0 }
    }

    /// Does what the REGISTER asks for, all of it or nothing, and adds to `changes` what it did. `flow` is where it came from.
    ///
    /// The answer is [`Registrar::answer`]'s. A request that came before, by its transaction, is not to be given again.
    pub fn register(
        &mut self,
        aor: Aor,
        request: &Message,
        flow: &F,
        now: Instant,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        let path = request.head().all(Name::Path).collect::<Vec<_>>().join(", ");
        match Wanted::read(request, &path, &self.policy)? {
            Wanted::Query => Ok(()),
            Wanted::Clear => {
                in_order(self.aors.get(&aor).into_iter().flatten(), request)?;
                self.remove(aor, changes);
                Ok(())
            }
            Wanted::Update(contacts) => {
                let steps = self.plan(aor, request, contacts)?;
                self.carry_out(aor, steps, request.cseq().number, flow, now, changes);
                Ok(())
            }
        }
    }

    /// Finds for each contact the binding that it is about, and whether anything stands against the request.
    fn plan<'a>(&self, aor: Aor, request: &Message, contacts: Vec<Contact<'a>>) -> Result<Vec<Step<'a>>, Refusal> {
        let bindings = self.aors.get(&aor).map(Vec::as_slice).unwrap_or_default();
        if contacts.iter().filter(|contact| contact.expires != 0).count() > self.policy.most_bindings {
            return Err(Refusal::TooMany);
        }
        let mut steps: Vec<Step<'a>> = Vec::with_capacity(contacts.len());
        for contact in contacts {
            let is_free = |place: usize| steps.iter().all(|step| step.place != Some(place));
            let free = bindings.iter().enumerate().filter(|(place, _)| is_free(*place));
            let near = free.filter_map(|(place, binding)| Some((contact.nearness(binding)?, place, binding)));
            let nearest = near.max_by_key(|(nearness, ..)| *nearness).map(|(_, place, binding)| (place, binding));
            in_order(nearest.map(|(_, binding)| binding), request)?;
            let place = nearest.map(|(place, _)| place);
            steps.push(Step { contact, place });
        }
        Ok(steps)
    }

    fn carry_out(
        &mut self,
        aor: Aor,
        steps: Vec<Step<'_>>,
        cseq: u32,
        flow: &F,
        now: Instant,
        changes: &mut Vec<Change>,
    ) {
        let tick = self.tick(now);
        let before = changes.len();
        let mut gone: Vec<BindingId> = Vec::new();
        for Step { contact, place } in steps {
            let expires = tick.saturating_add(contact.expires);
            let bindings = self.aors.get_mut(&aor).map(Vec::as_mut_slice).unwrap_or_default();
            let known = place.and_then(|place| bindings.get_mut(place));
            let (id, what) = match known {
                Some(known) if contact.expires == 0 => {
                    gone.push(known.id);
                    continue;
                }
                None if contact.expires == 0 => continue,
                Some(known) => {
                    known.renew(&contact.texts, cseq, expires, flow.clone());
                    (known.id, Changed::Renewed)
                }
                None => {
                    let id = BindingId(self.last_id + 1);
                    self.add(aor, Binding::new(id, State::Awake, &contact.texts, cseq, expires, flow.clone()));
                    (id, Changed::New)
                }
            };
            changes.push(Change { aor, id, what });
            self.be_in_time(aor, id);
        }
        gone.into_iter().for_each(|id| self.remove_binding(aor, id, changes));
        self.make_room(aor, before, changes);
        self.tidy();
    }

    /// Bindings that come and go leave timers behind; once they are the greater part, they are taken out.
    fn tidy(&mut self) {
        if self.timers.len() > 2 * self.count + LEAST_TIDIED {
            let aors = &self.aors;
            self.timers.keep(|timer| {
                let mut bindings = aors.get(&timer.aor).into_iter().flatten();
                bindings.any(|binding| binding.id == timer.id && binding.timer == timer.at)
            });
        }
    }

    fn add(&mut self, aor: Aor, binding: Binding<F>) {
        self.last_id = self.last_id.max(binding.id.0);
        self.count += 1;
        self.timers.add(Timer { at: binding.timer, aor, id: binding.id });
        let bindings = self.aors.entry(aor).or_default();
        bindings.reserve_exact(1);
        bindings.push(binding);
    }

    /// A binding that now ends sooner than its timer needs another.
    fn be_in_time(&mut self, aor: Aor, id: BindingId) {
        let bindings = self.aors.get_mut(&aor).into_iter().flatten();
        if let Some(binding) = bindings.into_iter().find(|binding| binding.id == id)
            && binding.expires < binding.timer
        {
            binding.timer = binding.expires;
            self.timers.add(Timer { at: binding.expires, aor, id });
        }
    }

    /// Where there are too many, the newest stay: phones that are asleep go first, then those whose time is over soonest. What
    /// the request itself put, told in `changes` from `before` on, is not touched.
    fn make_room(&mut self, aor: Aor, before: usize, changes: &mut Vec<Change>) {
        while let Some(bindings) = self.aors.get(&aor).filter(|bindings| bindings.len() > self.policy.most_bindings) {
            let own = changes.get(before..).unwrap_or_default();
            let others = bindings.iter().filter(|binding| own.iter().all(|change| change.id != binding.id));
            let first = others.min_by_key(|binding| (binding.state == State::Awake, binding.expires));
            let Some(id) = first.map(|binding| binding.id) else { return };
            self.remove_binding(aor, id, changes);
        }
    }

    /// Takes back a binding that was written down. One that is over by now is over at the next [`Registrar::expire`].
    pub fn restore(&mut self, record: &Record<'_, F>) {
        let Record { aor, id, state, uri, params, path, call_id, cseq, expires, flow } = *record;
        let texts = Texts { uri, params, call_id, path };
        if record.contact().is_none() || texts.len() > binding::MOST_TEXT {
            return;
        }
        if self.binding(aor, id).is_none() {
            self.add(aor, Binding::new(id, state, &texts, cseq, self.tick(expires), flow.clone()));
        }
    }
}

/// Whether the request is later than what it changes (RFC 3261 §10.3, steps 6 and 7).
fn in_order<'a, F: 'a>(bindings: impl IntoIterator<Item = &'a Binding<F>>, request: &Message) -> Result<(), Refusal> {
    let (call_id, cseq) = (request.call_id(), request.cseq().number);
    let late = bindings.into_iter().any(|binding| binding.texts().call_id == call_id && cseq <= binding.cseq);
    if late { Err(Refusal::OutOfOrder) } else { Ok(()) }
}

/// Whether the registrar keeps flows for this phone (RFC 5626 §6).
fn wanted_outbound(request: &Message) -> bool {
    let Contacts::Some(mut contacts) = request.contacts() else { return false };
    let supports = request.head().tokens(Name::Supported).any(|tag| tag.eq_ignore_ascii_case("outbound"));
    supports && contacts.any(|contact| contact.reg_id().is_some() && contact.instance().is_some())
}

impl<F> fmt::Debug for Registrar<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registrar").field("bindings", &self.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
