//! Signing in by a one-time password that Twilio's Verify sends.
//!
//! Whoever asks for a code learns nothing of who has a number: the answer is the same, is made by the same work, and waits
//! for nothing. The code is sent behind it (`sender`), and only to agents. The login id binds the two steps to one device
//! (`attempts`). A refusal is always the same and comes at a whole second after it was asked for, so that neither its words
//! nor its time tell what was wrong.

mod attempts;
mod limits;
mod sender;
mod sparing;

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::rand;
use tokio::sync::mpsc;

use self::{
    attempts::{Attempts, LIFETIME, LoginId},
    limits::{Breaker, Limited, Limits},
    sender::{Sender, Wanted},
    sparing::Sparing,
};
use crate::{
    audit::{Action, Actor, Audit, EntryResult, NewEntry},
    clock::Clock,
    config::Rate,
    domain::{AgentId, E164, Profile, VerifyServiceSid},
    roster::{Book, phone},
    sessions::{Begun, End, NewSession, Origin, SessionError, Sessions, Who},
    store::StoreError,
    twilio::{
        Twilio,
        verify::{Checked, CodeChannel},
    },
};

/// Codes that wait to be sent, at most. Whoever finds it full gets no code, and can ask again.
const WAITING: usize = 1024;
/// Refusals come at multiples of this: longer than Verify usually takes.
const BEAT: Duration = Duration::from_secs(1);

/// How long strangers are told what an agent was told: that Twilio is away.
const AWAY: Duration = Duration::from_secs(300);

/// What signing in goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// None: nobody can sign in.
    pub service: Option<VerifyServiceSid>,
    pub per_phone: Rate,
    pub per_address: Rate,
    pub per_day: u32,
}

/// What signing in works with.
#[derive(Clone)]
pub struct Means {
    pub twilio: Twilio,
    pub book: Book,
    pub sessions: Sessions,
    pub audit: Audit,
    pub clock: Clock,
}

/// Somebody asks for a code.
#[derive(Clone, Debug)]
pub struct CodeRequest {
    pub phone: E164,
    pub channel: CodeChannel,
    /// A language, as in `de` or `pt-BR`; none: by the number's country.
    pub locale: Option<String>,
    pub address: IpAddr,
}

/// What whoever asked for a code is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub login_id: String,
    pub expires_in: Duration,
}

/// Somebody types a code.
pub struct Attempt<'a> {
    pub login_id: &'a str,
    pub phone: &'a str,
    pub code: &'a str,
    pub device_name: Option<String>,
    pub address: IpAddr,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum LoginError {
    #[error("signing in is not set up: twilio.verify_service_sid is empty")]
    NotSetUp,
    /// Whatever was wrong: code, sign-in, number.
    #[error("this code is not right, or not any more: ask for a new one")]
    BadCode,
    #[error("too many codes were tried from this address")]
    TooMany { wait: Duration },
    #[error("Twilio cannot be reached: try again")]
    Unavailable,
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl From<StoreError> for LoginError {
    fn from(error: StoreError) -> Self {
        Self::Session(error.into())
    }
}

/// The way in. Clones are the same.
#[derive(Clone)]
pub struct Login {
    inner: Arc<Inner>,
}

struct Inner {
    means: Means,
    service: Option<VerifyServiceSid>,
    limits: Limits,
    attempts: Mutex<Attempts>,
    /// Refusals of strangers, and of codes for an agent: a flood of the one does not hide the other.
    strangers: Sparing,
    agents: Sparing,
    /// Until when, in milliseconds, strangers are told that Twilio is away, as agents were just now.
    away: AtomicU64,
    queue: mpsc::Sender<Wanted>,
    under_way: Arc<AtomicUsize>,
}

impl Login {
    /// Codes are sent on the runtime that this is called on.
    pub fn start(settings: Settings, means: Means) -> Self {
        let (queue, wanted) = mpsc::channel(WAITING);
        let under_way = Arc::new(AtomicUsize::new(0));
        if let Some(service) = settings.service.clone() {
            let sender = Sender {
                twilio: means.twilio.clone(),
                service,
                book: means.book.clone(),
                audit: means.audit.clone(),
                clock: means.clock.clone(),
                breaker: Mutex::new(Breaker::new(settings.per_day)),
                sparing: Sparing::new(&means.clock),
                under_way: under_way.clone(),
                limits: Mutex::default(),
            };
            tokio::spawn(sender.run(wanted));
        }
        let limits = Limits::new(settings.per_phone, settings.per_address, &means.clock);
        let (strangers, agents) = (Sparing::new(&means.clock), Sparing::new(&means.clock));
        let (attempts, away, service) = (Mutex::default(), AtomicU64::new(0), settings.service);
        let inner = Inner { means, service, limits, attempts, strangers, agents, away, queue, under_way };
        Self { inner: Arc::new(inner) }
    }

    /// Notes that a code is wanted, and answers at once and always the same.
    ///
    /// # Errors
    /// [`LoginError::NotSetUp`], or [`LoginError::Unavailable`] if there are no random bytes.
    pub fn request(&self, request: CodeRequest) -> Result<Challenge, LoginError> {
        let Inner { means, service, limits, queue, under_way, .. } = &*self.inner;
        if service.is_none() {
            return Err(LoginError::NotSetUp);
        }
        let CodeRequest { phone, channel, locale, address } = request;
        let id = random_id()?;
        let agent = means.book.by_phone(&phone).filter(|profile| !profile.disabled).map(|profile| profile.id);
        let allowed = limits.code(&phone, agent.is_some(), address);
        let may_try = allowed != Err(Limited::Address);
        if may_try {
            // An address that asks for too many gets no code, and no place that others need.
            self.attempts(|attempts| attempts.begin(id, phone.clone(), agent, means.clock.now()));
        }
        under_way.fetch_add(1, Ordering::Release);
        if queue.try_send(Wanted { phone, agent, channel, locale, address, allowed }).is_err() {
            under_way.fetch_sub(1, Ordering::Release);
            metrics::counter!("offdesk_otp_requests_total", "outcome" => "queue_full").increment(1);
            tracing::warn!("a one-time code is not sent: too many wait already");
        }
        Ok(Challenge { login_id: id.to_string(), expires_in: LIFETIME })
    }

    /// Tries a code, and begins a session if it is right.
    ///
    /// # Errors
    /// [`LoginError`]
    pub async fn finish(&self, attempt: Attempt<'_>) -> Result<(Begun, Arc<Profile>), LoginError> {
        let Inner { means, limits, .. } = &*self.inner;
        limits.guess(attempt.address).map_err(|wait| LoginError::TooMany { wait })?;
        let came = means.clock.now();
        let outcome = self.try_code(attempt).await;
        count(&outcome);
        if matches!(outcome, Err(LoginError::BadCode | LoginError::Unavailable)) {
            let took = means.clock.now().since(came).as_millis();
            let beats = u32::try_from(took / BEAT.as_millis() + 1).unwrap_or(u32::MAX);
            means.clock.sleep_until(came + BEAT * beats).await;
        }
        outcome
    }

    async fn try_code(&self, attempt: Attempt<'_>) -> Result<(Begun, Arc<Profile>), LoginError> {
        let Inner { means, service, away, .. } = &*self.inner;
        let service = service.as_ref().ok_or(LoginError::NotSetUp)?;
        let Some((id, phone, agent)) = self.whose(&attempt) else {
            let denied = self.denied(None, None, &attempt, "no such sign-in").await;
            let is_away = means.clock.now().as_millis() < away.load(Ordering::Relaxed);
            return if is_away { Err(LoginError::Unavailable) } else { denied };
        };
        let Some(profile) = self.still_theirs(agent, &phone) else {
            return self.denied(None, None, &attempt, "the number is nobody's any more").await;
        };
        let checked = means.twilio.check_code(service, &phone, attempt.code).await;
        let until = if checked.is_err() { (means.clock.now() + AWAY).as_millis() } else { 0 };
        away.store(until, Ordering::Relaxed);
        let why = match checked {
            Ok(Checked::Approved) => {
                self.attempts(|attempts| attempts.finish(id));
                return self.begin(agent, &phone, attempt).await;
            }
            Ok(Checked::Wrong) => "the code was wrong",
            Ok(Checked::Gone) => "the code had expired or was used up",
            Ok(Checked::TooMany) => "too many codes were tried",
            Err(error) => {
                tracing::warn!(%agent, %error, "a one-time code was not checked");
                return Err(LoginError::Unavailable);
            }
        };
        self.denied(Some(agent), profile.department.clone(), &attempt, why).await
    }

    /// The agent, unless removed or disabled, or reached at another number by now.
    fn still_theirs(&self, agent: AgentId, phone: &E164) -> Option<Arc<Profile>> {
        self.inner.means.book.enabled(agent).filter(|profile| profile.phone == *phone)
    }

    /// The code was right. Whoever was disabled, removed or given another number meanwhile does not come in all the same: the
    /// book is asked behind the session's beginning, since whoever changes the book ends sessions behind that.
    async fn begin(
        &self,
        agent: AgentId,
        phone: &E164,
        attempt: Attempt<'_>,
    ) -> Result<(Begun, Arc<Profile>), LoginError> {
        let sessions = &self.inner.means.sessions;
        let department = self.still_theirs(agent, phone).and_then(|profile| profile.department.clone());
        let address = Some(attempt.address);
        let new =
            NewSession { agent, department: department.clone(), device_name: attempt.device_name.clone(), address };
        let begun = sessions.begin(new).await?;
        match self.still_theirs(agent, phone) {
            Some(profile) => Ok((begun, profile)),
            None => {
                let who = Who { agent, session: begun.session };
                let origin = Origin { department: department.clone(), ..Origin::gateway() };
                sessions.end(who, End::Revoked, origin).await?;
                self.denied(Some(agent), department, &attempt, "the number is nobody's any more").await
            }
        }
    }

    /// Whose sign-in it is, and for which number; the guess counts.
    fn whose(&self, attempt: &Attempt<'_>) -> Option<(LoginId, E164, AgentId)> {
        let id = LoginId::parse(attempt.login_id)?;
        let phone = phone::read(attempt.phone).ok();
        let now = self.inner.means.clock.now();
        let agent = phone.as_ref().and_then(|phone| self.attempts(|attempts| attempts.guess(id, phone, now)));
        let is_code = (4..=10).contains(&attempt.code.len()) && attempt.code.bytes().all(|byte| byte.is_ascii_digit());
        agent.filter(|_| is_code).and_then(|agent| Some((id, phone?, agent)))
    }

    /// Refuses, and writes down that somebody tried.
    async fn denied<T>(
        &self,
        agent: Option<AgentId>,
        department: Option<String>,
        attempt: &Attempt<'_>,
        why: &str,
    ) -> Result<T, LoginError> {
        let sparing = if agent.is_some() { &self.inner.agents } else { &self.inner.strangers };
        let Some(words) = sparing.words(why) else { return Err(LoginError::BadCode) };
        let entry = NewEntry {
            actor: Actor::Nobody,
            action: Action::LoggedIn,
            subject: agent,
            department,
            address: Some(attempt.address),
            device: attempt.device_name.clone(),
            outcome: EntryResult::Denied,
            detail: Some(words),
        };
        self.inner.means.audit.note(entry).await?;
        Err(LoginError::BadCode)
    }

    /// Codes that were asked for and are not done with.
    pub fn under_way(&self) -> usize {
        self.inner.under_way.load(Ordering::Acquire)
    }

    fn attempts<T>(&self, act: impl FnOnce(&mut Attempts) -> T) -> T {
        act(&mut self.inner.attempts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn random_id() -> Result<LoginId, LoginError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| LoginError::Unavailable)?;
    Ok(LoginId::from_bits(u128::from_le_bytes(bytes)))
}

fn count<T>(outcome: &Result<T, LoginError>) {
    let outcome = match outcome {
        Ok(_) => "good",
        Err(LoginError::BadCode) => "bad_code",
        Err(LoginError::Unavailable) => "unavailable",
        Err(_) => "failed",
    };
    metrics::counter!("offdesk_logins_total", "outcome" => outcome).increment(1);
}
