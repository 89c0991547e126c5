//! Asking phones of an earlier run whether they are still there: OPTIONS over the flow that they registered by.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Core, Now, Reach, Way};
use crate::{
    message::{Method, Name, RequestBuilder},
    registrar::{Aor, BindingId},
    transaction::{ClientKey, Tell, TransactionId},
    transport::Flow,
};

/// How many phones are asked at a time, so that a start with many of them is no flood.
const AT_ONCE: usize = 256;
/// How many of them in one go, and how long until the next.
const IN_ONE_GO: usize = 64;
const EVERY: Duration = Duration::from_millis(50);

/// Phones that are to be asked, and those that are being asked.
#[derive(Debug, Default)]
pub(super) struct Probes {
    /// No more than bindings were restored.
    waiting: VecDeque<(Aor, BindingId)>,
    asked: HashMap<TransactionId, (Aor, BindingId)>,
    due: Option<Instant>,
}

impl Probes {
    pub(super) fn add(&mut self, aor: Aor, id: BindingId, now: Instant) {
        self.waiting.push_back((aor, id));
        self.due.get_or_insert(now);
    }

    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The phones whose turn it is.
    fn next(&mut self, now: Instant) -> Vec<(Aor, BindingId)> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        let room = AT_ONCE.saturating_sub(self.asked.len()).min(IN_ONE_GO).min(self.waiting.len());
        let next = self.waiting.drain(..room).collect();
        self.due = (!self.waiting.is_empty()).then(|| now + EVERY);
        next
    }
}

impl Core {
    pub(super) fn probe(&mut self, now: Now) {
        for (aor, id) in self.probes.next(now.instant) {
            let binding = self.registrar.binding(aor, id);
            // One that has registered in the meantime has answered the question.
            let suspect = binding.filter(|binding| binding.flow.reach == Reach::Suspect);
            let Some((uri, flow)) = suspect.map(|binding| (binding.uri.to_owned(), binding.flow.flow)) else {
                continue;
            };
            let Some((key, request)) = self.options(&uri, flow) else { continue };
            if let Ok(transaction) = self.transactions.ask(key, flow, request, now.instant) {
                self.probes.asked.insert(transaction, (aor, id));
            }
        }
        self.settle(None, now);
    }

    /// RFC 3261 §11.1. The Request-URI is the contact, since some phones answer to nothing else.
    fn options(&mut self, uri: &str, flow: Flow) -> Option<(ClientKey, Bytes)> {
        let host = self.settings.advertised.map_or_else(
            || self.settings.domain.clone(),
            |address| match address {
                std::net::IpAddr::V4(address) => address.to_string(),
                std::net::IpAddr::V6(address) => format!("[{address}]"),
            },
        );
        let branch = format!("z9hG4bK{:016x}", self.lots.draw());
        let (tag, call_id) = (self.lots.draw(), self.lots.draw());
        let domain = &self.settings.domain;
        let request = RequestBuilder::new(Method::Options, uri)?
            .header(Name::Via, format_args!("SIP/2.0/{} {host};rport;branch={branch}", flow.transport.via()))
            .header(Name::MaxForwards, 70)
            .header(Name::From, format_args!("<sip:{domain}>;tag={tag:016x}"))
            .header(Name::To, format_args!("<{uri}>"))
            .header(Name::CallId, format_args!("{call_id:016x}@{domain}"))
            .header(Name::CSeq, "1 OPTIONS");
        Some((ClientKey::new(&branch, "OPTIONS"), Bytes::from(request.finish())))
    }

    /// What has become of a question. Any answer shows that the phone is reached, whatever it says; one of which nothing
    /// is heard stays suspect until it registers or its time is over.
    pub(super) fn probe_told(&mut self, id: TransactionId, tell: Tell, now: Now) {
        let Some((aor, binding)) = self.probes.asked.remove(&id) else { return };
        let flow = self.registrar.binding(aor, binding).map(|binding| binding.flow.flow);
        match (tell, flow) {
            (Tell::Pass, Some(flow)) => {
                if self.registrar.set_flow(aor, binding, Way { flow, reach: Reach::Proven }) {
                    self.news.note(aor, binding, now.instant);
                }
            }
            (Tell::Pass | Tell::TimedOut | Tell::Unsent, _) => {}
        }
    }
}
