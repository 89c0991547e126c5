//! The real process, ended in the middle of its work: what was answered 2xx acts once, before the end or after it.

use std::{collections::BTreeMap, fs, fs::File, net::SocketAddr, process::Command, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use offdesk::{clock::Clock, config::Config};
use offdesk_sandbox::{
    AgentSeed, Auto, CallView, Facts, FlowDirection, Handle, LogEntry, Operation, Options, ReservationStatus, RestAct,
    RestFault, Sandbox, Snapshot, sign,
};
use tempfile::TempDir;

use crate::{
    cli::{daemon::Process, offdesk},
    house::{AgentApp, MOBILE, Plan, add_agents, client, config_text, free_address, sign_in},
};

const LIMIT: Duration = Duration::from_secs(60);
const AGENTS: usize = 8;
const CUSTOMER: &str = "+12025550177";

/// A stand-in for Twilio, and all that the binary needs to serve it.
pub struct Place {
    pub folder: TempDir,
    pub twilio: Handle,
    pub listen: SocketAddr,
    pub phones: Vec<String>,
    /// Of the agents' sessions, by phone number.
    tokens: BTreeMap<String, String>,
}

impl Place {
    /// Nothing is found in the event log: what acts came by a webhook.
    pub async fn new(agents: usize) -> Self {
        Self::of(agents, Plan::default().login("otp_per_ip = \"1000/h\"")).await
    }

    pub async fn of(agents: usize, plan: Plan) -> Self {
        let phones: Vec<_> = (0..agents).map(|number| format!("+49155501010{number:02}")).collect();
        let seeds = phones.iter().map(|phone| AgentSeed::new("Zebulon Quark", phone, MOBILE)).collect();
        let plan = Plan { twilio: Options { agents: seeds, ..Options::default() }, ..plan };
        let (folder, listen) = (tempfile::tempdir().unwrap(), free_address());
        let twilio = Sandbox::start(plan.twilio.clone()).unwrap();
        twilio.set_event_callback(&format!("http://{listen}/webhooks/taskrouter"));
        twilio.set_conversations_webhook(&format!("http://{listen}/webhooks/conversations"));
        twilio.fault(RestFault::fail(Operation::ListEvent, u32::MAX, 500, 20500));
        let text = config_text(&plan, &twilio, &folder, listen);
        fs::write(folder.path().join("offdesk.toml"), &text).unwrap();
        let config = Config::parse(&text, Default::default(), None).unwrap();
        add_agents(&config, &plan).await;
        let tokens = sign_in(&config, &plan, &twilio, Clock::system().now()).await;
        Self { folder, twilio, listen, phones, tokens }
    }

    /// The binary, ready, with its log at the finest level in a file.
    pub fn daemon(&self) -> Process {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let file = self.folder.path().join("offdesk.toml");
        let mut command = offdesk(&["serve", "--config", file.to_str().unwrap()]);
        let mut daemon = Process::logging(command.env("RUST_LOG", "trace"), log);
        assert!(daemon.line().contains(&self.listen.to_string()), "{}", self.log());
        daemon
    }

    /// The app of an agent.
    pub fn app(&self, phone: &str) -> AgentApp {
        AgentApp::new(client(), self.listen, &self.tokens[phone])
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub async fn until(&self, so: impl FnMut(&Snapshot) -> bool) {
        self.twilio.wait_until(LIMIT, so).await.unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
    }

    fn all_ring(&self, state: &Snapshot) -> bool {
        self.phones.iter().all(|phone| state.is_ringing(phone))
    }

    /// Every phone is answered and hung up, and every task is wrapped up.
    async fn all_talk(&self) {
        self.until(|state| self.all_ring(state)).await;
        self.phones.iter().for_each(|phone| self.twilio.answer(phone).unwrap());
        self.twilio.settled(LIMIT).await.unwrap();
        self.phones.iter().for_each(|phone| self.twilio.hang_up(phone).unwrap());
        let wrapping =
            |state: &Snapshot| state.reservations.iter().all(|row| row.status == ReservationStatus::Wrapping);
        self.until(wrapping).await;
    }
}

/// A webhook about a worker whom nobody knows, of about 20 kB, as it is posted.
fn large_offer(facts: &Facts, number: u32) -> Vec<(String, String)> {
    let id = |prefix: &str| format!("{prefix}{number:032x}");
    let now = Clock::system().now().as_millis();
    [
        ("EventType", "reservation.created".to_owned()),
        ("Sid", id("EV")),
        ("TimestampMs", now.to_string()),
        ("Timestamp", (now / 1000).to_string()),
        ("AccountSid", facts.account_sid.clone()),
        ("WorkspaceSid", facts.workspace_sid.to_string()),
        ("ReservationSid", id("WR")),
        ("ReservationVersion", "0".to_owned()),
        ("TaskSid", id("WT")),
        ("TaskAttributes", format!("{{\"note\":\"{}\"}}", "x".repeat(20_000))),
        ("TaskChannelUniqueName", "voice".to_owned()),
        ("WorkerSid", id("WK")),
        ("WorkerName", "nobody".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[tokio::test]
async fn a_store_that_fails_ends_the_daemon_with_70_and_nothing_more_is_accepted() {
    let place = Place::new(1).await;
    // A file that may not grow is a disk that fails.
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "trap '' XFSZ; ulimit -f 4096; exec \"$0\" serve --config \"$1\"",
        env!("CARGO_BIN_EXE_offdesk"),
    ]);
    command.arg(place.folder.path().join("offdesk.toml")).env_clear().env("PATH", "/usr/bin:/bin");
    let mut daemon = Process::start(&mut command);
    assert!(daemon.line().contains("\"ready\":true"));
    let (facts, url) = (place.twilio.facts(), format!("http://{}/webhooks/taskrouter", place.listen));
    let client = client();
    let mut last = 204;
    for number in 1..1000 {
        let fields = large_offer(facts, number);
        let signature = sign(&facts.auth_token, &url, &fields);
        let posted = client.post(&url).header("X-Twilio-Signature", signature).form(&fields).send().await;
        last = posted.map_or(0, |answer| answer.status().as_u16());
        if last != 204 {
            break;
        }
    }
    assert!([0, 503].contains(&last), "{last}");
    assert_eq!(daemon.end().0, Some(70));
}

fn accepted_offers(log: &[LogEntry]) -> usize {
    let accepted = |entry: &&LogEntry| entry.direction == FlowDirection::Webhook && entry.status == Some(204);
    log.iter().filter(accepted).filter(|entry| entry.param("EventType") == Some("reservation.created")).count()
}

#[tokio::test]
async fn what_was_accepted_acts_once_although_the_daemon_is_killed() {
    for round in 0..10 {
        let place = Place::new(AGENTS).await;
        let daemon = place.daemon();
        (0..AGENTS).for_each(|_| drop(place.twilio.place_call(CUSTOMER)));
        place.twilio.wait_until_log(LIMIT, |log| accepted_offers(log) == AGENTS).await.unwrap();
        // Every third end is one in good order, with the work half done all the same.
        let (signal, code) = if round % 3 == 2 { ("TERM", Some(0)) } else { ("KILL", None) };
        daemon.signal(signal);
        assert_eq!(daemon.end().0, code, "{}", place.log());

        let _daemon = place.daemon();
        place.all_talk().await;
        let state = place.twilio.snapshot();
        for phone in &place.phones {
            let legs = state.calls.iter().filter(|call| &call.to == phone).count();
            assert_eq!(legs, 1, "round {round}: {phone} was called {legs} times\n{}", place.log());
        }
    }
}

fn accepted_messages(log: &[LogEntry]) -> usize {
    let accepted = |entry: &&LogEntry| entry.name == "onMessageAdded" && entry.status == Some(200);
    log.iter().filter(accepted).count()
}

#[tokio::test]
async fn every_message_is_notified_and_counted_once_although_the_daemon_is_killed_after_each() {
    const MESSAGES: usize = 8;
    let place = Place::of(1, Plan::default().with_devices()).await;
    let mut daemon = place.daemon();
    let chat = place.twilio.start_chat(CUSTOMER, "Zebulon", "hello?");
    let offer = |state: &Snapshot| state.reservation_of(&chat.task_sid).map(|row| row.sid.clone());
    place.until(|state| offer(state).is_some()).await;
    place.twilio.desk_accepts(&offer(&place.twilio.snapshot()).unwrap()).unwrap();
    place.until(|state| state.reservation_of(&chat.task_sid).unwrap().status == ReservationStatus::Accepted).await;
    place.twilio.settled(LIMIT).await.unwrap();
    let before = accepted_messages(&place.twilio.log());
    for number in 1..=MESSAGES {
        place.twilio.customer_says(&chat.conversation_sid, &format!("message {number}")).unwrap();
        let taken = |log: &[LogEntry]| accepted_messages(log) == before + number;
        place.twilio.wait_until_log(LIMIT, taken).await.unwrap();
        daemon.signal("KILL");
        assert_eq!(daemon.end().0, None, "{}", place.log());
        daemon = place.daemon();
    }
    let told = |state: &Snapshot| state.devices.iter().all(|device| device.badge == Some(MESSAGES as u64));
    place.until(told).await;
    for device in place.twilio.snapshot().devices {
        assert_eq!(device.showing().count(), 1, "they are of one conversation");
    }
}

#[tokio::test]
async fn the_same_key_never_sends_twice_although_the_daemon_is_killed_in_between() {
    let place = Place::of(1, Plan::default().with_devices()).await;
    let mut daemon = place.daemon();
    let chat = place.twilio.start_chat(CUSTOMER, "Zebulon", "hello?");
    place.until(|state| state.devices.iter().all(|device| device.showing().count() == 1)).await;
    let offer = place.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone();
    let phone = &place.phones[0];
    assert!(matches!(place.app(phone).accept(&offer).await.status, 200 | 202));
    place.until(|state| state.reservation_of(&chat.task_sid).unwrap().status == ReservationStatus::Accepted).await;
    place.twilio.settled(LIMIT).await.unwrap();
    let said = |state: &Snapshot| {
        let messages = &state.conversation(&chat.conversation_sid).unwrap().messages;
        messages.iter().filter(|message| message.author.starts_with("user_")).count()
    };
    for round in 1..=4 {
        // Twilio has it, and the daemon does not hear so before its end.
        place.twilio.fault(RestFault::once(Operation::CreateConversationMessage, RestAct::DropAfter));
        place.twilio.fault(RestFault::fail(Operation::ListConversationMessage, u32::MAX, 500, 20500));
        let (app, key) = (place.app(phone), format!("key-{round}"));
        let request = app.request_once(&chat.conversation_sid, "hello", &key);
        let asking = tokio::spawn(async move { request.send().await.is_ok() });
        place.until(|state| said(state) == round).await;
        daemon.signal("KILL");
        assert_eq!(daemon.end().0, None);
        assert!(!asking.await.unwrap(), "it was answered before the end");
        place.twilio.clear_faults();
        place.twilio.fault(RestFault::fail(Operation::ListEvent, u32::MAX, 500, 20500));
        daemon = place.daemon();
        let app = place.app(phone);
        let first = app.says_once(&chat.conversation_sid, "hello", &key).await;
        assert_eq!(first.status, 201, "{first:?}\n{}", place.log());
        assert_eq!(app.says_once(&chat.conversation_sid, "hello", &key).await, first);
        assert_eq!(said(&place.twilio.snapshot()), round);
    }
}

/// A chat is offered, accepted and answered through the API.
async fn chats(place: &Place) {
    const TEXT: &str = "Xylophonic greetings";
    let chat = place.twilio.start_chat(CUSTOMER, "Zebulon", TEXT);
    place.until(|state| state.reservation_of(&chat.task_sid).is_some()).await;
    let offer = place.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone();
    let app = place.app(&place.phones[0]);
    place.until(|state| state.devices.iter().all(|device| device.showing().count() == 1)).await;
    let accepted = app.accept(&offer).await;
    assert!(matches!(accepted.status, 200 | 202), "{accepted:?}\n{}", place.log());
    place.until(|state| state.reservation_of(&chat.task_sid).unwrap().status == ReservationStatus::Accepted).await;
    place.twilio.settled(LIMIT).await.unwrap();
    assert_eq!(app.says(&chat.conversation_sid, TEXT).await.status, 201);
    place.twilio.customer_says(&chat.conversation_sid, TEXT).unwrap();
    place.until(|state| state.devices.iter().all(|device| device.badge == Some(1))).await;
}

#[tokio::test]
async fn the_log_holds_no_number_no_name_no_text_and_no_secret_at_any_level() {
    let place = Place::of(1, Plan::default().with_devices()).await;
    let daemon = place.daemon();
    place.twilio.place_call(CUSTOMER);
    place.all_talk().await;
    chats(&place).await;
    daemon.signal("TERM");
    assert_eq!(daemon.end().0, Some(0));

    let (log, facts) = (place.log(), place.twilio.facts());
    assert!(log.contains("\"level\":\"TRACE\"") || log.contains("\"level\":\"DEBUG\""), "{log}");
    let basic = BASE64_STANDARD.encode(format!("{}:{}", facts.account_sid, facts.auth_token));
    let digits = |number: &str| number.trim_start_matches('+').to_owned();
    let mut secrets = vec![facts.auth_token.clone(), basic, digits(&place.phones[0]), digits(CUSTOMER)];
    secrets.extend(["Zebulon", "Xylophonic"].map(str::to_owned));
    secrets.extend(place.tokens.values().cloned());
    secrets.extend(place.twilio.snapshot().devices.into_iter().map(|device| device.id));
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret} is told");
    }
}

#[tokio::test]
async fn whoever_is_disabled_on_the_stopped_store_is_signed_out_for_good() {
    let place = Place::new(2).await;
    let (disabled, other) = (&place.phones[0], &place.phones[1]);
    let file = place.folder.path().join("offdesk.toml");
    for flag in ["yes", "no"] {
        let args = ["agent", "update", disabled, "--disabled", flag, "--config", file.to_str().unwrap()];
        assert!(offdesk(&args).status().unwrap().success());
    }
    let daemon = place.daemon();
    assert_eq!(place.app(disabled).get("/tasks").await.code(), "no_session");
    assert_eq!(place.app(other).get("/tasks").await.status, 200);
    daemon.signal("TERM");
    assert_eq!(daemon.end().0, Some(0));
}

/// Whether no phone had two calls at a time.
fn no_phone_was_called_twice_at_once(state: &Snapshot, phones: &[String]) -> bool {
    phones.iter().all(|phone| {
        let legs: Vec<_> = state.calls.iter().filter(|call| call.to == *phone).collect();
        legs.windows(2).all(|pair| pair[0].ended_ms.is_some_and(|ended| ended <= pair[1].created_ms))
    })
}

#[tokio::test]
async fn cell_phones_are_asked_and_customers_are_brought_once_although_the_daemon_is_killed() {
    let some_leg = |state: &Snapshot, so: fn(&CallView) -> bool| state.calls.iter().any(so);
    let moments: [fn(&Snapshot) -> bool; 4] = [
        |_| true,
        |state| state.phones.iter().any(|phone| state.is_ringing(&phone.address)),
        |state| state.calls.iter().any(|call| call.asks_for_key),
        |state| state.calls.iter().any(|call| call.talks_with_sid.is_some()),
    ];
    for (round, moment) in moments.into_iter().enumerate() {
        let plan =
            Plan::default().login("otp_per_ip = \"1000/h\"").calls("confirm = \"press-1\"\nreoffer_hold = \"1s\"");
        let place = Place::of(AGENTS, plan).await;
        place.phones.iter().for_each(|phone| place.twilio.set_auto(phone, Auto::Take { after_ms: 300 }));
        let daemon = place.daemon();
        let calls: Vec<_> = (0..AGENTS).map(|_| place.twilio.place_call(CUSTOMER)).collect();
        place.twilio.wait_until_log(LIMIT, |log| accepted_offers(log) >= AGENTS).await.unwrap();
        place.until(moment).await;
        daemon.signal("KILL");
        assert_eq!(daemon.end().0, None, "{}", place.log());

        let _daemon = place.daemon();
        let talk = |state: &Snapshot| {
            calls
                .iter()
                .all(|call| state.call(&call.call_sid).is_some_and(|customer| customer.talks_with_sid.is_some()))
        };
        place.until(talk).await;
        let state = place.twilio.snapshot();
        assert!(no_phone_was_called_twice_at_once(&state, &place.phones), "round {round}: {state:#?}");
        assert!(!some_leg(&state, |call| call.conference_sid.is_some()), "round {round}: an instruction was given");
        place.phones.iter().for_each(|phone| place.twilio.hang_up(phone).unwrap());
        let log = place.log();
        for number in place.phones.iter().map(String::as_str).chain([CUSTOMER]) {
            assert!(!log.contains(number.trim_start_matches('+')), "a number is told");
        }
        let wrapping = |state: &Snapshot| {
            let latest = |task| state.reservation_of(task).map(|row| row.status);
            calls.iter().all(|call| latest(&call.task_sid) == Some(ReservationStatus::Wrapping))
        };
        place.until(wrapping).await;
    }
}
