use super::*;
use crate::{
    domain::Event,
    twilio::{
        events::{self, Ours, Parsed},
        form::Form,
    },
};

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";

fn doors() -> Doors {
    Doors::of(&"https://gw.example.com".parse().unwrap())
}

fn nothing() -> Found {
    Found {
        callback: EventCallback::default(),
        service: format!("IS{:032}", 1).parse().unwrap(),
        service_webhook: Webhook::default(),
        account_webhook: Webhook::default(),
        sinks: Vec::new(),
    }
}

fn webhook(pre: &str, post: &str, method: &str) -> Webhook {
    let [pre_url, post_url, method] = [pre, post, method].map(str::to_owned);
    Webhook { pre_url, post_url, method, filters: Vec::new() }
}

fn sink(failed: bool, types: &[String]) -> OurSink {
    OurSink {
        sid: format!("DG{:032}", 1).parse().unwrap(),
        failed,
        subscriptions: vec![(format!("DF{:032}", 1).parse().unwrap(), types.to_vec())],
    }
}

#[test]
fn every_type_that_is_asked_for_is_one_that_is_read() {
    let ours = Ours { account: ACCOUNT.parse().unwrap(), workspace: None };
    let fields = "&Sid=EV0123456789abcdef0123456789abcdef&TimestampMs=1&WorkspaceSid=WS0123456789abcdef0123456789abcdef\
                  &WorkerSid=WK0123456789abcdef0123456789abcdef&TaskSid=WT0123456789abcdef0123456789abcdef\
                  &ReservationSid=WR0123456789abcdef0123456789abcdef";
    for kind in TASKROUTER {
        let body = format!("EventType={kind}&AccountSid={ACCOUNT}{fields}");
        let parsed = events::from_form(&Form::parse(body.as_bytes()).unwrap(), &ours).unwrap();
        assert!(matches!(parsed.into_event(), Some(Event::Reservation(_) | Event::Worker(_))), "{kind}");
    }
    let fields = "&ConversationSid=CH0123456789abcdef0123456789abcdef&MessageSid=IM0123456789abcdef0123456789abcdef\
                  &ParticipantSid=MB0123456789abcdef0123456789abcdef&Index=1&Author=a&DateCreated=2026-01-01T00:00:00Z\
                  &DateUpdated=2026-01-01T00:00:00Z&DateRemoved=2026-01-01T00:00:00Z";
    for (kind, _) in CONVERSATIONS {
        let body = format!("EventType={kind}&AccountSid={ACCOUNT}{fields}");
        let parsed = events::from_conversation(&Form::parse(body.as_bytes()).unwrap(), &ours).unwrap();
        assert!(!matches!(parsed, Parsed::Ignored { .. }), "{kind}");
    }
}

#[test]
fn a_slot_is_free_ours_or_anothers() {
    let earlier = vec!["https://old.example.com/webhooks/taskrouter#rc=3".to_owned()];
    let taken = |by: &str| Slot::Taken { by: by.to_owned() };
    for (url, expected) in [
        ("", Slot::Free),
        ("https://gw.example.com/webhooks/taskrouter", Slot::Ours),
        ("https://gw.example.com/webhooks/taskrouter#rc=1", Slot::Ours),
        ("https://old.example.com/webhooks/taskrouter", Slot::Ours),
        ("https://gw.example.com/webhooks/taskrouter2", taken("gw.example.com")),
        ("https://user:hunter2@crm.example.org/x?y=z", taken("crm.example.org")),
        ("nonsense", taken("an unknown place")),
    ] {
        let mut found = nothing();
        found.callback.url = url.to_owned();
        assert_eq!(found.taskrouter_slot(&doors(), &earlier), expected, "{url}");
    }
}

#[test]
fn the_services_webhook_is_taken_unless_that_would_silence_the_accounts() {
    const OURS: &str = "https://gw.example.com/webhooks/conversations";
    const THEIRS: &str = "https://crm.example.org/";
    let service = || WebhookScope::Service(nothing().service);
    let taken = || Slot::Taken { by: "crm.example.org".to_owned() };
    let none = || webhook("", "", "");
    for (of_service, of_account, scope, slot) in [
        (none(), none(), service(), Slot::Free),
        (webhook("", OURS, "POST"), none(), service(), Slot::Ours),
        (none(), webhook("", OURS, "POST"), WebhookScope::Account, Slot::Ours),
        (none(), webhook("", THEIRS, "POST"), WebhookScope::Account, taken()),
        (none(), webhook(THEIRS, "", "POST"), WebhookScope::Account, Slot::Free),
        (webhook(THEIRS, "", "POST"), webhook("", THEIRS, "POST"), service(), Slot::Free),
        (webhook(THEIRS, "", "GET"), none(), service(), taken()),
        (webhook("", THEIRS, "POST"), none(), service(), taken()),
    ] {
        let found = Found { service_webhook: of_service, account_webhook: of_account, ..nothing() };
        assert_eq!(found.conversations_slot(&doors(), &[]), ConversationsSlot { scope, slot }, "{found:?}");
    }
}

#[test]
fn what_keeps_events_from_coming_is_told_apart() {
    let all = Family::TaskRouter.streamed();
    let called = |url: &str, filter: &str| Found {
        callback: EventCallback { url: url.to_owned(), filter: filter.to_owned() },
        ..nothing()
    };
    let streamed = |failed, types: &[String]| Found { sinks: vec![sink(failed, types)], ..nothing() };
    let ours = doors().taskrouter;
    let but_two = TASKROUTER[2..].join(",");
    for (found, intake, expected) in [
        (nothing(), Intake::Auto, Some(Trouble::NotSet)),
        (nothing(), Intake::EventStreams, Some(Trouble::NoSink)),
        (
            called("https://crm.example.org", ""),
            Intake::Auto,
            Some(Trouble::Elsewhere { by: "crm.example.org".into() }),
        ),
        (called(&ours, ""), Intake::Auto, None),
        (called(&ours, &TASKROUTER.join(",")), Intake::Callbacks, None),
        (called(&ours, ""), Intake::EventStreams, Some(Trouble::NoSink)),
        (
            called(&ours, &but_two),
            Intake::Auto,
            Some(Trouble::Filtered(TASKROUTER[..2].iter().map(|&kind| kind.to_owned()).collect())),
        ),
        (streamed(false, &all), Intake::Auto, None),
        (streamed(false, &all), Intake::EventStreams, None),
        (streamed(false, &all[1..]), Intake::Auto, Some(Trouble::Unsubscribed(vec![all[0].clone()]))),
        (streamed(true, &all), Intake::Auto, Some(Trouble::SinkFailed)),
    ] {
        assert_eq!(found.trouble(Family::TaskRouter, &doors(), intake), expected, "{found:?} {intake:?}");
    }
}
