//! Names of things, each a type of its own, so that a task's sid is never taken for a reservation's.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is no identifier of the kind that was asked for. It never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {what}: {expected}")]
pub struct IdError {
    what: &'static str,
    expected: &'static str,
}

/// The bytes of a sid.
const SID: usize = 34;

/// Twilio's sids: a prefix of two letters and 32 characters. Twilio uses hexadecimal digits for those; letters and
/// digits are enough here, since the only danger is a character that means something in a URL. They lie where they are
/// held, without memory of their own: a conversation has a dozen.
macro_rules! sid {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $what:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; SID]);

        impl $name {
            pub fn as_str(&self) -> &str {
                text(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = text.as_bytes().try_into().ok().filter(|_| is_sid(text, $prefix));
                bytes.map(Self).ok_or(IdError { what: $what, expected: concat!($prefix, " and 32 letters or digits") })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(sid: $name) -> Self {
                sid.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

sid! {
    /// A Twilio account.
    AccountSid = "AC", "an account sid";
    /// An API key, which stands in for the auth token in REST calls.
    ApiKeySid = "SK", "an API key's sid";
    /// A TaskRouter activity.
    ActivitySid = "WA", "an activity sid";
    /// A call, as Twilio names it: one leg.
    CallSid = "CA", "a call sid";
    /// A Conversations service: what an account's conversations and their files belong to.
    ChatServiceSid = "IS", "a chat service's sid";
    /// A conference, where the legs of a call meet.
    ConferenceSid = "CF", "a conference sid";
    /// A TaskRouter event: what makes a webhook unique.
    EventSid = "EV", "an event sid";
    /// A conversation: the customer's messages, whatever channel they come by.
    ConversationSid = "CH", "a conversation sid";
    /// A channel of a Flex interaction: what routes one conversation to agents.
    InteractionChannelSid = "UO", "an interaction channel's sid";
    /// A Flex interaction: a customer's matter, with one channel or several.
    InteractionSid = "KD", "an interaction sid";
    /// Somebody in a channel of a Flex interaction; the same person has another sid in the conversation.
    InteractionParticipantSid = "UT", "an interaction participant's sid";
    /// A file in a conversation.
    MediaSid = "ME", "a media sid";
    /// A message in a conversation.
    MessageSid = "IM", "a message sid";
    /// Somebody in a conversation.
    ParticipantSid = "MB", "a participant sid";
    /// A rate limit of a Verify service.
    RateLimitSid = "RK", "a rate limit's sid";
    /// The offer of one task to one worker.
    ReservationSid = "WR", "a reservation sid";
    /// Where Event Streams sends events to.
    SinkSid = "DG", "a sink's sid";
    /// Which events a sink gets.
    SubscriptionSid = "DF", "a subscription's sid";
    /// A document of a Sync service.
    SyncDocumentSid = "ET", "a Sync document's sid";
    /// A Sync service: what an application keeps its documents in.
    SyncServiceSid = "IS", "a Sync service's sid";
    /// A task in TaskRouter.
    TaskSid = "WT", "a task sid";
    /// A Verify service: what sends one-time passwords and checks them.
    VerifyServiceSid = "VA", "a Verify service's sid";
    /// A TaskRouter worker: what an agent is to Twilio.
    WorkerSid = "WK", "a worker sid";
    /// A TaskRouter workflow.
    WorkflowSid = "WW", "a workflow sid";
    /// A TaskRouter workspace.
    WorkspaceSid = "WS", "a workspace sid";
}

/// The text that a sid was made of.
fn text(sid: &[u8; SID]) -> &str {
    std::str::from_utf8(sid).unwrap_or_default()
}

fn is_sid(text: &str, prefix: &str) -> bool {
    text.len() == SID && text.starts_with(prefix) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// One of our agents: 64 random bits, made once and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentId(u64);

impl AgentId {
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub const fn to_bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for AgentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        hexadecimal(text, "an agent id").map(Self)
    }
}

/// Sixteen lower-case digits: one spelling an id.
pub(super) fn hexadecimal(text: &str, what: &'static str) -> Result<u64, IdError> {
    let error = IdError { what, expected: "16 lower-case hexadecimal digits" };
    let plain = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !plain {
        return Err(error);
    }
    u64::from_str_radix(text, 16).map_err(|_| error)
}

/// A number of 128 bits, in one spelling.
pub(super) fn long_hexadecimal(text: &str, what: &'static str) -> Result<u128, IdError> {
    let error = IdError { what, expected: "32 lower-case hexadecimal digits" };
    let plain = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !plain {
        return Err(error);
    }
    u128::from_str_radix(text, 16).map_err(|_| error)
}

impl TryFrom<String> for AgentId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<AgentId> for String {
    fn from(id: AgentId) -> Self {
        id.to_string()
    }
}

/// One attempt to bring a customer to an agent: the agent, and a number that rises with each call. It travels in the
/// callback URLs that Twilio is given, and finds its way back to its agent without an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallId {
    pub agent: AgentId,
    pub number: u64,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.agent, self.number)
    }
}

impl FromStr for CallId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        const ERROR: IdError = IdError { what: "a call id", expected: "an agent id, a hyphen and a number" };
        let (agent, number) = text.split_once('-').ok_or(ERROR)?;
        let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if !plain {
            return Err(ERROR);
        }
        Ok(Self { agent: agent.parse()?, number: number.parse().map_err(|_| ERROR)? })
    }
}

impl TryFrom<String> for CallId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<CallId> for String {
    fn from(id: CallId) -> Self {
        id.to_string()
    }
}

/// Which leg of a call: the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegNo(pub u8);

impl fmt::Display for LegNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sids_are_told_apart_and_hold_nothing_that_a_url_minds() {
        let sid = "WR0123456789abcdef0123456789abcdef";
        assert_eq!(sid.parse::<ReservationSid>().unwrap().as_str(), sid);
        for bad in [
            "",
            "WR",
            "WT0123456789abcdef0123456789abcdef",
            "WR0123456789abcdef0123456789abcde",
            "WR0123456789abcdef0123456789abcdef0",
            "WR0123456789abcdef0123456789abcd/.",
            "WR0123456789abcdef0123456789abcdé",
        ] {
            assert!(bad.parse::<ReservationSid>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<ReservationSid>("\"nonsense\"").is_err());
    }

    #[test]
    fn ids_of_ours_survive_the_round_trip_and_have_one_spelling() {
        let call = CallId { agent: AgentId::from_bits(0x00ff), number: 7 };
        assert_eq!(call.to_string(), "00000000000000ff-7");
        assert_eq!("00000000000000ff-7".parse::<CallId>().unwrap(), call);
        for bad in [
            "",
            "-7",
            "ff-7",
            "00000000000000FF-7",
            "00000000000000ff-",
            "00000000000000ff-+7",
            "00000000000000ff-99999999999999999999",
        ] {
            assert!(bad.parse::<CallId>().is_err(), "{bad}");
        }
    }
}
