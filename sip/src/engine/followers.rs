//! Bindings that go with the connections that they came over.

use super::{Core, Now, Way};
use crate::{
    registrar::{Aor, Record, Registrar, State},
    transport::{ConnectionId, Flow},
};

impl Core {
    /// A connection is gone, and with it the bindings that came over it. Those of users who are in a call stay asleep: a phone
    /// that comes back is to be known as the one that is in it.
    pub fn closed(&mut self, connection: ConnectionId, now: Now) {
        self.calls.trunks.closed(connection);
        let mut changes = Vec::new();
        for aor in self.followers.remove(&connection).unwrap_or_default() {
            // One that sleeps has no need of its connection any more.
            let over_it = |record: &Record<'_, Way>| {
                record.state == State::Awake && record.flow.flow.connection == Some(connection)
            };
            let gone: Vec<_> = self.registrar.bindings(aor).filter(over_it).map(|record| record.id).collect();
            let at_work = self.calls.is_at_work(aor);
            let end = if at_work { Registrar::doze } else { Registrar::end };
            gone.into_iter().for_each(|id| end(&mut self.registrar, aor, id, now.instant, &mut changes));
        }
        self.news.add(changes, now.instant);
    }

    pub(super) fn follow(&mut self, aor: Aor, flow: Flow) {
        if let Some(connection) = flow.connection {
            self.followers.entry(connection).or_default().insert(aor);
        }
    }
}
