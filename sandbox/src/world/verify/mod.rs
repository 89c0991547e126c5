//! Verify's state and rules (<https://www.twilio.com/docs/verify/api>): one-time codes by text message, call or WhatsApp.

mod limits;
mod model;
mod sending;

use std::collections::HashMap;

use self::limits::Attempts;
pub use self::model::{CodeChannel, CodeDelivery, CodeSent, CodeView, VerificationStatus};
pub(crate) use self::{
    model::{Bucket, RateLimit, Service, Verification},
    sending::NewVerification,
};
use super::{Done, World, sid::Sid, table::Table};
use crate::rest::error::Refusal;

/// Protects memory: the oldest are forgotten.
const VERIFICATIONS_KEPT: usize = 5_000;
/// Protects memory: more cannot be made, services nor rate limits nor their buckets.
const MADE: usize = 200;
/// What a code of a new service has.
pub(crate) const CODE_LENGTH: u64 = 6;

#[derive(Default)]
pub(crate) struct Verify {
    pub(crate) services: Table<Service>,
    pub(crate) limits: Table<RateLimit>,
    pub(crate) buckets: Table<Bucket>,
    pub(crate) verifications: Table<Verification>,
    attempts: Attempts,
    /// Numbers that codes do not get to.
    troubled: HashMap<String, CodeDelivery>,
    sent: Vec<CodeSent>,
}

impl World {
    pub(crate) fn create_verify_service(&mut self, name: &str, code_length: u64) -> Done<Sid> {
        has_room(self.verify.services.len())?;
        if !(4..=10).contains(&code_length) {
            return Err(invalid("CodeLength"));
        }
        let sid = self.make_sid("VA");
        self.verify.services.add(Service { sid: sid.clone(), name: name.to_owned(), code_length, created: self.now });
        Ok(sid)
    }

    /// The service that is there from the start.
    pub(super) fn seed_verify_service(&mut self, sid: &str) {
        let name = "Offdesk".to_owned();
        self.verify.services.add(Service { sid: sid.into(), name, code_length: CODE_LENGTH, created: self.now });
    }

    pub(crate) fn create_rate_limit(&mut self, service: &Sid, name: &str, description: Option<String>) -> Done<Sid> {
        has_room(self.verify.limits.len())?;
        if self.rate_limit(service, name).is_some() {
            return Err(Refusal::twilio(60226, "A rate limit with this unique name exists already"));
        }
        let sid = self.make_sid("RK");
        let limit = RateLimit {
            sid: sid.clone(),
            service: service.clone(),
            name: name.to_owned(),
            description: description.unwrap_or_default(),
            created: self.now,
        };
        self.verify.limits.add(limit);
        Ok(sid)
    }

    pub(crate) fn create_bucket(&mut self, limit: &Sid, max: u64, interval_s: u64) -> Done<Sid> {
        has_room(self.verify.buckets.len())?;
        let sid = self.make_sid("BL");
        self.verify.buckets.add(Bucket { sid: sid.clone(), limit: limit.clone(), max, interval_s, created: self.now });
        Ok(sid)
    }

    /// Its rate limits go with it.
    pub(crate) fn remove_verify_service(&mut self, sid: &Sid) -> Done {
        self.verify.services.remove(sid).ok_or_else(Refusal::not_found)?;
        let limits: Vec<_> =
            self.verify.limits.iter().filter(|row| row.service == *sid).map(|row| row.sid.clone()).collect();
        for limit in limits {
            self.remove_rate_limit(&limit);
        }
        Ok(())
    }

    /// Its buckets go with it.
    pub(crate) fn remove_rate_limit(&mut self, sid: &Sid) {
        self.verify.limits.remove(sid);
        let buckets: Vec<_> =
            self.verify.buckets.iter().filter(|row| row.limit == *sid).map(|row| row.sid.clone()).collect();
        for bucket in buckets {
            self.verify.buckets.remove(&bucket);
        }
    }

    /// How codes get to a number from now on.
    pub(crate) fn set_code_delivery(&mut self, number: &str, delivery: CodeDelivery) {
        self.verify.troubled.remove(number);
        if delivery != CodeDelivery::Delivered && self.verify.troubled.len() < MADE {
            self.verify.troubled.insert(number.to_owned(), delivery);
        }
    }

    /// Codes that were sent since the last call.
    pub(crate) fn take_codes(&mut self) -> Vec<CodeSent> {
        std::mem::take(&mut self.verify.sent)
    }

    /// The latest codes that were sent, the oldest first.
    pub(crate) fn view_codes(&self, last: usize) -> Vec<CodeView> {
        let rows = &self.verify.verifications;
        rows.iter().skip(rows.len().saturating_sub(last)).map(|row| row.view(self.now)).collect()
    }

    fn rate_limit(&self, service: &Sid, name: &str) -> Option<&RateLimit> {
        self.verify.limits.iter().find(|limit| limit.service == *service && limit.name == name)
    }
}

fn has_room(made: usize) -> Done {
    if made < MADE { Ok(()) } else { Err(Refusal::twilio(60207, "Max rate limits per service reached")) }
}

/// 60200: a parameter makes no sense.
pub(crate) fn invalid(parameter: &str) -> Refusal {
    Refusal::new(400, 60200, format!("Invalid parameter `{parameter}`"))
}
