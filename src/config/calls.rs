//! How a call is brought to an agent.

use std::time::Duration;

use super::{reader::Reader, value::choices};
use crate::domain::RingTarget;

/// The table `[calls]`.
#[derive(Clone, Debug)]
pub struct Calls {
    /// The ring plan of agents who have none of their own. Targets that are not there are passed over.
    pub plan: Vec<RingTarget>,
    /// How long softphones ring; less, if the reservation's time is short.
    pub sip_ring: Duration,
    /// Twilio is told 5 s less, since it adds 5 s to a leg's `Timeout`.
    pub pstn_ring: Duration,
    /// What an agent does to have a call that came to the cell phone.
    pub confirm: Confirm,
    /// After more missed rings in a row the agent goes offline.
    pub missed_keep_activity: u32,
    /// How long the same task, offered again to the same agent, waits before it rings once more.
    pub reoffer_hold: Duration,
    pub record: Recording,
    /// How long established calls may go on once the daemon is told to stop.
    pub drain_timeout: Duration,
    pub complete: Completion,
}

choices! {
    /// Which calls are recorded.
    pub Recording {
        /// As Flex's own setting says.
        Flex = "flex",
        Always = "always",
        Never = "never",
    }
    /// What becomes of a voice task at its last leg's end.
    pub Completion {
        Wrapup = "wrapup",
        Complete = "complete",
    }
    /// What makes a call that is answered on a cell phone the agent's.
    pub Confirm {
        /// To answer it.
        None = "none",
        /// To press 1, which no voicemail does.
        PressOne = "press-1",
    }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

impl Calls {
    pub(super) fn read(reader: &mut Reader, has_sip: bool) -> Self {
        let plan = read_plan(reader, has_sip);
        let sip_ring = reader.duration("calls.sip_ring", secs(20), secs(5)..=secs(120));
        let pstn_ring = reader.duration("calls.pstn_ring", secs(18), secs(10)..=secs(120));
        let confirm = reader.or("calls.confirm", Confirm::None);
        let missed_keep_activity = reader.or("calls.missed_keep_activity", 2);
        let reoffer_hold = reader.duration("calls.reoffer_hold", secs(15), Duration::from_millis(100)..=secs(60));
        let record = reader.or("calls.record", Recording::Flex);
        let drain_timeout = reader.duration("calls.drain_timeout", secs(60), Duration::from_millis(100)..=secs(3600));
        let complete = reader.or("calls.complete", Completion::Wrapup);
        Self { plan, sip_ring, pstn_ring, confirm, missed_keep_activity, reoffer_hold, record, drain_timeout, complete }
    }
}

fn read_plan(reader: &mut Reader, has_sip: bool) -> Vec<RingTarget> {
    let plan = reader.or("calls.plan", vec![RingTarget::Sip, RingTarget::Pstn]);
    let twice = (1..plan.len()).any(|place| plan[..place].contains(&plan[place]));
    if twice {
        reader.refuse("calls.plan", "names a target twice");
    } else if plan.is_empty() {
        reader.refuse("calls.plan", "names no target");
    } else if !has_sip && !plan.contains(&RingTarget::Pstn) {
        reader.refuse("calls.plan", "expected \"pstn\" among the targets, since nothing else can ring without SIP");
    }
    plan
}
