//! All sessions in memory: whose a token is, and what a change means for the records. Pure.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{
    End, NoSession, Policy, Session, TokenHash, Who,
    record::{Ended, GRACE},
};
use crate::domain::{AgentId, SessionId, Timestamp};

/// A session's use is written down so often at most.
const RENEW_EVERY: Duration = Duration::from_secs(3600);
/// So long it is remembered why a session is over: an app that was off over a holiday learns it.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// It is somebody's; `stale`: its use ought to be written down.
    Good {
        who: Who,
        stale: bool,
    },
    /// It is the new one of two and comes for the first time: the old one must go before it counts.
    FirstUse(Who),
    /// It was rotated out: the session must end.
    Reused(Who),
    Nothing(NoSession),
}

#[derive(Debug, Default)]
pub(super) struct Table {
    sessions: HashMap<SessionId, Entry>,
    tokens: HashMap<TokenHash, SessionId>,
    by_agent: HashMap<AgentId, HashSet<SessionId>>,
}

/// `used` is when it was used last, in milliseconds: it changes with each request, and the record does not.
#[derive(Debug)]
struct Entry {
    session: Session,
    used: AtomicU64,
}

impl Entry {
    /// The record as it is now.
    fn now(&self) -> Session {
        let used = Timestamp::from_millis(self.used.load(Ordering::Relaxed));
        Session { last_used: used.max(self.session.last_used), ..self.session.clone() }
    }
}

impl Table {
    /// Takes a record in, in place of the one of this name.
    pub(super) fn put(&mut self, session: Session) {
        self.remove(session.id);
        for token in session.tokens() {
            self.tokens.insert(token, session.id);
        }
        self.by_agent.entry(session.agent).or_default().insert(session.id);
        let used = AtomicU64::new(session.last_used.as_millis());
        self.sessions.insert(session.id, Entry { session, used });
    }

    pub(super) fn remove(&mut self, id: SessionId) {
        let Some(Entry { session, .. }) = self.sessions.remove(&id) else { return };
        for token in session.tokens() {
            self.tokens.remove(&token);
        }
        if let Some(of_agent) = self.by_agent.get_mut(&session.agent) {
            of_agent.remove(&id);
            if of_agent.is_empty() {
                self.by_agent.remove(&session.agent);
            }
        }
    }

    /// What a token is worth now. What is good is noted as used.
    pub(super) fn look(&self, token: TokenHash, now: Timestamp, policy: &Policy) -> Worth {
        let Some(entry) = self.tokens.get(&token).and_then(|id| self.sessions.get(id)) else {
            return Worth::Nothing(NoSession::Unknown);
        };
        let session = &entry.session;
        match session.ended {
            Some(Ended { how: End::Superseded, .. }) => return Worth::Nothing(NoSession::Superseded),
            Some(Ended { how: End::Expired, .. }) => return Worth::Nothing(NoSession::Expired),
            Some(_) => return Worth::Nothing(NoSession::Unknown),
            None => {}
        }
        let who = Who { agent: session.agent, session: session.id };
        let used = Timestamp::from_millis(entry.used.load(Ordering::Relaxed));
        if now >= (used + policy.ttl).min(session.last_possible(policy)) {
            return Worth::Nothing(NoSession::Expired);
        }
        let is_old_but_good = session.rotated.is_some_and(|rotated| rotated.token == token && now < rotated.at + GRACE);
        if session.token != token && !is_old_but_good {
            return Worth::Reused(who);
        }
        entry.used.fetch_max(now.as_millis(), Ordering::Relaxed);
        if session.token == token && session.rotated.is_some() {
            return Worth::FirstUse(who);
        }
        Worth::Good { who, stale: now.since(session.last_used) >= RENEW_EVERY }
    }

    pub(super) fn is_live(&self, id: SessionId, now: Timestamp, policy: &Policy) -> bool {
        self.get(id).is_some_and(|session| session.is_live(policy, now))
    }

    /// Notes a use of a session, unless it is over; answers whether that ought to be written down.
    pub(super) fn note_use(&self, id: SessionId, now: Timestamp, policy: &Policy) -> bool {
        let live = self.sessions.get(&id).filter(|entry| entry.now().is_live(policy, now));
        let Some(entry) = live else { return false };
        entry.used.fetch_max(now.as_millis(), Ordering::Relaxed);
        now.since(entry.session.last_used) >= RENEW_EVERY
    }

    pub(super) fn get(&self, id: SessionId) -> Option<Session> {
        self.sessions.get(&id).map(Entry::now)
    }

    /// A session whose use is to be written down.
    pub(super) fn stale(&self, id: SessionId, now: Timestamp) -> Option<Session> {
        let entry = self.sessions.get(&id)?;
        let is_stale = entry.session.ended.is_none() && now.since(entry.session.last_used) >= RENEW_EVERY;
        is_stale.then(|| entry.now())
    }

    /// An agent's live sessions, the one used last first.
    pub(super) fn live(&self, agent: AgentId, now: Timestamp, policy: &Policy) -> Vec<Session> {
        let ids = self.by_agent.get(&agent).into_iter().flatten();
        let mut live: Vec<_> =
            ids.filter_map(|id| self.get(*id)).filter(|session| session.is_live(policy, now)).collect();
        live.sort_by_key(|session| (std::cmp::Reverse(session.last_used), session.id));
        live
    }

    /// Those of an agent's that a new one takes the place of: the ones that were begun first.
    pub(super) fn superseded(&self, agent: AgentId, now: Timestamp, policy: &Policy) -> Vec<Session> {
        let mut live = self.live(agent, now, policy);
        live.sort_by_key(|session| (session.created_at, session.id));
        let excess = (live.len() + 1).saturating_sub(policy.max_sessions);
        live.truncate(excess);
        live
    }

    /// Sessions that are over and whose agents have not let go of their devices yet.
    pub(super) fn owed(&self) -> Vec<(Who, End)> {
        let owed = |entry: &Entry| {
            let ended = entry.session.ended.filter(|ended| ended.owed)?;
            Some((Who { agent: entry.session.agent, session: entry.session.id }, ended.how))
        };
        self.sessions.values().filter_map(owed).collect()
    }

    pub(super) fn agents(&self) -> Vec<AgentId> {
        self.by_agent.keys().copied().collect()
    }

    /// What nobody needs to know any more.
    pub(super) fn forgettable(&self, now: Timestamp) -> Vec<SessionId> {
        let is_past = |entry: &&Entry| {
            // Whoever has not let go of the devices yet needs it.
            entry.session.ended.is_some_and(|ended| !ended.owed && now >= ended.at + REMEMBERED)
        };
        self.sessions.values().filter(is_past).map(|entry| entry.session.id).collect()
    }

    /// Sessions that have expired, and of which nobody has taken note.
    pub(super) fn expired(&self, now: Timestamp, policy: &Policy) -> Vec<Session> {
        let all = self.sessions.values().map(Entry::now);
        all.filter(|session| session.ended.is_none() && now >= session.expires_at(policy)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_760_000_000_000);
    const ADA: AgentId = AgentId::from_bits(1);
    const POLICY: Policy =
        Policy { ttl: Duration::from_secs(7 * 86_400), max_age: Duration::from_secs(30 * 86_400), max_sessions: 2 };

    fn hash(text: &str) -> TokenHash {
        TokenHash::of(text).unwrap()
    }

    fn session(number: u64, token: &str, at: Timestamp) -> Session {
        Session::new(SessionId::from_bits(number), ADA, hash(token), None, at)
    }

    fn table(sessions: impl IntoIterator<Item = Session>) -> Table {
        let mut table = Table::default();
        sessions.into_iter().for_each(|session| table.put(session));
        table
    }

    fn who(number: u64) -> Who {
        Who { agent: ADA, session: SessionId::from_bits(number) }
    }

    fn good(number: u64) -> Worth {
        Worth::Good { who: who(number), stale: false }
    }

    #[test]
    fn a_token_is_worth_its_session_until_that_expires() {
        let table = table([session(1, "a", NOON)]);
        assert_eq!(table.look(hash("a"), NOON, &POLICY), good(1));
        assert_eq!(table.look(hash("b"), NOON, &POLICY), Worth::Nothing(NoSession::Unknown));
        assert_eq!(table.look(hash("a"), NOON + POLICY.ttl, &POLICY), Worth::Nothing(NoSession::Expired));
    }

    #[test]
    fn use_prolongs_a_session_but_not_beyond_its_greatest_age() {
        let table = table([session(1, "a", NOON)]);
        let day = Duration::from_secs(86_400);
        for number in 1..30 {
            assert!(matches!(table.look(hash("a"), NOON + day * number, &POLICY), Worth::Good { .. }), "{number}");
        }
        assert_eq!(table.look(hash("a"), NOON + POLICY.max_age, &POLICY), Worth::Nothing(NoSession::Expired));
    }

    #[test]
    fn use_is_to_be_written_down_once_an_hour() {
        let table = table([session(1, "a", NOON)]);
        let minutes = |count: u64| NOON + Duration::from_secs(count * 60);
        assert_eq!(table.look(hash("a"), minutes(59), &POLICY), good(1));
        assert_eq!(table.look(hash("a"), minutes(60), &POLICY), Worth::Good { who: who(1), stale: true });
    }

    #[test]
    fn a_connection_that_stays_open_prolongs_its_session_too() {
        let table = table([session(1, "a", NOON)]);
        let (id, day) = (SessionId::from_bits(1), Duration::from_secs(86_400));
        assert!(!table.note_use(id, NOON, &POLICY));
        for number in 1..30 {
            assert!(
                table.note_use(id, NOON + day * number, &POLICY) && table.is_live(id, NOON + day * number, &POLICY)
            );
        }
        assert!(!table.note_use(id, NOON + POLICY.max_age, &POLICY), "its greatest age");
        assert!(!table.note_use(SessionId::from_bits(9), NOON, &POLICY));
    }

    #[test]
    fn an_old_token_is_good_for_a_minute_or_until_the_new_one_comes() {
        let rotated = session(1, "old", NOON).rotated_to(hash("new"), NOON);
        let table = table([rotated.clone()]);
        assert_eq!(table.look(hash("old"), NOON + Duration::from_secs(59), &POLICY), good(1));
        assert_eq!(table.look(hash("old"), NOON + GRACE, &POLICY), Worth::Reused(who(1)));
        assert_eq!(table.look(hash("new"), NOON, &POLICY), Worth::FirstUse(who(1)));
        let table = self::table([rotated.settled()]);
        assert_eq!(table.look(hash("new"), NOON, &POLICY), good(1));
        assert_eq!(table.look(hash("old"), NOON, &POLICY), Worth::Reused(who(1)));
    }

    #[test]
    fn a_new_token_that_was_lost_on_its_way_and_replaced_is_spent() {
        let twice = session(1, "old", NOON).rotated_to(hash("lost"), NOON).rotated_to(hash("new"), NOON);
        let table = table([twice]);
        assert_eq!(table.look(hash("old"), NOON, &POLICY), good(1));
        assert_eq!(table.look(hash("lost"), NOON, &POLICY), Worth::Reused(who(1)));
        assert_eq!(table.look(hash("new"), NOON, &POLICY), Worth::FirstUse(who(1)));
    }

    #[test]
    fn tokens_of_long_ago_are_forgotten_and_those_of_late_are_not() {
        let mut rotated = session(1, "0", NOON);
        for number in 1..=40 {
            rotated = rotated.rotated_to(hash(&number.to_string()), NOON).settled();
        }
        let table = table([rotated]);
        assert_eq!(table.look(hash("0"), NOON, &POLICY), Worth::Nothing(NoSession::Unknown));
        assert_eq!(table.look(hash("39"), NOON, &POLICY), Worth::Reused(who(1)));
        assert_eq!(table.tokens.len(), 17);
    }

    #[test]
    fn the_newest_sessions_win() {
        let later = |secs| NOON + Duration::from_secs(secs);
        let mut table = table([session(2, "b", later(2)), session(1, "a", NOON)]);
        let superseded = table.superseded(ADA, later(3), &POLICY);
        assert_eq!(superseded.iter().map(|session| session.id.to_bits()).collect::<Vec<_>>(), [1]);
        table.put(superseded[0].ended(End::Superseded, later(3)));
        table.put(session(3, "c", later(3)));
        assert_eq!(table.look(hash("a"), later(3), &POLICY), Worth::Nothing(NoSession::Superseded));
        assert_eq!(table.live(ADA, later(3), &POLICY).len(), 2);
        assert_eq!(table.owed(), [(who(1), End::Superseded)]);
        assert!(table.superseded(AgentId::from_bits(9), NOON, &POLICY).is_empty());
    }

    #[test]
    fn what_is_over_is_forgotten_in_the_end_and_wholly() {
        let over = session(2, "b", NOON).ended(End::Expired, NOON);
        let let_go = Session { ended: over.ended.map(|ended| Ended { owed: false, ..ended }), ..over.clone() };
        let mut table = table([session(1, "a", NOON), over]);
        let late = NOON + POLICY.ttl + REMEMBERED + REMEMBERED;
        assert_eq!(table.forgettable(late), [], "one is not noted as over, the other's devices are still there");
        assert_eq!(table.expired(late, &POLICY).len(), 1);
        table.put(let_go);
        assert!(table.forgettable(NOON + REMEMBERED - Duration::from_millis(1)).is_empty());
        assert_eq!(table.forgettable(NOON + REMEMBERED), [SessionId::from_bits(2)]);
        [1, 2].into_iter().for_each(|id| table.remove(SessionId::from_bits(id)));
        assert!(table.tokens.is_empty() && table.by_agent.is_empty() && table.sessions.is_empty());
    }
}
