//! Faults on demand: what goes wrong with the next requests and webhooks.

use serde::{Deserialize, Serialize};

use crate::rest::route::Operation;

/// Everything that goes wrong at present. Also the body of `GET` and `PUT /sandbox/faults`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// No request is answered: each connection is closed when its request has come.
    pub down: bool,
    /// Tried in order: the first that fits a request acts on it.
    pub rest: Vec<RestFault>,
    pub webhooks: WebhookFaults,
}

/// What goes wrong with some of the REST requests. Also the body of `POST /sandbox/faults`, for instance
/// `{"operation":"UpdateTaskReservation","times":1,"act":{"do":"fail","status":429,"code":20429,"retry_after_s":2}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestFault {
    /// None: every operation.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// So many requests; none: until it is lifted.
    #[serde(default)]
    pub times: Option<u32>,
    pub act: RestAct,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum RestAct {
    /// Refused without having acted.
    Fail {
        status: u16,
        /// Twilio's error code.
        code: u32,
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// Acted on and answered, but so much later.
    Delay { ms: u64 },
    /// The connection is closed; nothing was done.
    DropBefore,
    /// The connection is closed although the request was acted on: the caller cannot know.
    DropAfter,
}

impl RestFault {
    /// The next `times` requests of an operation (or all) fail.
    pub fn fail(operation: impl Into<Option<Operation>>, times: u32, status: u16, code: u32) -> Self {
        let act = RestAct::Fail { status, code, message: None, retry_after_s: None };
        Self { operation: operation.into(), times: Some(times), act }
    }

    /// The next request of an operation (or any) goes wrong so.
    pub fn once(operation: impl Into<Option<Operation>>, act: RestAct) -> Self {
        Self { operation: operation.into(), times: Some(1), act }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFaults {
    /// Each webhook is sent so many times more.
    pub duplicates: u8,
    /// Duplicates bear another `I-Twilio-Idempotency-Token`; else the same.
    pub duplicates_with_new_token: bool,
    /// Each is held back so long, in order.
    pub delay_ms: u64,
    /// So many are not sent at all.
    pub drop_next: u32,
    pub reorder: Option<Reorder>,
}

/// Webhooks are collected until there are `window` of them, or none has come for a moment, and then sent in another
/// order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reorder {
    pub window: usize,
    /// The same seed shuffles in the same way; none: the last one first.
    #[serde(default)]
    pub seed: Option<u64>,
}

impl Faults {
    /// What goes wrong with a request of this operation, if anything; it is counted.
    pub(crate) fn take(&mut self, operation: Option<Operation>) -> Option<RestAct> {
        if self.down {
            return Some(RestAct::DropBefore);
        }
        let place = self.rest.iter().position(|fault| fault.operation.is_none() || fault.operation == operation)?;
        let fault = &mut self.rest[place];
        let act = fault.act.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.rest.remove(place);
            }
        }
        Some(act)
    }

    /// Whether the next webhook is lost; it is counted.
    pub(crate) fn take_webhook_drop(&mut self) -> bool {
        let drops = self.webhooks.drop_next > 0;
        self.webhooks.drop_next = self.webhooks.drop_next.saturating_sub(1);
        drops
    }
}

impl Reorder {
    pub(crate) fn apply<T>(self, items: &mut [T]) {
        let Some(seed) = self.seed else { return items.reverse() };
        let mut state = seed;
        for last in (1..items.len()).rev() {
            let other = usize::try_from(split_mix(&mut state) % (last as u64 + 1)).unwrap_or(0);
            items.swap(last, other);
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
const fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_acts_as_often_as_it_was_told_to_and_on_its_operation_alone() {
        let mut faults =
            Faults { rest: vec![RestFault::fail(Operation::FetchTask, 2, 500, 20500)], ..Faults::default() };
        let hits: Vec<_> = [Operation::FetchTask, Operation::ListTask, Operation::FetchTask, Operation::FetchTask]
            .map(|operation| faults.take(Some(operation)).is_some())
            .to_vec();
        assert_eq!(hits, [true, false, true, false]);
    }

    #[test]
    fn a_shuffle_keeps_everything_and_repeats_itself() {
        let shuffled = |seed| {
            let mut items: Vec<_> = (0..20).collect();
            Reorder { window: 20, seed: Some(seed) }.apply(&mut items);
            items
        };
        let mut sorted = shuffled(7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
        assert_eq!(shuffled(7), shuffled(7));
        assert_ne!(shuffled(7), shuffled(8));
    }
}
