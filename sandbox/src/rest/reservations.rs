//! Reservations under a task or a worker, and the instructions that a pending one takes.

use super::{
    Reply, check_version,
    error::Refusal,
    list,
    request::{Answer, Params, Request},
    route::Operation,
    shape::Shape,
};
use crate::world::{
    ConferenceInstruction, World,
    model::{Callback, Reservation},
    sid::Sid,
    sip::SipLogin,
    words::ReservationStatus,
};

/// `Timeout` in seconds, at most (for SIP 600).
const MAX_TIMEOUT_S: u64 = 999;

/// `owner`: the task or the worker whose reservations these are.
pub(super) fn answer(
    world: &mut World,
    request: &Request,
    operation: Operation,
    owner: &Sid,
    sid: Option<&Sid>,
) -> Reply {
    let under_task = matches!(
        operation,
        Operation::ListTaskReservation | Operation::FetchTaskReservation | Operation::UpdateTaskReservation
    );
    let known = if under_task { world.tasks.get(owner).is_some() } else { world.workers.get(owner).is_some() };
    if !known {
        return Err(Refusal::not_found());
    }
    let belongs = |row: &Reservation| if under_task { row.task == *owner } else { row.worker == *owner };
    let Some(sid) = sid else { return list(world, request, under_task, belongs) };
    if !world.reservations.get(sid).is_some_and(belongs) {
        return Err(Refusal::not_found());
    }
    if matches!(operation, Operation::UpdateTaskReservation | Operation::UpdateWorkerReservation) {
        update(world, request, sid)?;
    }
    let version = world.reservations.get(sid).map_or(0, |row| row.version);
    let body = Shape::new(world, request).reservation(sid, under_task).ok_or_else(Refusal::not_found)?;
    // FetchWorkerReservation has no ETag at Twilio.
    Ok(if under_task { Answer::ok(body).version(version) } else { Answer::ok(body) })
}

fn list(world: &World, request: &Request, under_task: bool, belongs: impl Fn(&Reservation) -> bool) -> Reply {
    let status = request.query.word("ReservationStatus", ReservationStatus::parse)?;
    let worker = request.query.get("WorkerSid");
    let all = world
        .reservations
        .iter()
        .filter(|row| belongs(row) && status.is_none_or(|wanted| row.status == wanted))
        .filter(|row| worker.is_none_or(|sid| row.worker == sid))
        .map(|row| row.sid.clone())
        .collect();
    let shape = Shape::new(world, request);
    Ok(list::v1(request, "reservations", all, |sid| shape.reservation(sid, under_task)))
}

fn update(world: &mut World, request: &Request, sid: &Sid) -> Result<(), Refusal> {
    let form = &request.form;
    let (version, worker) =
        world.reservations.get(sid).map(|row| (row.version, row.worker.clone())).ok_or_else(Refusal::not_found)?;
    check_version(request, version)?;
    let status = form.word("ReservationStatus", ReservationStatus::parse)?;
    let instruction = form.get("Instruction").map(str::to_ascii_lowercase);
    if instruction.as_deref() == Some("conference") {
        let order = conference(form)?;
        return world.instruct(sid, order);
    }
    let status = match (status, instruction.as_deref()) {
        (Some(status), None) => status,
        (_, Some("accept")) => ReservationStatus::Accepted,
        (_, Some("reject")) => ReservationStatus::Rejected,
        (_, Some(_)) => return Err(Refusal::twilio(55555, "Invalid Instruction passed to TaskRouter")),
        (None, None) => return Ok(()),
    };
    let activity = form.text("WorkerActivitySid").map(Sid::from);
    if let Some(activity) = &activity {
        world.activities.get(activity).ok_or_else(|| Refusal::invalid("WorkerActivitySid does not exist"))?;
    }
    world.update_reservation(sid, status, activity.map(|activity| (worker, activity)))
}

fn conference(form: &Params) -> Result<ConferenceInstruction, Refusal> {
    let timeout_s = form.number("Timeout")?;
    if timeout_s.is_some_and(|timeout| timeout == 0 || timeout > MAX_TIMEOUT_S) {
        return Err(Refusal::invalid("Invalid Timeout: it must be between 1 and 999"));
    }
    let record = form.get("ConferenceRecord").unwrap_or("false");
    Ok(ConferenceInstruction {
        to: form.text("To"),
        from: form.text("From"),
        timeout_s,
        callback: callback(form, "StatusCallback", "StatusCallbackEvent", &["completed"])?,
        conference_callback: callback(
            form,
            "ConferenceStatusCallback",
            "ConferenceStatusCallbackEvent",
            &["start", "end"],
        )?,
        end_on_exit: form.flag("EndConferenceOnExit")?.unwrap_or(false),
        end_on_customer_exit: form.flag("EndConferenceOnCustomerExit")?.unwrap_or(false),
        record_leg: form.flag("Record")?.unwrap_or(false),
        record_conference: !matches!(record, "false" | "do-not-record"),
        recording_callback: form
            .text("ConferenceRecordingStatusCallback")
            .or_else(|| form.text("RecordingStatusCallback")),
        login: sip_login(form),
    })
}

/// Who Twilio is to a SIP server that challenges it.
pub(super) fn sip_login(form: &Params) -> Option<SipLogin> {
    let (user, password) = (form.text("SipAuthUsername")?, form.text("SipAuthPassword")?);
    Some(SipLogin { user, password })
}

/// A callback's URL and the events it is for; `otherwise` are those of one that names none.
pub(super) fn callback(
    form: &Params,
    url: &str,
    events: &str,
    otherwise: &[&str],
) -> Result<Option<Callback>, Refusal> {
    let Some(target) = form.text(url) else { return Ok(None) };
    if url::Url::parse(&target).is_err() {
        return Err(Refusal::invalid(format!("Invalid {url}: it is not a valid URL")));
    }
    let mut wanted = form.words(events);
    if wanted.is_empty() {
        wanted = otherwise.iter().map(|event| (*event).to_owned()).collect();
    }
    Ok(Some(Callback { url: target, events: wanted }))
}
