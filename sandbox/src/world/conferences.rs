//! Conferences: who is in them, when they start, and what ends them
//! (<https://www.twilio.com/docs/voice/api/conference-resource>).

use super::{
    Done, World,
    events::pair,
    model::{Call, Callback, Conference, Seat},
    sid::Sid,
    words::{CallStatus, ConferenceStatus, EndReason},
};
use crate::{deliver::Manner, rest::error::Refusal};

#[derive(Debug)]
pub(crate) struct NewConference {
    pub(crate) name: String,
    pub(crate) callback: Option<Callback>,
    pub(crate) recording_callback: Option<String>,
    pub(crate) end_on_customer_exit: bool,
    pub(crate) recorded: bool,
}

impl World {
    pub(crate) fn create_conference(&mut self, new: NewConference) -> Sid {
        let sid = self.make_sid("CF");
        self.conferences.add(Conference {
            sid: sid.clone(),
            name: new.name,
            status: ConferenceStatus::Init,
            callback: new.callback,
            recording_callback: new.recording_callback,
            calls: Vec::new(),
            sequence: 0,
            end_on_customer_exit: new.end_on_customer_exit,
            recorded: new.recorded,
            ended_because: None,
            ended_by: None,
            created: self.now,
            updated: self.now,
        });
        sid
    }

    /// Calls that have or had a seat in it.
    pub(crate) fn seated(&self, conference: &Sid) -> impl DoubleEndedIterator<Item = &Call> {
        let sids = self.conferences.get(conference).map_or(&[][..], |row| &row.calls);
        sids.iter().filter_map(|sid| self.calls.get(sid))
    }

    pub(super) fn seat(&mut self, call: &Sid, seat: Seat) {
        if let Some(row) = self.conferences.get_mut(&seat.conference) {
            row.calls.push(call.clone());
        }
        if let Some(row) = self.calls.get_mut(call) {
            row.seat = Some(seat);
        }
    }

    fn joined(&self, conference: &Sid) -> usize {
        self.seated(conference)
            .filter(|call| call.is_live() && call.seat.as_ref().is_some_and(|seat| seat.joined))
            .count()
    }

    /// An answered call enters the conference that it has a seat in.
    pub(super) fn join(&mut self, call: &Sid) {
        let Some(seat) = self.calls.get_mut(call).and_then(|row| row.seat.as_mut()) else { return };
        seat.joined = true;
        let sid = seat.conference.clone();
        self.conference_event(&sid, "join", Some(call));
        let starts =
            self.conferences.get(&sid).is_some_and(|row| row.status == ConferenceStatus::Init) && self.joined(&sid) > 1;
        if starts {
            self.set_conference_status(&sid, ConferenceStatus::InProgress);
            self.conference_event(&sid, "start", None);
        }
    }

    /// A call that has ended leaves its conference, which may end with it.
    pub(super) fn leave(&mut self, call: &Sid) {
        let Some(seat) = self.calls.get_mut(call).and_then(|row| row.seat.as_mut()) else { return };
        let was_in = std::mem::take(&mut seat.joined);
        let (sid, end_on_exit) = (seat.conference.clone(), seat.end_on_exit && was_in);
        self.conference_event(&sid, "leave", Some(call));
        let waits = self.seated(&sid).any(Call::is_live);
        if end_on_exit {
            self.end_conference(&sid, EndReason::EndOnExitLeft, Some(call));
        } else if !waits {
            self.end_conference(&sid, EndReason::LastLeft, was_in.then_some(call));
        }
    }

    pub(super) fn end_conference(&mut self, sid: &Sid, because: EndReason, by: Option<&Sid>) {
        let Some(row) = self.conferences.get_mut(sid).filter(|row| row.status != ConferenceStatus::Completed) else {
            return;
        };
        let had_started = row.status == ConferenceStatus::InProgress;
        row.ended_because = Some(because);
        row.ended_by = by.cloned();
        self.set_conference_status(sid, ConferenceStatus::Completed);
        let left: Vec<_> = self
            .seated(sid)
            .filter(|call| call.is_live())
            .map(|call| (call.sid.clone(), call.status == CallStatus::InProgress))
            .collect();
        for (call, answered) in left {
            self.end_call(&call, if answered { CallStatus::Completed } else { CallStatus::Canceled });
        }
        if had_started {
            self.conference_event(sid, "end", None);
            self.recording_event(sid);
        }
    }

    /// `Status=completed` of a conference, as REST sets it.
    pub(crate) fn complete_conference(&mut self, sid: &Sid) -> Done {
        let status = self.conferences.get(sid).map(|row| row.status).ok_or_else(Refusal::not_found)?;
        if status == ConferenceStatus::Completed {
            return Err(Refusal::twilio(20001, "Conference has already ended"));
        }
        self.end_conference(sid, EndReason::ViaApi, None);
        Ok(())
    }

    /// `DELETE` of a participant.
    pub(crate) fn kick(&mut self, call: &Sid) {
        let answered = self.calls.get(call).is_some_and(|row| row.status == CallStatus::InProgress);
        self.end_call(call, if answered { CallStatus::Completed } else { CallStatus::Canceled });
    }

    fn set_conference_status(&mut self, sid: &Sid, status: ConferenceStatus) {
        let now = self.now;
        if let Some(row) = self.conferences.get_mut(sid) {
            row.status = status;
            row.updated = now;
        }
    }

    fn recording_event(&mut self, sid: &Sid) {
        let Some(row) = self.conferences.get(sid).filter(|row| row.recorded) else { return };
        let Some(url) = row.recording_callback.clone() else { return };
        let seconds = self.now.saturating_sub(row.created) / 1000;
        let name = row.name.clone();
        let recording = self.make_sid("RE");
        let account = self.fixed.account.clone();
        let params = vec![
            pair("AccountSid", &account),
            pair("ConferenceSid", sid),
            pair("FriendlyName", name),
            pair("RecordingSid", &recording),
            pair(
                "RecordingUrl",
                format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{recording}"),
            ),
            pair("RecordingStatus", "completed"),
            pair("RecordingDuration", seconds),
            pair("RecordingChannels", 1),
            pair("RecordingSource", "Conference"),
        ];
        self.send(url, params, Manner::Callback);
    }
}
