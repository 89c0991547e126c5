//! What a call does that was given a document: it speaks, asks for keys, and connects with a customer who waits
//! (<https://www.twilio.com/docs/voice/twiml>).

use std::collections::VecDeque;

use super::{
    Done, World,
    callbacks::voice_params,
    events::pair,
    model::Call,
    sid::Sid,
    timers::Timer,
    words::{CallStatus, Role},
};
use crate::{
    deliver::Manner,
    options::Auto,
    rest::error::Refusal,
    twiml::{self, Gather, Verb},
};

/// How long a voice takes for a character, in milliseconds.
const PER_CHARACTER_MS: u64 = 60;
/// How long a phone takes to press a key by itself, in milliseconds.
const PRESSES_AFTER_MS: u64 = 1_000;
/// What is heard when a document does not come, or cannot be run.
const APPLICATION_ERROR: &str = "We are sorry. An application error has occurred. Goodbye.";

/// How a call goes on, once it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// Where the document comes from.
    url: String,
    left: VecDeque<Verb>,
    doing: Doing,
    /// Rises with everything that is begun, so that an answer or a timer of something earlier is told.
    step: u64,
    /// What the phone says, or has said last.
    pub(crate) says: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Doing {
    /// It was not answered yet, or is over.
    Nothing,
    Fetching,
    /// Speaking, or silent for a while.
    Waiting,
    Asking {
        question: Gather,
        pressed: String,
    },
    Connected,
}

impl Script {
    pub(crate) fn new(url: String) -> Self {
        Self { url, left: VecDeque::new(), doing: Doing::Nothing, step: 0, says: None }
    }

    pub(crate) const fn is_asking(&self) -> bool {
        matches!(self.doing, Doing::Asking { .. })
    }
}

/// What comes next.
enum Next {
    Wait { ms: u64 },
    Fetch(String),
    Connect { reservation: Sid, recorded: bool },
    HangUp,
}

impl World {
    /// An answered call asks what it shall do.
    pub(super) fn begin_script(&mut self, call: &Sid) {
        if let Some(url) = self.script(call).map(|script| script.url.clone()) {
            self.fetch(call, url, None);
        }
    }

    fn script(&mut self, call: &Sid) -> Option<&mut Script> {
        self.calls.get_mut(call).filter(|row| row.is_live()).and_then(|row| row.script.as_mut())
    }

    fn fetch(&mut self, call: &Sid, url: String, digits: Option<String>) {
        let Some(script) = self.script(call) else { return };
        script.step += 1;
        script.doing = Doing::Fetching;
        script.url.clone_from(&url);
        let step = script.step;
        let Some(row) = self.calls.get(call) else { return };
        let mut params = voice_params(row, &self.fixed.account, row.status.as_str());
        params.extend(digits.map(|digits| pair("Digits", digits)));
        self.send(url, params, Manner::Twiml { call: call.clone(), step });
    }

    /// A document came, or did not: none.
    pub(crate) fn document_came(&mut self, call: &Sid, step: u64, document: Option<&str>) {
        let Some(script) = self.script(call).filter(|script| script.step == step && script.doing == Doing::Fetching)
        else {
            return;
        };
        match document.map(|document| twiml::read(document, &script.url)) {
            Some(Ok(verbs)) => {
                script.left = verbs;
                self.go_on(call);
            }
            failed => {
                if let Some(Err(fault)) = failed {
                    tracing::warn!(%call, %fault, "a document cannot be run");
                }
                script.left = VecDeque::from([Verb::Say(APPLICATION_ERROR.to_owned()), Verb::Hangup]);
                self.go_on(call);
            }
        }
    }

    /// Takes the next verb that takes time.
    fn go_on(&mut self, call: &Sid) {
        while let Some(next) = self.next_verb(call) {
            match next {
                Next::Wait { ms } => return self.wake_script(call, ms),
                Next::Fetch(url) => return self.fetch(call, url, None),
                Next::HangUp => return self.end_call(call, CallStatus::Completed),
                Next::Connect { reservation, recorded } => {
                    if self.connect(call, &reservation, recorded) {
                        return;
                    }
                }
            }
        }
    }

    /// None: the call is over.
    fn next_verb(&mut self, call: &Sid) -> Option<Next> {
        let script = self.script(call)?;
        script.step += 1;
        script.doing = Doing::Waiting;
        Some(match script.left.pop_front().unwrap_or(Verb::Hangup) {
            Verb::Say(text) => {
                let ms = time_to_say(&text);
                script.says = Some(text);
                Next::Wait { ms }
            }
            Verb::Pause(seconds) => Next::Wait { ms: seconds * 1000 },
            Verb::Gather(question) => {
                let ms = time_to_say(&question.says) + question.patience_s * 1000;
                script.says = Some(question.says.clone());
                script.doing = Doing::Asking { question, pressed: String::new() };
                Next::Wait { ms }
            }
            Verb::DialQueue { reservation, recorded } => Next::Connect { reservation, recorded },
            Verb::Redirect(url) => Next::Fetch(url),
            Verb::Hangup => Next::HangUp,
        })
    }

    fn wake_script(&mut self, call: &Sid, ms: u64) {
        let Some(script) = self.script(call) else { return };
        let (step, asks) = (script.step, script.is_asking());
        self.timers.set(self.now + ms, Timer::Script(call.clone(), step));
        let address = self.calls.get(call).map(|row| row.to.clone()).unwrap_or_default();
        if asks && matches!(self.phone(&address).auto, Auto::Take { .. }) {
            self.timers.set(self.now + PRESSES_AFTER_MS, Timer::Press(call.clone(), step));
        }
    }

    /// What was said is said, or nobody has pressed a key in time.
    pub(super) fn script_wakes(&mut self, call: &Sid, step: u64) {
        let Some(script) = self.script(call).filter(|script| script.step == step) else { return };
        match script.doing.clone() {
            Doing::Waiting => self.go_on(call),
            Doing::Asking { question, pressed } if !pressed.is_empty() || question.on_nothing => {
                self.fetch(call, question.action, Some(pressed));
            }
            Doing::Asking { .. } => self.go_on(call),
            Doing::Nothing | Doing::Fetching | Doing::Connected => {}
        }
    }

    /// The phone presses 1 by itself, if it is still asked.
    pub(super) fn script_hears_one(&mut self, call: &Sid, step: u64) {
        if self.script(call).is_some_and(|script| script.step == step) {
            self.script_hears(call, '1');
        }
    }

    /// A key is pressed at a phone; while nothing is asked nobody minds.
    pub(crate) fn phone_presses(&mut self, address: &str, key: char) -> Done {
        if !matches!(key, '0'..='9' | '*' | '#') {
            return Err(Refusal::invalid("a key is one of 0 to 9, * and #"));
        }
        let call = self.call_at(address, CallStatus::InProgress)?;
        self.script_hears(&call, key);
        Ok(())
    }

    fn script_hears(&mut self, call: &Sid, key: char) {
        let Some(Doing::Asking { question, pressed }) = self.script(call).map(|script| &mut script.doing) else {
            return;
        };
        let ends = question.ends_with == Some(key);
        if !ends {
            pressed.push(key);
        }
        if ends || pressed.len() >= question.digits {
            let (action, pressed) = (question.action.clone(), pressed.clone());
            if pressed.is_empty() { self.go_on(call) } else { self.fetch(call, action, Some(pressed)) }
        }
    }

    /// `<Dial><Queue reservationSid>`: accepts a pending reservation and talks with its customer
    /// (<https://www.twilio.com/docs/errors/14215>). False: there is no such reservation, or not any more.
    fn connect(&mut self, call: &Sid, reservation: &Sid, recorded: bool) -> bool {
        let Some(row) = self.reservations.get(reservation).filter(|row| row.is_waiting()) else { return false };
        let task = row.task.clone();
        let customer = self.tasks.get(&task).and_then(|task| task.call.clone());
        let waits = |row: &Call| row.is_live() && row.seat.is_none() && row.talks_with.is_none();
        let Some(customer) = customer.filter(|customer| self.calls.get(customer).is_some_and(waits)) else {
            return false;
        };
        if let Some(row) = self.reservations.get_mut(reservation) {
            row.leg = Some(call.clone());
        }
        if let Some(row) = self.calls.get_mut(call) {
            (row.role, row.task, row.reservation) = (Role::Worker, Some(task), Some(reservation.clone()));
            row.talks_with = Some(customer.clone());
            row.recorded = recorded;
            if let Some(script) = &mut row.script {
                (script.doing, script.says) = (Doing::Connected, None);
            }
        }
        if let Some(row) = self.calls.get_mut(&customer) {
            row.talks_with = Some(call.clone());
        }
        self.reservation_is_accepted(reservation);
        true
    }

    /// The other side of a conversation is alone: a call with a document goes on with it, the customer is done.
    pub(super) fn part(&mut self, call: &Sid) {
        let Some(other) = self.calls.get_mut(call).and_then(|row| row.talks_with.take()) else { return };
        let Some(row) = self.calls.get_mut(&other) else { return };
        row.talks_with = None;
        if row.script.is_some() {
            self.go_on(&other);
        } else {
            self.end_call(&other, CallStatus::Completed);
        }
    }
}

fn time_to_say(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX).saturating_mul(PER_CHARACTER_MS)
}
