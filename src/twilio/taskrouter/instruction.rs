//! The conference instruction (<https://www.twilio.com/docs/taskrouter/api/reservations#conference>).

use std::{fmt, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{domain::E164, twilio::client::Call};

/// Whom Twilio shall call.
#[derive(Clone)]
pub enum Destination {
    Phone(E164),
    /// A SIP URI. Its user part is a ticket that lets the call in: a secret. The credentials, if there are any, answer the
    /// challenge to Twilio's INVITE.
    Sip {
        uri: SecretString,
        credentials: Option<(String, SecretString)>,
    },
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Phone(_) => "Phone",
            Self::Sip { .. } => "Sip",
        })
    }
}

/// The conference is recorded from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Where Twilio tells when the recording is ready, such as Flex's `call_recording_webhook_url`.
    pub status_callback: Option<Url>,
}

#[derive(Clone, Debug)]
pub struct ConferenceInstruction {
    pub to: Destination,
    /// The caller id; one of the account's numbers, or a verified one. `None`: the worker is shown the customer's, which
    /// only some routes allow.
    pub from: Option<E164>,
    /// How long it rings, in whole seconds; Twilio adds five.
    pub timeout: Duration,
    /// Hears of `initiated`, `ringing`, `answered` and `completed`; the last one is any end, answered or not.
    pub status_callback: Url,
    /// Hears of `start`, `end`, `join` and `leave`.
    pub conference_status_callback: Url,
    /// The agent's hanging up ends it for all.
    pub end_conference_on_exit: bool,
    /// The customer's hanging up ends it for all.
    pub end_conference_on_customer_exit: bool,
    pub recording: Option<Recording>,
}

impl ConferenceInstruction {
    pub(super) fn add_to(&self, call: Call) -> Call {
        let call = call
            .with("Instruction", "conference")
            .with_some("From", self.from.as_ref().map(E164::as_str))
            .with("Timeout", self.timeout.as_secs().to_string())
            .with("StatusCallback", self.status_callback.as_str())
            .with("StatusCallbackMethod", "POST")
            .with_each("StatusCallbackEvent", &["initiated", "ringing", "answered", "completed"])
            .with("ConferenceStatusCallback", self.conference_status_callback.as_str())
            .with("ConferenceStatusCallbackMethod", "POST")
            .with_each("ConferenceStatusCallbackEvent", &["start", "end", "join", "leave"])
            .with("EndConferenceOnExit", self.end_conference_on_exit.to_string())
            .with("EndConferenceOnCustomerExit", self.end_conference_on_customer_exit.to_string());
        self.add_recording(self.add_destination(call))
    }

    fn add_destination(&self, call: Call) -> Call {
        match &self.to {
            Destination::Phone(number) => call.with("To", number.as_str()),
            Destination::Sip { uri, credentials } => {
                let call = call.with("To", uri.expose_secret());
                match credentials {
                    Some((user, password)) => {
                        call.with("SipAuthUsername", user).with("SipAuthPassword", password.expose_secret())
                    }
                    None => call,
                }
            }
        }
    }

    fn add_recording(&self, call: Call) -> Call {
        let Some(recording) = &self.recording else { return call };
        let call = call.with("ConferenceRecord", "record-from-start");
        match &recording.status_callback {
            Some(url) => call
                .with("ConferenceRecordingStatusCallback", url.as_str())
                .with("ConferenceRecordingStatusCallbackMethod", "POST"),
            None => call,
        }
    }
}
