//! TaskRouter's REST API (<https://www.twilio.com/docs/taskrouter/api>), as far as it is used.
//!
//! Every call works in [`Twilio::workspace_sid`]. What Twilio refuses comes back as
//! [`Refused`](super::TwilioError::Refused) with its kind: [`AlreadyThere`](super::Refusal::AlreadyThere) is for the caller
//! to take as success, [`WrongState`](super::Refusal::WrongState) for it to read what is there.

mod event_log;
mod instruction;
mod reservations;
mod settings;
mod tasks;
#[cfg(test)]
mod tests;
mod workers;

use std::time::Duration;

use serde::Deserialize;

use super::client::{Call, Pages, Product, Refusal, Twilio, TwilioError};
use crate::domain::{ActivitySid, WorkflowSid, WorkspaceSid};

pub use event_log::EventLog;
pub use instruction::{ConferenceInstruction, Destination, Recording};
pub use reservations::Reservation;
pub use settings::EventCallback;
pub use tasks::{AssignmentStatus, Task};
pub use workers::Worker;

/// Items a page: Twilio allows 1,000 at most, and an answer shall stay small.
const PAGE_SIZE: &str = "100";
/// More pages than any of our lists has; a list that never ends shall not hold us for ever.
const MAX_PAGES: usize = 50;

/// <https://www.twilio.com/docs/taskrouter/api/workspace>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Workspace {
    pub sid: WorkspaceSid,
    pub friendly_name: String,
    /// Where events are posted to: one slot a workspace.
    #[serde(default)]
    pub event_callback_url: Option<String>,
    /// Comma-separated event types; empty or missing: all.
    #[serde(default)]
    pub events_filter: Option<String>,
    /// Where a worker goes after a reservation's timeout.
    #[serde(default)]
    pub timeout_activity_sid: Option<ActivitySid>,
}

/// <https://www.twilio.com/docs/taskrouter/api/activity>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Activity {
    pub sid: ActivitySid,
    pub friendly_name: String,
    /// Whether TaskRouter gives tasks to workers in it.
    pub available: bool,
}

/// <https://www.twilio.com/docs/taskrouter/api/workflow>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    pub sid: WorkflowSid,
    pub friendly_name: String,
    /// How long a reservation stays pending.
    pub reservation_timeout: Duration,
}

#[derive(Deserialize)]
struct WorkflowBody {
    sid: WorkflowSid,
    #[serde(default)]
    friendly_name: String,
    task_reservation_timeout: u64,
}

impl From<WorkflowBody> for Workflow {
    fn from(body: WorkflowBody) -> Self {
        Self {
            sid: body.sid,
            friendly_name: body.friendly_name,
            reservation_timeout: Duration::from_secs(body.task_reservation_timeout),
        }
    }
}

impl Twilio {
    /// All workspaces of the account (<https://www.twilio.com/docs/taskrouter/api/workspace#read-multiple-workspace-resources>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, TwilioError> {
        let call = self.get(Product::Taskrouter, "list_workspace", &["v1", "Workspaces"]).with("PageSize", PAGE_SIZE);
        self.all(call, "workspaces").await
    }

    /// The workspace that is worked in (<https://www.twilio.com/docs/taskrouter/api/workspace#fetch-a-workspace-resource>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn workspace(&self) -> Result<Workspace, TwilioError> {
        self.send(self.get_in_workspace("fetch_workspace", &[]).await?).await
    }

    /// All activities (<https://www.twilio.com/docs/taskrouter/api/activity#read-multiple-activity-resources>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn activities(&self) -> Result<Vec<Activity>, TwilioError> {
        let call = self.get_in_workspace("list_activity", &["Activities"]).await?.with("PageSize", PAGE_SIZE);
        self.all(call, "activities").await
    }

    /// All workflows (<https://www.twilio.com/docs/taskrouter/api/workflow#read-multiple-workflow-resources>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn workflows(&self) -> Result<Vec<Workflow>, TwilioError> {
        let call = self.get_in_workspace("list_workflow", &["Workflows"]).await?.with("PageSize", PAGE_SIZE);
        Ok(self.all::<WorkflowBody>(call, "workflows").await?.into_iter().map(Into::into).collect())
    }

    /// One workflow (<https://www.twilio.com/docs/taskrouter/api/workflow#fetch-a-workflow-resource>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn workflow(&self, sid: &WorkflowSid) -> Result<Workflow, TwilioError> {
        let call = self.get_in_workspace("fetch_workflow", &["Workflows", sid.as_str()]).await?;
        self.send::<WorkflowBody>(call).await.map(Into::into)
    }

    async fn get_in_workspace(&self, operation: &'static str, rest: &[&str]) -> Result<Call, TwilioError> {
        let path = [&["v1", "Workspaces", self.workspace_sid().await?.as_str()], rest].concat();
        Ok(self.get(Product::Taskrouter, operation, &path))
    }

    async fn post_in_workspace(&self, operation: &'static str, rest: &[&str]) -> Result<Call, TwilioError> {
        let path = [&["v1", "Workspaces", self.workspace_sid().await?.as_str()], rest].concat();
        Ok(self.post(Product::Taskrouter, operation, &path))
    }

    async fn delete_in_workspace(&self, operation: &'static str, rest: &[&str]) -> Result<Call, TwilioError> {
        let path = [&["v1", "Workspaces", self.workspace_sid().await?.as_str()], rest].concat();
        Ok(self.delete(Product::Taskrouter, operation, &path))
    }

    async fn all<T: serde::de::DeserializeOwned>(&self, call: Call, key: &'static str) -> Result<Vec<T>, TwilioError> {
        Ok(Pages::new(call, key).collect(self, MAX_PAGES).await?.0)
    }
}
