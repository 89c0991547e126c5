//! What Twilio tells us, read into [`Event`]s: one reading for all the doors that an event may come in by.
//!
//! The same event has the same [`EventKey`](crate::domain::EventKey) by each door, so that it acts once. What is not known
//! is passed over: Twilio adds fields and types without notice.

mod callbacks;
mod conversations;
mod fields;
pub(in crate::twilio) mod media;
mod taskrouter;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use self::fields::Fields;
use super::form::Form;
use crate::domain::{AccountSid, Event, PickUp, WorkspaceSid};

/// Whose events are read; another's are refused, however well they are signed.
#[derive(Clone, Debug)]
pub struct Ours {
    pub account: AccountSid,
    /// `None` while it is not known: then any workspace of the account will do.
    pub workspace: Option<WorkspaceSid>,
}

/// What a well-formed notice turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    Event(Box<Event>),
    /// Of no interest to us. `kind` is what it is about, one of few words: a label for a metric.
    Ignored {
        kind: &'static str,
    },
}

impl Parsed {
    fn event(event: Event) -> Self {
        Self::Event(Box::new(event))
    }
}

impl Parsed {
    /// The event, if it is one of interest.
    pub fn into_event(self) -> Option<Event> {
        match self {
            Self::Event(event) => Some(*event),
            Self::Ignored { .. } => None,
        }
    }
}

/// Why a notice is not taken. It never repeats what was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("{field} is missing or not what it should be")]
    Malformed { field: &'static str },
    #[error("it belongs to another account or workspace")]
    Foreign,
}

/// Deeper JSON than any of Twilio's.
const MAX_NESTING: usize = 32;

/// An event callback of the workspace (<https://www.twilio.com/docs/taskrouter/api/event/reference#event-callbacks>).
///
/// # Errors
/// [`ParseError`]
pub fn from_form(form: &Form<'_>, ours: &Ours) -> Result<Parsed, ParseError> {
    taskrouter::parse(&Fields::of_form(form), ours)
}

/// A post-event webhook of Conversations (<https://www.twilio.com/docs/conversations/conversations-webhooks>).
///
/// # Errors
/// [`ParseError`]
pub fn from_conversation(form: &Form<'_>, ours: &Ours) -> Result<Parsed, ParseError> {
    conversations::parse_webhook(&Fields::of_form(form), ours)
}

/// A batch of Event Streams: a JSON array of CloudEvents (<https://www.twilio.com/docs/events/event-types>). One that is malformed does not spoil the
/// others: refusing them all would have Twilio send them again for hours.
///
/// # Errors
/// [`ParseError`], if the body is no such array at all.
pub fn from_batch(body: &[u8], ours: &Ours) -> Result<Vec<Result<Parsed, ParseError>>, ParseError> {
    const NO_ARRAY: ParseError = ParseError::Malformed { field: "body" };
    if nesting(body) > MAX_NESTING {
        return Err(NO_ARRAY);
    }
    let events: Vec<Map<String, Value>> = serde_json::from_slice(body).map_err(|_| NO_ARRAY)?;
    Ok(events.iter().map(|event| from_cloud_event(event, ours)).collect())
}

fn from_cloud_event(event: &Map<String, Value>, ours: &Ours) -> Result<Parsed, ParseError> {
    let full_type = event.get("type").and_then(Value::as_str).ok_or(ParseError::Malformed { field: "type" })?;
    if let Some(event_type) = full_type.strip_prefix(taskrouter::CLOUD_EVENT_PREFIX) {
        taskrouter::parse_cloud_event(event, event_type, ours)
    } else if let Some(event_type) = full_type.strip_prefix(conversations::CLOUD_EVENT_PREFIX) {
        conversations::parse_cloud_event(event, event_type, ours)
    } else {
        Ok(Parsed::Ignored { kind: "other" })
    }
}

/// An item of the workspace's log (<https://www.twilio.com/docs/taskrouter/api/event>).
///
/// # Errors
/// [`ParseError`]
pub fn from_resource(resource: &Map<String, Value>, ours: &Ours) -> Result<Parsed, ParseError> {
    taskrouter::parse(&Fields::of_resource(resource), ours)
}

/// A status callback of a leg, by the `call` and `leg` that we put into its URL
/// (<https://www.twilio.com/docs/voice/api/call-resource#statuscallback>).
///
/// # Errors
/// [`ParseError`]
pub fn from_call_status(form: &Form<'_>, query: &Form<'_>, ours: &Ours) -> Result<Parsed, ParseError> {
    callbacks::parse_call(&Fields::of_form(form), query, ours)
}

/// Twilio's question how a call of ours goes on that was answered, by the `call` and `leg` that we put into its URL; `Digits`
/// is the key that was pressed (<https://www.twilio.com/docs/voice/twiml/gather#attributes-action>).
///
/// # Errors
/// [`ParseError`]
pub fn from_pick_up(form: &Form<'_>, query: &Form<'_>, ours: &Ours) -> Result<PickUp, ParseError> {
    callbacks::parse_pick_up(&Fields::of_form(form), query, ours)
}

/// A status callback of a conference, by the `call` and `leg` that we put into its URL
/// (<https://www.twilio.com/docs/voice/api/conference-resource#conference-events>).
///
/// # Errors
/// [`ParseError`]
pub fn from_conference_status(form: &Form<'_>, query: &Form<'_>, ours: &Ours) -> Result<Parsed, ParseError> {
    callbacks::parse_conference(&Fields::of_form(form), query, ours)
}

/// The greatest depth of arrays and objects in a JSON text; of any other text, some number.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
