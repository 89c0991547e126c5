//! The gateway's side of the talk with Twilio, judged by Twilio's own software: its libraries sign what we must believe,
//! its OpenAPI documents judge what we ask.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod counterparts;

use counterparts::Signer;
use offdesk::twilio::{
    form::Form,
    signature::{Body, SignatureError, Signed, Validator},
};
use secrecy::SecretString;

const TOKEN: &str = "12345678901234567890123456789012";

/// Targets as hostile as a request line can be.
const TARGETS: [&str; 8] = [
    "/webhooks/taskrouter",
    "/webhooks/taskrouter/",
    "/webhooks/call?call=00000000000000ff-7&leg=1",
    "/webhooks/call?leg=1&call=%2Fa%20b+c&leg=2&empty=&alone",
    "/webhooks/call?q=%C3%B6%E6%97%A5&Q=%c3%b6",
    "/webhooks//conference/../call?a=b%26c%3Dd",
    "/webhooks/call?a=%25%32%46;b='(x)'~*!",
    "/webhooks/call?",
];

const FORMS: [&[(&str, &str)]; 6] = [
    &[],
    &[("CallSid", "CA1"), ("Empty", ""), ("To", "+15550100")],
    &[("b", "2"), ("B", "1"), ("a", "2"), ("b", "1"), ("b", "2"), ("b", "")],
    &[("Body", "Jörg & 日本 = 100%+ 😀\r\n\ttab"), (" lead ", " trail ")],
    &[("TaskAttributes", r#"{"from":"+15550100","name":"a\"b"}"#), ("é", "1"), ("z", "2"), ("Z", "3")],
    &[("SameValue", "x"), ("Same", "Valuex")],
];

const PUBLIC_URLS: [&str; 4] = [
    "https://gw.example.com",
    "https://gw.example.com/offdesk/",
    "https://gw.example.com:8443",
    "http://127.0.0.1:8080/a%20b",
];

fn encode(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

fn check(validator: &Validator, target: &str, form: &[(&str, &str)], signature: &str) -> Result<(), SignatureError> {
    let body = encode(form);
    let form = Form::parse(body.as_bytes()).unwrap();
    validator.check(&Signed { target, signature: Some(signature), has_settings: false, body: Body::Form(&form) })
}

fn validator(public_url: &str) -> Validator {
    Validator::new(&public_url.parse().unwrap(), &SecretString::from(TOKEN), None)
}

fn believes_every_form_of(mut signer: Signer) {
    for public_url in PUBLIC_URLS {
        let validator = validator(public_url);
        for target in TARGETS {
            for form in FORMS {
                let url = format!("{}{target}", public_url.trim_end_matches('/'));
                let signed = signer.form(TOKEN, &url, form);
                assert_eq!(check(&validator, target, form, &signed.signature), Ok(()), "{url} {form:?}");
                let other = signer.form(TOKEN, &format!("{url}x"), form);
                assert_eq!(
                    check(&validator, target, form, &other.signature),
                    Err(SignatureError::Wrong),
                    "{url} {form:?}"
                );
            }
        }
    }
}

fn believes_every_json_of(mut signer: Signer) {
    for public_url in PUBLIC_URLS {
        let base = public_url.trim_end_matches('/');
        for (target, body) in [("/webhooks/events", "[]"), ("/webhooks/events?a=%2F+b", r#"[{"data":"ü😀"}]"#)] {
            let signed = signer.json(TOKEN, &format!("{base}{target}"), body);
            let target = signed.url.strip_prefix(base).unwrap();
            let check = |body: &[u8]| {
                validator(public_url).check(&Signed {
                    target,
                    signature: Some(&signed.signature),
                    has_settings: false,
                    body: Body::Raw(body),
                })
            };
            assert_eq!(check(body.as_bytes()), Ok(()), "{target}");
            assert_eq!(check(b"[1]"), Err(SignatureError::BodyHash), "{target}");
        }
    }
}

mod with_python {
    use std::time::Duration;

    use offdesk::twilio::{
        taskrouter::Recording,
        twiml::{self, Speech, Verb},
    };

    use super::*;
    use crate::counterparts::Twiml;

    #[test]
    fn twiml_is_what_pypi_twilio_writes() {
        let mut library = Twiml::start();
        let action = "https://gw.example.com/webhooks/voice/confirm?call=00000000000000ff-7&leg=2";
        let reservation = "WR0123456789abcdef0123456789abcdef".parse().unwrap();
        let told = Recording { status_callback: Some("https://flex.example/?a=1&b=%C3%B6".parse().unwrap()) };
        let untold = Recording { status_callback: None };
        for text in ["Drücken Sie die 1.", "\"</Say><Hangup/>' & \n\t😀 ]]>", ""] {
            let say = Speech { language: "de-DE", text };
            let mut verbs = vec![Verb::Gather { say, action, patience: Duration::from_secs(5) }, Verb::Say(say)];
            for recording in [None, Some(&told), Some(&untold)] {
                verbs.push(Verb::DialQueue { reservation: &reservation, recording });
            }
            verbs.push(Verb::Hangup);
            let document = twiml::document(&verbs);
            assert_eq!(library.violations(&document), Vec::<String>::new(), "{document}");
        }
    }

    #[test]
    fn what_is_no_twiml_is_told() {
        let mut library = Twiml::start();
        for document in [
            "<Response><Dial><Gather/></Dial></Response>",
            "<Response><Gather digits=\"1\"/></Response>",
            "<Response><Press/></Response>",
            "<Html/>",
        ] {
            assert_ne!(library.violations(document), Vec::<String>::new(), "{document}");
        }
    }

    #[test]
    fn a_form_signed_by_pypi_twilio_is_believed() {
        believes_every_form_of(Signer::python());
    }

    #[test]
    fn a_json_body_signed_by_pypi_twilio_is_believed() {
        believes_every_json_of(Signer::python());
    }
}

mod with_node {
    use std::{
        collections::BTreeMap,
        sync::{Arc, Mutex},
        time::Duration,
    };

    use offdesk::{
        clock::Clock,
        domain::{ChatIdentity, ReservationStatus, SendId, Timestamp},
        twilio::{
            Credentials, Endpoints, Limits, Settings, Twilio,
            interactions::Ending,
            taskrouter::{ConferenceInstruction, Destination, Recording},
            voice::{CallEnd, ConferenceStatus, NewCall},
        },
    };
    use serde_json::{Value, json};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        runtime::Handle,
    };
    use url::Url;

    use super::*;
    use crate::counterparts::Oracle;

    #[test]
    fn a_form_signed_by_npm_twilio_is_believed() {
        believes_every_form_of(Signer::node());
    }

    #[test]
    fn a_json_body_signed_by_npm_twilio_is_believed() {
        believes_every_json_of(Signer::node());
    }

    #[tokio::test]
    async fn every_request_is_one_that_twilios_documents_know() {
        let (url, requests) = recorder().await;
        ask_everything(&client(&url)).await;
        let requests = requests.lock().unwrap().clone();
        assert_eq!(requests.len(), 41);
        let mut oracle = Oracle::start();
        for request in requests {
            assert_eq!(oracle.violations(&request), Vec::<String>::new(), "{request}");
        }
    }

    /// Each operation once, in each of its forms. The answers say nothing, so that most of them are errors.
    async fn ask_everything(twilio: &Twilio) {
        let (worker, workflow) = (&sid("WK").parse().unwrap(), &sid("WW").parse().unwrap());
        let (task, reservation) = (&sid("WT").parse().unwrap(), &sid("WR").parse().unwrap());
        let activity = &sid("WA").parse().unwrap();
        let _ = twilio.workspaces().await;
        let _ = twilio.workspace().await;
        let _ = twilio.activities().await;
        let _ = twilio.workflow(workflow).await;
        let _ = twilio.worker(worker).await;
        let _ = twilio.worker_by_name("user-+15550100").await;
        let _ = twilio.set_activity(worker, activity, false).await;
        let _ = twilio.set_activity(worker, activity, true).await;
        let _ = twilio.reservation(task, reservation).await;
        let _ = twilio.reservations(worker, Some(ReservationStatus::Wrapping)).await;
        let _ = twilio.accept(task, reservation).await;
        let _ = twilio.reject(task, reservation).await;
        let _ = twilio.wrap_up(task, reservation).await;
        let _ = twilio.complete(task, reservation).await;
        for instruction in [instruction_to_a_phone(), instruction_to_a_softphone()] {
            let _ = twilio.instruct_conference(task, reservation, &instruction).await;
        }
        let start = Timestamp::from_millis(1_700_000_000_000);
        let _ = twilio.events_between(start, Some(start + Duration::from_secs(60))).await;
        let _ = twilio.task(task).await;
        ask_voice(twilio).await;
        ask_of_other_systems(twilio).await;
        ask_conversations(twilio).await;
        ask_interactions(twilio).await;
    }

    async fn ask_voice(twilio: &Twilio) {
        let call = call_to_a_phone();
        let _ = twilio.create_call(&call).await;
        let _ = twilio.calls_to(&call.to, &call.from).await;
        let _ = twilio.leg_status(&sid("CA").parse().unwrap()).await;
        let _ = twilio.end_call(&sid("CA").parse().unwrap(), CallEnd::Completed).await;
        let _ = twilio.end_conference(&sid("CF").parse().unwrap()).await;
        let _ = twilio.conferences_named(&sid("WT"), Some(ConferenceStatus::InProgress)).await;
    }

    async fn ask_of_other_systems(twilio: &Twilio) {
        let service = &sid("IS").parse().unwrap();
        let _ = twilio.workers().await.unwrap().next(twilio).await;
        let _ = twilio.sync_documents(service).next(twilio).await;
        let _ = twilio.sync_document(service, &sid("ET").parse().unwrap()).await;
    }

    async fn ask_conversations(twilio: &Twilio) {
        let conversation = &sid("CH").parse().unwrap();
        let agent = &ChatIdentity::of_worker("user-+4915550101001");
        let _ = twilio.chat_service_sid().await;
        let _ = twilio.participants(conversation).await;
        let _ = twilio.latest_messages(conversation, 1).await;
        let _ = twilio.messages(conversation, Some(7), 50).await;
        let _ = twilio.send_message(conversation, agent, Some("Ahoy & 😀"), None, SendId::from_bits(7)).await;
        let _ = twilio
            .send_message(conversation, agent, None, Some(&sid("ME").parse().unwrap()), SendId::from_bits(7))
            .await;
        let _ = twilio.user_conversations(agent).await;
        let _ = twilio.set_read(agent, conversation, 7).await;
    }

    async fn ask_interactions(twilio: &Twilio) {
        let _ = twilio.configuration().await;
        let (interaction, channel) = (&sid("KD").parse().unwrap(), &sid("UO").parse().unwrap());
        let _ = twilio.channel_participants(interaction, channel).await;
        let participant = &sid("UT").parse().unwrap();
        for ending in [Ending::Wrapup, Ending::Closed] {
            let _ = twilio.close_channel(interaction, channel, ending).await;
            let _ = twilio.close_participant(interaction, channel, participant, ending).await;
        }
    }

    fn sid(prefix: &str) -> String {
        format!("{prefix}0123456789abcdef0123456789abcdef")
    }

    fn instruction_to_a_phone() -> ConferenceInstruction {
        ConferenceInstruction {
            to: Destination::Phone("+15550101".parse().unwrap()),
            from: Some("+15550100".parse().unwrap()),
            timeout: Duration::from_secs(13),
            status_callback: "https://gw.example.com/webhooks/call?call=1&leg=1".parse().unwrap(),
            conference_status_callback: "https://gw.example.com/webhooks/conference?call=1&leg=1".parse().unwrap(),
            end_conference_on_exit: true,
            end_conference_on_customer_exit: true,
            recording: None,
        }
    }

    fn call_to_a_phone() -> NewCall {
        NewCall {
            to: "+15550101".parse().unwrap(),
            from: "+15550100".parse().unwrap(),
            url: "https://gw.example.com/webhooks/voice/confirm?call=1&leg=1".parse().unwrap(),
            timeout: Duration::from_secs(13),
            status_callback: "https://gw.example.com/webhooks/call?call=1&leg=1".parse().unwrap(),
        }
    }

    fn instruction_to_a_softphone() -> ConferenceInstruction {
        let credentials = Some(("user".to_owned(), SecretString::from("password")));
        let recorded = "https://flex.example.com/recorded".parse().unwrap();
        ConferenceInstruction {
            to: Destination::Sip { uri: SecretString::from("sip:ticket@gw.example.com"), credentials },
            recording: Some(Recording { status_callback: Some(recorded) }),
            ..instruction_to_a_phone()
        }
    }

    fn client(url: &Url) -> Twilio {
        // Another test of this process may have been first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let settings = Settings {
            account_sid: sid("AC").parse().unwrap(),
            credentials: Credentials::AuthToken(SecretString::from(TOKEN)),
            endpoints: Endpoints::all_at(url),
            workspace_sid: Some(sid("WS").parse().unwrap()),
            limits: Limits::default(),
            extra_roots_pem: None,
        };
        Twilio::new(settings, Clock::system(), Handle::current()).unwrap()
    }

    type Requests = Arc<Mutex<Vec<Value>>>;

    /// A server that writes every request down and answers it with an empty object.
    async fn recorder() -> (Url, Requests) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let requests = Requests::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let request = answer(stream).await;
                seen.lock().unwrap().push(request);
            }
        });
        (url, requests)
    }

    async fn answer(mut stream: TcpStream) -> Value {
        let mut text = String::new();
        let request = loop {
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).await.unwrap();
            text.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
            if let Some(request) = exchange(&text) {
                break request;
            }
        };
        let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
        stream.write_all(answer).await.unwrap();
        request
    }

    /// The request as the oracle wants it, once it is all there.
    fn exchange(text: &str) -> Option<Value> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let header = |name: &str| {
            let pairs = head.lines().filter_map(|line| line.split_once(": "));
            pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
        };
        let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
        let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let mut line = head.lines().next()?.split(' ');
        let (method, path) = (line.next()?, line.next()?);
        (body.len() >= length).then(|| {
            let names = ["authorization", "x-twilio-webhook-enabled"];
            let headers: BTreeMap<_, _> = names.iter().filter_map(|name| Some((name, header(name)?))).collect();
            json!({ "method": method, "path": path, "form": form, "headers": headers })
        })
    }
}
