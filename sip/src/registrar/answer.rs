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
    let Some(uri) = SipUri::parse(address).filter(|uri| uri.params.iter().any(|param| param.is_push())) else {
        return f.write_str(address);
    };
    // The same text may stand in the user too, or in a header: the parameters are what the URI ends with, but for its headers.
    let headers = address.len() - uri.headers.len() - usize::from(!uri.headers.is_empty());
    let params = headers.saturating_sub(uri.params.as_str().len());
    f.write_str(address.get(..params).unwrap_or_default())?;
    for param in uri.params.iter().filter(|param| !param.is_push()) {
        write_param(f, param.name, param.value)?;
    }
    f.write_str(address.get(headers..).unwrap_or_default())
}

fn write_param(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) => write!(f, ";{name}={value}"),
        None => write!(f, ";{name}"),
    }
}
