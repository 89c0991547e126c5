//! What a REGISTER wants, read whole before anything is done.

use std::borrow::Cow;

use super::binding::{Binding, MOST_TEXT, Texts};
use super::{Policy, Refusal};
use crate::message::{Contacts, Message, Name, NameAddr, SipUri};

/// The three things that a REGISTER may be about (RFC 3261 §10.2).
pub(super) enum Wanted<'a> {
    /// What is there.
    Query,
    /// Nothing is to be there.
    Clear,
    Update(Vec<Contact<'a>>),
}

/// One contact of an update.
pub(super) struct Contact<'a> {
    pub(super) texts: Texts<'a>,
    pub(super) uri: SipUri<'a>,
    instance: Option<Cow<'a, str>>,
    reg_id: Option<u32>,
    token: Option<&'a str>,
    /// In seconds; 0 takes the binding away.
    pub(super) expires: u32,
}

/// More contacts than these nobody has.
const MOST_CONTACTS: usize = 32;

impl<'a> Wanted<'a> {
    /// `path` holds the joined values of Path.
    pub(super) fn read(request: &'a Message, path: &'a str, policy: &Policy) -> Result<Self, Refusal> {
        let contacts = match request.contacts() {
            Contacts::All if request.expires() == Some(0) => return Ok(Self::Clear),
            Contacts::All => return Err(Refusal::Star),
            Contacts::Some(contacts) => contacts,
        };
        let mut wanted: Vec<Contact<'a>> = Vec::new();
        // All count, also one that comes again: each is held against those before it.
        for (count, contact) in contacts.enumerate() {
            if count == MOST_CONTACTS {
                return Err(Refusal::TooMany);
            }
            let contact = Contact::read(contact, request, path, policy)?;
            if !wanted.iter().any(|other| other.uri.is_same_contact(&contact.uri) && other.reg_id == contact.reg_id) {
                wanted.push(contact);
            }
        }
        Ok(if wanted.is_empty() { Self::Query } else { Self::Update(wanted) })
    }
}

impl<'a> Contact<'a> {
    fn read(contact: NameAddr<'a>, request: &'a Message, path: &'a str, policy: &Policy) -> Result<Self, Refusal> {
        let uri = SipUri::parse(contact.address).ok_or(Refusal::Contact)?;
        contact.q().ok_or(Refusal::Contact)?;
        let expires = granted(contact.expires().or(request.expires()), policy)?;
        let token = if expires == 0 { uri.params.value("pn-prid") } else { push_token(&uri, policy)? };
        let texts = Texts { uri: contact.address, params: contact.params.as_str(), call_id: request.call_id(), path };
        if texts.len() > MOST_TEXT {
            return Err(Refusal::TooLong);
        }
        let instance = contact.instance();
        let reg_id = contact.reg_id().filter(|_| instance.is_some());
        if expires != 0 && reg_id.is_some() && !first_hop_holds_flows(request) {
            return Err(Refusal::FirstHop);
        }
        Ok(Self { texts, uri, instance, reg_id, token, expires })
    }

    /// Whether `binding` is what this contact is about. Of several, the one that is nearest.
    pub(super) fn nearness<F>(&self, binding: &Binding<F>) -> Option<Nearness> {
        let known = binding.contact();
        if self.instance.is_some() && self.instance == known.instance() {
            match (self.reg_id, known.reg_id()) {
                (own, other) if own == other => return Some(Nearness::Phone),
                (Some(_), Some(_)) => return None,
                _ => {}
            }
        }
        let uri = SipUri::parse(known.address)?;
        match self.token {
            _ if self.uri.is_same_contact(&uri) => Some(Nearness::Uri),
            Some(token) if uri.params.value("pn-prid") == Some(token) => Some(Nearness::Token),
            _ => None,
        }
    }
}

/// By what a contact is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    /// The same token wakes both.
    Token,
    /// RFC 3261 §10.3, step 7.
    Uri,
    /// The same phone, over the same of its flows (RFC 5626 §6): one that comes back from another port of its NAT is the same.
    Phone,
}

/// RFC 3261 §10.3, step 7.
fn granted(asked: Option<u32>, policy: &Policy) -> Result<u32, Refusal> {
    match asked {
        None => Ok(policy.default),
        Some(0) => Ok(0),
        Some(asked) if asked < policy.min => Err(Refusal::TooBrief),
        Some(asked) => Ok(asked.min(policy.max)),
    }
}

/// RFC 8599 §5: a phone that wants to be woken says by whom, for which project, and by which token. One that gives no value asks
/// who could.
fn push_token<'a>(uri: &SipUri<'a>, policy: &Policy) -> Result<Option<&'a str>, Refusal> {
    let Some(provider) = uri.params.get("pn-provider").and_then(|param| param.value) else { return Ok(None) };
    let own = policy.push_project.as_deref();
    let ours = provider.eq_ignore_ascii_case("fcm") && own.is_some() && uri.params.value("pn-param") == own;
    if ours { Ok(uri.params.value("pn-prid")) } else { Err(Refusal::Push) }
}

/// Whether the hop next to the phone keeps its flow: we are that hop, or a proxy that says so in the first Path that was added,
/// which is the last (RFC 5626 §6).
fn first_hop_holds_flows(request: &Message) -> bool {
    let direct = request.vias().nth(1).is_none();
    let edge = || request.routes(Name::Path).last().and_then(|path| SipUri::parse(path.address));
    direct || edge().is_some_and(|edge| edge.params.has("ob"))
}
