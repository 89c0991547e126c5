//! What happens in conversations: post-event webhooks
//! (<https://www.twilio.com/docs/conversations/conversations-webhooks>) and their CloudEvents
//! (<https://www.twilio.com/docs/events/event-types/conversations/message>, `…/participant`).
//!
//! The webhook writes `Body` and `Media` as a JSON text, the CloudEvent `MessageBody` and `Media` as an array; the rest is
//! spelled the same. Neither names a workspace: the account alone says whose it is.

use serde_json::{Map, Value};

use super::{Ours, ParseError, Parsed, fields::Fields, media};
use crate::{
    domain::{ChatIdentity, Event, MessageEvent, ParticipantChange, ParticipantEvent, Timestamp},
    twilio::wire,
};

pub(super) const CLOUD_EVENT_PREFIX: &str = "com.twilio.conversations.";

/// The most of a message that an event keeps, in bytes: what a notification and a list show. The whole of it is at Twilio.
/// Together with [`media`]'s bounds, an event of nothing but characters that JSON escapes fits into a record of the inbox.
const MAX_BODY: usize = 8 * 1024;
/// No identity and no address is as long; an event with a longer one is not Twilio's.
const MAX_IDENTITY: usize = 512;

/// What a notice is about.
enum Kind {
    MessageAdded,
    ParticipantAdded,
    ParticipantRemoved,
    ParticipantUpdated,
}

pub(super) fn parse_webhook(fields: &Fields<'_>, ours: &Ours) -> Result<Parsed, ParseError> {
    let event_type = fields.get("eventtype").ok_or(ParseError::Malformed { field: "EventType" })?;
    let kind = match &*event_type {
        "onMessageAdded" => Some(Kind::MessageAdded),
        "onParticipantAdded" => Some(Kind::ParticipantAdded),
        "onParticipantRemoved" => Some(Kind::ParticipantRemoved),
        "onParticipantUpdated" => Some(Kind::ParticipantUpdated),
        _ => None,
    };
    parse(fields, kind, ours)
}

/// `event_type` is what follows [`CLOUD_EVENT_PREFIX`].
pub(super) fn parse_cloud_event(
    event: &Map<String, Value>,
    event_type: &str,
    ours: &Ours,
) -> Result<Parsed, ParseError> {
    let kind = match event_type {
        "message.added" => Some(Kind::MessageAdded),
        "participant.added" => Some(Kind::ParticipantAdded),
        "participant.removed" => Some(Kind::ParticipantRemoved),
        "participant.updated" => Some(Kind::ParticipantUpdated),
        _ => None,
    };
    parse(&Fields::of_cloud_event(event, event_type), kind, ours)
}

fn parse(fields: &Fields<'_>, kind: Option<Kind>, ours: &Ours) -> Result<Parsed, ParseError> {
    fields.check(ours)?;
    let event = match kind {
        Some(Kind::MessageAdded) => Event::Message(message(fields)?),
        Some(Kind::ParticipantAdded) => Event::Participant(participant(fields, ParticipantChange::Added)?),
        Some(Kind::ParticipantRemoved) => Event::Participant(participant(fields, ParticipantChange::Removed)?),
        Some(Kind::ParticipantUpdated) => {
            let read = fields.optional("lastreadmessageindex", "LastReadMessageIndex")?;
            Event::Participant(participant(fields, ParticipantChange::Updated { read })?)
        }
        None => return Ok(Parsed::Ignored { kind: "conversation" }),
    };
    Ok(Parsed::event(event))
}

fn message(fields: &Fields<'_>) -> Result<MessageEvent, ParseError> {
    let body = fields.get("body").or_else(|| fields.get("messagebody")).unwrap_or_default();
    Ok(MessageEvent {
        conversation: fields.require("conversationsid", "ConversationSid")?,
        message: fields.require("messagesid", "MessageSid")?,
        index: fields.require("index", "Index")?,
        author: name(fields, "author", "Author")?.unwrap_or_default(),
        participant: fields.optional("participantsid", "ParticipantSid")?,
        body: media::clip(&body, MAX_BODY).to_owned(),
        media: media::of_text(fields.get("media").as_deref().unwrap_or_default())?,
        at: created(fields)?,
    })
}

/// When the message was made; of a CloudEvent that does not say it, when Twilio told of it.
fn created(fields: &Fields<'_>) -> Result<Timestamp, ParseError> {
    let at = date(fields, "datecreated").or_else(|| date(fields, "timestamp"));
    at.ok_or(ParseError::Malformed { field: "DateCreated" })
}

fn participant(fields: &Fields<'_>, change: ParticipantChange) -> Result<ParticipantEvent, ParseError> {
    Ok(ParticipantEvent {
        conversation: fields.require("conversationsid", "ConversationSid")?,
        participant: fields.require("participantsid", "ParticipantSid")?,
        identity: name(fields, "identity", "Identity")?.map(ChatIdentity::new),
        change,
        revision: revision(fields),
    })
}

/// What tells two updates of one participant apart: `DateUpdated` in whole seconds, since the two doors may write it with
/// and without a fraction. Updates of one second with the same read horizon are one to us; where there is no date, so are
/// all updates with the same horizon.
fn revision(fields: &Fields<'_>) -> String {
    date(fields, "dateupdated").map(|at| at.as_secs().to_string()).unwrap_or_default()
}

fn date(fields: &Fields<'_>, key: &str) -> Option<Timestamp> {
    fields.get(key).and_then(|text| wire::moment(&text))
}

/// Who somebody is. It is never clipped: that would be somebody else.
fn name(fields: &Fields<'_>, key: &str, field: &'static str) -> Result<Option<String>, ParseError> {
    match fields.get(key) {
        Some(name) if name.len() > MAX_IDENTITY => Err(ParseError::Malformed { field }),
        name => Ok(name.map(Into::into)),
    }
}
