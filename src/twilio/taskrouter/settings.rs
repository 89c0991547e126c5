//! What an operator sets once: activities, and where the workspace's events go.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Activity, Refusal, Workspace};
use crate::{
    domain::ActivitySid,
    twilio::client::{Twilio, TwilioError},
};

/// The workspace's one slot for events, as it is or is to be.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCallback {
    /// Empty: nowhere. It may have a fragment with connection overrides.
    pub url: String,
    /// Comma-separated event types; empty: all.
    pub filter: String,
}

/// A URL may hold somebody's password.
impl fmt::Debug for EventCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventCallback").field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl Workspace {
    /// Where its events go; what was never set is empty.
    pub fn event_callback(&self) -> EventCallback {
        EventCallback {
            url: self.event_callback_url.clone().unwrap_or_default(),
            filter: self.events_filter.clone().unwrap_or_default(),
        }
    }
}

impl Twilio {
    /// Makes an activity (<https://www.twilio.com/docs/taskrouter/api/activity#create-an-activity-resource>). Whether
    /// workers in it are available cannot be changed later.
    ///
    /// # Errors
    /// [`TwilioError`]; refused, if one has this name already.
    pub async fn create_activity(&self, name: &str, available: bool) -> Result<Activity, TwilioError> {
        let call = self.post_in_workspace("create_activity", &["Activities"]).await?;
        self.send(call.with("FriendlyName", name).with("Available", available.to_string())).await
    }

    /// Deletes an activity (<https://www.twilio.com/docs/taskrouter/api/activity#delete-an-activity-resource>). One that is
    /// not there is deleted.
    ///
    /// # Errors
    /// [`TwilioError`]: refused, while a worker is in it or the workspace uses it. Doing it twice does no harm.
    pub async fn delete_activity(&self, sid: &ActivitySid) -> Result<(), TwilioError> {
        let call = self.delete_in_workspace("delete_activity", &["Activities", sid.as_str()]).await?;
        match self.send_for_nothing(call).await {
            Err(error) if error.refusal() == Some(Refusal::NotFound) => Ok(()),
            deleted => deleted,
        }
    }

    /// Says where the workspace's events go
    /// (<https://www.twilio.com/docs/taskrouter/api/workspace#update-a-workspace-resource>).
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn set_event_callback(&self, to: &EventCallback) -> Result<Workspace, TwilioError> {
        let call = self.post_in_workspace("update_workspace", &[]).await?;
        self.send(call.with("EventCallbackUrl", &*to.url).with("EventsFilter", &*to.filter)).await
    }
}
