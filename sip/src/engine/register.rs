//! REGISTER: who it is, whether they may, what it does to the table, and the answer.

use bytes::Bytes;

use super::{
    Core, Count, Now, Output, Reach, Way,
    reply::{Asked, way_back},
};
use crate::{
    abuse::Shed,
    digest::Verdict,
    message::{Code, Kind, Method, Name, ResponseBuilder, Uri},
    registrar::Aor,
    transaction::{Class, Earlier, Request, ServerKey},
    user::User,
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
            return self.collect(now);
        }
        let (accounts, source) = (&self.accounts, asked.from.peer.ip());
        let verdict = self
            .guard
            .check(request.head(), Method::Register, source, now.instant, |username| accounts.credentials(username));
        match verdict {
            Verdict::Granted(aor) => self.granted(aor, key, asked, now),
            Verdict::Absent => self.challenge(asked, false, now),
            Verdict::Stale => self.challenge(asked, true, now),
            Verdict::Wrong => {
                self.counters.add(Count::Wrong);
                if self.gate.failed(source, now.instant) {
                    self.counters.add(Count::LockedOut);
                    self.outputs.push_back(Output::LockOut(source));
                }
                self.challenge(asked, false, now);
            }
            Verdict::Malformed => {
                self.counters.add(Count::Refused);
                let response = self.response(asked, Code::BAD_REQUEST);
                self.reply(asked, response, now);
            }
        }
    }

    fn challenge(&mut self, asked: &Asked<'_>, stale: bool, now: Now) {
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
        let (code, response) = self.change(owner, asked, now);
        self.counters.add(if code == Code::OK { Count::Registered } else { Count::Refused });
        self.transactions.respond(id, Class::of(code.get()), Bytes::from(response.finish()), now.instant);
        self.collect(now);
    }

    fn overloaded(&mut self, asked: &Asked<'_>, why: Shed, now: Now) {
        self.shed(why);
        let response = self.response(asked, Code::SERVICE_UNAVAILABLE).header(Name::RetryAfter, RETRY_AFTER);
        self.reply(asked, response, now);
    }

    /// RFC 3261 §10.3, steps 3 to 8.
    fn change(&mut self, owner: Aor, asked: &Asked<'_>, now: Now) -> (Code, ResponseBuilder) {
        let refuse = |this: &Self, code| (code, this.response(asked, code));
        let Some(user) = self.user_of(asked) else { return refuse(self, Code::NOT_FOUND) };
        if self.accounts.aor(user.as_str()) != Some(owner) {
            return refuse(self, Code::FORBIDDEN);
        }
        let way = Way { flow: asked.from, reach: Reach::Proven };
        let mut changes = Vec::new();
        match self.registrar.register(owner, asked.request, &way, now.instant, &mut changes) {
            Ok(()) => {
                self.follow(owner, asked.from);
                self.news.add(changes, now.instant);
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

    /// The user that the request is about, if To is an address of ours.
    fn user_of(&self, asked: &Asked<'_>) -> Option<User> {
        let to = asked.request.to();
        let Some(Uri::Sip(uri)) = to.uri() else { return None };
        if !self.is_ours(uri.host) {
            return None;
        }
        uri.user?.parse().ok()
    }
}

/// Beside what RFC 3261 §17.2.3 names, the address that it came from: nobody gets at an answer who only knows its branch.
fn server_key(asked: &Asked<'_>) -> ServerKey {
    let (request, source) = (asked.request, asked.from.peer.ip());
    let via = request.via();
    let method = request.cseq().method;
    if let Some(branch) = via.unique_branch()
        && let Some(key) = ServerKey::new(branch, (via.host, via.port), source, method.as_str())
    {
        return key;
    }
    let request_uri = match request.kind() {
        Kind::Request { uri, .. } => uri,
        Kind::Response { .. } => "",
    };
    let of = Earlier {
        request_uri,
        from_tag: request.from().tag().unwrap_or_default(),
        call_id: request.call_id(),
        cseq: request.cseq().number,
        via: request.head().first(Name::Via).unwrap_or_default(),
    };
    ServerKey::earlier(method.as_str(), source, &of)
}
