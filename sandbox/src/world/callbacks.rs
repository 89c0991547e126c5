//! Status callbacks of calls and conferences
//! (<https://www.twilio.com/docs/voice/api/call-resource#statuscallback>,
//! <https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallback>).

use super::{
    World,
    events::{Params, pair},
    model::Call,
    sid::Sid,
    words::{CallStatus, EndReason},
};
use crate::{deliver::Manner, rest::date::rfc2822};

impl World {
    /// Tells the call's callback of `initiated`, `ringing`, `answered` or `completed`: the last stands for every end.
    pub(super) fn call_event(&mut self, sid: &Sid, event: &str) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(sid) else { return };
        call.updated = now;
        let Some(url) = call.callback.as_ref().filter(|to| to.wants(event)).map(|to| to.url.clone()) else { return };
        let sequence = call.sequence;
        call.sequence += 1;
        if let Some(call) = self.calls.get(sid) {
            let params = self.call_params(call, event, sequence);
            self.send(url, params, Manner::Callback);
        }
    }

    fn call_params(&self, call: &Call, event: &str, sequence: u32) -> Params {
        let status = if event == "initiated" { "initiated" } else { call.status.as_str() };
        let mut params = voice_params(call, &self.fixed.account, status);
        params.extend([
            pair("CallbackSource", "call-progress-events"),
            pair("Timestamp", rfc2822(self.now)),
            pair("SequenceNumber", sequence),
        ]);
        if let Some(task) = &call.task {
            params.push(pair("TaskSid", task));
            params.push(pair("WorkspaceSid", &self.fixed.workspace));
        }
        if call.status.is_final() {
            let lasted = call.answered.map_or(0, |answered| self.now.saturating_sub(answered) / 1000);
            params.push(pair("CallDuration", lasted));
            params.push(pair("Duration", lasted.div_ceil(60)));
            let heard = call.sip.as_ref().and_then(|leg| leg.code);
            params.push(pair("SipResponseCode", heard.unwrap_or_else(|| sip_code(call.status))));
        }
        params
    }

    /// Tells the conference's callback of `start`, `end`, or of a participant's `join` or `leave`.
    pub(super) fn conference_event(&mut self, sid: &Sid, event: &str, participant: Option<&Sid>) {
        let Some(row) = self.conferences.get_mut(sid) else { return };
        let Some(url) = row.callback.as_ref().filter(|to| to.wants(event)).map(|to| to.url.clone()) else { return };
        row.sequence += 1;
        let mut params = vec![
            pair("ConferenceSid", sid),
            pair("FriendlyName", &row.name),
            pair("AccountSid", &self.fixed.account),
            pair("SequenceNumber", row.sequence),
            pair("Timestamp", rfc2822(self.now)),
            pair("StatusCallbackEvent", event_name(event)),
        ];
        if event == "end" {
            let because = row.ended_because.unwrap_or(EndReason::LastLeft);
            params.push(pair("ReasonConferenceEnded", because));
            params.push(pair("Reason", because));
            params.extend(row.ended_by.as_ref().map(|call| pair("CallSidEndingConference", call)));
        }
        let over = row.ended_because;
        if let Some(call) = participant.and_then(|call| self.calls.get(call)) {
            params.extend(participant_params(call, event, over));
        }
        self.send(url, params, Manner::Callback);
    }
}

/// What every request about a call says (<https://www.twilio.com/docs/voice/twiml#request-parameters>).
pub(super) fn voice_params(call: &Call, account: &Sid, status: &str) -> Params {
    vec![
        pair("CallSid", &call.sid),
        pair("AccountSid", account),
        pair("From", &call.from),
        pair("Caller", &call.from),
        pair("To", &call.to),
        pair("Called", &call.to),
        pair("CallStatus", status),
        pair("Direction", call.direction),
        pair("ApiVersion", "2010-04-01"),
    ]
}

fn participant_params(call: &Call, event: &str, conference_over: Option<EndReason>) -> Params {
    let mut params = vec![pair("CallSid", &call.sid)];
    if let Some(seat) = &call.seat {
        params.extend([
            pair("Muted", seat.muted),
            pair("Hold", seat.hold),
            pair("Coaching", false),
            pair("EndConferenceOnExit", seat.end_on_exit),
            pair("StartConferenceOnEnter", seat.start_on_enter),
        ]);
        params.extend(seat.label.as_ref().map(|label| pair("ParticipantLabel", label)));
    }
    if event == "leave" {
        params.push(pair("ParticipantCallStatus", call.status));
        let reason = match (call.answered, conference_over) {
            (None, _) => "participant_add_failed",
            (Some(_), Some(EndReason::ViaApi)) => "conference_ended_via_api",
            (Some(_), Some(_)) => "moderator_ended_conference",
            (Some(_), None) => "participant_hung_up",
        };
        params.push(pair("ReasonParticipantLeft", reason));
    }
    params
}

fn event_name(event: &str) -> String {
    match event {
        "start" | "end" => format!("conference-{event}"),
        _ => format!("participant-{event}"),
    }
}

const fn sip_code(status: CallStatus) -> u16 {
    match status {
        CallStatus::Busy => 486,
        CallStatus::NoAnswer | CallStatus::Canceled => 487,
        CallStatus::Failed => 503,
        _ => 200,
    }
}
