//! `POST /webhooks/voice/confirm`: somebody has picked up an agent's cell phone, or pressed a key there, and Twilio asks how the call
//! goes on. The answer is TwiML, and comes within Twilio's 15 s (<https://www.twilio.com/docs/voice/twiml>).

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web,
};

use super::webhooks::{Door, Webhooks, signed_form};
use crate::{
    actors::ask::{self, HowToGoOn, NoAnswer, Reply},
    domain::{Key, Language, PickUp},
    push::Spoken,
    twilio::{
        events::{self, Ours, ParseError},
        form::Form,
        twiml::{self, Speech, Verb},
    },
};

/// How long a key is waited for behind the question.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn answer(request: HttpRequest, body: web::Payload, hooks: web::Data<Webhooks>) -> HttpResponse {
    let read = |form: &Form<'_>, ours: &Ours| {
        let query = Form::parse(request.query_string().as_bytes());
        events::from_pick_up(form, &query.map_err(|_| ParseError::Malformed { field: "query" })?, ours)
    };
    let pick_up = match signed_form(&request, body, &hooks, Door::Confirm, read).await {
        Ok(pick_up) => pick_up,
        Err(refused) => return refused,
    };
    let answered = ask::pick_up(&hooks.directory, &pick_up).await;
    let how = answered.unwrap_or_else(|NoAnswer| without_the_agent(&pick_up));
    let outcome = outcome(&how.reply);
    metrics::counter!("offdesk_confirmations_total", "outcome" => outcome).increment(1);
    tracing::debug!(call = %pick_up.call, leg = %pick_up.leg, outcome, "a cell phone was answered");
    let document = document(&how, &hooks.public_url.join(&confirm_path(&pick_up)));
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, twiml::CONTENT_TYPE))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(document)
}

/// The agent has too much to do: the question can be put without it, but nobody can be promised a customer.
fn without_the_agent(pick_up: &PickUp) -> HowToGoOn {
    let reply = match pick_up.key {
        None => Reply::Ask,
        Some(Key::One | Key::Other) => Reply::NotTaken,
    };
    HowToGoOn { reply, language: Language::default(), recording: None }
}

const fn outcome(reply: &Reply) -> &'static str {
    match reply {
        Reply::Ask => "asked",
        Reply::Connect(_) => "taken",
        Reply::NotTaken => "not_taken",
        Reply::NobodyWaits => "nobody_waits",
    }
}

fn confirm_path(pick_up: &PickUp) -> String {
    format!("/webhooks/voice/confirm?call={}&leg={}", pick_up.call, pick_up.leg)
}

/// The question is put twice; behind that, and behind any key but 1, the call is over.
fn document(how: &HowToGoOn, action: &str) -> String {
    let spoken = Spoken::of(how.language);
    let say = |text| Speech { language: spoken.language, text };
    match &how.reply {
        Reply::Ask => {
            let question = Verb::Gather { say: say(spoken.press_one), action, patience: PATIENCE };
            twiml::document(&[question, question, Verb::Say(say(spoken.not_taken)), Verb::Hangup])
        }
        Reply::Connect(reservation) => {
            let dial = Verb::DialQueue { reservation, recording: how.recording.as_ref() };
            twiml::document(&[dial, Verb::Hangup])
        }
        Reply::NotTaken => twiml::document(&[Verb::Say(say(spoken.not_taken)), Verb::Hangup]),
        Reply::NobodyWaits => twiml::document(&[Verb::Say(say(spoken.nobody_waits)), Verb::Hangup]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTION: &str = "https://gw.example.com/webhooks/voice/confirm?call=1&leg=1";

    fn pick_up(key: Option<Key>) -> PickUp {
        let call_sid = "CA0123456789abcdef0123456789abcdef".parse().unwrap();
        PickUp { call: "00000000000000ff-7".parse().unwrap(), leg: crate::domain::LegNo(2), call_sid, key }
    }

    #[test]
    fn without_the_agent_the_question_is_put_and_nobody_is_promised_a_customer() {
        assert_eq!(without_the_agent(&pick_up(None)).reply, Reply::Ask);
        for key in [Key::One, Key::Other] {
            assert_eq!(without_the_agent(&pick_up(Some(key))).reply, Reply::NotTaken, "{key:?}");
        }
    }

    #[test]
    fn every_document_ends_the_call_and_one_alone_brings_a_customer() {
        for language in [Language::En, Language::De] {
            let connect = Reply::Connect("WR0123456789abcdef0123456789abcdef".parse().unwrap());
            for reply in [Reply::Ask, Reply::NotTaken, Reply::NobodyWaits, connect] {
                let connects = matches!(reply, Reply::Connect(_));
                let document = document(&HowToGoOn { reply, language, recording: None }, ACTION);
                assert!(document.ends_with("<Hangup></Hangup></Response>"), "{document}");
                assert_eq!(document.contains("<Queue "), connects, "{document}");
            }
        }
    }
}
