//! A house with everything in it: the daemon, the stand-in for Twilio, and one clock for both that only the test moves.

mod app;
mod login;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, OnceLock, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use offdesk::{
    actors::{self, Devices, Overview},
    app::{App, Ready},
    clock::{Clock, Hand},
    config::Config,
    domain::{AgentId, Device, DeviceId, E164, Profile, PushTarget, Role, SessionId, Timestamp, Wishes},
    inbox::Inbox,
    login::Login,
    push::Push,
    roster::{Book, Patch},
    sessions::{self, Sessions},
    store::{self, Batch, StoreHandle},
    telemetry::Metrics,
    twilio::Twilio,
};
use offdesk_sandbox::{AgentSeed, CustomerCall, Handle, LogEntry, Options, ReservationStatus, Sandbox, Sid, Snapshot};
use reqwest::Method;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};

pub use self::app::{AgentApp, Answer};
use crate::record;

/// How long the machine may take for what takes no time on the house's clock.
const LIMIT: Duration = Duration::from_secs(20);
/// How long it may take to read an event log of thousands, each of which is on disk before the next is looked at.
const LONG_READING: Duration = Duration::from_secs(120);
/// One turn of the clock's hand: what falls due within it happens in whatever order the machine has it.
const TURN: Duration = Duration::from_millis(500);
const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);

pub const ADA: &str = "+4915550101001";
pub const BOB: &str = "+4915550101002";
/// The token that may do everything.
pub const BOOTSTRAP: &str = "bootstrap-0123456789";
pub const CUSTOMER: &str = "+15550123";
pub const MOBILE: &str = "Available on Mobile";

/// What a house is built with.
pub struct Plan {
    pub twilio: Options,
    /// Lines of the `[calls]` table.
    pub calls: String,
    /// Lines of the `[twilio]` table.
    pub of_twilio: String,
    /// Lines of the `[push]` table.
    pub push: String,
    /// Lines of the `[login]` table.
    pub login: String,
    /// Lines of the `[http]` table.
    pub http: String,
    /// Lines of the `[sip]` table.
    pub sip: String,
    /// Each agent has a browser that gets Web Push, and a phone that gets FCM.
    pub devices: bool,
    /// What is different about an agent's profile, as JSON, by phone number; none: the agent is no agent of ours.
    pub profiles: BTreeMap<&'static str, Option<&'static str>>,
}

impl Default for Plan {
    fn default() -> Self {
        let agents = vec![AgentSeed::new("Ada", ADA, MOBILE)];
        Self {
            twilio: Options { agents, ..Options::default() },
            calls: String::new(),
            of_twilio: String::new(),
            push: String::new(),
            login: String::new(),
            http: String::new(),
            sip: String::new(),
            devices: false,
            profiles: BTreeMap::new(),
        }
    }
}

impl Plan {
    /// An agent with a profile like this, and a worker at Twilio.
    pub fn person(mut self, phone: &'static str, profile: &'static str) -> Self {
        self.profiles.insert(phone, Some(profile));
        if self.twilio.agents.iter().all(|seed| seed.phone != phone) {
            self.twilio.agents.push(AgentSeed::new(phone, phone, "Offline"));
        }
        self
    }

    /// A worker at Twilio who is no agent of ours.
    pub fn stranger(mut self, phone: &'static str) -> Self {
        self.profiles.insert(phone, None);
        self
    }

    /// Ada and Bob, both available on mobile.
    pub fn of_two() -> Self {
        let mut plan = Self::default();
        plan.twilio.agents.push(AgentSeed::new("Bob", BOB, MOBILE));
        plan
    }

    pub fn calls(mut self, lines: &str) -> Self {
        self.calls = lines.to_owned();
        self
    }

    /// Lines of the `[twilio]` table.
    pub fn of_twilio(mut self, lines: &str) -> Self {
        self.of_twilio = lines.to_owned();
        self
    }

    pub fn login(mut self, lines: &str) -> Self {
        self.login = lines.to_owned();
        self
    }

    pub fn http(mut self, lines: &str) -> Self {
        self.http = lines.to_owned();
        self
    }

    /// Lines of the `[sip]` table.
    pub fn sip(mut self, lines: &str) -> Self {
        self.sip = lines.to_owned();
        self
    }

    /// Everybody has two devices.
    pub fn with_devices(mut self) -> Self {
        self.devices = true;
        self
    }

    pub fn twilio(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.twilio);
        self
    }

    pub async fn build(self) -> House {
        House::build(self).await
    }
}

pub struct House {
    pub twilio: Handle,
    pub ready: Ready,
    hand: Hand,
    clock: Clock,
    config: Config,
    daemon: Option<Daemon>,
    twilio_is_down: bool,
    /// Of each agent's session, by phone number.
    tokens: BTreeMap<String, String>,
    client: reqwest::Client,
    _folder: TempDir,
}

/// The daemon's own thread.
struct Daemon {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    inside: Inside,
}

/// What a test looks at from within.
#[derive(Clone)]
struct Inside {
    inbox: Inbox,
    directory: actix::Addr<actors::Directory>,
    twilio: Twilio,
    push: Push,
    book: Book,
    sessions: Sessions,
    login: Login,
    store: StoreHandle,
    log_readings: watch::Receiver<u64>,
}

/// The house's clock as the stand-in reads it.
struct Shared(Clock);

impl offdesk_sandbox::Time for Shared {
    fn now_ms(&self) -> u64 {
        self.0.now().as_millis()
    }

    fn sleep_until(&self, ms: u64) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.0.sleep_until(Timestamp::from_millis(ms)))
    }
}

impl House {
    async fn build(plan: Plan) -> Self {
        let (clock, hand) = Clock::manual(START);
        let twilio = Sandbox::start(Options { time: Arc::new(Shared(clock.clone())), ..plan.twilio.clone() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = config(&plan, &twilio, &folder, free_address());
        add_agents(&config, &plan).await;
        let tokens = sign_in(&config, &plan, &twilio, START).await;
        let (daemon, ready) = Daemon::start(&config, &clock);
        has_read_the_log(&daemon).await;
        twilio.set_event_callback(&format!("http://{}/webhooks/taskrouter", ready.http));
        twilio.set_conversations_webhook(&format!("http://{}/webhooks/conversations", ready.http));
        let (daemon, twilio_is_down) = (Some(daemon), false);
        let client = client();
        Self { twilio, ready, hand, clock, config, daemon, twilio_is_down, tokens, client, _folder: folder }
    }

    /// Ends the daemon in good order and starts it again on the same store. Webhooks of the meantime are lost, unless
    /// Twilio's one retry finds the door open again.
    pub async fn restart(&mut self) {
        self.stop();
        self.start().await;
    }

    pub fn stop(&mut self) {
        self.daemon = None;
    }

    pub async fn start(&mut self) {
        // Connections of the old one lead to a daemon that is gone.
        self.client = client();
        let (daemon, ready) = Daemon::start(&self.config, &self.clock);
        self.ready = ready;
        if !self.twilio_is_down {
            has_read_the_log(&daemon).await;
        }
        self.daemon = Some(daemon);
    }

    /// Lets time pass while the daemon is away.
    pub fn away(&self, time: Duration) {
        self.hand.advance(time);
        self.twilio.tick();
    }

    /// Lets time pass, turn by turn; after each one everything that it caused is done.
    pub async fn pass(&self, time: Duration) {
        self.quiet().await;
        let mut left = time;
        while !left.is_zero() {
            let turn = left.min(TURN);
            self.hand.advance(turn);
            self.twilio.tick();
            left -= turn;
            self.quiet().await;
        }
    }

    /// Lets time pass until the stand-in's state is so, at most for `limit` on the house's clock.
    pub async fn pass_until(&self, limit: Duration, mut so: impl FnMut(&Snapshot) -> bool) -> Snapshot {
        let mut left = limit;
        loop {
            self.quiet().await;
            let state = self.twilio.snapshot();
            if so(&state) {
                return state;
            }
            if left.is_zero() {
                // What has fallen due may still be on its way through the machine's threads.
                let late = self.twilio.wait_until(LIMIT, so).await;
                return late.unwrap_or_else(|_| panic!("not within {limit:?}: {state:#?}\n{:#?}", self.log_names()));
            }
            let turn = left.min(TURN);
            self.pass(turn).await;
            left -= turn;
        }
    }

    /// Waits until nothing is under way: no webhook, no entry in the inbox, no request to Twilio.
    pub async fn quiet(&self) {
        let waiting = async {
            let mut calm = 0;
            // Twice in a row: what one look misses on its way from one place to the next, the other sees.
            while calm < 2 {
                self.twilio.settled(LIMIT).await.expect("webhooks are answered");
                calm = if self.is_calm().await { calm + 1 } else { 0 };
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.expect("the house does not come to rest");
    }

    async fn is_calm(&self) -> bool {
        let Some(daemon) = &self.daemon else { return true };
        let inside = daemon.inside.clone();
        let still = || {
            let waiting = inside.inbox.waiting() + inside.twilio.under_way() + inside.push.under_way();
            waiting + inside.login.under_way() + inside.sessions.owed().len() == 0
        };
        still() && self.overview().await.live.iter().all(|agent| agent.in_flight == 0) && still()
    }

    /// What the agents are doing, as the operator sees it.
    pub async fn overview(&self) -> Overview {
        let inside = self.daemon.as_ref().expect("the daemon runs").inside.clone();
        actors::overview(&inside.directory).await.expect("the directory answers")
    }

    /// Looks into the store of a stopped daemon, or changes it.
    pub async fn in_store<T>(&self, act: impl AsyncFnOnce(&StoreHandle) -> T) -> T {
        assert!(self.daemon.is_none(), "the daemon has the store");
        let opened = store::open(&self.config.store_path(), &store::Options::default()).unwrap();
        let done = act(&opened.store).await;
        opened.store.close().await.unwrap();
        done
    }

    /// What one agent is doing.
    pub async fn agent(&self, phone: &str) -> offdesk::agent::Snapshot {
        let worker = self.twilio.snapshot().agent(phone).map(|agent| agent.worker_sid.to_string());
        let live = self.overview().await.live;
        let found = live.into_iter().find(|agent| agent.worker.as_ref().map(ToString::to_string) == worker);
        found.expect("the agent is in memory")
    }

    /// Twilio answers nothing any more, or again.
    pub fn twilio_is_down(&mut self, down: bool) {
        self.twilio_is_down = down;
        self.twilio.set_down(down);
    }

    /// A customer calls, and the call has been told to the daemon.
    pub async fn customer_calls(&self) -> CustomerCall {
        let call = self.twilio.place_call(CUSTOMER);
        self.quiet().await;
        call
    }

    /// Somebody else makes a task over REST.
    pub async fn create_task(&self, form: &[(&str, &str)]) -> Sid {
        let path = format!("taskrouter/v1/Workspaces/{}/Tasks", self.twilio.facts().workspace_sid);
        let answer = self.at_twilio(Method::POST, &path).form(form).send().await.unwrap();
        let body: serde_json::Value = answer.json().await.unwrap();
        body["sid"].as_str().unwrap().into()
    }

    /// A request of somebody else's to Twilio.
    pub fn at_twilio(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let facts = self.twilio.facts();
        let url = format!("{}/{path}", self.twilio.url());
        self.client.request(method, url).basic_auth(&facts.account_sid, Some(&facts.auth_token))
    }

    /// Waits, in real time, until a phone rings.
    pub async fn rings(&self, phone: &str) {
        self.twilio.wait_until(LIMIT, |state| state.is_ringing(phone)).await.unwrap();
        self.quiet().await;
    }

    pub async fn answers(&self, phone: &str) {
        self.twilio.answer(phone).unwrap();
        self.quiet().await;
    }

    /// The phone is answered, and the question is put.
    pub async fn picks_up(&self, phone: &str) {
        self.answers(phone).await;
        self.pass_until(LIMIT, |state| state.call_at(phone).is_some_and(|call| call.asks_for_key)).await;
    }

    pub async fn presses(&self, phone: &str, key: char) {
        self.twilio.press(phone, key).unwrap();
        self.quiet().await;
    }

    pub async fn hangs_up(&self, phone: &str) {
        self.twilio.hang_up(phone).unwrap();
        self.quiet().await;
    }

    /// The reservations' statuses of a task, the oldest first.
    pub fn reservations(&self, call: &CustomerCall) -> Vec<ReservationStatus> {
        self.twilio.snapshot().reservations_of(&call.task_sid).iter().map(|row| row.status).collect()
    }

    pub fn activity(&self, phone: &str) -> String {
        self.twilio.snapshot().agent(phone).map(|agent| agent.activity.clone()).unwrap_or_default()
    }

    /// Conference instructions that the stand-in has got, whatever it answered.
    pub fn instructions(&self) -> Vec<LogEntry> {
        self.twilio.log().into_iter().filter(|entry| entry.param("Instruction") == Some("conference")).collect()
    }

    fn log_names(&self) -> Vec<String> {
        self.twilio.log().iter().map(|entry| format!("{} {:?} {:?}", entry.name, entry.status, entry.note)).collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        record::exchanges(&self.twilio.log());
    }
}

impl Daemon {
    fn start(config: &Config, clock: &Clock) -> (Self, Ready) {
        let (config, clock) = (config.clone(), clock.clone());
        let (started, starting) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            actix::System::new().block_on(async move {
                let app = App::start(&config, clock, metrics()).await.unwrap();
                let inside = Inside {
                    inbox: app.inbox().clone(),
                    directory: app.directory().clone(),
                    twilio: app.twilio().clone(),
                    push: app.push().clone(),
                    book: app.book().clone(),
                    sessions: app.sessions().clone(),
                    login: app.login().clone(),
                    store: app.store().clone(),
                    log_readings: app.log_readings().clone(),
                };
                started.send((inside, app.ready().clone())).unwrap();
                app.run_until(told_twice(stopped)).await.unwrap();
            });
        });
        let (inside, ready) = starting.recv().unwrap();
        (Self { stop: Some(stop), thread: Some(thread), inside }, ready)
    }
}

/// Calls that are left are ended at once: the house's clock stands still.
async fn told_twice(stopped: oneshot::Receiver<()>) -> std::future::Ready<()> {
    drop(stopped.await);
    std::future::ready(())
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !thread::panicking()
        {
            panic!("the daemon's thread panicked");
        }
    }
}

/// A client that asks nobody but the daemon.
pub fn client() -> reqwest::Client {
    // The daemon in this process may have done so.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The daemon reads Twilio's event log as soon as it runs. Once that is over, nothing stirs before the clock does.
async fn has_read_the_log(daemon: &Daemon) {
    let mut readings = daemon.inside.log_readings.clone();
    let reading = readings.wait_for(|readings| *readings > 0);
    tokio::time::timeout(LONG_READING, reading).await.expect("the event log is read").expect("the daemon runs");
}

/// One recorder a process, however many daemons it has.
fn metrics() -> Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS
        .get_or_init(|| {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            Metrics::install().unwrap()
        })
        .clone()
}

fn config(plan: &Plan, twilio: &Handle, folder: &TempDir, listen: SocketAddr) -> Config {
    metrics();
    Config::parse(&config_text(plan, twilio, folder, listen), Default::default(), None).unwrap()
}

/// The daemon's configuration, as its file says it.
pub fn config_text(plan: &Plan, twilio: &Handle, folder: &TempDir, listen: SocketAddr) -> String {
    let (url, options) = (twilio.url(), &plan.twilio);
    format!(
        r#"
        public_url = "http://{listen}"
        data_dir = "{data_dir}"
        [http]
        listen = "{listen}"
        admin_listen = "127.0.0.1:0"
        {http}
        [twilio]
        account_sid = "{account}"
        auth_token = "{token}"
        caller_id = "+15550100"
        verify_service_sid = "{verify_service}"
        {of_twilio}
        [twilio.endpoints]
        api = "{url}/api"
        taskrouter = "{url}/taskrouter"
        conversations = "{url}/conversations"
        flex = "{url}/flex"
        verify = "{url}/verify"
        media = "{url}/media"
        events = "{url}/events"
        [login]
        {login}
        [push]
        {push}
        [push.web]
        allow_hosts = ["{url}"]
        [push.fcm]
        {fcm}
        [calls]
        {calls}
        [sip]
        {sip}
        [admin]
        bootstrap_token = "{BOOTSTRAP}"
        "#,
        data_dir = folder.path().join("data").display(),
        account = options.account_sid,
        token = options.auth_token,
        of_twilio = plan.of_twilio,
        calls = plan.calls,
        push = plan.push,
        login = plan.login,
        http = plan.http,
        sip = plan.sip,
        verify_service = options.verify_service_sid,
        fcm = fcm(plan, twilio, folder),
    )
}

/// Lines of the table `[push.fcm]`. The stand-in makes its key when it is asked for, which takes a while.
fn fcm(plan: &Plan, twilio: &Handle, folder: &TempDir) -> String {
    if !plan.devices {
        return String::new();
    }
    let file = folder.path().join("service-account.json");
    std::fs::write(&file, twilio.service_account().unwrap()).unwrap();
    format!("service_account_file = \"{}\"\nendpoint = \"{}/fcm\"", file.display(), twilio.url())
}

/// Signs every agent in, and registers their devices.
pub async fn sign_in(config: &Config, plan: &Plan, twilio: &Handle, now: Timestamp) -> BTreeMap<String, String> {
    let opened = store::open(&config.store_path(), &store::Options::default()).unwrap();
    let (mut batch, mut tokens) = (Batch::new(), BTreeMap::new());
    for (number, seed) in (1..).zip(&plan.twilio.agents) {
        let agent = AgentId::from_bits(number);
        let (session, token) = sessions::begin(&mut batch, agent, now).unwrap();
        tokens.insert(seed.phone.clone(), token.expose_secret().to_owned());
        if plan.devices {
            batch.put(&agent, &Devices::of(devices(number, session, &seed.phone, twilio))).unwrap();
        }
    }
    opened.store.commit(batch).await.unwrap();
    opened.store.close().await.unwrap();
    tokens
}

fn devices(number: u64, session: SessionId, phone: &str, twilio: &Handle) -> Vec<Device> {
    let browser = twilio.subscribe(phone, "browser").unwrap();
    let targets = [
        PushTarget::WebPush { endpoint: browser.endpoint, p256dh: browser.p256dh, auth: browser.auth },
        PushTarget::Fcm { token: twilio.register_fcm(phone, "phone").unwrap(), is_fid: false },
    ];
    let device = |(place, target)| Device {
        id: DeviceId::from_bits(number * 10 + place),
        name: None,
        target,
        added_at: START,
        session: Some(session),
        wishes: Wishes::default(),
    };
    (0..).zip(targets).map(device).collect()
}

/// A free address whose port is known before the daemon starts, since its public URL names it. The process number chooses
/// the loopback address, so that no other process can take the port in between.
pub fn free_address() -> SocketAddr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let own = Ipv4Addr::new(127, 64 | (high & 0x3f), middle, low);
    TcpListener::bind((own, 0)).unwrap().local_addr().unwrap()
}

pub async fn add_agents(config: &Config, plan: &Plan) {
    let opened = store::open(&config.store_path(), &store::Options::default()).unwrap();
    let mut batch = Batch::new();
    for (number, seed) in (1..).zip(&plan.twilio.agents) {
        let phone: E164 = seed.phone.parse().unwrap();
        let different = plan.profiles.get(seed.phone.as_str()).copied().unwrap_or(Some("{}"));
        let Some(different) = different else { continue };
        let mut profile = Profile {
            id: AgentId::from_bits(number),
            worker_name: Profile::default_worker_name(&phone),
            phone,
            name: seed.name.clone(),
            email: None,
            roles: [Role::Agent].into(),
            department: None,
            worker_sid: None,
            ring_plan: None,
            sip_username: None,
            sip_secret: None,
            can_manage_agents: false,
            disabled: false,
            created_at: START,
        };
        Patch::from_json(different).unwrap().apply(&mut profile);
        batch.put(&profile.id.clone(), &profile).unwrap();
    }
    opened.store.commit(batch).await.unwrap();
    opened.store.close().await.unwrap();
}
