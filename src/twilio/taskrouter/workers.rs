//! Workers: what our agents are to TaskRouter (<https://www.twilio.com/docs/taskrouter/api/worker>).

use std::fmt;

use serde::Deserialize;

use super::PAGE_SIZE;
use crate::{
    domain::{ActivitySid, Timestamp, WorkerSid},
    twilio::{
        client::{Listing, Pages, Refusal, Twilio, TwilioError},
        wire::optional_moment,
    },
};

/// A workspace has 15,000 workers at most, unless Twilio was asked for more.
const MOST_PAGES: usize = 1_000;

#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Worker {
    pub sid: WorkerSid,
    /// Unique in the workspace, whatever its case.
    pub friendly_name: String,
    pub activity_sid: ActivitySid,
    pub activity_name: String,
    /// When the activity was set, in whole seconds.
    #[serde(default, deserialize_with = "optional_moment")]
    pub date_status_changed: Option<Timestamp>,
    /// Whether the activity lets tasks in.
    #[serde(default)]
    pub available: bool,
    /// A JSON object in a string; none in a list, which leaves it out: [`Twilio::worker`] tells it.
    #[serde(default)]
    pub attributes: Option<String>,
}

/// The name and the attributes hold phone numbers.
impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("sid", &self.sid)
            .field("activity_name", &self.activity_name)
            .field("available", &self.available)
            .finish_non_exhaustive()
    }
}

impl Twilio {
    /// <https://www.twilio.com/docs/taskrouter/api/worker#fetch-a-worker-resource>
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn worker(&self, sid: &WorkerSid) -> Result<Worker, TwilioError> {
        self.send(self.get_in_workspace("fetch_worker", &["Workers", sid.as_str()]).await?).await
    }

    /// All workers (<https://www.twilio.com/docs/taskrouter/api/worker#read-multiple-worker-resources>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn workers(&self) -> Result<Listing<Worker>, TwilioError> {
        let call = self.get_in_workspace("list_worker", &["Workers"]).await?.with("PageSize", PAGE_SIZE);
        Ok(Listing::new(Pages::new(call, "workers"), MOST_PAGES))
    }

    /// The worker of this friendly name, if there is one
    /// (<https://www.twilio.com/docs/taskrouter/api/worker#read-multiple-worker-resources>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn worker_by_name(&self, friendly_name: &str) -> Result<Option<Worker>, TwilioError> {
        let call = self.get_in_workspace("list_worker", &["Workers"]).await?.with("FriendlyName", friendly_name);
        let workers: Vec<Worker> = self.all(call, "workers").await?;
        Ok(workers.into_iter().find(|worker| worker.friendly_name.to_lowercase() == friendly_name.to_lowercase()))
    }

    /// Moves a worker to an activity (<https://www.twilio.com/docs/taskrouter/api/worker#update-a-worker-resource>).
    /// Without `reject_pending` Twilio refuses to make a worker unavailable who has pending reservations.
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn set_activity(
        &self,
        worker: &WorkerSid,
        activity: &ActivitySid,
        reject_pending: bool,
    ) -> Result<Worker, TwilioError> {
        let mut call = self
            .post_in_workspace("update_worker", &["Workers", worker.as_str()])
            .await?
            .with("ActivitySid", activity.as_str());
        if reject_pending {
            call = call.with("RejectPendingReservations", "true");
        }
        self.send(call).await
    }

    /// Deletes a worker (<https://www.twilio.com/docs/taskrouter/api/worker#delete-a-worker-resource>). One that is not there,
    /// or not any more, is deleted.
    ///
    /// # Errors
    /// [`TwilioError`]: refused, while the worker has open reservations. Doing it twice does no harm.
    pub async fn delete_worker(&self, sid: &WorkerSid) -> Result<(), TwilioError> {
        let call = self.delete_in_workspace("delete_worker", &["Workers", sid.as_str()]).await?;
        match self.send_for_nothing(call).await {
            Err(error) if error.refusal() == Some(Refusal::NotFound) => Ok(()),
            deleted => deleted,
        }
    }
}
