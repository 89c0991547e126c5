//! Bindings that outlive the engine.

use super::{Core, Now, Reach, Saved, Way};
use crate::{
    registrar::{Aor, Record},
    transport::{Flow, Transport},
};

impl Core {
    /// One of an earlier run.
    pub(super) fn restore(&mut self, aor: Aor, saved: &Saved, now: Now) {
        let flow = Flow { transport: saved.transport, peer: saved.peer, connection: None };
        self.registrar.restore(&Record {
            aor,
            id: saved.id,
            state: saved.state,
            uri: &saved.uri,
            params: &saved.params,
            path: &saved.path,
            call_id: &saved.call_id,
            cseq: saved.cseq,
            expires: now.instant(saved.expires),
            flow: &Way { flow, reach: Reach::Suspect },
        });
        if saved.transport == Transport::Udp {
            self.probes.add(aor, saved.id, now.instant);
        }
    }
}

/// A binding as it is written down.
pub(super) fn saved(record: &Record<'_, Way>, now: Now) -> Saved {
    let Way { flow, reach } = *record.flow;
    Saved {
        id: record.id,
        state: record.state,
        uri: record.uri.to_owned(),
        params: record.params.to_owned(),
        path: record.path.to_owned(),
        call_id: record.call_id.to_owned(),
        cseq: record.cseq,
        expires: now.wall(record.expires),
        transport: flow.transport,
        peer: flow.peer,
        reach,
    }
}
