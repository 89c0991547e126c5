//! Requests of the pure cores, carried out by the Twilio client, and its answers in the cores' words.

mod chats;

use std::time::Duration;

use url::Url;

use super::{Kit, SETTING_PATIENCE};
use crate::{
    agent::request::{Answer, Closing, Dial, Ending, Failure, Instruct, Offered, Refusal, Request, RingTo},
    config::Recording as Record,
    domain::{Admission, CallId, LegNo, WorkerSid},
    sip::Line,
    twilio::{
        self, TwilioError,
        taskrouter::{ConferenceInstruction, Destination, Recording, Worker},
        voice::{CallEnd, ConferenceStatus, NewCall},
    },
};

/// Twilio adds this to an instruction's `Timeout`.
const ADDED_BY_TWILIO: Duration = Duration::from_secs(5);
/// The least `Timeout` that Twilio takes.
const SHORTEST_RING: Duration = Duration::from_secs(1);
/// Two clocks that show the same second may be so far apart.
const ROUNDING: Duration = Duration::from_secs(2);

pub(super) async fn carry_out(kit: &Kit, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Instruct(instruct) => done(instruct_conference(kit, &instruct).await),
        Request::Dial(dial) => dial_phone(kit, &dial).await,
        Request::FindDialled(dial) => find_dialled(kit, &dial).await,
        Request::Accept(Offered { reservation, task }) => done(kit.twilio.accept(&task, &reservation).await),
        Request::Reject(Offered { reservation, task }) => done(kit.twilio.reject(&task, &reservation).await),
        Request::Close { offered, how, ending: Ending::Reservation } => done(close(kit, &offered, how).await),
        Request::Close { offered, how, ending: Ending::Interaction { at, worker, leave } } => {
            done(chats::close(kit, &offered, how, &at, worker.as_ref(), leave).await)
        }
        Request::SetActivity { worker, activity, reject_pending } => {
            set_activity(kit, &worker, &activity, reject_pending).await
        }
        Request::CancelLeg(leg) => done(kit.twilio.end_call(&leg, CallEnd::Canceled).await),
        Request::EndLeg(leg) => done(kit.twilio.end_call(&leg, CallEnd::Completed).await),
        Request::EndConference(offered) => done(end_conference(kit, &offered).await),
        Request::ReadReservation(offered) => {
            let _turn = kit.readings.acquire().await;
            let reservation = kit.twilio.reservation(&offered.task, &offered.reservation).await.map_err(failure)?;
            Ok(Answer::Reservation { status: reservation.status, changed_at: reservation.date_updated })
        }
        Request::ReadInstruction(offered) => read_instruction(kit, &offered).await,
        Request::ReadWorker(worker) => {
            let _turn = kit.readings.acquire().await;
            kit.twilio.worker(&worker).await.map(in_activity).map_err(failure)
        }
        Request::ReadLeg(leg) => {
            let status = kit.twilio.leg_status(&leg).await.map_err(failure)?;
            Ok(Answer::Leg { status })
        }
        Request::SetRead { identity, conversation, index } => {
            done(kit.twilio.set_read(&identity, &conversation, index).await)
        }
        Request::ReadCounts(identity) => chats::counts(kit, &identity).await.map_err(failure),
        Request::ReadMessages(conversation) => chats::messages(kit, &conversation).await.map_err(failure),
        Request::ReadReservations(worker) => chats::reservations(kit, &worker).await.map_err(failure),
    }
}

async fn close(kit: &Kit, offered: &Offered, how: Closing) -> Result<(), TwilioError> {
    let Offered { reservation, task } = offered;
    match how {
        Closing::Wrapup => kit.twilio.wrap_up(task, reservation).await.map(drop),
        Closing::Complete => kit.twilio.complete(task, reservation).await.map(drop),
    }
}

async fn instruct_conference(kit: &Kit, instruct: &Instruct) -> Result<(), TwilioError> {
    let instruction = ConferenceInstruction {
        to: destination(kit, &instruct.to),
        from: Some(kit.caller_id.clone()),
        timeout: instruct.ring.saturating_sub(ADDED_BY_TWILIO),
        status_callback: callback(kit, "call", instruct.call, instruct.leg),
        conference_status_callback: callback(kit, "conference", instruct.call, instruct.leg),
        end_conference_on_exit: true,
        end_conference_on_customer_exit: true,
        recording: recording(kit).await,
    };
    let Offered { reservation, task } = &instruct.offered;
    kit.twilio.instruct_conference(task, reservation, &instruction).await.map(drop)
}

async fn dial_phone(kit: &Kit, dial: &Dial) -> Result<Answer, Failure> {
    let new = NewCall {
        to: dial.to.clone(),
        from: kit.caller_id.clone(),
        url: callback(kit, "voice/confirm", dial.call, dial.leg),
        timeout: dial.ring.saturating_sub(ADDED_BY_TWILIO).max(SHORTEST_RING),
        status_callback: callback(kit, "call", dial.call, dial.leg),
    };
    kit.twilio.create_call(&new).await.map(|sid| Answer::Dialled(Some(sid))).map_err(failure)
}

/// Twilio dates calls by its own clock, in whole seconds.
async fn find_dialled(kit: &Kit, dial: &Dial) -> Result<Answer, Failure> {
    let calls = kit.twilio.calls_to(&dial.to, &kit.caller_id).await.map_err(failure)?;
    let since = dial.since - (ROUNDING + kit.twilio.clock_skew().unwrap_or_default());
    let found = calls.into_iter().find(|call| call.may_be_of(since));
    Ok(Answer::Dialled(found.map(|call| call.sid)))
}

/// A softphone is reached by its ticket, at this gateway.
fn destination(kit: &Kit, to: &RingTo) -> Destination {
    match to {
        RingTo::CellPhone(number) => Destination::Phone(number.clone()),
        RingTo::Softphone(Admission { ticket, login }) => Destination::Sip {
            uri: format!("sip:{}@{}", ticket.expose(), kit.line.as_ref().map_or("", Line::target)).into(),
            credentials: login.as_ref().map(|login| (login.username.to_string(), login.password.to_string().into())),
        },
    }
}

/// TaskRouter names a conference by the sid of its task.
async fn end_conference(kit: &Kit, offered: &Offered) -> Result<(), TwilioError> {
    let conferences = kit.twilio.conferences_named(offered.task.as_str(), None).await?;
    for conference in conferences.iter().filter(|conference| conference.status != ConferenceStatus::Completed) {
        kit.twilio.end_conference(&conference.sid).await?;
    }
    Ok(())
}

/// Where Twilio reports on a leg: the URL itself says which.
fn callback(kit: &Kit, door: &str, call: CallId, leg: LegNo) -> Url {
    let mut url = kit.public_url.as_url().clone();
    url.set_path(&format!("{}/webhooks/{door}", url.path().trim_end_matches('/')));
    url.set_query(Some(&format!("call={call}&leg={leg}")));
    url
}

/// What of a call is recorded, and who is told.
pub(super) async fn recording(kit: &Kit) -> Option<Recording> {
    let flex = tokio::time::timeout(SETTING_PATIENCE, kit.facts.flex_recording()).await;
    let flex = match flex {
        Ok(Ok(setting)) => setting,
        Ok(Err(_)) | Err(_) => {
            tracing::warn!("Flex's recording setting cannot be read; the call goes on without it");
            None
        }
    };
    match kit.recording {
        Record::Flex => flex,
        Record::Always => Some(flex.unwrap_or(Recording { status_callback: None })),
        Record::Never => None,
    }
}

async fn set_activity(kit: &Kit, worker: &WorkerSid, activity: &str, reject: bool) -> Result<Answer, Failure> {
    let Some(sid) = kit.facts.activity_sid(activity).await.map_err(failure)? else {
        tracing::error!(activity, "the workspace has no such activity; make it, or correct the configuration");
        return Err(Failure::Refused(Refusal::Other));
    };
    kit.twilio.set_activity(worker, &sid, reject).await.map(in_activity).map_err(failure)
}

fn in_activity(worker: Worker) -> Answer {
    Answer::Worker { activity: worker.activity_name, changed_at: worker.date_status_changed }
}

async fn read_instruction(kit: &Kit, offered: &Offered) -> Result<Answer, Failure> {
    let reservation = kit.twilio.reservation(&offered.task, &offered.reservation).await.map_err(failure)?;
    let conferences = kit.twilio.conferences_named(offered.task.as_str(), None).await.map_err(failure)?;
    let conference = conferences.iter().any(|conference| conference.status != ConferenceStatus::Completed);
    Ok(Answer::Instruction { status: reservation.status, conference })
}

fn done<T>(result: Result<T, TwilioError>) -> Result<Answer, Failure> {
    match result {
        Ok(_) => Ok(Answer::Done),
        Err(error) if error.refusal() == Some(twilio::Refusal::AlreadyThere) => Ok(Answer::Done),
        Err(error) => Err(failure(error)),
    }
}

fn failure(error: TwilioError) -> Failure {
    if error.may_have_happened() {
        return Failure::Unknown;
    }
    match error.refusal() {
        None if error.is_retryable() => Failure::NotDone { retry_after: error.retry_after() },
        None => Failure::Refused(Refusal::Other),
        Some(kind) => {
            tracing::warn!(%error, "a request was refused");
            Failure::Refused(match kind {
                twilio::Refusal::NotPending | twilio::Refusal::WrongState | twilio::Refusal::AlreadyThere => {
                    Refusal::NotPending
                }
                twilio::Refusal::CallerGone => Refusal::CallerGone,
                twilio::Refusal::BadCallerId | twilio::Refusal::Unroutable => Refusal::Unroutable,
                twilio::Refusal::NotFound => Refusal::NotFound,
                twilio::Refusal::Conflict => Refusal::Conflict,
                twilio::Refusal::Unauthorized
                | twilio::Refusal::Forbidden
                | twilio::Refusal::RejectedByWebhook
                | twilio::Refusal::BadParameter
                | twilio::Refusal::TooManyChecks
                | twilio::Refusal::TooManySends
                | twilio::Refusal::Landline
                | twilio::Refusal::BlockedPrefix
                | twilio::Refusal::Other => Refusal::Other,
            })
        }
    }
}
