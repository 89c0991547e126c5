//! Verify's services (<https://www.twilio.com/docs/verify/api/service>) and their rate limits
//! (<https://www.twilio.com/docs/verify/api/programmable-rate-limits>).

use serde::Deserialize;

use super::super::{
    client::{Pages, Product, Refusal, Twilio, TwilioError},
    wire::Nothing,
};
use crate::domain::{RateLimitSid, VerifyServiceSid};

/// Counts sendings by the number that a code goes to.
pub const LIMIT_BY_PHONE: &str = "offdesk_phone";
/// Counts sendings by the address that asked for them.
pub const LIMIT_BY_ADDRESS: &str = "offdesk_address";
/// An account has a few.
const MAX_PAGES: usize = 50;
const PAGE_SIZE: &str = "100";

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Service {
    pub sid: VerifyServiceSid,
    pub friendly_name: String,
}

/// Counts sendings by a value that goes with them; its buckets say how many of a value there may be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RateLimit {
    pub sid: RateLimitSid,
    pub unique_name: String,
}

impl Twilio {
    /// All Verify services (<https://www.twilio.com/docs/verify/api/service#list-all-services>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn verify_services(&self) -> Result<Vec<Service>, TwilioError> {
        let call = self.get(Product::Verify, "list_service", &["v2", "Services"]).with("PageSize", PAGE_SIZE);
        Ok(Pages::new(call, "services").collect(self, MAX_PAGES).await?.0)
    }

    /// One of them (<https://www.twilio.com/docs/verify/api/service#fetch-a-service>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn verify_service(&self, sid: &VerifyServiceSid) -> Result<Service, TwilioError> {
        self.send(self.get(Product::Verify, "fetch_service", &["v2", "Services", sid.as_str()])).await
    }

    /// Makes a service whose codes have six digits, and answers its sid. The name is in the messages that it sends.
    ///
    /// # Errors
    /// [`TwilioError`]
    pub async fn create_verify_service(&self, name: &str) -> Result<VerifyServiceSid, TwilioError> {
        let call = self.post(Product::Verify, "create_service", &["v2", "Services"]);
        let made: Service = self.send(call.with("FriendlyName", name).with("CodeLength", "6")).await?;
        Ok(made.sid)
    }

    /// Deletes a service; one that is not there is deleted.
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn delete_verify_service(&self, sid: &VerifyServiceSid) -> Result<(), TwilioError> {
        let call = self.delete(Product::Verify, "delete_service", &["v2", "Services", sid.as_str()]);
        gone(self.send_for_nothing(call).await)
    }

    /// The rate limits of a service.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn rate_limits(&self, service: &VerifyServiceSid) -> Result<Vec<RateLimit>, TwilioError> {
        let path = ["v2", "Services", service.as_str(), "RateLimits"];
        let call = self.get(Product::Verify, "list_rate_limit", &path).with("PageSize", PAGE_SIZE);
        Ok(Pages::new(call, "rate_limits").collect(self, MAX_PAGES).await?.0)
    }

    /// Makes a rate limit without buckets, which limits nothing, and answers its sid.
    ///
    /// # Errors
    /// [`TwilioError`]; refused, if the service has one of this name.
    pub async fn create_rate_limit(&self, service: &VerifyServiceSid, name: &str) -> Result<RateLimitSid, TwilioError> {
        let call = self.post(Product::Verify, "create_rate_limit", &["v2", "Services", service.as_str(), "RateLimits"]);
        let made: RateLimit = self.send(call.with("UniqueName", name)).await?;
        Ok(made.sid)
    }

    /// Whether a rate limit has a bucket.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn has_bucket(&self, service: &VerifyServiceSid, limit: &RateLimitSid) -> Result<bool, TwilioError> {
        let path = ["v2", "Services", service.as_str(), "RateLimits", limit.as_str(), "Buckets"];
        let buckets = Pages::new(self.get(Product::Verify, "list_bucket", &path), "buckets");
        Ok(!buckets.collect::<Nothing>(self, 1).await?.0.is_empty())
    }

    /// Lets `max` sendings of a value happen within `interval` seconds.
    ///
    /// # Errors
    /// [`TwilioError`]
    pub async fn create_bucket(
        &self,
        service: &VerifyServiceSid,
        limit: &RateLimitSid,
        max: u32,
        interval: u64,
    ) -> Result<(), TwilioError> {
        let path = ["v2", "Services", service.as_str(), "RateLimits", limit.as_str(), "Buckets"];
        let call = self.post(Product::Verify, "create_bucket", &path);
        let call = call.with("Max", max.to_string()).with("Interval", interval.to_string());
        self.send::<Nothing>(call).await.map(|_| ())
    }

    /// Deletes a rate limit with its buckets; one that is not there is deleted.
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn delete_rate_limit(&self, service: &VerifyServiceSid, sid: &RateLimitSid) -> Result<(), TwilioError> {
        let path = ["v2", "Services", service.as_str(), "RateLimits", sid.as_str()];
        gone(self.send_for_nothing(self.delete(Product::Verify, "delete_rate_limit", &path)).await)
    }
}

fn gone(deleted: Result<(), TwilioError>) -> Result<(), TwilioError> {
    match deleted {
        Err(error) if error.refusal() == Some(Refusal::NotFound) => Ok(()),
        deleted => deleted,
    }
}
