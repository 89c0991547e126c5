//! Sign-ins under way: which device asked for a code for which number, and how often it has guessed. Pure.
//!
//! They are in memory alone: after a restart between the two steps of a sign-in a person asks for a new code, which
//! within ten minutes is the same one.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    time::Duration,
};

use crate::domain::{AgentId, E164, Timestamp};

/// As long as Verify's codes are valid.
pub(super) const LIFETIME: Duration = Duration::from_secs(600);
/// Codes that may be tried in one sign-in.
const GUESSES: u8 = 5;
/// Sign-ins at a time; beyond them the oldest is forgotten. Some 10 MB.
const MOST: usize = 50_000;

/// Names a sign-in under way: 128 random bits, known to the device that began it alone. `Debug` keeps it to itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LoginId(u128);

impl LoginId {
    pub(super) const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// What a client sent; none: it cannot be one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        plain.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(Self)
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginId")
    }
}

struct Attempt {
    phone: E164,
    /// None: nobody has this number.
    agent: Option<AgentId>,
    expires: Timestamp,
    guesses: u8,
}

#[derive(Default)]
pub(super) struct Attempts {
    by_id: HashMap<LoginId, Attempt>,
    /// The oldest first.
    order: VecDeque<LoginId>,
}

impl Attempts {
    /// Notes a sign-in, and forgets those that nobody can finish any more.
    pub(super) fn begin(&mut self, id: LoginId, phone: E164, agent: Option<AgentId>, now: Timestamp) {
        while let Some(oldest) = self.order.front().copied() {
            let past = self.by_id.get(&oldest).is_none_or(|attempt| attempt.expires <= now);
            if !past && self.order.len() < MOST {
                break;
            }
            self.order.pop_front();
            self.by_id.remove(&oldest);
        }
        self.by_id.insert(id, Attempt { phone, agent, expires: now + LIFETIME, guesses: 0 });
        self.order.push_back(id);
    }

    /// Whose code may be tried now. It counts, whatever comes of it.
    pub(super) fn guess(&mut self, id: LoginId, phone: &E164, now: Timestamp) -> Option<AgentId> {
        let attempt = self.by_id.get_mut(&id).filter(|attempt| now < attempt.expires)?;
        if attempt.guesses >= GUESSES {
            return None;
        }
        attempt.guesses += 1;
        attempt.agent.filter(|_| attempt.phone == *phone)
    }

    /// The sign-in has succeeded, and cannot again.
    pub(super) fn finish(&mut self, id: LoginId) {
        self.by_id.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_760_000_000_000);
    const ADA: AgentId = AgentId::from_bits(1);

    fn phone(text: &str) -> E164 {
        text.parse().unwrap()
    }

    fn id(bits: u128) -> LoginId {
        LoginId::from_bits(bits)
    }

    #[test]
    fn a_device_may_guess_five_times_within_ten_minutes_for_its_own_number() {
        let mut attempts = Attempts::default();
        let ada = phone("+15550100");
        attempts.begin(id(1), ada.clone(), Some(ADA), NOON);
        attempts.begin(id(2), ada.clone(), Some(ADA), NOON);
        assert_eq!(attempts.guess(id(1), &ada, NOON), Some(ADA));
        assert_eq!(attempts.guess(id(1), &phone("+15550101"), NOON), None);
        assert_eq!(attempts.guess(id(3), &ada, NOON), None);
        let later = (0..4).map(|_| attempts.guess(id(1), &ada, NOON)).collect::<Vec<_>>();
        assert_eq!(later, [Some(ADA), Some(ADA), Some(ADA), None]);
        assert_eq!(attempts.guess(id(2), &ada, NOON + LIFETIME), None);
    }

    #[test]
    fn a_number_that_nobody_has_and_a_sign_in_that_is_done_are_never_right() {
        let mut attempts = Attempts::default();
        let ada = phone("+15550100");
        attempts.begin(id(1), ada.clone(), None, NOON);
        attempts.begin(id(2), ada.clone(), Some(ADA), NOON);
        assert_eq!(attempts.guess(id(1), &ada, NOON), None);
        attempts.finish(id(2));
        assert_eq!(attempts.guess(id(2), &ada, NOON), None);
    }

    #[test]
    fn what_is_past_or_too_much_is_forgotten() {
        let mut attempts = Attempts::default();
        let ada = phone("+15550100");
        for bits in 0..MOST as u128 + 10 {
            attempts.begin(id(bits), ada.clone(), Some(ADA), NOON);
        }
        assert_eq!((attempts.by_id.len(), attempts.order.len()), (MOST, MOST));
        attempts.begin(id(u128::MAX), ada, Some(ADA), NOON + LIFETIME);
        assert_eq!((attempts.by_id.len(), attempts.order.len()), (1, 1));
    }

    #[test]
    fn an_id_has_one_spelling() {
        let text = "00000000000000000000000000000abc";
        assert_eq!(LoginId::parse(text).unwrap().to_string(), text);
        for bad in ["", "abc", "00000000000000000000000000000ABC", "+0000000000000000000000000000abc"] {
            assert!(LoginId::parse(bad).is_none(), "{bad}");
        }
    }
}
