mod softphones;

use std::time::Duration;

use secrecy::SecretString;

use super::*;
use crate::{
    actors::{self, AgentRecord, Overview},
    agent::Policy,
    clock::{Clock, Hand},
    config::{Recording, Subject},
    domain::Privacy,
    domain::{ChatIdentity, Event, ParticipantChange, ParticipantEvent, Profile, Role, WorkerEvent, WorkerEventKind},
    inbox::Inbox,
    push::{self, Push},
    roster::{News, Told},
    sip::{self, Exchange, Line},
    store::{Family, MemoryStore, Record, StoreHandle},
    twilio::{Credentials, Endpoints, Limits, Settings, Twilio, facts::WorkspaceFacts},
};

const NOON: Timestamp = Timestamp::from_millis(1_760_000_000_000);
/// How long the machine may take for what takes no time on the clock.
const LIMIT: Duration = Duration::from_secs(10);

/// A directory on a store in memory, with a Twilio that cannot be reached.
struct Bench {
    store: StoreHandle,
    hand: Hand,
    clock: Clock,
    inbox: Inbox,
    directory: Addr<Directory>,
    tell: mpsc::Sender<Told>,
    line: Line,
    exchange: Exchange,
}

fn profile(id: u64) -> Profile {
    Profile {
        id: AgentId::from_bits(id),
        phone: format!("+1555010{id}").parse().unwrap(),
        name: "Ada".to_owned(),
        email: None,
        roles: [Role::Agent].into(),
        department: None,
        worker_name: format!("worker-{id}"),
        worker_sid: Some(format!("WK{id:032x}").parse().unwrap()),
        ring_plan: None,
        sip_username: None,
        sip_secret: None,
        can_manage_agents: false,
        disabled: false,
        created_at: NOON,
    }
}

/// Event `number`: a worker is in an activity now.
fn event(number: u64, worker: u64, activity: &str) -> Event {
    Event::Worker(WorkerEvent {
        sid: format!("EV{number:032x}").parse().unwrap(),
        kind: WorkerEventKind::ActivityUpdated,
        worker: format!("WK{worker:032x}").parse().unwrap(),
        worker_name: format!("worker-{worker}"),
        activity: Some(activity.to_owned()),
        version: None,
        at: NOON,
    })
}

async fn store_of_two() -> StoreHandle {
    let store: StoreHandle = Arc::new(MemoryStore::new());
    let mut batch = Batch::new();
    for id in [1, 2] {
        batch.put(&AgentId::from_bits(id), &profile(id)).unwrap();
    }
    store.commit(batch).await.unwrap();
    store
}

/// A pusher that nothing is given to.
async fn pusher(clock: &Clock) -> Push {
    let store: StoreHandle = Arc::new(MemoryStore::new());
    let folder = tempfile::tempdir().unwrap();
    let settings = push::Settings {
        public_url: "https://gw.example.com".parse().unwrap(),
        privacy: Privacy::Sender,
        allow_hosts: Vec::new(),
        subject: Subject::of(&"https://gw.example.com".parse().unwrap()),
        vapid_key: push::VapidKeyFile::Own(folder.path().join("vapid.pem")),
        fcm: None,
        extra_roots_pem: None,
        limits: push::Limits::default(),
    };
    let (gone, _) = tokio::sync::mpsc::channel(1);
    Push::start(settings, store, clock.clone(), tokio::runtime::Handle::current(), gone).await.unwrap()
}

async fn kit(store: &StoreHandle, clock: &Clock) -> Kit {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let settings = Settings {
        account_sid: "AC0123456789abcdef0123456789abcdef".parse().unwrap(),
        credentials: Credentials::AuthToken(SecretString::from("token")),
        endpoints: Endpoints::all_at(&"http://127.0.0.1:1".parse().unwrap()),
        workspace_sid: None,
        limits: Limits::default(),
        extra_roots_pem: None,
    };
    let twilio = Twilio::new(settings, clock.clone(), tokio::runtime::Handle::current()).unwrap();
    Kit {
        store: store.clone(),
        clock: clock.clone(),
        facts: WorkspaceFacts::new(twilio.clone()),
        twilio,
        policy: Policy { sip_ring: Some(Duration::from_secs(20)), ..Policy::default() },
        public_url: "https://gw.example.com".parse().unwrap(),
        caller_id: "+15550100".parse().unwrap(),
        recording: Recording::Never,
        line: None,
        push: pusher(clock).await,
        conversations: actors::Conversations::default(),
        views: actors::Views::default(),
        readings: tokio::sync::Semaphore::new(actors::READINGS),
        chat_readings: tokio::sync::Semaphore::new(actors::READINGS),
    }
}

/// The doors, and the one for news of agents from outside.
fn doors(inbox: inbox::Outlet) -> (Doors, mpsc::Sender<Told>) {
    let (tell, told) = mpsc::channel(1);
    (Doors { inbox, gone: mpsc::channel(1).1, told, softphones: sip::line().2 }, tell)
}

impl Bench {
    async fn new() -> Self {
        Self::on(store_of_two().await).await
    }

    async fn on(store: StoreHandle) -> Self {
        let (clock, hand) = Clock::manual(NOON);
        let (inbox, outlet) = Inbox::open(store.clone(), clock.clone()).await.unwrap();
        let (doors, tell) = doors(outlet);
        let (line, exchange, softphones) = sip::line();
        let kit = Kit { line: Some(line.clone()), ..kit(&store, &clock).await };
        let (directory, _) = actors::start(Arc::new(kit), Doors { softphones, ..doors }, &[]);
        Self { store, hand, clock, inbox, directory, tell, line, exchange }
    }

    async fn tell(&self, news: News) {
        let (heard, hearing) = oneshot::channel();
        self.tell.send(Told { news, heard }).await.unwrap();
        hearing.await.unwrap();
    }

    async fn accept(&self, event: Event) {
        self.inbox.accept(event, None).await.unwrap();
    }

    async fn overview(&self) -> Overview {
        actors::overview(&self.directory).await.unwrap()
    }

    async fn activity(&self, id: u64) -> Option<String> {
        let live = self.overview().await.live;
        live.into_iter().find(|agent| agent.id == AgentId::from_bits(id)).and_then(|agent| agent.activity)
    }

    async fn entries(&self) -> Vec<Event> {
        let waiting = inbox::waiting_entries(&self.store, Sequence::new(u64::MAX)).await.unwrap();
        waiting.into_iter().map(|(_, entry)| entry.event).collect()
    }

    /// Waits until nothing lies in the inbox, turning the clock on.
    async fn empty(&self) {
        let emptying = async {
            while !self.entries().await.is_empty() {
                self.hand.advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, emptying).await.unwrap();
    }
}

#[actix_web::test]
async fn an_agents_events_are_handled_in_order_although_its_mailbox_is_full() {
    let bench = Bench::new().await;
    for number in 0..500 {
        bench.accept(event(number, 1, &format!("activity {number}"))).await;
    }
    bench.empty().await;
    assert_eq!(bench.activity(1).await.as_deref(), Some("activity 499"));
}

#[actix_web::test]
async fn an_agent_that_dies_of_an_event_gets_over_it_and_handles_the_others_in_order() {
    let bench = Bench::new().await;
    bench.accept(event(1, 1, "before")).await;
    bench.accept(event(2, 1, "poison")).await;
    for number in 3..50 {
        bench.accept(event(number, 1, &format!("activity {number}"))).await;
    }
    bench.empty().await;
    assert_eq!(bench.activity(1).await.as_deref(), Some("activity 49"));
    assert!(bench.clock.now().since(NOON) >= Duration::from_secs(1), "the third start did not wait");
}

#[actix_web::test]
async fn an_agent_that_died_gets_what_happened_in_its_conversations_too() {
    let bench = Bench::new().await;
    bench.accept(event(1, 1, "poison")).await;
    bench
        .accept(Event::Participant(ParticipantEvent {
            conversation: format!("CH{:032x}", 1).parse().unwrap(),
            participant: format!("MB{:032x}", 1).parse().unwrap(),
            identity: Some(ChatIdentity::of_worker("worker-1")),
            change: ParticipantChange::Removed,
            revision: "1".into(),
        }))
        .await;
    bench.empty().await;
}

#[actix_web::test]
async fn an_agent_that_dies_does_not_keep_another_from_its_events() {
    let bench = Bench::new().await;
    bench.accept(event(1, 1, "poison")).await;
    bench.accept(event(2, 2, "Break")).await;
    let waiting = async {
        while bench.activity(2).await.as_deref() != Some("Break") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
    assert_eq!(bench.entries().await, [event(1, 1, "poison")]);
}

#[actix_web::test]
async fn an_event_of_a_worker_that_nobody_knows_is_let_go() {
    let bench = Bench::new().await;
    bench.accept(event(1, 3, "Break")).await;
    bench.empty().await;
    assert!(bench.overview().await.live.is_empty());
}

#[actix_web::test]
async fn what_waited_for_more_than_a_day_is_let_go() {
    let store = store_of_two().await;
    let mut batch = Batch::new();
    let old = Entry { event: event(1, 1, "Break"), received_at: NOON - FRESH_FOR - ROUND, to: None };
    batch.put(&Sequence::new(1), &old).unwrap();
    store.commit(batch).await.unwrap();
    let bench = Bench::on(store).await;
    bench.empty().await;
    assert_eq!(bench.activity(1).await, None);
}

#[actix_web::test]
async fn an_idle_agent_leaves_the_memory_and_comes_back_with_its_next_event() {
    let bench = Bench::new().await;
    bench.accept(event(1, 1, "Break")).await;
    bench.empty().await;
    let leaving = async {
        while !bench.overview().await.live.is_empty() {
            bench.hand.advance(IDLE);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, leaving).await.unwrap();
    bench.accept(event(2, 2, "Break")).await;
    bench.accept(event(3, 1, "Lunch")).await;
    bench.empty().await;
    assert_eq!(bench.activity(1).await.as_deref(), Some("Lunch"));
}

/// What a damaged disk leaves of an agent's record.
#[derive(serde::Serialize, serde::Deserialize)]
struct Rubbish;

impl Record for Rubbish {
    const FAMILY: Family = Family::Agents;
    const VERSION: u8 = AgentRecord::VERSION;
    type Key = AgentId;

    fn key_bytes(key: &AgentId) -> Vec<u8> {
        AgentRecord::key_bytes(key)
    }
}

#[actix_web::test]
async fn an_agent_whose_record_is_damaged_begins_anew_and_the_others_go_on() {
    let store = store_of_two().await;
    let mut batch = Batch::new();
    batch.put(&AgentId::from_bits(1), &Rubbish).unwrap();
    store.commit(batch).await.unwrap();
    let bench = Bench::on(store).await;
    for agent in [1, 2] {
        bench.accept(event(agent, agent, "Break")).await;
    }
    bench.empty().await;
    for agent in [1, 2] {
        assert_eq!(bench.activity(agent).await.as_deref(), Some("Break"));
    }
}

#[actix_web::test]
async fn a_directory_that_cannot_read_its_agents_ends_and_loses_nothing() {
    let store = Arc::new(MemoryStore::new());
    let handle: StoreHandle = store.clone();
    let (clock, _hand) = Clock::manual(NOON);
    let (inbox, outlet) = Inbox::open(handle.clone(), clock.clone()).await.unwrap();
    inbox.accept(event(1, 1, "Break"), None).await.unwrap();
    store.refuse_with(Some(StoreError::Closed));
    let (_directory, ended) = actors::start(Arc::new(kit(&handle, &clock).await), doors(outlet).0, &[]);
    tokio::time::timeout(LIMIT, ended).await.unwrap().unwrap_err();
    store.refuse_with(None);
    assert_eq!(inbox::waiting_entries(&handle, Sequence::new(u64::MAX)).await.unwrap().len(), 1);
}

#[actix_web::test]
async fn an_agent_who_becomes_another_worker_gets_that_workers_events_and_the_firsts_no_more() {
    let bench = Bench::new().await;
    bench.accept(event(1, 1, "Break")).await;
    bench.empty().await;
    let other = Profile { worker_sid: Some(format!("WK{:032x}", 3).parse().unwrap()), ..profile(1) };
    bench.tell(News::Changed { profile: Arc::new(other), other_worker: true }).await;
    bench.accept(event(2, 1, "Lunch")).await;
    bench.empty().await;
    assert_eq!(bench.activity(1).await.as_deref(), Some("Break"));
    bench.accept(event(3, 3, "Training")).await;
    bench.empty().await;
    assert_eq!(bench.activity(1).await.as_deref(), Some("Training"));
}

#[actix_web::test]
async fn a_removal_that_was_cut_off_is_finished_at_the_start_and_a_damaged_profile_is_no_removal() {
    let store = store_of_two().await;
    let mut batch = Batch::new();
    for id in [1, 2, 3] {
        batch.put(&AgentId::from_bits(id), &AgentRecord(crate::agent::Agent::new(&profile(id)))).unwrap();
    }
    batch.put(&AgentId::from_bits(4), &actors::Devices::default()).unwrap();
    batch.put(&AgentId::from_bits(2), &RubbishProfile).unwrap();
    store.commit(batch).await.unwrap();
    let bench = Bench::on(store).await;
    assert_eq!(bench.overview().await.known, 1);
    let has = async |id| bench.store.holds::<AgentRecord>(&AgentId::from_bits(id)).await.unwrap();
    assert_eq!((has(1).await, has(2).await, has(3).await), (true, true, false));
    assert!(!bench.store.holds::<actors::Devices>(&AgentId::from_bits(4)).await.unwrap());
}

/// What a damaged disk leaves of a profile.
#[derive(serde::Serialize, serde::Deserialize)]
struct RubbishProfile;

impl Record for RubbishProfile {
    const FAMILY: Family = Family::Profiles;
    const VERSION: u8 = Profile::VERSION;
    type Key = AgentId;

    fn key_bytes(key: &AgentId) -> Vec<u8> {
        Profile::key_bytes(key)
    }
}
