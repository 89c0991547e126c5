//! What went over the wire, both ways. It is kept in memory alone, and only the latest.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Protects memory: the oldest are forgotten.
const KEPT: usize = 5_000;

/// One exchange: a REST request or a push message with its answer, or an attempt to deliver a webhook with what came of
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Rises by one.
    pub id: u64,
    pub at_ms: u64,
    pub direction: FlowDirection,
    /// The operation, or the event; what was not recognised is called by its path.
    pub name: String,
    pub method: String,
    /// Path and query, or the whole URL of a webhook.
    pub url: String,
    pub params: Vec<(String, String)>,
    /// HTTP status; none: no answer.
    pub status: Option<u16>,
    /// The body of the answer, cut.
    pub answer: String,
    /// What went wrong, or was made to.
    pub note: Option<String>,
    /// A webhook's `I-Twilio-Idempotency-Token`.
    pub token: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowDirection {
    /// A REST request to the stand-in.
    Rest,
    /// A webhook from it.
    Webhook,
    /// A message to one of its push services.
    Push,
    /// A message of SIP, either way: the headers are its params, its body the answer.
    Sip,
}

impl LogEntry {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<LogEntry>,
    made: u64,
}

impl Log {
    pub(crate) fn add(&mut self, mut entry: LogEntry) {
        self.made += 1;
        entry.id = self.made;
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Entries whose id is above `after`.
    pub(crate) fn after(&self, after: u64) -> Vec<LogEntry> {
        let from = self.entries.partition_point(|entry| entry.id <= after);
        self.entries.range(from..).cloned().collect()
    }
}
