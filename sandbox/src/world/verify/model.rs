//! Verify's rows. Times are milliseconds since the Unix epoch.

use serde::{Deserialize, Serialize};

use crate::world::{sid::Sid, table::Row, words::words};

words! {
    /// `channel` of a verification.
    CodeChannel { Sms = "sms", Call = "call", Whatsapp = "whatsapp" }
}

words! {
    /// `status` of a verification; `max_attempts_reached`: codes were tried too often.
    VerificationStatus {
        Pending = "pending",
        Approved = "approved",
        Canceled = "canceled",
        MaxAttemptsReached = "max_attempts_reached",
        Expired = "expired",
    }
}

/// A code is valid so long, from its first sending on.
pub(super) const LIFETIME_MS: u64 = 10 * 60 * 1000;

/// How codes get to a number. In JSON a word: `"landline"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeDelivery {
    #[default]
    Delivered,
    /// It cannot be texted to: 60205; a call gets through.
    Landline,
    /// Its prefix is blocked, since somebody misuses it: 60410.
    Blocked,
}

/// A code on its way to somebody's phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeSent {
    /// E.164.
    pub to: String,
    pub channel: CodeChannel,
    /// As it was asked for, as in `de` or `pt-BR`; none: by the number's country.
    pub locale: Option<String>,
    pub code: String,
}

/// A one-time code as tests and the page see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeView {
    pub sid: Sid,
    pub to: String,
    pub channel: CodeChannel,
    pub locale: Option<String>,
    pub code: String,
    pub status: VerificationStatus,
    /// When it was sent last.
    pub at_ms: u64,
    pub expires_ms: u64,
}

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) sid: Sid,
    pub(crate) name: String,
    pub(crate) code_length: u64,
    pub(crate) created: u64,
}

#[derive(Debug)]
pub(crate) struct RateLimit {
    pub(crate) sid: Sid,
    pub(crate) service: Sid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created: u64,
}

/// So many sendings within so many seconds.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) sid: Sid,
    pub(crate) limit: Sid,
    pub(crate) max: u64,
    pub(crate) interval_s: u64,
    pub(crate) created: u64,
}

#[derive(Debug)]
pub(crate) struct Verification {
    pub(crate) sid: Sid,
    pub(crate) service: Sid,
    pub(crate) to: String,
    pub(crate) channel: CodeChannel,
    pub(super) locale: Option<String>,
    pub(super) code: String,
    pub(super) status: VerificationStatus,
    /// When, how and as what it was sent.
    pub(crate) sendings: Vec<(u64, CodeChannel, Sid)>,
    /// How often a code was tried.
    pub(super) checks: u32,
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

impl Verification {
    pub(crate) fn status(&self, now: u64) -> VerificationStatus {
        match self.status {
            VerificationStatus::Pending | VerificationStatus::MaxAttemptsReached if now >= self.expires() => {
                VerificationStatus::Expired
            }
            status => status,
        }
    }

    /// Whether it can still be sent, checked, read or changed: Twilio forgets the rest.
    pub(super) fn is_open(&self, now: u64) -> bool {
        matches!(self.status(now), VerificationStatus::Pending | VerificationStatus::MaxAttemptsReached)
    }

    const fn expires(&self) -> u64 {
        self.created.saturating_add(LIFETIME_MS)
    }

    pub(super) fn view(&self, now: u64) -> CodeView {
        CodeView {
            sid: self.sid.clone(),
            to: self.to.clone(),
            channel: self.channel,
            locale: self.locale.clone(),
            code: self.code.clone(),
            status: self.status(now),
            at_ms: self.sendings.last().map_or(self.created, |(at, ..)| *at),
            expires_ms: self.expires(),
        }
    }
}

macro_rules! rows {
    ($($name:ident),+) => {
        $(impl Row for $name {
            fn sid(&self) -> &Sid {
                &self.sid
            }
        })+
    };
}

rows!(Service, RateLimit, Bucket, Verification);
