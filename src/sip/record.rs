//! A binding as it is kept.

use std::net::SocketAddr;

use offdesk_sip::{
    User,
    engine::{Reach, Saved},
    registrar::{BindingId, State},
};
use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::store::{Batch, Family, Record, Sequence, StoreError, StoreHandle};

/// It says where a phone is, and may hold the token that wakes it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BindingRecord {
    user: String,
    uri: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    params: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    path: String,
    call_id: String,
    cseq: u32,
    /// In seconds since 1970.
    expires: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    asleep: bool,
    transport: String,
    peer: SocketAddr,
}

impl Record for BindingRecord {
    const FAMILY: Family = Family::Bindings;
    const VERSION: u8 = 1;
    type Key = BindingId;

    fn key_bytes(BindingId(number): &BindingId) -> Vec<u8> {
        Sequence::new(*number).to_bytes()
    }
}

impl BindingRecord {
    pub(super) fn new(user: &User, saved: Saved) -> Self {
        Self {
            user: user.as_str().to_owned(),
            uri: saved.uri,
            params: saved.params,
            path: saved.path,
            call_id: saved.call_id,
            cseq: saved.cseq,
            expires: saved.expires,
            asleep: saved.state == State::Asleep,
            transport: saved.transport.to_string(),
            peer: saved.peer,
        }
    }

    /// None: it names a transport that this version does not know.
    fn saved(self, id: BindingId) -> Option<Saved> {
        Some(Saved {
            id,
            state: if self.asleep { State::Asleep } else { State::Awake },
            uri: self.uri,
            params: self.params,
            path: self.path,
            call_id: self.call_id,
            cseq: self.cseq,
            expires: self.expires,
            transport: self.transport.parse().ok()?,
            peer: self.peer,
            reach: Reach::Suspect,
        })
    }
}

/// What an earlier run has left. Bindings of users who are gone are forgotten.
pub(super) async fn read(store: &StoreHandle, table: &Table) -> Result<Vec<(User, Saved)>, StoreError> {
    let (mut kept, mut gone) = (Vec::new(), Vec::new());
    store
        .visit::<BindingRecord>(|key, record| {
            let Some(id) = key.sequence().map(|sequence| BindingId(sequence.get())) else { return };
            let found = record.ok().and_then(|record| {
                let user = User::unescaped(&record.user).filter(|user| table.has_user(user))?;
                Some((user, record.saved(id)?))
            });
            match found {
                Some(found) => kept.push(found),
                None => gone.push(id),
            }
        })
        .await?;
    for ids in gone.chunks(1000) {
        let mut batch = Batch::new();
        for id in ids {
            batch.delete::<BindingRecord>(id);
        }
        // They are looked for at every start.
        let _ = store.commit_soft(batch);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        domain::AgentId,
        store::{MemoryStore, wait},
    };

    fn saved(id: u64) -> Saved {
        Saved {
            id: BindingId(id),
            state: State::Awake,
            uri: "sip:anna@192.0.2.7:5062;transport=tcp".into(),
            params: ";+sip.instance=\"<urn:uuid:1>\"".into(),
            path: String::new(),
            call_id: "c".into(),
            cseq: 3,
            expires: 1_800_000_300,
            transport: offdesk_sip::transport::Transport::Tcp,
            peer: "192.0.2.7:5062".parse().unwrap(),
            reach: Reach::Suspect,
        }
    }

    #[test]
    fn bindings_come_back_as_they_were_and_those_of_nobody_are_forgotten() {
        let store: StoreHandle = Arc::new(MemoryStore::new());
        let users: [User; 2] = ["anna", "gone%40x"].map(|user| user.parse().unwrap());
        let mut batch = Batch::new();
        for (number, user) in (1..).zip(&users) {
            batch.put(&BindingId(number), &BindingRecord::new(user, saved(number))).unwrap();
        }
        wait(store.commit(batch)).unwrap();
        let mut table = Table::default();
        table.account(AgentId::from_bits(1), users[0].clone());
        let kept = wait(read(&store, &table)).unwrap();
        assert_eq!(kept, [(users[0].clone(), saved(1))]);
        let mut left = 0;
        wait(store.visit::<BindingRecord>(|_, _| left += 1)).unwrap();
        assert_eq!(left, 1);
    }
}
