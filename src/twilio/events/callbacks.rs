//! Status callbacks of the calls and conferences that we asked for.

use super::{Ours, ParseError, Parsed, fields::Fields};
use crate::{
    domain::{CallId, CallSid, ConferenceEvent, ConferenceEventKind, Event, Key, LegEvent, LegNo, LegStatus, PickUp},
    twilio::form::Form,
};

pub(super) fn parse_call(fields: &Fields<'_>, query: &Form<'_>, ours: &Ours) -> Result<Parsed, ParseError> {
    fields.check(ours)?;
    let (call, leg) = our_names(query)?;
    let status = fields.get("callstatus").ok_or(ParseError::Malformed { field: "CallStatus" })?;
    let status = leg_status(&status).ok_or(ParseError::Malformed { field: "CallStatus" })?;
    Ok(Parsed::event(Event::Leg(LegEvent {
        call,
        leg,
        call_sid: fields.require("callsid", "CallSid")?,
        status,
        sequence: fields.optional("sequencenumber", "SequenceNumber")?.unwrap_or_else(|| usual_place(status)),
    })))
}

pub(super) fn parse_conference(fields: &Fields<'_>, query: &Form<'_>, ours: &Ours) -> Result<Parsed, ParseError> {
    fields.check(ours)?;
    let (call, leg) = our_names(query)?;
    let event = fields.get("statuscallbackevent").ok_or(ParseError::Malformed { field: "StatusCallbackEvent" })?;
    let Some(kind) = conference_kind(&event) else { return Ok(Parsed::Ignored { kind: "conference" }) };
    let participant: Option<CallSid> = fields.optional("callsid", "CallSid")?;
    let sequence = match fields.optional("sequencenumber", "SequenceNumber")? {
        Some(sequence) => sequence,
        None => made_up_sequence(kind, participant.as_ref()),
    };
    let conference = fields.require("conferencesid", "ConferenceSid")?;
    Ok(Parsed::event(Event::Conference(ConferenceEvent { call, leg, conference, kind, participant, sequence })))
}

pub(super) fn parse_pick_up(fields: &Fields<'_>, query: &Form<'_>, ours: &Ours) -> Result<PickUp, ParseError> {
    fields.check(ours)?;
    let (call, leg) = our_names(query)?;
    let key = fields.get("digits").map(|digits| if digits == "1" { Key::One } else { Key::Other });
    Ok(PickUp { call, leg, call_sid: fields.require("callsid", "CallSid")?, key })
}

/// What we put into the callback's URL.
fn our_names(query: &Form<'_>) -> Result<(CallId, LegNo), ParseError> {
    let call = query.get("call").and_then(|text| text.parse().ok()).ok_or(ParseError::Malformed { field: "call" })?;
    let leg = query.get("leg").and_then(|text| text.parse().ok()).filter(|leg| *leg > 0);
    Ok((call, LegNo(leg.ok_or(ParseError::Malformed { field: "leg" })?)))
}

fn leg_status(text: &str) -> Option<LegStatus> {
    Some(match text {
        "queued" | "initiated" => LegStatus::Initiated,
        "ringing" => LegStatus::Ringing,
        "in-progress" | "answered" => LegStatus::InProgress,
        "completed" => LegStatus::Completed,
        "busy" => LegStatus::Busy,
        "no-answer" => LegStatus::NoAnswer,
        "failed" => LegStatus::Failed,
        "canceled" => LegStatus::Canceled,
        _ => return None,
    })
}

/// Where Twilio leaves `SequenceNumber` out, the place that a status has in a leg's life stands in for it: the same
/// callback twice is still one event.
const fn usual_place(status: LegStatus) -> u64 {
    match status {
        LegStatus::Initiated => 0,
        LegStatus::Ringing => 1,
        LegStatus::InProgress => 2,
        LegStatus::Completed | LegStatus::Busy | LegStatus::NoAnswer | LegStatus::Failed | LegStatus::Canceled => 3,
    }
}

fn conference_kind(text: &str) -> Option<ConferenceEventKind> {
    Some(match text {
        "conference-start" => ConferenceEventKind::Start,
        "conference-end" => ConferenceEventKind::End,
        "participant-join" => ConferenceEventKind::Join,
        "participant-leave" => ConferenceEventKind::Leave,
        _ => return None,
    })
}

/// The same for a conference, where several participants join: its place in the upper half and the participant in the
/// lower one (FNV-1a), so that two of them are two events.
fn made_up_sequence(kind: ConferenceEventKind, participant: Option<&CallSid>) -> u64 {
    let place = match kind {
        ConferenceEventKind::Start => 1,
        ConferenceEventKind::Join => 2,
        ConferenceEventKind::Leave => 3,
        ConferenceEventKind::End => 4,
    };
    let participant = participant.map_or("", CallSid::as_str);
    let hash =
        participant.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    place << 32 | u64::from(hash)
}
