//! One registered contact.

use std::fmt;
use std::time::Instant;

use super::{Aor, BindingId};
use crate::message::{NameAddr, Params, SipUri};

/// Whether a phone can be reached as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It registered, and its time is not over.
    Awake,
    /// Its time is over. It gave a push token, by which it can be woken (RFC 8599), or it lost its connection in a call and may
    /// come back.
    Asleep,
}

/// A binding as the table shows it, as it is written down, and as it is restored.
#[derive(Clone, Copy)]
pub struct Record<'a, F> {
    pub aor: Aor,
    pub id: BindingId,
    pub state: State,
    /// The contact's URI as it was registered: push token and headers included, so it is a secret.
    pub uri: &'a str,
    /// The contact's parameters as they were registered, from the first `;` on.
    pub params: &'a str,
    /// The values of Path, joined by commas (RFC 3327); empty without one.
    pub path: &'a str,
    pub call_id: &'a str,
    pub cseq: u32,
    /// Awake: when its time is over. Asleep: when it is forgotten.
    pub expires: Instant,
    /// Where its REGISTER came from.
    pub flow: &'a F,
}

impl<'a, F> Record<'a, F> {
    /// The contact without its name; its parameters give `q`, `instance` and `reg_id`. None: it was restored, and is none.
    pub fn contact(&self) -> Option<NameAddr<'a>> {
        NameAddr::parse_parts(self.uri, self.params)
    }

    /// `pn-prid`: the token to wake the phone with (RFC 8599 §4.1).
    pub fn push_token(&self) -> Option<&'a str> {
        SipUri::parse(self.uri)?.params.value("pn-prid")
    }
}

impl<F> fmt::Debug for Record<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { aor, id, state, .. } = self;
        f.debug_struct("Record").field("aor", aor).field("id", id).field("state", state).finish_non_exhaustive()
    }
}

/// A [`Record`] in one piece: its texts are one allocation.
pub(super) struct Binding<F> {
    pub(super) id: BindingId,
    pub(super) state: State,
    pub(super) cseq: u32,
    /// In ticks of the table.
    pub(super) expires: u32,
    /// When the table looks at it next; a renewal only makes it later, so that one timer a binding is enough.
    pub(super) timer: u32,
    pub(super) flow: F,
    /// Contact's URI, its parameters, Call-ID, Path.
    text: Box<str>,
    /// Where the first three of them end.
    ends: [u16; 3],
}

/// The texts of a binding.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) uri: &'a str,
    pub(super) params: &'a str,
    pub(super) call_id: &'a str,
    pub(super) path: &'a str,
}

/// The most bytes that all texts of a binding have. Only whoever is authenticated makes the gateway keep anything.
pub(super) const MOST_TEXT: usize = 4096;

impl Texts<'_> {
    pub(super) const fn len(&self) -> usize {
        self.uri.len() + self.params.len() + self.call_id.len() + self.path.len()
    }

    fn join(&self) -> (Box<str>, [u16; 3]) {
        let mut text = String::with_capacity(self.len());
        let ends = [self.uri, self.params, self.call_id].map(|part| {
            text.push_str(part);
            u16::try_from(text.len()).unwrap_or(u16::MAX)
        });
        text.push_str(self.path);
        (text.into(), ends)
    }
}

impl<F> Binding<F> {
    pub(super) fn new(id: BindingId, state: State, texts: &Texts<'_>, cseq: u32, expires: u32, flow: F) -> Self {
        let (text, ends) = texts.join();
        Self { id, state, cseq, expires, timer: expires, flow, text, ends }
    }

    /// Takes what a renewal says; mostly that is the same texts.
    pub(super) fn renew(&mut self, texts: &Texts<'_>, cseq: u32, expires: u32, flow: F) {
        let own = self.texts();
        let same = own.uri == texts.uri && own.params == texts.params;
        if !(same && own.call_id == texts.call_id && own.path == texts.path) {
            (self.text, self.ends) = texts.join();
        }
        self.state = State::Awake;
        self.cseq = cseq;
        self.expires = expires;
        self.flow = flow;
    }

    pub(super) fn texts(&self) -> Texts<'_> {
        let [first, second, third] = self.ends.map(usize::from);
        let part = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        Texts {
            uri: part(0, first),
            params: part(first, second),
            call_id: part(second, third),
            path: part(third, self.text.len()),
        }
    }

    /// Whether the phone gave a token to wake it with.
    pub(super) fn has_token(&self) -> bool {
        SipUri::parse(self.texts().uri).is_some_and(|uri| uri.params.has("pn-prid"))
    }

    pub(super) fn contact(&self) -> NameAddr<'_> {
        let Texts { uri, params, .. } = self.texts();
        NameAddr { display: "", address: uri, params: Params::known(params) }
    }
}
