//! `offdesk sandbox`: the daemon and a stand-in for Twilio in one process.
//!
//! They speak over loopback, exactly as the daemon speaks with Twilio. `serve` never starts the stand-in.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use clap::Args;
use offdesk_sandbox::{AgentSeed, Handle, Options as TwilioOptions, Sandbox};

use super::{Failure, daemon, failure::Exit};
use crate::{
    app::Ready,
    clock::Clock,
    config::Config,
    domain::{AgentId, Profile, Role},
    roster::Draft,
    store::{self, Batch, wait},
};

const MOBILE: &str = "Available on Mobile";
const OFFLINE: &str = "Offline";
/// Numbers of the range that is kept free for fiction.
const CALLER_ID: &str = "+12025550100";
const PEOPLE: [Person; 3] = [
    Person { name: "Ada Okafor", phone: "+12025550101", role: Role::Agent, activity: MOBILE },
    Person { name: "Ben Lindqvist", phone: "+12025550102", role: Role::Agent, activity: OFFLINE },
    Person { name: "Sam Rivera", phone: "+12025550109", role: Role::Supervisor, activity: OFFLINE },
];

struct Person {
    name: &'static str,
    phone: &'static str,
    role: Role,
    activity: &'static str,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The app's port; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 8080)]
    port: u16,
    /// Where the store lies; it is kept for the next time [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many customers call at the start
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1000))]
    seed_tasks: u32,
    #[arg(long, value_name = "N", hide = true)]
    seed_messages: Option<u32>,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    if options.seed_messages.is_some() {
        return Err(Failure::not_in_this_version("--seed-messages"));
    }
    let temporary = options.data.is_none().then(tempfile::tempdir).transpose()?;
    let data = match (&options.data, &temporary) {
        (Some(data), _) => data.clone(),
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => return Err(Failure::from(io::Error::other("no temporary folder"))),
    };
    fs::create_dir_all(&data)?;
    let twilio = Sandbox::start(twilio_options()).map_err(|error| {
        Failure::new(Exit::Unavailable, error.to_string(), "see that this machine has a loopback interface")
    })?;
    let config = config(options.port, &data, &twilio)?;
    add_people(&config)?;
    daemon::run(&config, |ready| {
        twilio.set_event_callback(&config.public_url.join("/webhooks/taskrouter"));
        introduce(ready, &twilio)?;
        for number in 0..options.seed_tasks {
            twilio.place_call(&format!("+1202555{:04}", 1000 + number));
        }
        Ok(())
    })
}

fn twilio_options() -> TwilioOptions {
    TwilioOptions {
        agents: PEOPLE.iter().map(|person| AgentSeed::new(person.name, person.phone, person.activity)).collect(),
        numbers: vec![CALLER_ID.to_owned()],
        // The stand-in forgets, the store with --data does not: no event may bear the sid of one that was seen before.
        seed: Clock::system().now().as_millis(),
        ..TwilioOptions::default()
    }
}

/// The least configuration there is, as an operator would write it.
fn config(port: u16, data: &Path, twilio: &Handle) -> Result<Config, Failure> {
    let listen = free(port)?;
    let (facts, url) = (twilio.facts(), twilio.url());
    let text = format!(
        r#"
        public_url = "http://{listen}"
        [http]
        listen = "{listen}"
        admin_listen = "127.0.0.1:0"
        [twilio]
        account_sid = "{account}"
        auth_token = "{token}"
        caller_id = "{CALLER_ID}"
        [twilio.endpoints]
        api = "{url}/api"
        taskrouter = "{url}/taskrouter"
        conversations = "{url}/conversations"
        flex = "{url}/flex"
        verify = "{url}/verify"
        media = "{url}/media"
        events = "{url}/events"
        [calls]
        complete = "complete"
        "#,
        account = facts.account_sid,
        token = facts.auth_token,
    );
    let env = BTreeMap::from([("OFFDESK__DATA_DIR".to_owned(), data.display().to_string())]);
    Config::parse(&text, env, None).map_err(|error| Failure::config(&error, Path::new("the sandbox's configuration")))
}

/// The address of the app. A free port must be known beforehand, since the public URL names it.
fn free(port: u16) -> Result<SocketAddr, Failure> {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(wanted).map_err(|error| {
        Failure::new(
            Exit::Unavailable,
            format!("{wanted} cannot be listened on: {error}"),
            "choose another --port, or 0 for a free one",
        )
    })?;
    Ok(listener.local_addr()?)
}

/// Puts the agents into the store, unless an earlier run did.
fn add_people(config: &Config) -> Result<(), Failure> {
    let clock = Clock::system();
    let path = config.store_path();
    let options = store::Options { now: clock.now(), ..store::Options::default() };
    let opened = store::open(&path, &options).map_err(|error| Failure::store(&error, &path))?;
    for (id, person) in (1..).map(AgentId::from_bits).zip(&PEOPLE) {
        let profile = person.profile(id, &clock)?;
        let mut batch = Batch::new();
        batch.unless_present::<Profile>(&id).put(&id, &profile)?;
        wait(opened.store.commit(batch))?;
    }
    Ok(wait(opened.store.close())?)
}

impl Person {
    fn profile(&self, id: AgentId, clock: &Clock) -> Result<Profile, Failure> {
        let text = serde_json::json!({ "phone": self.phone, "name": self.name, "roles": [self.role] }).to_string();
        let draft =
            Draft::from_json(&text).map_err(|_| Failure::from(io::Error::other("a seeded agent is not valid")))?;
        Ok(draft.into_profile(id, clock.now()))
    }
}

/// What a person needs to begin.
fn introduce(ready: &Ready, twilio: &Handle) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Offdesk's sandbox is up. Everything stays on this machine; Ctrl-C ends it.\n")?;
    writeln!(out, "  App:               http://{}   (no pages yet: Twilio's webhooks come in here)", ready.http)?;
    writeln!(out, "  Twilio's stand-in: {}   <- open this: play the customer, answer the phones\n", twilio.url())?;
    for person in &PEOPLE {
        let role = if person.role == Role::Supervisor { "supervisor" } else { "agent" };
        writeln!(out, "  {role:<11} {:<14} {}   {}", person.name, person.phone, person.activity)?;
    }
    writeln!(
        out,
        "\nThe agents' own app and softphones are not in this version: calls ring at the page's cell phones."
    )?;
    out.flush()
}
