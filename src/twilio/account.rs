//! The account itself (<https://www.twilio.com/docs/iam/api/account>), and its numbers.

use serde::Deserialize;

use super::client::{Pages, Product, Twilio, TwilioError};
use crate::domain::{AccountSid, E164};

/// <https://www.twilio.com/docs/iam/api/account#account-properties>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    pub sid: AccountSid,
    pub status: AccountStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    Active,
    Suspended,
    Closed,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct Number {
    phone_number: String,
}

impl Twilio {
    /// The account that is worked in (<https://www.twilio.com/docs/iam/api/account#fetch-an-account-resource>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn account(&self) -> Result<Account, TwilioError> {
        let name = format!("{}.json", self.account_sid());
        self.send(self.get(Product::Api, "fetch_account", &["2010-04-01", "Accounts", &name])).await
    }

    /// Whether the account may call from a number: one of its own
    /// (<https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource>), or one that was verified
    /// (<https://www.twilio.com/docs/voice/api/outgoing-caller-ids>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn may_call_from(&self, number: &E164) -> Result<bool, TwilioError> {
        for (operation, list, key) in [
            ("list_incoming_phone_number", "IncomingPhoneNumbers.json", "incoming_phone_numbers"),
            ("list_outgoing_caller_id", "OutgoingCallerIds.json", "outgoing_caller_ids"),
        ] {
            let path = ["2010-04-01", "Accounts", self.account_sid().as_str(), list];
            let call = self.get(Product::Api, operation, &path).with("PhoneNumber", number.as_str());
            let found: Vec<Number> = Pages::new(call, key).collect(self, 1).await?.0;
            if found.iter().any(|found| found.phone_number == number.as_str()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
