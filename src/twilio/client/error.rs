//! What can go wrong with a call, sorted by what the caller must know: did it happen, and may it be tried again?
//!
//! No variant holds a URL, a body or a text of Twilio's: they hold phone numbers and worse.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::WorkspaceSid;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TwilioError {
    /// No connection: Twilio has heard nothing.
    #[error("Twilio cannot be reached ({0})")]
    NotSent(Unreachable),
    /// 429: Twilio has not looked at it (<https://www.twilio.com/docs/api/errors/20429>).
    #[error("Twilio asks for fewer requests")]
    Throttled { retry_after: Option<Duration> },
    /// Sent, and no good answer: it may have happened.
    #[error("it is not known whether Twilio has done it ({cause})")]
    Unknown { cause: Lost, retry_after: Option<Duration> },
    /// Twilio said no. `code` is one of <https://www.twilio.com/docs/api/errors>.
    #[error("Twilio refused: HTTP {status}, code {}", code.map_or_else(|| "none".to_owned(), |code| code.to_string()))]
    Refused { status: u16, code: Option<u32>, kind: Refusal },
    /// Twilio said yes, in words that are not understood.
    #[error("Twilio's answer to {operation} is not understood")]
    Malformed { operation: &'static str },
    /// Too many calls wait already, or this one waited too long for its turn: nothing was sent.
    #[error("too many calls to Twilio are waiting")]
    Busy,
    /// No workspace is configured, and the account has none or several.
    #[error("twilio.workspace_sid must be set: the account has {} workspaces ({})", found.len(), list(found))]
    Workspace { found: Vec<WorkspaceSid> },
}

/// Why there was no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    #[error("no connection in time")]
    Timeout,
    #[error("connection refused")]
    Refused,
    #[error("TLS failed")]
    Tls,
    #[error("no connection")]
    Other,
}

/// Why there was no good answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    #[error("no answer in time")]
    Timeout,
    #[error("the connection broke")]
    Broken,
    #[error("HTTP {0}")]
    Status(u16),
    #[error("the answer is too long")]
    TooLong,
    #[error("the client was shut down")]
    Shutdown,
}

/// What Twilio's refusal means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// 40136: the reservation is not pending any more.
    NotPending,
    /// 40144: the caller has hung up, or the task was cancelled.
    CallerGone,
    /// 40141, of a call of ours 21210, 21212, 21213: the caller id is missing, or not one of the account's.
    BadCallerId,
    /// 40145, of a call of ours 21211, 21214 to 21217, 21219: the number cannot be called, or the account may not call there.
    Unroutable,
    /// It is already as it was to become.
    AlreadyThere,
    /// What it is now does not allow this: a call that is over (21220), a reservation to be completed that is not
    /// accepted. Of the latter Twilio does not say whether it is completed already: read it.
    WrongState,
    /// 404: there is no such thing, or not any more.
    NotFound,
    /// 401, 20003: wrong credentials.
    Unauthorized,
    /// 403: the credentials may not do this.
    Forbidden,
    /// A webhook of the account's own was asked before and said no: the message was not let through. Twilio documents
    /// neither status nor code of this; it is told by its sentence, and is [`Refusal::Forbidden`] or [`Refusal::Other`]
    /// should that read differently.
    RejectedByWebhook,
    /// 412: it was changed meanwhile.
    Conflict,
    /// 60200: Verify does not take a parameter, such as a code that cannot be one.
    BadParameter,
    /// 60202: wrong codes were tried too often; only a new verification helps, ten minutes after the first.
    TooManyChecks,
    /// 60203: the code was sent too often within ten minutes.
    TooManySends,
    /// 60205: the number is a landline, which gets no text messages.
    Landline,
    /// 60410: Twilio blocks the number's prefix, since somebody misuses it.
    BlockedPrefix,
    Other,
}

impl TwilioError {
    /// The same call later may well succeed. Whether it may be *repeated* is [`TwilioError::may_have_happened`].
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::NotSent(_) | Self::Throttled { .. } | Self::Unknown { .. } | Self::Busy)
    }

    /// What was asked for may be done already: read the state before asking again.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Malformed { .. })
    }

    /// How long Twilio asks to wait, if it does.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unknown { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What the refusal means, if it is one.
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// The `outcome` of `offdesk_twilio_requests_total`, the `reason` of `offdesk_twilio_retries_total`.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::Throttled { .. } => "throttled",
            Self::Unknown { .. } => "unknown",
            Self::Refused { .. } => "refused",
            Self::Malformed { .. } => "malformed",
            Self::Busy => "busy",
            Self::Workspace { .. } => "workspace",
        }
    }

    /// An answer outside 2xx.
    pub(super) fn from_answer(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let told = serde_json::from_slice::<ErrorBody>(body).unwrap_or_default();
        match status {
            // Verify's own limits (602xx) come as 429 too, and another try within seconds is no cure for them.
            429 if !matches!(told.code, Some(60_200..=60_299)) => Self::Throttled { retry_after },
            408 | 500.. => Self::Unknown { cause: Lost::Status(status), retry_after },
            _ => Self::Refused { status, code: told.code, kind: told.refusal(status) },
        }
    }
}

/// <https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions>
#[derive(Default, Deserialize)]
struct ErrorBody {
    code: Option<u32>,
    #[serde(default)]
    message: String,
}

impl ErrorBody {
    fn refusal(&self, status: u16) -> Refusal {
        // "Webhook cancelled processing of command", the only words for it in Twilio's SDKs.
        if self.message.to_ascii_lowercase().contains("webhook cancelled") {
            return Refusal::RejectedByWebhook;
        }
        match (self.code, status) {
            (Some(40_136), _) => Refusal::NotPending,
            (Some(40_144), _) => Refusal::CallerGone,
            (Some(40_141 | 21_210 | 21_212 | 21_213), _) => Refusal::BadCallerId,
            (Some(40_145 | 21_211 | 21_214..=21_217 | 21_219), _) => Refusal::Unroutable,
            (Some(21_220), _) => Refusal::WrongState,
            (Some(60_200), _) => Refusal::BadParameter,
            (Some(60_202), _) => Refusal::TooManyChecks,
            (Some(60_203), _) => Refusal::TooManySends,
            (Some(60_205), _) => Refusal::Landline,
            (Some(60_410), _) => Refusal::BlockedPrefix,
            (Some(20_003), _) | (_, 401) => Refusal::Unauthorized,
            (Some(20_404), _) | (_, 404) => Refusal::NotFound,
            (_, 403) => Refusal::Forbidden,
            (_, 412) => Refusal::Conflict,
            _ => self.state_refusal().unwrap_or(Refusal::Other),
        }
    }

    /// TaskRouter has one code (20001) for every change of status that cannot be; only its sentences tell them apart.
    fn state_refusal(&self) -> Option<Refusal> {
        // "Reservation WR… is already in state [accepted] and cannot be updated to [accepted]"
        if let Some((_, rest)) = self.message.split_once("is already in state [") {
            let (now, rest) = rest.split_once(']')?;
            let same = rest.split_once("cannot be updated to [").is_none_or(|(_, rest)| rest.starts_with(now));
            return Some(if same { Refusal::AlreadyThere } else { Refusal::WrongState });
        }
        // "Reservation WR… is not currently in a Pending state"
        if self.message.contains("not currently in a Pending state") || self.message.contains("is not pending") {
            return Some(Refusal::NotPending);
        }
        // "Cannot complete task WT… because it is not currently assigned": it may be completed, or never have been accepted.
        self.message.contains("not currently assigned").then_some(Refusal::WrongState)
    }
}

fn list(found: &[WorkspaceSid]) -> String {
    found.iter().map(WorkspaceSid::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> TwilioError {
        TwilioError::from_answer(status, None, body.as_bytes())
    }

    #[test]
    fn a_refusal_is_told_by_twilios_code_and_else_by_the_status() {
        for (status, body, kind) in [
            (400, r#"{"code":40136,"message":"x","status":400}"#, Refusal::NotPending),
            (400, r#"{"code":40144}"#, Refusal::CallerGone),
            (400, r#"{"code":40141}"#, Refusal::BadCallerId),
            (400, r#"{"code":40145}"#, Refusal::Unroutable),
            (400, r#"{"code":21220}"#, Refusal::WrongState),
            (404, r#"{"code":20404}"#, Refusal::NotFound),
            (401, r#"{"code":20003}"#, Refusal::Unauthorized),
            (403, "", Refusal::Forbidden),
            (412, "", Refusal::Conflict),
            (400, "<html>", Refusal::Other),
            (302, "", Refusal::Other),
        ] {
            assert_eq!(answered(status, body).refusal(), Some(kind), "{status} {body}");
        }
    }

    #[test]
    fn what_cannot_be_any_more_is_told_by_taskrouters_sentences() {
        for (message, kind) in [
            (
                "Reservation WR0 is already in state [completed] and cannot be updated to [completed]",
                Refusal::AlreadyThere,
            ),
            (
                "Reservation WR0 is already in state [canceled] and cannot be updated to [completed]",
                Refusal::WrongState,
            ),
            ("Cannot complete task WT0 because it is not currently assigned.", Refusal::WrongState),
            ("Unable to execute. Reservation WR0 is not currently in a Pending state.", Refusal::NotPending),
            ("Unable to reject reservation WR0: it is not pending but canceled.", Refusal::NotPending),
            ("is already in state [", Refusal::Other),
        ] {
            let body = serde_json::json!({ "code": 20_001, "message": message, "status": 400 }).to_string();
            assert_eq!(answered(400, &body).refusal(), Some(kind), "{message}");
        }
    }

    #[test]
    fn the_no_of_the_accounts_own_webhook_is_told_by_its_sentence() {
        let body = r#"{"code":20403,"message":"Webhook cancelled processing of command","status":403}"#;
        assert_eq!(answered(403, body).refusal(), Some(Refusal::RejectedByWebhook));
    }

    #[test]
    fn only_what_may_have_happened_forbids_a_blind_repeat() {
        assert!(!answered(429, "").may_have_happened() && answered(429, "").is_retryable());
        assert!(answered(503, "").may_have_happened() && answered(503, "").is_retryable());
        assert!(!answered(400, "").is_retryable());
        assert!(TwilioError::Malformed { operation: "x" }.may_have_happened());
    }

    #[test]
    fn verifys_own_limits_are_refusals_and_not_throttling() {
        for (status, code, kind) in [
            (400, 60_200, Refusal::BadParameter),
            (429, 60_202, Refusal::TooManyChecks),
            (429, 60_203, Refusal::TooManySends),
            (403, 60_205, Refusal::Landline),
            (403, 60_410, Refusal::BlockedPrefix),
            (429, 60_212, Refusal::Other),
        ] {
            assert_eq!(answered(status, &format!(r#"{{"code":{code}}}"#)).refusal(), Some(kind), "{code}");
        }
    }

    #[test]
    fn no_message_repeats_what_twilio_wrote() {
        let error = answered(400, r#"{"code":21211,"message":"The number +15550100 is not valid"}"#);
        assert!(!format!("{error} {error:?}").contains("5550100"));
    }
}
