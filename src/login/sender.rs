//! Has Verify send the codes that were asked for, behind the answer to whoever asked.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Semaphore, mpsc};

use super::{
    limits::{Breaker, Limited},
    sparing::Sparing,
};
use crate::{
    audit::{Action, Actor, Audit, EntryResult, NewEntry},
    clock::Clock,
    domain::{AgentId, E164, Timestamp, VerifyServiceSid},
    roster::Book,
    twilio::{
        Refusal, Twilio, TwilioError,
        verify::{CodeChannel, LIMIT_BY_ADDRESS, LIMIT_BY_PHONE},
    },
};

/// Codes that are being sent at a time.
const IN_FLIGHT: usize = 8;
/// How long it is known which rate limits there are.
const KNOWN_FOR: Duration = Duration::from_secs(600);

/// A code that was asked for. Those that are not to be sent come here too, so that who asks sees no difference.
pub(super) struct Wanted {
    pub(super) phone: E164,
    pub(super) agent: Option<AgentId>,
    pub(super) channel: CodeChannel,
    pub(super) locale: Option<String>,
    pub(super) address: IpAddr,
    pub(super) allowed: Result<(), Limited>,
}

pub(super) struct Sender {
    pub(super) twilio: Twilio,
    pub(super) service: VerifyServiceSid,
    pub(super) book: Book,
    pub(super) audit: Audit,
    pub(super) clock: Clock,
    pub(super) breaker: Mutex<Breaker>,
    /// For numbers that nobody has.
    pub(super) sparing: Sparing,
    /// Codes that were asked for and are not done with.
    pub(super) under_way: Arc<AtomicUsize>,
    /// Our rate limits that the Verify service has, and when that was read.
    pub(super) limits: Mutex<Option<(Timestamp, Vec<&'static str>)>>,
}

impl Sender {
    pub(super) async fn run(self, mut wanted: mpsc::Receiver<Wanted>) {
        let (sender, turns) = (Arc::new(self), Arc::new(Semaphore::new(IN_FLIGHT)));
        while let Some(code) = wanted.recv().await {
            // The semaphore is never closed.
            let Ok(turn) = turns.clone().acquire_owned().await else { return };
            let sender = sender.clone();
            tokio::spawn(async move {
                sender.work_off(code).await;
                sender.under_way.fetch_sub(1, Ordering::Release);
                drop(turn);
            });
        }
    }

    async fn work_off(&self, wanted: Wanted) {
        if let Err(limited) = wanted.allowed {
            return count(match limited {
                Limited::Phone => "limited_phone",
                Limited::Address => "limited_address",
            });
        }
        let Some(agent) = wanted.agent else {
            count("unknown");
            let Some(words) = self.sparing.words("nobody has this number") else { return };
            return self.note(&wanted, EntryResult::Denied, &words).await;
        };
        if !self.breaker.lock().unwrap_or_else(PoisonError::into_inner).take(self.clock.now()) {
            count("limited_day");
            return self.note(&wanted, EntryResult::Denied, "the day's codes are used up").await;
        }
        match self.send(&wanted).await {
            Ok(()) => {
                count("sent");
                self.note(&wanted, EntryResult::Done, "sent").await;
            }
            Err(error) => {
                let (label, why) = trouble(&error);
                count(label);
                tracing::warn!(%agent, %error, why, "a one-time code was not sent");
                self.note(&wanted, EntryResult::Failed, why).await;
            }
        }
    }

    /// Counted by the rate limits that the service has, too: they hold although this machine forgets.
    async fn send(&self, wanted: &Wanted) -> Result<(), TwilioError> {
        let (phone, address) = (wanted.phone.to_string(), wanted.address.to_string());
        let there = self.limits().await;
        let all = [(LIMIT_BY_PHONE, phone), (LIMIT_BY_ADDRESS, address)];
        let counted_by: Vec<_> = all.into_iter().filter(|(name, _)| there.contains(name)).collect();
        let locale = wanted.locale.as_deref();
        let send = |by| self.twilio.send_code(&self.service, &wanted.phone, wanted.channel, locale, by);
        match send(&counted_by).await {
            // A limit that was deleted since is a parameter that makes no sense.
            Err(error) if error.refusal() == Some(Refusal::BadParameter) && !counted_by.is_empty() => {
                self.learn(None);
                send(&[]).await
            }
            sent => sent,
        }
    }

    /// Which of our rate limits the service has; none while that cannot be known. They may be made while this runs.
    async fn limits(&self) -> Vec<&'static str> {
        let now = self.clock.now();
        let known = self.limits.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, limits)) = known.filter(|(at, _)| now.since(*at) < KNOWN_FOR) {
            return limits;
        }
        let Ok(there) = self.twilio.rate_limits(&self.service).await else { return Vec::new() };
        let is_there = |name: &&str| there.iter().any(|limit| limit.unique_name == *name);
        let limits: Vec<_> = [LIMIT_BY_PHONE, LIMIT_BY_ADDRESS].into_iter().filter(is_there).collect();
        self.learn(Some((now, limits.clone())));
        limits
    }

    fn learn(&self, limits: Option<(Timestamp, Vec<&'static str>)>) {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    async fn note(&self, wanted: &Wanted, outcome: EntryResult, detail: &str) {
        let profile = wanted.agent.and_then(|agent| self.book.get(agent));
        let entry = NewEntry {
            actor: Actor::Nobody,
            action: Action::CodeRequested,
            subject: wanted.agent,
            department: profile.and_then(|profile| profile.department.clone()),
            address: Some(wanted.address),
            device: None,
            outcome,
            detail: Some(detail.to_owned()),
        };
        if let Err(error) = self.audit.note(entry).await {
            tracing::error!(%error, "an audit entry cannot be written");
        }
    }
}

/// What went wrong, for the metric and for people.
const fn trouble(error: &TwilioError) -> (&'static str, &'static str) {
    match error.refusal() {
        Some(Refusal::TooManySends) => {
            ("too_many_sends", "Twilio sends one code five times within ten minutes at most")
        }
        Some(Refusal::Landline) => {
            ("landline", "the number is a landline, which gets no text messages: have the code spoken")
        }
        Some(Refusal::BlockedPrefix) => {
            ("blocked_prefix", "Twilio blocks the number's prefix: see Verify's Fraud Guard")
        }
        Some(Refusal::BadParameter) => {
            ("bad_parameter", "Twilio does not take the number, the channel or the language")
        }
        Some(Refusal::NotFound) => ("no_service", "there is no such Verify service: see twilio.verify_service_sid"),
        Some(_) => ("refused", "Twilio refuses it"),
        None => ("unavailable", "Twilio cannot be reached"),
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("offdesk_otp_requests_total", "outcome" => outcome).increment(1);
}
