//! Sessions on a store, from sign-in to end.

use std::{collections::BTreeSet, time::Duration};

use secrecy::ExposeSecret;

use super::*;
use crate::{
    audit::{Action, Entry},
    clock::Hand,
    store::MemoryStore,
};

const NOON: Timestamp = Timestamp::from_millis(1_760_000_000_000);
const ADA: AgentId = AgentId::from_bits(7);
const POLICY: Policy =
    Policy { ttl: Duration::from_secs(7 * 86_400), max_age: Duration::from_secs(30 * 86_400), max_sessions: 1 };

struct Door {
    store: StoreHandle,
    clock: Clock,
    hand: Hand,
    sessions: Sessions,
}

impl Door {
    async fn new() -> Self {
        let (store, (clock, hand)): (StoreHandle, _) = (Arc::new(MemoryStore::new()), Clock::manual(NOON));
        let sessions = open(&store, &clock).await;
        Self { store, clock, hand, sessions }
    }

    async fn restart(&mut self) {
        self.sessions = open(&self.store, &self.clock).await;
    }

    async fn signs_in(&self) -> Begun {
        let new = NewSession { agent: ADA, department: None, device_name: Some("phone".into()), address: None };
        self.sessions.begin(new).await.unwrap()
    }

    /// As the API does: what is unsettled is settled.
    async fn shows(&self, token: &SecretString) -> Result<SessionId, NoSession> {
        match self.sessions.check(token.expose_secret()) {
            Checked::Good(who) => Ok(who.session),
            Checked::Bad(none) => Err(none),
            Checked::Unsettled(unsettled) => {
                match self.sessions.settle(unsettled, |agent| Origin::agent(agent, None, None)).await {
                    Ok(who) => Ok(who.session),
                    Err(SessionError::NoSession(none)) => Err(none),
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    async fn refreshes(&self, begun: &Begun) -> Begun {
        let who = Who { agent: ADA, session: begun.session };
        self.sessions.refresh(who, Origin::agent(ADA, None, None)).await.unwrap()
    }

    async fn audit(&self) -> Vec<Action> {
        let rows = self.store.scan::<Entry>(None, 100).await.unwrap();
        rows.into_iter().map(|row| row.record.what.action).collect()
    }
}

async fn open(store: &StoreHandle, clock: &Clock) -> Sessions {
    let audit = Audit::open(store.clone(), clock.clone()).await.unwrap();
    Sessions::open(store, audit, clock.clone(), POLICY).await.unwrap()
}

#[tokio::test]
async fn a_token_lets_its_agent_in_after_a_restart_too_and_no_other_does() {
    let mut door = Door::new().await;
    let begun = door.signs_in().await;
    door.restart().await;
    assert_eq!(door.shows(&begun.token).await, Ok(begun.session));
    let token = begun.token.expose_secret();
    assert_eq!(token.len(), 43);
    for wrong in ["", "x", &token[1..], &format!("{token}{token}"), &token.to_uppercase()] {
        assert_eq!(door.sessions.check(wrong), Checked::Bad(NoSession::Unknown), "{wrong}");
    }
    door.hand.advance(POLICY.ttl);
    assert_eq!(door.shows(&begun.token).await, Err(NoSession::Expired));
}

#[tokio::test]
async fn the_newest_device_wins_and_the_one_before_learns_it_after_a_restart_too() {
    let mut door = Door::new().await;
    let mut ended = door.sessions.ended();
    let (first, second) = (door.signs_in().await, door.signs_in().await);
    let end = EndedSession { agent: ADA, session: first.session, how: End::Superseded };
    assert_eq!(ended.try_recv(), Ok(end));
    for _ in 0..2 {
        assert_eq!(door.shows(&first.token).await, Err(NoSession::Superseded));
        assert_eq!(door.shows(&second.token).await, Ok(second.session));
        assert_eq!(door.sessions.owed(), [end]);
        door.restart().await;
    }
    door.sessions.let_go(first.session).await.unwrap();
    door.restart().await;
    assert_eq!(door.shows(&first.token).await, Err(NoSession::Superseded));
    assert!(door.sessions.owed().is_empty());
    assert_eq!(door.audit().await, [Action::LoggedIn, Action::LoggedIn, Action::SessionSuperseded]);
}

#[tokio::test]
async fn a_stolen_token_that_was_rotated_out_ends_the_session() {
    let door = Door::new().await;
    let begun = door.signs_in().await;
    let next = door.refreshes(&begun).await;
    assert_eq!(door.shows(&begun.token).await, Ok(begun.session), "the answer may have been lost");
    assert_eq!(door.shows(&next.token).await, Ok(begun.session));
    assert_eq!(door.shows(&begun.token).await, Err(NoSession::Unknown));
    assert_eq!(door.shows(&next.token).await, Err(NoSession::Unknown));
    assert_eq!(door.audit().await, [Action::LoggedIn, Action::SessionRefreshed, Action::SessionRevoked]);
}

#[tokio::test]
async fn the_first_use_of_a_new_token_is_on_disk_before_it_counts() {
    let mut door = Door::new().await;
    let begun = door.signs_in().await;
    let next = door.refreshes(&begun).await;
    door.restart().await;
    assert_eq!(door.shows(&next.token).await, Ok(begun.session));
    door.restart().await;
    assert_eq!(door.shows(&begun.token).await, Err(NoSession::Unknown));
}

#[tokio::test]
async fn use_is_written_down_once_an_hour() {
    let mut door = Door::new().await;
    let begun = door.signs_in().await;
    let kept = async |door: &Door| door.store.get::<Session>(&begun.session).await.unwrap().unwrap().last_used;
    for minutes in [30, 29] {
        door.hand.advance(Duration::from_secs(minutes * 60));
        door.shows(&begun.token).await.unwrap();
        door.sessions.let_go(SessionId::from_bits(0)).await.unwrap();
        assert_eq!(kept(&door).await, NOON);
    }
    door.hand.advance(Duration::from_secs(60));
    door.shows(&begun.token).await.unwrap();
    // Changes are made in order: once this one is, so is the one before.
    door.sessions.let_go(SessionId::from_bits(0)).await.unwrap();
    assert_eq!(kept(&door).await, NOON + Duration::from_secs(3600));
    door.restart().await;
    door.hand.advance(POLICY.ttl - Duration::from_secs(1));
    assert_eq!(door.shows(&begun.token).await, Ok(begun.session));
}

#[tokio::test]
async fn whoever_is_out_is_out_and_forgotten_in_the_end() {
    let door = Door::new().await;
    let begun = door.signs_in().await;
    assert_eq!(door.sessions.revoke_all(ADA, Origin::gateway()).await.unwrap(), 1);
    assert_eq!(door.sessions.revoke_all(ADA, Origin::gateway()).await.unwrap(), 0);
    assert_eq!(door.shows(&begun.token).await, Err(NoSession::Unknown));
    door.sessions.let_go(begun.session).await.unwrap();
    assert_eq!(door.store.get::<Session>(&begun.session).await.unwrap(), None);

    let begun = door.signs_in().await;
    door.hand.advance(POLICY.ttl);
    door.sessions.sweep().await.unwrap();
    assert_eq!(door.sessions.owed().len(), 1);
    assert_eq!(door.shows(&begun.token).await, Err(NoSession::Expired));
    door.hand.advance(POLICY.max_age);
    door.sessions.sweep().await.unwrap();
    assert!(door.store.get::<Session>(&begun.session).await.unwrap().is_some(), "its devices are still there");
    door.sessions.let_go(begun.session).await.unwrap();
    door.sessions.sweep().await.unwrap();
    assert_eq!(door.store.get::<Session>(&begun.session).await.unwrap(), None);
}

#[tokio::test]
async fn many_who_sign_in_at_once_leave_one_session_that_works() {
    let mut door = Door::new().await;
    let begun = futures_util::future::join_all((0..20).map(|_| door.signs_in())).await;
    for _ in 0..2 {
        let mut good = BTreeSet::new();
        for one in &begun {
            good.extend(door.shows(&one.token).await);
        }
        assert_eq!(good.len(), 1);
        door.restart().await;
    }
}

#[tokio::test]
async fn the_store_knows_no_token() {
    let mut batch = Batch::new();
    let (_, token) = begin(&mut batch, ADA, NOON).unwrap();
    assert!(!format!("{batch:?}").contains(token.expose_secret()));
}
