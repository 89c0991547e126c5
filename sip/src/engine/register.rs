//! REGISTER: who it is, whether they may, what it does to the table, and the answer.

use bytes::Bytes;

use super::{
    Core, Count, Now, Output, Reach, Way,
    reply::{Asked, server_key, way_back},
};
use crate::{
    abuse::Shed,
    digest::Verdict,
    message::{Code, Method, Name, ResponseBuilder},
    registrar::{Aor, Change},
    transaction::{Class, Request, ServerKey},
};

/// Seconds after which a phone that met an overload, or was too fast, may try again.
const RETRY_AFTER: u32 = 5;

impl Core {
    pub(super) fn register(&mut self, asked: &Asked<'_>, now: Now) {
        let request = asked.request;
        // Without credentials there is nothing that could be repeated but the challenge.
        if !request.head().has(Name::Authorization) {
            return self.challenge(asked, false, now);
        }
        let (key, back) = (server_key(asked), way_back(&asked.from, Some(&request.via())));
        if let Request::Known(_) = self.transactions.request(&key, back, now.instant) {
            return self.settle(None, now);
        }
        let (accounts, source) = (&self.accounts, asked.from.peer.ip());
        let verdict = self
            .guard
            .check(request.head(), Method::Register, source, now.instant, |username| accounts.credentials(username));
        match verdict {
            Verdict::Granted(aor) => self.granted(aor, key, asked, now),
            Verdict::Absent => self.challenge(asked, false, now),
            Verdict::Stale => self.challenge(asked, true, now),
            Verdict::Wrong => self.wrong_password(asked, now),
            Verdict::Malformed => {
                self.counters.add(Count::Refused);
                let response = self.response(asked, Code::BAD_REQUEST);
                self.reply(asked, response, now);
            }
        }
    }

    /// Whoever guesses is let guess for a while.
    pub(super) fn wrong_password(&mut self, asked: &Asked<'_>, now: Now) {
        let source = asked.from.peer.ip();
        self.counters.add(Count::Wrong);
        if self.gate.failed(source, now.instant) {
            self.counters.add(Count::LockedOut);
            self.outputs.push_back(Output::LockOut(source));
        }
        self.challenge(asked, false, now);
    }

    pub(super) fn challenge(&mut self, asked: &Asked<'_>, stale: bool, now: Now) {
        self.counters.add(Count::Challenged);
        let response = self.response(asked, Code::UNAUTHORIZED);
        let response = self.guard.challenge(response, asked.from.peer.ip(), now.instant, stale);
        self.reply(asked, response, now);
    }

    /// The password is right: from here on there is state.
    fn granted(&mut self, owner: Aor, key: ServerKey, asked: &Asked<'_>, now: Now) {
        self.gate.succeeded(asked.from.peer.ip(), now.instant);
        self.outputs.extend(asked.from.connection.map(Output::Trust));
        if !self.accounts.may_register(owner, self.settings.abuse.registrations, now.instant) {
            return self.overloaded(asked, Shed::Registrations, now);
        }
        let back = way_back(&asked.from, Some(&asked.request.via()));
        let Ok(id) = self.transactions.serve(key, back) else {
            return self.overloaded(asked, Shed::Full, now);
        };
        let mut changes = Vec::new();
        let (code, response) = self.change(owner, asked, &mut changes, now);
        self.counters.add(if code == Code::OK { Count::Registered } else { Count::Refused });
        self.transactions.respond(id, Class::of(code.get()), Bytes::from(response.finish()), now.instant);
        self.settle(None, now);
        // Behind the answer: what rings this user rings a phone that has just come.
        if self.calls.is_at_work(owner) {
            let there: Vec<_> = changes.iter().map(|change| change.id).collect();
            self.phones_are_there(owner, &there, now);
        }
        self.news.add(changes, now.instant);
    }

    pub(super) fn overloaded(&mut self, asked: &Asked<'_>, why: Shed, now: Now) {
        self.shed(why);
        let response = self.response(asked, Code::SERVICE_UNAVAILABLE).header(Name::RetryAfter, RETRY_AFTER);
        self.reply(asked, response, now);
    }

    /// RFC 3261 §10.3, steps 3 to 8.
    fn change(
        &mut self,
        owner: Aor,
        asked: &Asked<'_>,
        changes: &mut Vec<Change>,
        now: Now,
    ) -> (Code, ResponseBuilder) {
        let refuse = |this: &Self, code| (code, this.response(asked, code));
        let Some(user) = self.user_at_home(&asked.request.to()) else { return refuse(self, Code::NOT_FOUND) };
        if self.accounts.aor(user.as_str()) != Some(owner) {
            return refuse(self, Code::FORBIDDEN);
        }
        let way = Way { flow: asked.from, reach: Reach::Proven };
        match self.registrar.register(owner, asked.request, &way, now.instant, changes) {
            Ok(()) => {
                self.follow(owner, asked.from);
                let response = self.response(asked, Code::OK);
                (Code::OK, self.registrar.answer(owner, asked.request, response, now.instant))
            }
            Err(refusal) => {
                let head = asked.request.head();
                let tag = self.lots.tag(head);
                let response = ResponseBuilder::with_reason(head, asked.from.peer, refusal.code(), refusal, tag);
                (refusal.code(), self.registrar.explain(refusal, response))
            }
        }
    }
}
