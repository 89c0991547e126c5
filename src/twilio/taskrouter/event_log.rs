//! The workspace's log of events (<https://www.twilio.com/docs/taskrouter/api/event>): what webhooks may have missed.

use serde_json::{Map, Value};

use super::PAGE_SIZE;
use crate::{
    domain::{Event, Timestamp},
    twilio::{
        client::{Pages, Twilio, TwilioError},
        events::{self, Ours, Parsed},
    },
};

/// How much is read in one go; whoever needs more reads shorter spans.
const MAX_PAGES: usize = 20;

/// What happened, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventLog {
    /// Those of interest to us.
    pub events: Vec<Event>,
    /// False if there were more than 2,000: some are missing.
    pub complete: bool,
    /// How many could not be read.
    pub malformed: usize,
}

impl Twilio {
    /// The events from one moment to another, or up to now, in whole seconds, both included
    /// (<https://www.twilio.com/docs/taskrouter/api/event#list-all-events>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn events_between(&self, start: Timestamp, end: Option<Timestamp>) -> Result<EventLog, TwilioError> {
        let call = self.get_in_workspace("list_event", &["Events"]).await?.with("StartDate", iso_8601(start));
        let call = match end {
            Some(end) => call.with("EndDate", iso_8601(end)),
            None => call,
        };
        let call = call.with("PageSize", PAGE_SIZE);
        let (resources, complete) = Pages::new(call, "events").collect::<Map<String, Value>>(self, MAX_PAGES).await?;
        let ours = Ours { account: self.account_sid().clone(), workspace: Some(self.workspace_sid().await?.clone()) };
        let mut log = EventLog { complete, ..EventLog::default() };
        for resource in &resources {
            match events::from_resource(resource, &ours) {
                Ok(Parsed::Event(event)) => log.events.push(*event),
                Ok(Parsed::Ignored { .. }) => {}
                Err(_) => log.malformed += 1,
            }
        }
        // The log begins with its latest; of one millisecond the order of the log says which came first.
        log.events.reverse();
        log.events.sort_by_key(Event::at);
        Ok(log)
    }
}

fn iso_8601(at: Timestamp) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_whole_seconds_of_utc() {
        assert_eq!(iso_8601(Timestamp::from_millis(1_700_000_000_987)), "2023-11-14T22:13:20Z");
    }
}
