//! Dialogs (RFC 3261 §12): what two user agents know of each other while a call lasts.
//!
//! A [`Dialog`] is one side's: Call-ID, both tags, both CSeqs, the route set and the remote target. It writes the requests that
//! go within it, and tells those that come out of order. A caller's begins before the peer has said anything
//! ([`Dialog::calling`]); each answer with a tag of its own makes a [`Dialog::fork`] of it. A callee's begins with the INVITE
//! ([`Dialog::called`]).
//!
//! What the peer says of where it is (Contact, Record-Route) is never rewritten: the ACK to a 2xx goes to the Contact of that
//! 2xx by its route set, whatever address the 2xx itself came from.

mod route;

use std::fmt::{self, Display};

use self::route::{Route, target_of};
use crate::message::{Code, Contacts, Message, Method, Name, NameAddr, RequestBuilder, Tag};

/// One side's view of a dialog.
#[derive(Clone)]
pub struct Dialog {
    call_id: Box<str>,
    local: Party,
    remote: Party,
    /// In the order in which a request of ours visits them.
    routes: Box<[Route]>,
    /// The remote target: a `sip` or `sips` URI, without headers.
    target: Box<str>,
    /// The CSeq of our latest request; 0 before the first.
    sequence: u32,
    /// The CSeq of the peer's latest request.
    heard: Option<u32>,
}

/// Who takes part: From or To.
#[derive(Clone)]
struct Party {
    /// As it stands in From and To, without parameters.
    address: Box<str>,
    /// None: the other side has not answered yet, or speaks RFC 2543 and has none.
    tag: Option<Box<str>>,
}

/// Why a request within a dialog is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stray {
    /// Other tags or another Call-ID.
    #[error("belongs to no dialog")]
    Unknown,
    /// An earlier CSeq than one that was seen before (RFC 3261 §12.2.2).
    #[error("came out of order")]
    Late,
}

impl Stray {
    pub const fn code(self) -> Code {
        match self {
            Self::Unknown => Code::NO_SUCH_CALL,
            Self::Late => Code::SERVER_ERROR,
        }
    }
}

/// What a caller begins with. Addresses are name-addr without parameters: `"Anna" <sip:anna@example.com>`.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    pub call_id: &'a str,
    pub tag: Tag,
    pub from: &'a str,
    pub to: &'a str,
    /// The Request-URI.
    pub target: &'a str,
    /// The ways to take, such as a binding's Path: each an address with its angle brackets.
    pub routes: &'a [Box<str>],
}

impl Dialog {
    /// The caller's side, before anything is sent. None: the target is no `sip` URI, or a route is no address.
    pub fn calling(begin: &Beginning<'_>) -> Option<Self> {
        let route = |text: &str| NameAddr::parse(text).map(|address| Route::of(&address));
        Some(Self {
            call_id: begin.call_id.into(),
            local: Party { address: begin.from.into(), tag: Some(begin.tag.to_string().into()) },
            remote: Party { address: begin.to.into(), tag: None },
            routes: begin.routes.iter().map(|text| route(text)).collect::<Option<_>>()?,
            target: target_of(begin.target)?,
            sequence: 0,
            heard: None,
        })
    }

    /// The callee's side, of an INVITE outside any dialog (RFC 3261 §12.1.1). None: its Contact is missing or no `sip` URI.
    pub fn called(invite: &Message, tag: Tag) -> Option<Self> {
        let (from, to) = (invite.from(), invite.to());
        Some(Self {
            call_id: invite.call_id().into(),
            local: Party { address: address_of(&to), tag: Some(tag.to_string().into()) },
            remote: Party { address: address_of(&from), tag: from.tag().map(Into::into) },
            routes: invite.routes(Name::RecordRoute).map(|route| Route::of(&route)).collect(),
            target: contact(invite)?,
            sequence: 0,
            heard: Some(invite.cseq().number),
        })
    }

    /// The dialog that an answer to our INVITE makes, early or confirmed: its tag, its Contact, its Record-Route backwards
    /// (RFC 3261 §12.1.2). A 2xx has it all anew, since a 18x before it may have gone another way (§13.2.2.4).
    #[must_use]
    pub fn fork(&self, response: &Message) -> Self {
        let mut routes: Vec<_> = response.routes(Name::RecordRoute).map(|route| Route::of(&route)).collect();
        routes.reverse();
        Self {
            call_id: self.call_id.clone(),
            local: self.local.clone(),
            remote: Party { address: self.remote.address.clone(), tag: response.to().tag().map(Into::into) },
            routes: routes.into(),
            target: contact(response).unwrap_or_else(|| self.target.clone()),
            sequence: self.sequence,
            heard: None,
        }
    }

    /// Whether a response to our INVITE comes from this dialog's peer, and from no other fork.
    pub fn is_from_peer(&self, response: &Message) -> bool {
        self.remote.tag.as_deref() == response.to().tag()
    }

    /// Begins the next request. It has Via, Max-Forwards, Route, From, To, Call-ID and CSeq; all else is the caller's.
    ///
    /// None is not to be expected: the target was read before.
    pub fn request(&mut self, method: Method<'_>, via: impl Display) -> Option<RequestBuilder> {
        self.sequence += 1;
        self.write(method, self.sequence, via)
    }

    /// The ACK to a 2xx (RFC 3261 §13.2.2.4): a request of its own, with the INVITE's CSeq.
    pub fn acknowledge(&self, invite: u32, via: impl Display) -> Option<RequestBuilder> {
        self.write(Method::Ack, invite, via)
    }

    /// RFC 3261 §12.2.1.1. A first route without `lr` is a strict router: it becomes the Request-URI, and the target goes to
    /// the end of the route.
    fn write(&self, method: Method<'_>, cseq: u32, via: impl Display) -> Option<RequestBuilder> {
        let strict = self.routes.first().filter(|route| !route.is_loose());
        let mut request =
            RequestBuilder::new(method, self.request_uri())?.header(Name::Via, via).header(Name::MaxForwards, 70);
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            request = request.header(Name::Route, route);
        }
        if strict.is_some() {
            request = request.header(Name::Route, format_args!("<{}>", self.target));
        }
        Some(
            request
                .header(Name::From, &self.local)
                .header(Name::To, &self.remote)
                .header(Name::CallId, &self.call_id)
                .header(Name::CSeq, format_args!("{cseq} {method}")),
        )
    }

    /// Looks at a request with our tag in To: whether it is this dialog's, and in order. It counts as seen from then on.
    pub fn heard(&mut self, request: &Message) -> Result<(), Stray> {
        if *self.call_id != *request.call_id() || self.remote.tag.as_deref() != request.from().tag() {
            return Err(Stray::Unknown);
        }
        let number = request.cseq().number;
        // An ACK has the number of its INVITE, which may be older than that of a request in between.
        if request.method() == Some(Method::Ack) {
            return Ok(());
        }
        if self.heard.is_some_and(|heard| number < heard) {
            return Err(Stray::Late);
        }
        self.heard = Some(number);
        Ok(())
    }

    /// A target refresh (RFC 3261 §12.2): an INVITE or UPDATE that was answered with 2xx, or that 2xx, has a new Contact.
    pub fn refresh_target(&mut self, message: &Message) {
        if let Some(target) = contact(message) {
            self.retarget(target);
        }
    }

    pub(crate) fn retarget(&mut self, target: Box<str>) {
        self.target = target;
    }

    /// The URI of where a request goes first: the first route, or the target.
    pub fn next_hop(&self) -> &str {
        self.routes.first().map_or(&*self.target, Route::uri)
    }

    /// The Request-URI of a request of ours.
    pub fn request_uri(&self) -> &str {
        self.routes.first().filter(|route| !route.is_loose()).map_or(&*self.target, Route::uri)
    }

    /// The remote target.
    pub fn target(&self) -> &str {
        &self.target
    }

    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    pub fn remote_tag(&self) -> Option<&str> {
        self.remote.tag.as_deref()
    }
}

/// The first Contact, if it is a URI that requests can be sent to.
pub(crate) fn contact(message: &Message) -> Option<Box<str>> {
    match message.contacts() {
        Contacts::Some(mut contacts) => target_of(contacts.next()?.address),
        Contacts::All => None,
    }
}

fn address_of(address: &NameAddr<'_>) -> Box<str> {
    let (display, uri) = (address.display, address.address);
    let blank = if display.is_empty() { "" } else { " " };
    format!("{display}{blank}<{uri}>").into()
}

impl Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)?;
        match &self.tag {
            Some(tag) => write!(f, ";tag={tag}"),
            None => Ok(()),
        }
    }
}

/// Nothing of who talks to whom.
impl fmt::Debug for Dialog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialog")
            .field("routes", &self.routes.len())
            .field("sequence", &self.sequence)
            .field("heard", &self.heard)
            .finish_non_exhaustive()
    }
}
