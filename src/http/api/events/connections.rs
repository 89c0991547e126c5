//! The event connections that are open: how many there may be, and who is told to go.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{broadcast::error::RecvError, oneshot};

use crate::{
    domain::AgentId,
    sessions::{End, EndedSession, Sessions, Who},
};

/// Connections an agent: phones that come back before their old connection is known to be gone.
const MOST_OF_AGENT: usize = 8;

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// Its session is over.
    Over(End),
    /// The daemon goes down.
    Drain,
    /// The agent has opened too many since.
    Displaced,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// All that are open. Clones are the same.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Mutex<Open>>);

#[derive(Debug)]
struct Open {
    /// Connections in all, at most.
    most: usize,
    by_agent: HashMap<AgentId, Vec<Connection>>,
    count: usize,
    made: u64,
    draining: bool,
}

#[derive(Debug)]
struct Connection {
    number: u64,
    who: Who,
    farewell: oneshot::Sender<Farewell>,
}

/// A place among the open connections; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    connections: Connections,
    who: Who,
    /// No other connection of this run has the same.
    pub(super) number: u64,
}

impl Connections {
    /// So many at most.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Open { most, by_agent: HashMap::new(), count: 0, made: 0, draining: false })))
    }

    /// Takes a place. Of too many of one agent the oldest goes.
    pub(super) fn enter(&self, who: Who) -> Result<(Place, oneshot::Receiver<Farewell>), Full> {
        let mut open = self.open();
        if open.draining || open.count >= open.most {
            return Err(Full);
        }
        open.made += 1;
        let number = open.made;
        let (farewell, told) = oneshot::channel();
        let of_agent = open.by_agent.entry(who.agent).or_default();
        let excess = (of_agent.len() + 1).saturating_sub(MOST_OF_AGENT);
        let displaced: Vec<_> = of_agent.drain(..excess).collect();
        of_agent.push(Connection { number, who, farewell });
        open.count = open.count + 1 - displaced.len();
        gauge(open.count);
        drop(open);
        displaced.into_iter().for_each(|connection| connection.tell(Farewell::Displaced));
        Ok((Place { connections: self.clone(), who, number }, told))
    }

    /// How many an agent has.
    pub(in crate::http::api) fn of(&self, agent: AgentId) -> usize {
        self.open().by_agent.get(&agent).map_or(0, Vec::len)
    }

    /// All go, and nobody comes any more: the daemon goes down.
    pub fn drain(&self) {
        self.open().draining = true;
        self.end(None, |_| Some(Farewell::Drain));
    }

    /// Ends the connections of sessions that end, until there are no more sessions.
    pub async fn follow(self, sessions: Sessions) {
        let mut ended = sessions.ended();
        loop {
            match ended.recv().await {
                Ok(EndedSession { agent, session, how }) => {
                    self.end(Some(agent), |who| (who.session == session).then_some(Farewell::Over(how)));
                }
                // Of those that were not heard of it is only known that they are over.
                Err(RecvError::Lagged(_)) => {
                    self.end(None, |who| (!sessions.is_live(who)).then_some(Farewell::Over(End::Revoked)));
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Ends those, of one agent or of all, for whom there is a farewell.
    fn end(&self, agent: Option<AgentId>, farewell: impl Fn(Who) -> Option<Farewell>) {
        let mut open = self.open();
        let Open { by_agent, count, .. } = &mut *open;
        let mut gone = Vec::new();
        let agents = by_agent.iter_mut().filter(|(id, _)| agent.is_none_or(|agent| agent == **id));
        for (_, connections) in agents {
            gone.extend(connections.extract_if(.., |one| farewell(one.who).is_some()));
        }
        by_agent.retain(|_, connections| !connections.is_empty());
        *count -= gone.len();
        gauge(*count);
        drop(open);
        for connection in gone {
            if let Some(why) = farewell(connection.who) {
                connection.tell(why);
            }
        }
    }

    fn leave(&self, who: Who, number: u64) {
        let mut open = self.open();
        let Some(of_agent) = open.by_agent.get_mut(&who.agent) else { return };
        let before = of_agent.len();
        of_agent.retain(|connection| connection.number != number);
        let (gone, is_last) = (before - of_agent.len(), of_agent.is_empty());
        if is_last {
            open.by_agent.remove(&who.agent);
        }
        open.count -= gone;
        gauge(open.count);
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn tell(self, farewell: Farewell) {
        // Whoever has gone does not want to know.
        let _ = self.farewell.send(farewell);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.leave(self.who, self.number);
    }
}

fn gauge(count: usize) {
    metrics::gauge!("offdesk_event_connections").set(count as f64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SessionId;

    const MOST: usize = 100;

    fn who(agent: u64, session: u64) -> Who {
        Who { agent: AgentId::from_bits(agent), session: SessionId::from_bits(session) }
    }

    #[test]
    fn of_too_many_of_one_agent_the_oldest_goes_and_nobody_elses() {
        let connections = Connections::new(MOST);
        let (_other, mut others) = connections.enter(who(2, 9)).unwrap();
        let mut places: Vec<_> =
            (0..=MOST_OF_AGENT as u64).map(|number| connections.enter(who(1, number)).unwrap()).collect();
        assert_eq!(places[0].1.try_recv(), Ok(Farewell::Displaced));
        assert!(places[1].1.try_recv().is_err() && others.try_recv().is_err());
        assert_eq!(connections.of(AgentId::from_bits(1)), MOST_OF_AGENT);
        places.clear();
        assert_eq!((connections.of(AgentId::from_bits(1)), connections.open().count), (0, 1));
    }

    #[test]
    fn a_session_that_ends_takes_its_own_connections_along() {
        let connections = Connections::new(MOST);
        let (_first, mut first) = connections.enter(who(1, 1)).unwrap();
        let (_second, mut second) = connections.enter(who(1, 2)).unwrap();
        let over = Farewell::Over(End::Superseded);
        connections.end(Some(AgentId::from_bits(1)), |who| (who.session.to_bits() == 1).then_some(over));
        assert_eq!((first.try_recv(), second.try_recv().is_err()), (Ok(over), true));
        assert_eq!(connections.open().count, 1);
    }

    #[test]
    fn there_is_room_for_so_many_and_for_none_at_a_drain() {
        let connections = Connections::new(MOST);
        let mut places: Vec<_> = (0..MOST as u64).map(|number| connections.enter(who(number, 1)).unwrap()).collect();
        assert_eq!(connections.enter(who(MOST as u64, 1)).err(), Some(Full));
        places.truncate(10);
        let (_place, mut told) = connections.enter(who(1, 1)).unwrap();
        connections.drain();
        assert_eq!(told.try_recv(), Ok(Farewell::Drain));
        assert!(connections.enter(who(3, 1)).is_err() && connections.open().count == 0);
    }
}
