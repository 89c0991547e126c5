//! Session timers (RFC 4028): a call whose other end has vanished ends by itself.

use std::time::{Duration, Instant};

use crate::message::{Head, Name};

/// What we ask for and grant at most, in seconds: the RFC's recommendation (§4).
pub(super) const OURS: u32 = 1800;

/// The least that we take, in seconds (§5).
pub(super) const LEAST: u32 = 90;

/// Who refreshes, as seen from the request that agrees on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refresher {
    /// Whoever sent the request.
    Uac,
    /// Whoever answered it.
    Uas,
}

impl Refresher {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// `Session-Expires: 1800;refresher=uac`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) seconds: u32,
    pub(super) refresher: Option<Refresher>,
}

impl Interval {
    pub(super) fn of(head: &Head) -> Option<Self> {
        let mut parts = head.first(Name::SessionExpires)?.split(';');
        let seconds = seconds(parts.next()?)?;
        let refresher = parts.find_map(|param| match param.split_once('=') {
            Some((name, value)) if name.trim_ascii().eq_ignore_ascii_case("refresher") => {
                let is_uac = value.trim_ascii().eq_ignore_ascii_case("uac");
                Some(if is_uac { Refresher::Uac } else { Refresher::Uas })
            }
            _ => None,
        });
        Some(Self { seconds, refresher })
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.refresher {
            Some(refresher) => write!(f, ";refresher={}", refresher.as_str()),
            None => Ok(()),
        }
    }
}

/// `Min-SE` in seconds.
pub(super) fn min_se(head: &Head) -> Option<u32> {
    seconds(head.first(Name::MinSe)?.split(';').next()?)
}

fn seconds(text: &str) -> Option<u32> {
    crate::message::scan::saturating(text.trim_ascii())
}

pub(super) fn supports_timer(head: &Head) -> bool {
    head.tokens(Name::Supported).any(|tag| tag.eq_ignore_ascii_case("timer"))
}

/// The peer wants a shorter session than we take, and can be told so: 422.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooSmall;

/// What we agree to of a request (§9). None: it has no timer, and none is wanted.
pub(super) fn grant(request: &Head, current: Option<Interval>) -> Result<Option<Interval>, TooSmall> {
    let supports = supports_timer(request);
    let Some(asked) = Interval::of(request) else { return Ok(current.filter(|_| supports)) };
    if supports && asked.seconds < LEAST {
        return Err(TooSmall);
    }
    let least = min_se(request).unwrap_or(0);
    let seconds = asked.seconds.min(OURS.max(least)).max(least);
    let by_default = if supports { Refresher::Uac } else { Refresher::Uas };
    let refresher = Some(asked.refresher.filter(|_| supports).unwrap_or(by_default));
    Ok(Some(Interval { seconds, refresher }))
}

/// A session that ends unless it is refreshed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    seconds: u32,
    ours: bool,
    /// When we refresh next, if that is our part.
    refresh: Option<Instant>,
    /// When it ends.
    expires: Instant,
}

/// What a session's time has come for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Refresh,
    Expired,
}

impl Session {
    /// §10: refreshed at half its time; the other side hangs up a little before the end.
    pub(super) fn new(seconds: u32, ours: bool, now: Instant) -> Self {
        let whole = Duration::from_secs(seconds.into());
        let early = Duration::from_secs((seconds / 3).min(32).into());
        let expires = now + if ours { whole } else { whole.saturating_sub(early) };
        Self { seconds, ours, refresh: ours.then(|| now + whole / 2), expires }
    }

    /// Of the answer to a request of ours.
    pub(super) fn asked(interval: Interval, now: Instant) -> Self {
        Self::new(interval.seconds, interval.refresher != Some(Refresher::Uas), now)
    }

    /// Of what we granted.
    pub(super) fn granted(interval: Interval, now: Instant) -> Self {
        Self::new(interval.seconds, interval.refresher == Some(Refresher::Uas), now)
    }

    /// As a request of ours says it.
    pub(super) const fn in_request(&self) -> Interval {
        let refresher = Some(if self.ours { Refresher::Uac } else { Refresher::Uas });
        Interval { seconds: self.seconds, refresher }
    }

    /// As an answer of ours says it.
    pub(super) const fn in_answer(&self) -> Interval {
        let refresher = Some(if self.ours { Refresher::Uas } else { Refresher::Uac });
        Interval { seconds: self.seconds, refresher }
    }

    /// The peer takes no shorter one.
    pub(super) const fn at_least(&mut self, seconds: u32) {
        if self.seconds < seconds {
            self.seconds = seconds;
        }
    }

    /// It was refreshed, and nothing else was said of it.
    pub(super) fn again(&self, now: Instant) -> Self {
        Self::new(self.seconds, self.ours, now)
    }

    /// A refresh failed: once more at half the time that is left, if none is to come anyhow.
    pub(super) fn failed(&mut self, now: Instant) {
        if self.ours && self.refresh.is_none() {
            self.refresh = Some(now + self.expires.saturating_duration_since(now) / 2);
        }
    }

    pub(super) fn due(&mut self, now: Instant) -> Due {
        if now >= self.expires {
            return Due::Expired;
        }
        match self.refresh.take_if(|at| now >= *at) {
            Some(_) => Due::Refresh,
            None => Due::Nothing,
        }
    }

    pub(super) fn wake(&self) -> Instant {
        self.refresh.map_or(self.expires, |refresh| refresh.min(self.expires))
    }
}
