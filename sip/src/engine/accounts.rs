//! Who may register.

use std::{collections::HashMap, time::Instant};

use crate::{
    abuse::{Bucket, Rate},
    digest::{Fingerprint, Ha1s},
    registrar::Aor,
    user::User,
};

/// Accounts by user, and users by the numbers that the registrar knows them by.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    by_user: HashMap<Box<str>, Account>,
    users: HashMap<Aor, User>,
    last: u32,
}

#[derive(Clone, Debug)]
struct Account {
    aor: Aor,
    ha1s: Ha1s,
    registrations: Bucket,
    calls: Bucket,
}

/// What a change of an account did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    Same,
    /// It is new, or its password is.
    Changed(Aor),
}

impl Accounts {
    pub(super) fn set(&mut self, user: User, ha1s: Ha1s) -> Set {
        if let Some(account) = self.by_user.get_mut(user.as_str()) {
            let same = account.ha1s == ha1s;
            account.ha1s = ha1s;
            return if same { Set::Same } else { Set::Changed(account.aor) };
        }
        self.last += 1;
        let aor = Aor(self.last);
        let (registrations, calls) = Default::default();
        self.by_user.insert(user.as_str().into(), Account { aor, ha1s, registrations, calls });
        self.users.insert(aor, user);
        Set::Changed(aor)
    }

    pub(super) fn remove(&mut self, user: &User) -> Option<Aor> {
        let account = self.by_user.remove(user.as_str())?;
        self.users.remove(&account.aor);
        Some(account.aor)
    }

    pub(super) fn aor(&self, user: &str) -> Option<Aor> {
        self.by_user.get(user).map(|account| account.aor)
    }

    /// What a username of a digest leads to.
    pub(super) fn credentials(&self, username: &str) -> Option<(Aor, Ha1s)> {
        self.by_user.get(username).map(|account| (account.aor, account.ha1s.clone()))
    }

    /// Takes one registration of what the account may have.
    pub(super) fn may_register(&mut self, aor: Aor, rate: Rate, now: Instant) -> bool {
        self.account(aor).is_some_and(|account| account.registrations.take(rate, now))
    }

    /// Takes one call of those that the account may begin.
    pub(super) fn may_call(&mut self, aor: Aor, rate: Rate, now: Instant) -> bool {
        self.account(aor).is_some_and(|account| account.calls.take(rate, now))
    }

    fn account(&mut self, aor: Aor) -> Option<&mut Account> {
        self.users.get(&aor).and_then(|user| self.by_user.get_mut(user.as_str()))
    }

    /// Whose an address-of-record is, and by which password.
    pub(super) fn owner(&self, aor: Aor) -> Option<(User, Fingerprint)> {
        let user = self.users.get(&aor)?;
        let account = self.by_user.get(user.as_str())?;
        Some((user.clone(), account.ha1s.fingerprint()))
    }

    pub(super) fn len(&self) -> usize {
        self.by_user.len()
    }
}
