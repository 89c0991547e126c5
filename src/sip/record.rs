//! A binding as it is kept.

use std::net::SocketAddr;

use offdesk_sip::{
    User,
    digest::Fingerprint,
    engine::{Reach, Saved},
    registrar::{BindingId, State},
};
use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::{
    domain::AgentId,
    store::{Batch, Family, Record, Sequence, StoreError, StoreHandle},
};

/// It says where a phone is, and may hold the token that wakes it. It counts for as long as the agent has the account that the
/// phone registered with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BindingRecord {
    user: String,
    /// Whose it is, and by which password. None: it was written by a version that did not know.
    #[serde(default)]
    agent: Option<AgentId>,
    #[serde(default)]
    account: Option<[u8; 16]>,
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
    pub(super) fn new(agent: AgentId, user: &User, Fingerprint(account): Fingerprint, saved: Saved) -> Self {
        Self {
            user: user.as_str().to_owned(),
            agent: Some(agent),
            account: Some(account),
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

/// A binding of an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) user: User,
    pub(super) account: Fingerprint,
    pub(super) saved: Saved,
}

impl Kept {
    /// None: the agent has gone, or has another account or password since.
    fn of(record: BindingRecord, id: BindingId, table: &Table) -> Option<Self> {
        let user = User::unescaped(&record.user)?;
        let account = Fingerprint(record.account?);
        let owner = table.owner(user.as_str(), account)?;
        (record.agent == Some(owner)).then_some(())?;
        Some(Self { user, account, saved: record.saved(id)? })
    }
}

/// What an earlier run has left. Bindings of accounts that are not what they were are forgotten.
pub(super) async fn read(store: &StoreHandle, table: &Table) -> Result<Vec<Kept>, StoreError> {
    let (mut kept, mut gone) = (Vec::new(), Vec::new());
    store
        .visit::<BindingRecord>(|key, record| {
            let Some(id) = key.sequence().map(|sequence| BindingId(sequence.get())) else { return };
            match record.ok().and_then(|record| Kept::of(record, id, table)) {
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
pub(super) mod tests {
    use std::sync::Arc;

    use offdesk_sip::digest::Ha1s;

    use super::*;
    use crate::store::{MemoryStore, wait};

    pub(in crate::sip) fn saved(id: u64) -> Saved {
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

    const ONE: AgentId = AgentId::from_bits(1);

    fn account(user: &User, password: &str) -> Fingerprint {
        Ha1s::new(user.as_str(), "gw.example.com", password).fingerprint()
    }

    /// What is left of these records at a start at which agent 1 has the account anna with the password "secret".
    fn restored(records: &[BindingRecord]) -> (Vec<Kept>, usize) {
        let store: StoreHandle = Arc::new(MemoryStore::new());
        let mut batch = Batch::new();
        for (number, record) in (1..).zip(records) {
            batch.put(&BindingId(number), record).unwrap();
        }
        wait(store.commit(batch)).unwrap();
        let (mut table, anna) = (Table::default(), "anna".parse::<User>().unwrap());
        table.account(ONE, anna.clone(), account(&anna, "secret"));
        let kept = wait(read(&store, &table)).unwrap();
        let mut left = 0;
        wait(store.visit::<BindingRecord>(|_, _| left += 1)).unwrap();
        (kept, left)
    }

    fn record(agent: AgentId, user: &str, password: &str) -> BindingRecord {
        let user = user.parse().unwrap();
        BindingRecord::new(agent, &user, account(&user, password), saved(1))
    }

    #[test]
    fn bindings_come_back_as_they_were() {
        let user: User = "anna".parse().unwrap();
        let (kept, left) = restored(&[record(ONE, "anna", "secret")]);
        let account = account(&user, "secret");
        assert_eq!((kept, left), (vec![Kept { user, account, saved: saved(1) }], 1));
    }

    #[test]
    fn bindings_of_accounts_that_are_not_what_they_were_are_forgotten() {
        let of_an_earlier_version = BindingRecord { agent: None, account: None, ..record(ONE, "anna", "secret") };
        for record in [
            record(ONE, "anna", "an earlier password"),
            record(AgentId::from_bits(2), "anna", "secret"),
            record(ONE, "gone%40x", "secret"),
            of_an_earlier_version,
        ] {
            assert_eq!(restored(&[record]), (Vec::new(), 0));
        }
    }
}
