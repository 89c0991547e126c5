//! Twilio's connections. It opens one for a call, and may close it while the call goes on: what is to be said then goes over
//! another one of the same address.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use crate::transport::{ConnectionId, Flow, Transport};

#[derive(Debug, Default)]
pub(in crate::engine) struct Trunks {
    /// The latest of each address and transport.
    latest: HashMap<(IpAddr, Transport), ConnectionId>,
    open: HashSet<ConnectionId>,
}

impl Trunks {
    /// Twilio has shown a ticket over it.
    pub(in crate::engine) fn add(&mut self, flow: Flow) {
        if let Some(connection) = flow.connection {
            self.latest.insert((flow.peer.ip(), flow.transport), connection);
            self.open.insert(connection);
        }
    }

    pub(in crate::engine) fn closed(&mut self, connection: ConnectionId) {
        if self.open.remove(&connection) {
            self.latest.retain(|_, latest| *latest != connection);
        }
    }

    /// The way of a request: its own, or another one to the same place if its own was Twilio's and is closed. `own` tells
    /// whether a connection is a phone's.
    pub(super) fn way(&self, flow: Flow, own: impl FnOnce(ConnectionId) -> bool) -> Flow {
        let other = self.latest.get(&(flow.peer.ip(), flow.transport)).copied();
        match (flow.connection, other) {
            (Some(connection), _) if self.open.contains(&connection) || own(connection) => flow,
            (_, Some(other)) => Flow { connection: Some(other), ..flow },
            (_, None) => flow,
        }
    }

    #[cfg(test)]
    pub(in crate::engine) fn len(&self) -> usize {
        self.latest.len() + self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_to_go_over_a_closed_connection_goes_over_another() {
        let flow = |port, connection: Option<u64>| Flow {
            transport: Transport::Tls,
            peer: ([54, 172, 60, 2], port).into(),
            connection: connection.map(ConnectionId),
        };
        let mut trunks = Trunks::default();
        let way = |trunks: &Trunks, flow| trunks.way(flow, |own| own == ConnectionId(9)).connection;
        assert_eq!(way(&trunks, flow(5061, None)), None);
        trunks.add(flow(40_001, Some(1)));
        trunks.add(flow(40_002, Some(2)));
        assert_eq!(way(&trunks, flow(40_001, Some(1))), Some(ConnectionId(1)));
        assert_eq!(way(&trunks, flow(5061, None)), Some(ConnectionId(2)));
        assert_eq!(way(&trunks, flow(40_003, Some(9))), Some(ConnectionId(9)), "a phone behind the same address");
        trunks.closed(ConnectionId(1));
        assert_eq!(way(&trunks, flow(40_001, Some(1))), Some(ConnectionId(2)));
        assert_eq!(trunks.way(Flow { transport: Transport::Tcp, ..flow(1, None) }, |_| false).connection, None);
        trunks.closed(ConnectionId(2));
        assert_eq!((way(&trunks, flow(40_001, Some(1))), trunks.len()), (Some(ConnectionId(1)), 0));
    }
}
