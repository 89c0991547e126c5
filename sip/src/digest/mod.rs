//! Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760), the server's part.
//!
//! A [`Guard`] writes challenges and judges what comes back. It remembers nothing of whoever is not authenticated: a nonce is
//! its own proof of when it was made and for which address. Of those who are, it remembers how often each nonce was used, so
//! that nothing that was overheard can be used again.
//!
//! A user that does not exist costs the same work and gets the same answer as a wrong password.

mod algorithm;
mod counts;
mod credentials;
mod ha1;
mod nonce;

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

pub use self::{
    algorithm::{Algorithm, UnknownAlgorithm},
    credentials::{Credentials, CredentialsError},
    ha1::{Fingerprint, Ha1s},
};
use self::{counts::Counts, nonce::Nonces};
use crate::message::{Head, Method, Name, Quoted, ResponseBuilder};

/// What challenges say.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The SIP domain.
    pub realm: String,
    /// In the order in which they are offered; each has a challenge of its own (RFC 8760 §2.4).
    pub algorithms: Vec<Algorithm>,
    /// How long a nonce may be used.
    pub nonce_life: Duration,
}

impl Policy {
    /// MD5, which every phone understands, and nonces for an hour: a phone that registers every few minutes is challenged about
    /// that often.
    pub fn new(realm: String) -> Self {
        Self { realm, algorithms: vec![Algorithm::Md5], nonce_life: Duration::from_secs(3600) }
    }
}

/// Challenges, and judges answers.
pub struct Guard {
    policy: Policy,
    nonces: Nonces,
    counts: Counts,
    /// Of no user: what is calculated with when there is none.
    nobody: Ha1s,
}

/// What is thought of a request's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// They are good, and whose they are.
    Granted(T),
    /// There are none for this realm: challenge, and count no failure.
    Absent,
    /// The nonce is none of ours, was made for another address or is too old, whatever the password; or it was used before, and the
    /// password is right. Challenge with `stale`, so that the phone tries again by itself, and count no failure: the sender's
    /// address may be forged.
    Stale,
    /// Wrong, with a nonce that was sent to this address: challenge, and count a failure.
    Wrong,
    /// They are not as RFC 7616 has them: 400.
    Malformed,
}

impl Guard {
    /// `key` is random and lives as long as the process: nonces made with another are stale.
    pub fn new(policy: Policy, key: &[u8; 32], now: Instant) -> Self {
        let nonces = Nonces::new(key, policy.nonce_life, now);
        let nobody = Ha1s::kept([0; 16], *key);
        Self { policy, nonces, counts: Counts::new(), nobody }
    }

    /// Looks at the Authorization of a request that came from `source`. `account` finds whatever belongs to a username, with its
    /// hashes.
    ///
    /// A grant uses up the nonce's count: a retransmission is to be told by its transaction before it gets here.
    pub fn check<T>(
        &mut self,
        request: &Head,
        method: Method<'_>,
        source: IpAddr,
        now: Instant,
        account: impl FnOnce(&str) -> Option<(T, Ha1s)>,
    ) -> Verdict<T> {
        let credentials = match self.find(request) {
            Ok(Some(credentials)) => credentials,
            Ok(None) => return Verdict::Absent,
            Err(_) => return Verdict::Malformed,
        };
        let named = credentials.algorithm.as_deref().map_or(Ok(Algorithm::Md5), str::parse);
        let Some(algorithm) = named.ok().filter(|named| self.policy.algorithms.contains(named)) else {
            return Verdict::Absent;
        };
        let (owner, ha1s) = match account(&credentials.username) {
            Some((owner, ha1s)) => (Some(owner), ha1s),
            None => (None, self.nobody.clone()),
        };
        let right = is_right(&credentials, algorithm, method, &ha1s);
        // Nobody learns by an old nonce whether a password is right, and nobody is blamed for what an address was forged for.
        let Some(fresh) = self.nonces.recognize(&credentials.nonce, source, now) else { return Verdict::Stale };
        match owner.filter(|_| right) {
            None => Verdict::Wrong,
            Some(owner) if self.counts.rises(fresh.serial, credentials.count) => Verdict::Granted(owner),
            Some(_) => Verdict::Stale,
        }
    }

    /// The first credentials for this realm.
    fn find<'a>(&self, request: &'a Head) -> Result<Option<Credentials<'a>>, CredentialsError> {
        for value in request.all(Name::Authorization) {
            match Credentials::parse(value) {
                Ok(credentials) if credentials.realm == self.policy.realm => return Ok(Some(credentials)),
                Ok(_) | Err(CredentialsError::Scheme) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Adds a challenge for each algorithm to a 401.
    pub fn challenge(
        &mut self,
        response: ResponseBuilder,
        source: IpAddr,
        now: Instant,
        stale: bool,
    ) -> ResponseBuilder {
        let nonce = self.nonces.make(source, now);
        let nonce = std::str::from_utf8(nonce.as_bytes()).unwrap_or_default();
        let realm = Quoted(&self.policy.realm);
        let stale = if stale { ", stale=true" } else { "" };
        self.policy.algorithms.iter().fold(response, |response, algorithm| {
            let value =
                format_args!("Digest realm={realm}, nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}");
            response.header(Name::WwwAuthenticate, value)
        })
    }
}

/// RFC 7616 §3.4.1, compared in a time that says nothing of where the two differ.
fn is_right(credentials: &Credentials<'_>, algorithm: Algorithm, method: Method<'_>, ha1s: &Ha1s) -> bool {
    let ha1 = ha1s.hex(algorithm);
    let ha2 = algorithm.hash(&[method.as_str().as_bytes(), credentials.uri.as_bytes()]);
    let Credentials { nonce, nc, cnonce, .. } = credentials;
    let parts = [ha1.as_bytes(), nonce.as_bytes(), nc.as_bytes(), cnonce.as_bytes(), b"auth", ha2.as_bytes()];
    let expected = algorithm.hash(&parts);
    let given = credentials.response.to_ascii_lowercase();
    aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).is_ok()
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
