//! Event Streams: sinks, and what they are subscribed to (<https://www.twilio.com/docs/events>).

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    client::{Pages, Product, Refusal, Twilio, TwilioError},
    wire::{Nothing, or_default},
};
use crate::domain::{SinkSid, SubscriptionSid};

/// An account has a few; a list that goes on for longer is none of these.
const MAX_PAGES: usize = 50;
const PAGE_SIZE: &str = "100";
/// Of every event type: the first, which each has had from the start.
const SCHEMA_VERSION: u32 = 1;

/// <https://www.twilio.com/docs/events/event-streams/sink-resource>
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Sink {
    pub sid: SinkSid,
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    #[serde(default, deserialize_with = "or_default")]
    sink_configuration: SinkConfiguration,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
}

#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
struct SinkConfiguration {
    #[serde(default, deserialize_with = "or_default")]
    destination: String,
}

impl Sink {
    /// Where a webhook sink sends to; empty for another kind.
    pub fn destination(&self) -> &str {
        &self.sink_configuration.destination
    }

    /// Twilio has given it up.
    pub fn has_failed(&self) -> bool {
        self.status == "failed"
    }
}

/// A URL may hold somebody's password.
impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("sid", &self.sid).field("status", &self.status).finish_non_exhaustive()
    }
}

/// <https://www.twilio.com/docs/events/event-streams/subscription>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    pub sid: SubscriptionSid,
    pub sink_sid: SinkSid,
}

#[derive(Deserialize)]
struct SubscribedEvent {
    #[serde(rename = "type")]
    kind: String,
}

impl Twilio {
    /// All sinks (<https://www.twilio.com/docs/events/event-streams/sink-resource#read-multiple-sink-resources>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn sinks(&self) -> Result<Vec<Sink>, TwilioError> {
        let call = self.get(Product::Events, "list_sink", &["v1", "Sinks"]).with("PageSize", PAGE_SIZE);
        Ok(Pages::new(call, "sinks").collect(self, MAX_PAGES).await?.0)
    }

    /// Makes a sink that sends batches to a URL by POST, and answers its sid.
    ///
    /// # Errors
    /// [`TwilioError`]
    pub async fn create_sink(&self, description: &str, destination: &str) -> Result<SinkSid, TwilioError> {
        let configuration = json!({ "destination": destination, "method": "POST", "batch_events": true });
        let call = self.post(Product::Events, "create_sink", &["v1", "Sinks"]);
        let call = call.with("Description", description).with("SinkType", "webhook");
        let sink: Sink = self.send(call.with("SinkConfiguration", configuration.to_string())).await?;
        Ok(sink.sid)
    }

    /// Deletes a sink; one that is not there is deleted.
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn delete_sink(&self, sid: &SinkSid) -> Result<(), TwilioError> {
        let call = self.delete(Product::Events, "delete_sink", &["v1", "Sinks", sid.as_str()]);
        gone(self.send_for_nothing(call).await)
    }

    /// What a sink is subscribed with.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn subscriptions(&self, sink: &SinkSid) -> Result<Vec<Subscription>, TwilioError> {
        let call = self.get(Product::Events, "list_subscription", &["v1", "Subscriptions"]);
        let call = call.with("SinkSid", sink.as_str()).with("PageSize", PAGE_SIZE);
        let all: Vec<Subscription> = Pages::new(call, "subscriptions").collect(self, MAX_PAGES).await?.0;
        Ok(all.into_iter().filter(|subscription| subscription.sink_sid == *sink).collect())
    }

    /// The event types of a subscription.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn subscribed_types(&self, subscription: &SubscriptionSid) -> Result<Vec<String>, TwilioError> {
        let path = ["v1", "Subscriptions", subscription.as_str(), "SubscribedEvents"];
        let call = self.get(Product::Events, "list_subscribed_event", &path).with("PageSize", PAGE_SIZE);
        let all: Vec<SubscribedEvent> = Pages::new(call, "types").collect(self, MAX_PAGES).await?.0;
        Ok(all.into_iter().map(|event| event.kind).collect())
    }

    /// Subscribes a sink to event types, and answers the subscription's sid.
    ///
    /// # Errors
    /// [`TwilioError`]
    pub async fn create_subscription(
        &self,
        description: &str,
        sink: &SinkSid,
        types: &[String],
    ) -> Result<SubscriptionSid, TwilioError> {
        let call = self.post(Product::Events, "create_subscription", &["v1", "Subscriptions"]);
        let call = call.with("Description", description).with("SinkSid", sink.as_str());
        let kind = |kind: &String| json!({ "type": kind, "schema_version": SCHEMA_VERSION });
        let call = types.iter().map(kind).fold(call, |call, kind: Value| call.with("Types", kind.to_string()));
        let subscription: Subscription = self.send(call).await?;
        Ok(subscription.sid)
    }

    /// Adds an event type to a subscription.
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn subscribe(&self, subscription: &SubscriptionSid, kind: &str) -> Result<(), TwilioError> {
        let path = ["v1", "Subscriptions", subscription.as_str(), "SubscribedEvents"];
        let call = self.post(Product::Events, "create_subscribed_event", &path).with("Type", kind);
        self.send::<Nothing>(call.with("SchemaVersion", SCHEMA_VERSION.to_string())).await.map(|_| ())
    }

    /// Takes an event type out of a subscription; one that is not in it is out.
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn unsubscribe(&self, subscription: &SubscriptionSid, kind: &str) -> Result<(), TwilioError> {
        let path = ["v1", "Subscriptions", subscription.as_str(), "SubscribedEvents", kind];
        gone(self.send_for_nothing(self.delete(Product::Events, "delete_subscribed_event", &path)).await)
    }

    /// Deletes a subscription; one that is not there is deleted.
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn delete_subscription(&self, sid: &SubscriptionSid) -> Result<(), TwilioError> {
        let call = self.delete(Product::Events, "delete_subscription", &["v1", "Subscriptions", sid.as_str()]);
        gone(self.send_for_nothing(call).await)
    }
}

fn gone(deleted: Result<(), TwilioError>) -> Result<(), TwilioError> {
    match deleted {
        Err(error) if error.refusal() == Some(Refusal::NotFound) => Ok(()),
        deleted => deleted,
    }
}
