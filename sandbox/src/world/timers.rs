//! What happens by itself: a queue of deadlines. A timer whose subject has moved on does nothing.

use std::collections::BTreeMap;

use super::{World, sid::Sid};

#[derive(Clone, Debug)]
pub(crate) enum Timer {
    /// The time of a pending reservation is up, unless it is on hold.
    Reservation(Sid),
    /// A task's time to live is up.
    Task(Sid),
    /// Twilio dials the call.
    Dial(Sid),
    /// The call has rung long enough.
    Ring(Sid),
    /// Flex has let the accepting agent into the conversation, or has failed to.
    Join(Sid),
    /// The phone that rings answers or declines by itself.
    Auto(Sid),
    /// A call has said what it had to say, or was not told a key in time, in this step of its document.
    Script(Sid, u64),
    /// The phone presses a key by itself.
    Press(Sid, u64),
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeMap<(u64, u64), Timer>,
    set: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, due: u64, timer: Timer) {
        self.set += 1;
        self.queue.insert((due, self.set), timer);
    }

    pub(crate) fn next_due(&self) -> Option<u64> {
        self.queue.first_key_value().map(|(&(due, _), _)| due)
    }

    pub(crate) fn pop_due(&mut self, now: u64) -> Option<(u64, Timer)> {
        let entry = self.queue.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some((entry.key().0, entry.remove()))
    }
}

impl World {
    pub(super) fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Reservation(sid) => self.reservation_times_out(&sid),
            Timer::Task(sid) => self.task_times_out(&sid),
            Timer::Dial(sid) => self.dial(&sid),
            Timer::Ring(sid) => self.ring_times_out(&sid),
            Timer::Join(sid) => self.joining_ends(&sid),
            Timer::Auto(sid) => self.phone_acts_by_itself(&sid),
            Timer::Script(sid, step) => self.script_wakes(&sid, step),
            Timer::Press(sid, step) => self.script_hears_one(&sid, step),
        }
    }
}
