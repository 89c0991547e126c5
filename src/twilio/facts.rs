//! What is known of the workspace: read from Twilio when it is needed, and kept for a while.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use super::{
    cache::Cache,
    client::{Refusal, Twilio, TwilioError},
    taskrouter::{Activity, Recording},
};
use crate::domain::{ActivitySid, ChatServiceSid, WorkflowSid, WorkspaceSid};

/// How long a reservation stays pending where its workflow says nothing
/// (<https://www.twilio.com/docs/taskrouter/api/workflow>).
pub const DEFAULT_RESERVATION_TIMEOUT: Duration = Duration::from_secs(120);

const ACTIVITIES_TTL: Duration = Duration::from_secs(600);
/// A name that is not there may be new; but one that nobody made shall not have us ask each time.
const MISSING_ACTIVITY_TTL: Duration = Duration::from_secs(30);
const WORKFLOW_TTL: Duration = Duration::from_secs(600);
const CHAT_SERVICE_TTL: Duration = Duration::from_secs(3600);
const RECORDING_TTL: Duration = Duration::from_secs(300);
/// An account has a handful; this many are remembered.
const MOST_WORKFLOWS: usize = 256;

/// The workspace's facts. Clones share what they know.
#[derive(Clone)]
pub struct WorkspaceFacts {
    inner: Arc<Inner>,
}

struct Inner {
    twilio: Twilio,
    activities: Cache<(), Arc<[Activity]>>,
    /// Names of those that take no tasks, as they were last read.
    unavailable: RwLock<Arc<[String]>>,
    timeouts: Cache<WorkflowSid, Duration>,
    recording: Cache<(), Option<Recording>>,
    chat_service: Cache<(), ChatServiceSid>,
}

impl WorkspaceFacts {
    pub fn new(twilio: Twilio) -> Self {
        let clock = twilio.clock().clone();
        let inner = Inner {
            activities: Cache::new(clock.clone(), 1),
            unavailable: RwLock::new(Arc::new([])),
            timeouts: Cache::new(clock.clone(), MOST_WORKFLOWS),
            recording: Cache::new(clock.clone(), 1),
            chat_service: Cache::new(clock, 1),
            twilio,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The workspace that is worked in.
    ///
    /// # Errors
    /// As [`Twilio::workspace_sid`]: among them the error that lists the workspaces to choose from.
    pub async fn workspace_sid(&self) -> Result<WorkspaceSid, TwilioError> {
        self.inner.twilio.workspace_sid().await.cloned()
    }

    /// The activity of this name; `None` if there is none.
    ///
    /// # Errors
    /// [`TwilioError`], if Twilio cannot be asked and never could.
    pub async fn activity_sid(&self, name: &str) -> Result<Option<ActivitySid>, TwilioError> {
        Ok(self.activity(|activity| activity.friendly_name == name).await?.map(|activity| activity.sid))
    }

    /// The name of this activity; `None` if there is no such activity.
    ///
    /// # Errors
    /// [`TwilioError`], if Twilio cannot be asked and never could.
    pub async fn activity_name(&self, sid: &ActivitySid) -> Result<Option<String>, TwilioError> {
        Ok(self.activity(|activity| activity.sid == *sid).await?.map(|activity| activity.friendly_name))
    }

    async fn activity(&self, wanted: impl Fn(&Activity) -> bool) -> Result<Option<Activity>, TwilioError> {
        for max_age in [ACTIVITIES_TTL, MISSING_ACTIVITY_TTL] {
            let activities = self.activities(max_age).await?;
            if let Some(activity) = activities.iter().find(|activity| wanted(activity)) {
                return Ok(Some(activity.clone()));
            }
        }
        Ok(None)
    }

    async fn activities(&self, max_age: Duration) -> Result<Arc<[Activity]>, TwilioError> {
        self.inner.activities.get(&(), max_age, || self.read_activities()).await
    }

    async fn read_activities(&self) -> Result<Arc<[Activity]>, TwilioError> {
        let activities: Arc<[Activity]> = self.inner.twilio.activities().await?.into();
        let unavailable = activities.iter().filter(|activity| !activity.available);
        let names = unavailable.map(|activity| activity.friendly_name.clone()).collect();
        *self.inner.unavailable.write().unwrap_or_else(PoisonError::into_inner) = names;
        Ok(activities)
    }

    /// The names of activities that take no tasks, without asking Twilio; empty as long as nobody has. Whether an activity
    /// takes tasks never changes (<https://www.twilio.com/docs/taskrouter/api/activity>).
    pub fn unavailable_activities(&self) -> Arc<[String]> {
        self.inner.unavailable.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long a reservation of this workflow stays pending; the default while that cannot be known.
    pub async fn reservation_timeout(&self, workflow: Option<&WorkflowSid>) -> Duration {
        let Some(workflow) = workflow else { return DEFAULT_RESERVATION_TIMEOUT };
        let fetch =
            || async { self.inner.twilio.workflow(workflow).await.map(|workflow| workflow.reservation_timeout) };
        match self.inner.timeouts.get(workflow, WORKFLOW_TTL, fetch).await {
            Ok(timeout) if !timeout.is_zero() => timeout,
            _ => DEFAULT_RESERVATION_TIMEOUT,
        }
    }

    /// How Flex would record a call: `None` if it would not, or if the account has no Flex.
    ///
    /// # Errors
    /// [`TwilioError`], if Twilio cannot be asked and never could.
    pub async fn flex_recording(&self) -> Result<Option<Recording>, TwilioError> {
        self.inner.recording.get(&(), RECORDING_TTL, || self.read_flex_recording()).await
    }

    /// The service that conversations and their files belong to.
    ///
    /// # Errors
    /// [`TwilioError`], if Twilio cannot be asked and never could.
    pub async fn chat_service_sid(&self) -> Result<ChatServiceSid, TwilioError> {
        self.inner.chat_service.get(&(), CHAT_SERVICE_TTL, || self.inner.twilio.chat_service_sid()).await
    }

    async fn read_flex_recording(&self) -> Result<Option<Recording>, TwilioError> {
        let configuration = match self.inner.twilio.configuration().await {
            Err(error) if error.refusal() == Some(Refusal::NotFound) => return Ok(None),
            other => other?,
        };
        Ok(configuration.call_recording_enabled.then(|| Recording {
            status_callback: configuration.call_recording_webhook_url.and_then(|url| url.parse().ok()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Clock, Hand},
        domain::Timestamp,
        twilio::{
            client::Limits,
            testing::{Fake, Reply, WORKFLOW},
        },
    };

    const ACTIVITY: &str = "WA0123456789abcdef0123456789abcdef";

    async fn facts(replies: impl Into<Vec<Reply>>) -> (WorkspaceFacts, Fake, Hand) {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_000_000));
        let fake = Fake::replying(replies).await;
        (WorkspaceFacts::new(fake.client_with(Limits::default(), clock)), fake, hand)
    }

    fn activities(names: &[&str]) -> Reply {
        let item = |name: &&str| format!(r#"{{"sid":"{ACTIVITY}","friendly_name":"{name}","available":true}}"#);
        let items: Vec<_> = names.iter().map(item).collect();
        Reply::ok(format!(r#"{{"activities":[{}],"meta":{{"next_page_url":null}}}}"#, items.join(",")))
    }

    #[tokio::test]
    async fn an_activity_is_known_by_name_and_by_sid_after_one_question() {
        let (facts, fake, _hand) = facts([activities(&["Offline"])]).await;
        let sid = facts.activity_sid("Offline").await.unwrap().unwrap();
        assert_eq!(facts.activity_name(&sid).await.unwrap().as_deref(), Some("Offline"));
        assert_eq!(fake.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_missing_activity_is_asked_for_again_only_after_a_while() {
        let (facts, fake, hand) = facts([activities(&["Offline"]), activities(&["Offline", "Break"])]).await;
        for _ in 0..3 {
            assert_eq!(facts.activity_sid("Break").await.unwrap(), None);
        }
        assert_eq!(fake.requests().len(), 1);
        hand.advance(MISSING_ACTIVITY_TTL);
        assert!(facts.activity_sid("Break").await.unwrap().is_some());
        assert_eq!(fake.requests().len(), 2);
    }

    #[tokio::test]
    async fn a_workflows_timeout_is_asked_for_once_in_a_while() {
        let body = format!(r#"{{"sid":"{WORKFLOW}","task_reservation_timeout":45}}"#);
        let (facts, fake, hand) = facts([Reply::ok(body)]).await;
        let workflow = WORKFLOW.parse().unwrap();
        for _ in 0..2 {
            assert_eq!(facts.reservation_timeout(Some(&workflow)).await, Duration::from_secs(45));
        }
        assert_eq!(fake.requests().len(), 1);
        hand.advance(WORKFLOW_TTL);
        facts.reservation_timeout(Some(&workflow)).await;
        assert_eq!(fake.requests().len(), 2);
    }

    #[tokio::test]
    async fn an_unknown_timeout_is_twilios_default() {
        let (facts, _fake, _hand) = facts([Reply::status(404)]).await;
        assert_eq!(facts.reservation_timeout(None).await, DEFAULT_RESERVATION_TIMEOUT);
        assert_eq!(facts.reservation_timeout(Some(&WORKFLOW.parse().unwrap())).await, DEFAULT_RESERVATION_TIMEOUT);
    }

    #[tokio::test]
    async fn flex_says_whether_and_where_it_records() {
        let on = r#"{"call_recording_enabled":true,"call_recording_webhook_url":"https://flex.example.com/r"}"#;
        let url = "https://flex.example.com/r".parse().unwrap();
        for (reply, expected) in [
            (Reply::ok(on), Some(Recording { status_callback: Some(url) })),
            (Reply::ok(r#"{"call_recording_enabled":true}"#), Some(Recording { status_callback: None })),
            (Reply::ok(r#"{"call_recording_enabled":null,"call_recording_webhook_url":null}"#), None),
            (Reply::status(404), None),
        ] {
            let (facts, _fake, _hand) = facts([reply]).await;
            assert_eq!(facts.flex_recording().await, Ok(expected));
        }
    }

    #[tokio::test]
    async fn the_chat_service_is_asked_for_once_in_a_while() {
        let service = "IS0123456789abcdef0123456789abcdef";
        let body = format!(r#"{{"default_chat_service_sid":"{service}","default_messaging_service_sid":null}}"#);
        let (facts, fake, _hand) = facts([Reply::ok(body)]).await;
        for _ in 0..2 {
            assert_eq!(facts.chat_service_sid().await.unwrap().as_str(), service);
        }
        let requests = fake.requests();
        assert_eq!(requests.len(), 1);
        assert!(requests[0].starts_with("GET /v1/Configuration HTTP/1.1\r\n"), "{}", requests[0]);
    }
}
