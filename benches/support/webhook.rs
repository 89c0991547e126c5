//! Webhooks as Twilio sends them: an event callback of TaskRouter with all its fields, signed, as the bytes of a request.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use form_urlencoded::Serializer;
use serde_json::json;

use super::{AUTH_TOKEN, PUBLIC_URL, sid};

const PATH: &str = "/webhooks/taskrouter";

/// An event of TaskRouter: its parameters.
#[derive(Debug, Clone)]
pub(crate) struct TaskRouterEvent {
    params: Vec<(&'static str, String)>,
}

// === impl TaskRouterEvent ===

impl TaskRouterEvent {
    /// A voice task is offered to a worker who is available on mobile.
    pub(crate) fn offer(number: usize, worker: usize) -> Self {
        let mut event = Self::base(number, worker, "reservation.created", "reservation", &sid("WR", number));
        event.params.extend([
            ("ReservationSid", sid("WR", number)),
            ("ReservationVersion", "0".to_owned()),
            ("TaskSid", sid("WT", number)),
            ("TaskAttributes", attributes(number)),
            ("TaskAge", "3".to_owned()),
            ("TaskPriority", "0".to_owned()),
            ("TaskAssignmentStatus", "reserved".to_owned()),
            ("TaskVersion", "1".to_owned()),
            ("TaskChannelSid", sid("TC", 1)),
            ("TaskChannelUniqueName", "voice".to_owned()),
            ("TaskQueueSid", sid("WQ", 1)),
            ("TaskQueueName", "Everyone".to_owned()),
            ("WorkflowSid", sid("WW", 1)),
            ("WorkflowName", "Assign to anyone".to_owned()),
        ]);
        event
    }

    /// A chat is offered to a worker who is available on mobile.
    pub(crate) fn chat(number: usize, worker: usize) -> Self {
        let mut event = Self::offer(number, worker);
        let attributes =
            json!({ "conversationSid": sid("CH", number), "name": "Maria", "channelType": "web" }).to_string();
        for (name, value) in &mut event.params {
            match *name {
                "TaskChannelUniqueName" => "chat".clone_into(value),
                "TaskAttributes" => value.clone_from(&attributes),
                _ => {}
            }
        }
        event
    }

    /// A worker has gone to another activity.
    pub(crate) fn activity(number: usize, worker: usize) -> Self {
        let mut event = Self::base(number, worker, "worker.activity.update", "worker", &sid("WK", worker));
        event.params.extend([
            ("WorkerPreviousActivitySid", sid("WA", 2)),
            ("WorkerPreviousActivityName", "Offline".to_owned()),
            ("WorkerTimeInPreviousActivity", "61".to_owned()),
            ("WorkerVersion", number.to_string()),
        ]);
        event
    }

    /// A worker has gone to an activity whose name tells the event's number.
    pub(crate) fn renamed(number: usize, worker: usize) -> Self {
        let mut event = Self::activity(number, worker);
        let named = event.params.iter_mut().filter(|(name, _)| *name == "WorkerActivityName");
        named.for_each(|(_, value)| *value = format!("N{number}"));
        event
    }

    fn base(number: usize, worker: usize, kind: &str, resource: &str, resource_sid: &str) -> Self {
        // Milliseconds since 1970, one apart: later numbers are later events.
        let at = now_ms() + number as u64;
        let params = vec![
            ("Sid", sid("EV", number)),
            ("EventType", kind.to_owned()),
            ("AccountSid", sid("AC", 1)),
            ("WorkspaceSid", sid("WS", 1)),
            ("WorkspaceName", "Flex Task Assignment".to_owned()),
            ("EventDescription", format!("{kind} of {resource_sid}")),
            ("ResourceType", resource.to_owned()),
            ("ResourceSid", resource_sid.to_owned()),
            ("Timestamp", (at / 1000).to_string()),
            ("TimestampMs", at.to_string()),
            ("WorkerSid", sid("WK", worker)),
            ("WorkerName", format!("user-{worker}")),
            ("WorkerAttributes", json!({"contact_uri": "client:user", "roles": ["agent"], "skills": []}).to_string()),
            ("WorkerActivitySid", sid("WA", 1)),
            ("WorkerActivityName", "Available on Mobile".to_owned()),
        ];
        Self { params }
    }

    /// The signed request, whole.
    pub(crate) fn request(&self) -> Vec<u8> {
        let body = Serializer::new(String::new()).extend_pairs(&self.params).finish();
        let signature = self.signature();
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nHost: gw.example.com\r\nUser-Agent: TwilioProxy/1.1\r\n\
             Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {}\r\n\
             I-Twilio-Idempotency-Token: {}\r\nX-Twilio-Signature: {signature}\r\n\r\n",
            body.len(),
            self.params[0].1,
        );
        [head.into_bytes(), body.into_bytes()].concat()
    }

    /// <https://www.twilio.com/docs/usage/webhooks/webhooks-security>
    fn signature(&self) -> String {
        let mut sorted = self.params.clone();
        sorted.sort();
        let text: String = sorted.iter().flat_map(|(name, value)| [*name, value.as_str()]).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, AUTH_TOKEN.as_bytes());
        BASE64_STANDARD.encode(hmac::sign(&key, format!("{PUBLIC_URL}{PATH}{text}").as_bytes()))
    }
}

/// What Flex puts on a call's task.
fn attributes(number: usize) -> String {
    json!({
        "call_sid": sid("CA", number), "account_sid": sid("AC", 1), "from": "+15550123", "to": "+15550100",
        "caller": "+15550123", "called": "+15550100", "direction": "inbound", "name": "+15550123", "channelType": "voice",
        "conference": {"sid": sid("CF", number), "participants": {"customer": sid("CA", number)}},
    })
    .to_string()
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
