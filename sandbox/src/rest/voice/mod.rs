//! Calls, conferences and participants of API 2010-04-01 (<https://www.twilio.com/docs/voice/api>).

mod account;

use serde_json::{Value, json};

use super::{
    Reply,
    date::rfc2822,
    error::Refusal,
    list,
    request::{Answer, Params, Request},
    reservations::{callback, sip_login},
    route::Operation,
};
use crate::world::{
    NewConference, NewLeg, World,
    model::{Call, Conference, Seat},
    sid::Sid,
    words::{CallStatus, ConferenceStatus, Role},
};

const DEFAULT_TIMEOUT_S: u64 = 60;

pub(super) fn answer(world: &mut World, request: &Request, operation: Operation, path: &[Sid]) -> Reply {
    if path.first().is_none_or(|account| *account != world.fixed.account) {
        return Err(Refusal::not_found());
    }
    match (operation, path.get(1), path.get(2)) {
        (Operation::FetchAccount | Operation::ListIncomingPhoneNumber | Operation::ListOutgoingCallerId, ..) => {
            Ok(account::answer(world, request, operation))
        }
        (Operation::ListCall, ..) => list_calls(world, request),
        (Operation::CreateCall, ..) => create_call(world, request),
        (Operation::FetchCall, Some(sid), _) => fetched(call(world, sid)),
        (Operation::UpdateCall, Some(sid), _) => update_call(world, request, sid),
        (Operation::ListConference, ..) => list_conferences(world, request),
        (Operation::FetchConference, Some(sid), _) => fetched(conference(world, sid)),
        (Operation::UpdateConference, Some(sid), _) => update_conference(world, request, sid),
        (Operation::ListParticipant, Some(room), _) => list_participants(world, request, room),
        (Operation::CreateParticipant, Some(room), _) => create_participant(world, request, room),
        (operation, Some(room), Some(call)) => one_participant(world, request, operation, room, call),
        _ => Err(Refusal::not_found()),
    }
}

fn fetched(body: Option<Value>) -> Reply {
    body.map(Answer::ok).ok_or_else(Refusal::not_found)
}

fn list_calls(world: &World, request: &Request) -> Reply {
    let query = &request.query;
    let status = query.word("Status", CallStatus::parse)?;
    let wanted = |row: &&Call| {
        query.get("To").is_none_or(|to| row.to == to)
            && query.get("From").is_none_or(|from| row.from == from)
            && status.is_none_or(|status| row.status == status)
    };
    let all = world.calls.iter().rev().filter(wanted).map(|row| row.sid.clone()).collect();
    Ok(list::v2010(request, "calls", all, |sid| call(world, sid)))
}

fn create_call(world: &mut World, request: &Request) -> Reply {
    let form = &request.form;
    if ["Url", "Twiml", "ApplicationSid"].iter().all(|name| form.text(name).is_none()) {
        return Err(Refusal::twilio(21205, "Url parameter is required."));
    }
    let mut leg = new_leg(form, None)?;
    leg.document = form.text("Url");
    if leg.document.as_ref().is_some_and(|document| url::Url::parse(document).is_err()) {
        return Err(Refusal::twilio(21205, "Url is not a valid URL."));
    }
    let sid = world.create_call(leg)?;
    call(world, &sid).map(Answer::created).ok_or_else(Refusal::not_found)
}

fn new_leg(form: &Params, seat: Option<Seat>) -> Result<NewLeg, Refusal> {
    Ok(NewLeg {
        role: Role::Other,
        from: form.required("From")?,
        to: form.required("To")?,
        task: None,
        reservation: None,
        seat,
        callback: callback(form, "StatusCallback", "StatusCallbackEvent", &["completed"])?,
        ring_s: form.number("Timeout")?.unwrap_or(DEFAULT_TIMEOUT_S) + 5,
        login: sip_login(form),
        recorded: form.flag("Record")?.unwrap_or(false),
        document: None,
    })
}

fn update_call(world: &mut World, request: &Request, sid: &Sid) -> Reply {
    world.calls.get(sid).ok_or_else(Refusal::not_found)?;
    if let Some(status) = request.form.word("Status", CallStatus::parse)? {
        world.update_call(sid, status)?;
    }
    fetched(call(world, sid))
}

fn list_conferences(world: &World, request: &Request) -> Reply {
    let query = &request.query;
    let status = query.word("Status", ConferenceStatus::parse)?;
    let wanted = |row: &&Conference| {
        query.get("FriendlyName").is_none_or(|name| row.name == name)
            && status.is_none_or(|status| row.status == status)
    };
    let all = world.conferences.iter().rev().filter(wanted).map(|row| row.sid.clone()).collect();
    Ok(list::v2010(request, "conferences", all, |sid| conference(world, sid)))
}

fn update_conference(world: &mut World, request: &Request, sid: &Sid) -> Reply {
    world.conferences.get(sid).ok_or_else(Refusal::not_found)?;
    match request.form.get("Status") {
        Some("completed") => world.complete_conference(sid)?,
        Some(other) => return Err(Refusal::invalid(format!("Invalid Status: {other}"))),
        None => {}
    }
    fetched(conference(world, sid))
}

/// A conference by its sid, or by its name as long as it lives.
fn room(world: &World, name: &Sid) -> Option<Sid> {
    let named = |row: &&Conference| row.name == name.as_str() && row.status != ConferenceStatus::Completed;
    let row = world.conferences.get(name).or_else(|| world.conferences.iter().rfind(named))?;
    Some(row.sid.clone())
}

fn list_participants(world: &World, request: &Request, name: &Sid) -> Reply {
    let sid = room(world, name).ok_or_else(Refusal::not_found)?;
    let all = world.seated(&sid).filter(|call| call.is_live()).map(|call| call.sid.clone()).collect();
    Ok(list::v2010(request, "participants", all, |call| participant(world, &sid, call)))
}

fn create_participant(world: &mut World, request: &Request, name: &Sid) -> Reply {
    let form = &request.form;
    let seat = Seat {
        conference: name.clone(),
        joined: false,
        label: form.text("Label"),
        end_on_exit: form.flag("EndConferenceOnExit")?.unwrap_or(false),
        start_on_enter: form.flag("StartConferenceOnEnter")?.unwrap_or(true),
        muted: form.flag("Muted")?.unwrap_or(false),
        hold: false,
    };
    let mut leg = new_leg(form, Some(seat))?;
    let open = |row: &Conference| row.status != ConferenceStatus::Completed;
    let existing = room(world, name);
    if existing.as_ref().is_some_and(|sid| !world.conferences.get(sid).is_some_and(open))
        || (existing.is_none() && name.as_str().starts_with("CF"))
    {
        return Err(Refusal::not_found());
    }
    let events = &["start", "end"];
    let told = callback(form, "ConferenceStatusCallback", "ConferenceStatusCallbackEvent", events)?;
    let sid = existing.unwrap_or_else(|| {
        world.create_conference(NewConference {
            name: name.to_string(),
            callback: told,
            recording_callback: None,
            end_on_customer_exit: false,
            recorded: false,
        })
    });
    if let Some(seat) = &mut leg.seat {
        seat.conference = sid.clone();
    }
    let call = world.create_call(leg)?;
    participant(world, &sid, &call).map(Answer::created).ok_or_else(Refusal::not_found)
}

fn one_participant(world: &mut World, request: &Request, operation: Operation, name: &Sid, call: &Sid) -> Reply {
    let sid = room(world, name).ok_or_else(Refusal::not_found)?;
    let seated = |row: &Call| row.is_live() && row.seat.as_ref().is_some_and(|seat| seat.conference == sid);
    if !world.calls.get(call).is_some_and(seated) {
        return Err(Refusal::not_found());
    }
    match operation {
        Operation::DeleteParticipant => {
            world.kick(call);
            return Ok(Answer::no_content());
        }
        Operation::UpdateParticipant => {
            let form = &request.form;
            let (muted, hold, end) = (form.flag("Muted")?, form.flag("Hold")?, form.flag("EndConferenceOnExit")?);
            if let Some(seat) = world.calls.get_mut(call).and_then(|row| row.seat.as_mut()) {
                seat.muted = muted.unwrap_or(seat.muted);
                seat.hold = hold.unwrap_or(seat.hold);
                seat.end_on_exit = end.unwrap_or(seat.end_on_exit);
            }
        }
        _ => {}
    }
    fetched(participant(world, &sid, call))
}

fn call(world: &World, sid: &Sid) -> Option<Value> {
    let row = world.calls.get(sid)?;
    let stem = format!("/2010-04-01/Accounts/{}/Calls/{sid}", world.fixed.account);
    let lasted = row.answered.zip(row.ended).map(|(from, to)| (to.saturating_sub(from) / 1000).to_string());
    Some(json!({
        "sid": row.sid,
        "account_sid": world.fixed.account,
        "parent_call_sid": null,
        "to": row.to,
        "to_formatted": row.to,
        "from": row.from,
        "from_formatted": row.from,
        "phone_number_sid": null,
        "status": row.status,
        "start_time": row.answered.map(rfc2822),
        "end_time": row.ended.map(rfc2822),
        "duration": lasted,
        "price": null,
        "price_unit": "USD",
        "direction": row.direction,
        "answered_by": null,
        "api_version": "2010-04-01",
        "forwarded_from": null,
        "group_sid": null,
        "caller_name": null,
        "queue_time": "0",
        "trunk_sid": null,
        "date_created": rfc2822(row.created),
        "date_updated": rfc2822(row.updated),
        "uri": format!("{stem}.json"),
        "subresource_uris": {
            "events": format!("{stem}/Events.json"),
            "recordings": format!("{stem}/Recordings.json"),
            "notifications": format!("{stem}/Notifications.json"),
        },
    }))
}

fn conference(world: &World, sid: &Sid) -> Option<Value> {
    let row = world.conferences.get(sid)?;
    let stem = format!("/2010-04-01/Accounts/{}/Conferences/{sid}", world.fixed.account);
    Some(json!({
        "sid": row.sid,
        "account_sid": world.fixed.account,
        "friendly_name": row.name,
        "status": row.status,
        "region": "us1",
        "api_version": "2010-04-01",
        "reason_conference_ended": row.ended_because,
        "call_sid_ending_conference": row.ended_by,
        "date_created": rfc2822(row.created),
        "date_updated": rfc2822(row.updated),
        "uri": format!("{stem}.json"),
        "subresource_uris": {
            "participants": format!("{stem}/Participants.json"),
            "recordings": format!("{stem}/Recordings.json"),
        },
    }))
}

fn participant(world: &World, conference: &Sid, call: &Sid) -> Option<Value> {
    let row = world.calls.get(call)?;
    let seat = row.seat.as_ref()?;
    let status = match row.status {
        CallStatus::Queued => "queued",
        CallStatus::Ringing => "ringing",
        CallStatus::InProgress => "connected",
        CallStatus::Completed => "complete",
        _ => "failed",
    };
    Some(json!({
        "account_sid": world.fixed.account,
        "call_sid": row.sid,
        "conference_sid": conference,
        "label": seat.label,
        "call_sid_to_coach": null,
        "coaching": false,
        "end_conference_on_exit": seat.end_on_exit,
        "start_conference_on_enter": seat.start_on_enter,
        "muted": seat.muted,
        "hold": seat.hold,
        "status": status,
        "queue_time": "0",
        "date_created": rfc2822(row.created),
        "date_updated": rfc2822(row.updated),
        "uri": format!("/2010-04-01/Accounts/{}/Conferences/{conference}/Participants/{call}.json", world.fixed.account),
    }))
}
