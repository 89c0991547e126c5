//! Tasks: what is to be done for a customer (<https://www.twilio.com/docs/taskrouter/api/task>).

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer};

use crate::{
    domain::{TaskSid, Timestamp},
    twilio::{
        client::{Twilio, TwilioError},
        wire::{optional_moment, or_default},
    },
};

#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Task {
    pub sid: TaskSid,
    /// A JSON object in a string.
    #[serde(default = "no_attributes", deserialize_with = "attributes")]
    pub attributes: String,
    /// `voice`, `chat`, `sms` …
    #[serde(default, rename = "task_channel_unique_name", deserialize_with = "or_default")]
    pub channel: String,
    pub assignment_status: AssignmentStatus,
    /// Since it was made, in whole seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub age: Duration,
    #[serde(default, deserialize_with = "optional_moment")]
    pub date_created: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentStatus {
    Pending,
    Reserved,
    Assigned,
    Wrapping,
    Completed,
    Canceled,
    /// One that is not known here.
    #[serde(other)]
    Other,
}

/// The attributes hold phone numbers.
impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("sid", &self.sid)
            .field("channel", &self.channel)
            .field("assignment_status", &self.assignment_status)
            .finish_non_exhaustive()
    }
}

fn no_attributes() -> String {
    "{}".to_owned()
}

fn attributes<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::deserialize(from).map(|text| text.unwrap_or_else(no_attributes))
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    or_default(from).map(Duration::from_secs)
}

impl Twilio {
    /// <https://www.twilio.com/docs/taskrouter/api/task#fetch-a-task-resource>
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it. Twilio deletes tasks a while after they are completed.
    pub async fn task(&self, sid: &TaskSid) -> Result<Task, TwilioError> {
        self.send(self.get_in_workspace("fetch_task", &["Tasks", sid.as_str()]).await?).await
    }
}
