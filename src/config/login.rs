//! Signing in: how long it lasts, on how many devices, and how many one-time codes are sent.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

use super::reader::Reader;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
/// Shorter sessions are of use in tests alone.
const SHORTEST: Duration = Duration::from_secs(10);

/// The table `[login]`.
#[derive(Clone, Debug)]
pub struct Login {
    /// A session that is not used for so long is over.
    pub session_ttl: Duration,
    /// Every session is over after that, however much it is used.
    pub session_max_age: Duration,
    /// Sessions of one agent at a time: the newest ones win.
    pub max_sessions: u32,
    /// One-time codes for one phone number.
    pub otp_per_phone: Rate,
    /// One-time codes that one address may ask for: an IPv4 address, or an IPv6 network of 64 bits.
    pub otp_per_ip: Rate,
    /// One-time codes a day, for all numbers together.
    pub otp_per_day: u32,
}

/// So many times within a second, minute, hour or day, as in `5/h`: at once, or spread over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub times: NonZeroU32,
    pub per: Duration,
}

impl Rate {
    const fn hourly(times: u32) -> Self {
        let times = match NonZeroU32::new(times) {
            Some(times) => times,
            None => NonZeroU32::MIN,
        };
        Self { times, per: HOUR }
    }
}

const UNITS: [(&str, Duration); 4] =
    [("s", Duration::from_secs(1)), ("min", Duration::from_secs(60)), ("h", HOUR), ("d", DAY)];

impl FromStr for Rate {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (times, unit) = text.split_once('/').ok_or(())?;
        let (_, per) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(())?;
        Ok(Self { times: times.parse().map_err(|_| ())?, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.into_iter().find(|(_, per)| *per == self.per).map_or("", |(name, _)| name);
        write!(f, "{}/{unit}", self.times)
    }
}

impl Login {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let session_ttl = reader.duration("login.session_ttl", DAY * 7, SHORTEST..=YEAR);
        let session_max_age = reader.duration("login.session_max_age", DAY * 30, SHORTEST..=YEAR);
        if session_max_age < session_ttl {
            reader.refuse("login.session_max_age", "is shorter than login.session_ttl");
        }
        let max_sessions = reader.or("login.max_sessions", 1);
        if !(1..=100).contains(&max_sessions) {
            reader.refuse("login.max_sessions", "expected a number from 1 to 100");
        }
        let otp_per_phone = reader.or("login.otp_per_phone", Rate::hourly(5));
        let otp_per_ip = reader.or("login.otp_per_ip", Rate::hourly(20));
        let otp_per_day = reader.or("login.otp_per_day", 1000);
        if otp_per_day == 0 {
            reader.refuse("login.otp_per_day", "expected at least 1: without codes nobody can sign in");
        }
        Self { session_ttl, session_max_age, max_sessions, otp_per_phone, otp_per_ip, otp_per_day }
    }
}
