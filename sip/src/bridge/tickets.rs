//! Tickets: what lets one INVITE of Twilio's in.
//!
//! The gateway names a target `sip:<ticket>@…` in its instruction; Twilio's INVITE has the ticket as the user of its
//! Request-URI. It is worth one call: the first INVITE binds it to its Call-ID, so that the same call may come again with
//! credentials, and no other may.

use std::{collections::HashMap, fmt, time::Instant};

use crate::{leg::Random, message::Code};

/// 128 bits that nobody can guess, as 32 hexadecimal digits. Its `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u128);

impl Ticket {
    pub fn new(random: &mut dyn Random) -> Self {
        Self(u128::from(random.bits()) << 64 | u128::from(random.bits()))
    }

    /// The ticket that a Request-URI's user is. None: it is none.
    pub fn parse(user: &str) -> Option<Self> {
        let is_hex = user.len() == 32 && user.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(user, 16).ok().filter(|_| is_hex).map(Self)
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// An INVITE that is let in, and what its ticket was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission<C> {
    pub ticket: Ticket,
    pub call: C,
}

/// Why an INVITE is turned away. All look the same from outside: refuse them without state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Turned {
    #[error("not from a network that may use tickets")]
    Source,
    #[error("no live ticket")]
    Unknown,
    #[error("the ticket belongs to another call")]
    OtherCall,
}

impl Turned {
    pub const fn code(self) -> Code {
        match self {
            Self::Source => Code::FORBIDDEN,
            Self::Unknown | Self::OtherCall => Code::NOT_FOUND,
        }
    }
}

struct Entry<C> {
    call: C,
    until: Instant,
    /// The Call-ID of the INVITE that came first.
    bound: Option<Box<str>>,
}

/// All live tickets.
pub struct Tickets<C> {
    live: HashMap<Ticket, Entry<C>>,
}

impl<C> Default for Tickets<C> {
    fn default() -> Self {
        Self { live: HashMap::new() }
    }
}

impl<C: Copy> Tickets<C> {
    /// Makes a ticket for a call, good until then.
    pub fn issue(&mut self, call: C, until: Instant, random: &mut dyn Random) -> Ticket {
        let ticket = Ticket::new(random);
        self.live.insert(ticket, Entry { call, until, bound: None });
        ticket
    }

    /// Looks at an INVITE: the user of its Request-URI, its Call-ID, and whether it comes from `twilio_networks`.
    pub fn admit(&mut self, user: &str, call_id: &str, trusted: bool, now: Instant) -> Result<Admission<C>, Turned> {
        let ticket = Ticket::parse(user).ok_or(Turned::Unknown)?;
        if !trusted {
            return Err(Turned::Source);
        }
        let entry = self.live.get_mut(&ticket).filter(|entry| now < entry.until).ok_or(Turned::Unknown)?;
        match &entry.bound {
            Some(bound) if **bound != *call_id => Err(Turned::OtherCall),
            Some(_) => Ok(Admission { ticket, call: entry.call }),
            None => {
                entry.bound = Some(call_id.into());
                Ok(Admission { ticket, call: entry.call })
            }
        }
    }

    /// Its INVITE was answered finally. The ticket dies, unless that was a challenge.
    pub fn answered(&mut self, ticket: Ticket, code: Code) {
        let is_challenge = matches!(code, Code::UNAUTHORIZED | Code::PROXY_AUTHENTICATION_REQUIRED);
        if !code.is_provisional() && !is_challenge {
            self.live.remove(&ticket);
        }
    }

    /// Its call is over.
    pub fn withdraw(&mut self, ticket: Ticket) {
        self.live.remove(&ticket);
    }

    /// Forgets those whose time is up.
    pub fn sweep(&mut self, now: Instant) {
        self.live.retain(|_, entry| now < entry.until);
    }

    pub fn len(&self) -> usize {
        self.live.len()
    }

    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }
}

impl<C> fmt::Debug for Tickets<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("live", &self.live.len()).finish()
    }
}
