//! What a REGISTER is answered with.

use std::fmt;
use std::time::Instant;

use super::{Aor, Refusal, Registrar, State, wanted_outbound};
use crate::message::{Message, Name, NameAddr, ResponseBuilder, SipUri};

impl<F> Registrar<F> {
    /// Adds to a 200 what stands in the table now, and what was done with the request's extensions (RFC 3261 §10.3 step 8,
    /// RFC 3327 §5.3, RFC 5626 §6, RFC 8599 §5.1). Push tokens are left out.
    pub fn answer(&self, aor: Aor, request: &Message, mut response: ResponseBuilder, now: Instant) -> ResponseBuilder {
        let tick = self.tick(now);
        for binding in self.aors.get(&aor).into_iter().flatten().filter(|binding| binding.state == State::Awake) {
            let expires = binding.expires.saturating_sub(tick);
            response = response.header(Name::Contact, Shown { contact: binding.contact(), expires });
        }
        response = response.copy(request.head(), Name::Path);
        if wanted_outbound(request) {
            response = response.header(Name::Require, "outbound");
        }
        if self.policy.push_project.is_some() && asks_for_push(request) {
            response = response.header(Name::FeatureCaps, "*;+sip.pns=\"fcm\"");
        }
        response
    }

    /// Adds to a refusal what it asks for: Min-Expires.
    pub fn explain(&self, refusal: Refusal, response: ResponseBuilder) -> ResponseBuilder {
        match refusal {
            Refusal::TooBrief => response.header(Name::MinExpires, self.policy.min),
            _ => response,
        }
    }
}

fn asks_for_push(request: &Message) -> bool {
    let crate::message::Contacts::Some(mut contacts) = request.contacts() else { return false };
    contacts.any(|contact| SipUri::parse(contact.address).is_some_and(|uri| uri.params.has("pn-provider")))
}

/// A contact as its phone may see it again.
struct Shown<'a> {
    contact: NameAddr<'a>,
    expires: u32,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<")?;
        without_push(self.contact.address, f)?;
        f.write_str(">")?;
        for param in self.contact.params.iter().filter(|param| !param.name.eq_ignore_ascii_case("expires")) {
            write_param(f, param.name, param.value)?;
        }
        write!(f, ";expires={}", self.expires)
    }
}

/// The URI without its `pn-` parameters (RFC 8599 §4.1).
fn without_push(address: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let params = SipUri::parse(address).map(|uri| uri.params).filter(|params| params.as_str().contains("pn-"));
    let around = params.and_then(|params| Some((params, address.split_once(params.as_str())?)));
    let Some((params, (before, after))) = around else { return f.write_str(address) };
    f.write_str(before)?;
    for param in params.iter().filter(|param| !param.name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("pn-")))
    {
        write_param(f, param.name, param.value)?;
    }
    f.write_str(after)
}

fn write_param(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) => write!(f, ";{name}={value}"),
        None => write!(f, ";{name}"),
    }
}
