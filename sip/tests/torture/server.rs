//! A server that does what the engine does with a message, as far as it needs no transactions: it is parsed, held against what
//! the gateway can do, and given to the registrar.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use offdesk_sip::digest::{Algorithm, Guard, Policy as Challenges, Verdict};
use offdesk_sip::message::{Capabilities, Carrier, Limits, Message, Method, Rejected, ResponseBuilder, Tag};
use offdesk_sip::registrar::{self, Aor, Policy, Refusal};

use crate::case::Answer;

const CAPABILITIES: Capabilities = Capabilities {
    methods: &[Method::Ack, Method::Bye, Method::Cancel, Method::Invite, Method::Options, Method::Register],
    extensions: &["outbound", "path"],
    bodies: &["application/sdp"],
};

const DOMAIN: &str = "gw.example.com";

pub(crate) struct Registrar {
    table: registrar::Registrar<()>,
    now: Instant,
}

impl Registrar {
    #[allow(clippy::disallowed_methods, reason = "a test's clock begins somewhere")]
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let policy = Policy { min: 60, default: 300, max: 3600, most_bindings: 10, push_project: None, asleep: 86_400 };
        Self { table: registrar::Registrar::new(policy, now), now }
    }

    pub(crate) fn register(&mut self, request: &Message) -> Result<(), Refusal> {
        self.table.register(Aor(1), request, &(), self.now, &mut Vec::new())
    }

    pub(crate) fn kept(&self) -> Vec<(&str, &str)> {
        self.table.bindings(Aor(1)).map(|record| (record.uri, record.params)).collect()
    }
}

/// What becomes of a message.
pub(crate) fn served(bytes: Bytes, carrier: Carrier) -> Answer {
    let message = match Message::parse(bytes, carrier, &Limits::default()) {
        Ok(message) => message,
        Err(Rejected::Answer { problem, .. }) => return Answer::Refused(problem.code().get()),
        Err(Rejected::Drop(_)) => return Answer::Dropped,
    };
    if let Err(why) = CAPABILITIES.check(&message) {
        return Answer::Refused(why.code().get());
    }
    if message.method() != Some(Method::Register) {
        return Answer::Taken;
    }
    // Whose bindings it is about is looked at once it is known who asks.
    if !is_challenged(&message) {
        return Answer::Taken;
    }
    match Registrar::new().register(&message) {
        Ok(()) => Answer::Registered,
        Err(refusal) => Answer::Refused(refusal.code().get()),
    }
}

/// Whether the request has no credentials for us.
pub(crate) fn is_challenged(request: &Message) -> bool {
    let now = Registrar::new().now;
    let policy =
        Challenges { realm: DOMAIN.into(), algorithms: vec![Algorithm::Md5], nonce_life: Duration::from_secs(300) };
    let mut guard = Guard::new(policy, &[1; 32], now);
    let verdict = guard.check(request.head(), Method::Register, source().ip(), now, |_| None::<((), _)>);
    verdict == Verdict::Absent
}

/// The answer to a request that the gateway is not made for.
pub(crate) fn refusal(request: &Message) -> String {
    let why = CAPABILITIES.check(request).unwrap_err();
    let response = ResponseBuilder::new(request.head(), source(), why.code(), Tag::new(1));
    String::from_utf8(CAPABILITIES.explain(why, request.head(), response).finish()).unwrap()
}

fn source() -> SocketAddr {
    "192.0.2.7:5060".parse().unwrap()
}
