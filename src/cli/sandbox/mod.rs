//! `offdesk sandbox`: the daemon and a stand-in for Twilio in one process.
//!
//! They speak over loopback, exactly as the daemon speaks with Twilio. `serve` never starts the stand-in.

mod people;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use offdesk_sandbox::{CodeSent, Handle, Options as TwilioOptions, Sandbox};

use self::people::{PEOPLE, Settled};
use super::{Failure, daemon, failure::Exit};
use crate::{app::Ready, clock::Clock, config::Config, domain::Role};

/// A number of the range that is kept free for fiction.
const CALLER_ID: &str = "+12025550100";
/// Softphones on this machine find it without a name server.
const SIP_DOMAIN: &str = "127.0.0.1";

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
    /// How many messages a customer's chat begins with; none: no chat
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1000))]
    seed_messages: u32,
    /// Whoever answers a cell phone is asked to press 1
    #[arg(long = "press-1")]
    press_one: bool,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
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
    let config = config(options, &data, &twilio)?;
    let settled = people::settle(&config, &twilio, SIP_DOMAIN)?;
    daemon::run(&config, |ready| {
        twilio.set_event_callback(&config.public_url.join("/webhooks/taskrouter"));
        twilio.set_conversations_webhook(&config.public_url.join("/webhooks/conversations"));
        people::install_apps(&twilio, &format!("http://{}", ready.http), &settled)?;
        introduce(ready, &twilio, &settled)?;
        seed(&twilio, options);
        Ok(())
    })
}

/// The customers who are there at the start.
fn seed(twilio: &Handle, options: &Options) {
    for number in 0..options.seed_tasks {
        twilio.place_call(&format!("+1202555{:04}", 1000 + number));
    }
    if options.seed_messages > 0 {
        let chat = twilio.start_chat("+12025550123", "Maria", "Message 1");
        for number in 2..=options.seed_messages {
            // A conversation of the stand-in takes more messages than may be asked for.
            let _ = twilio.customer_says(&chat.conversation_sid, &format!("Message {number}"));
        }
    }
}

fn twilio_options() -> TwilioOptions {
    TwilioOptions {
        agents: people::seeds(),
        numbers: vec![CALLER_ID.to_owned()],
        // The stand-in forgets, the store with --data does not: no event may bear the sid of one that was seen before.
        seed: Clock::system().now().as_millis(),
        on_code: Some(Arc::new(tell_code)),
        sip: Some(Ipv4Addr::LOCALHOST.into()),
        ..TwilioOptions::default()
    }
}

/// One-time codes are for the person at the terminal. One that nobody reads is on the page as well.
fn tell_code(sent: &CodeSent) {
    let _ = writeln!(io::stdout().lock(), "  one-time code for {}: {}", sent.to, sent.code);
}

/// The least configuration there is, as an operator would write it.
fn config(options: &Options, data: &Path, twilio: &Handle) -> Result<Config, Failure> {
    let listen = free(options.port)?;
    let service_account = data.join("service-account.json");
    let account = twilio.service_account().map_err(|error| Failure::from(io::Error::other(error)))?;
    fs::write(&service_account, account)?;
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
        verify_service_sid = "{verify}"
        [twilio.endpoints]
        api = "{url}/api"
        taskrouter = "{url}/taskrouter"
        conversations = "{url}/conversations"
        flex = "{url}/flex"
        verify = "{url}/verify"
        media = "{url}/media"
        events = "{url}/events"
        [login]
        max_sessions = 3
        [push]
        privacy = "full"
        [push.web]
        allow_hosts = ["{url}"]
        [push.fcm]
        endpoint = "{url}/fcm"
        [sip]
        domain = "{SIP_DOMAIN}"
        udp = "127.0.0.1:0"
        tcp = "127.0.0.1:0"
        # The stand-in calls from this machine.
        twilio_networks = ["{SIP_DOMAIN}/32"]
        [calls]
        confirm = "{confirm}"
        complete = "complete"
        "#,
        account = facts.account_sid,
        token = facts.auth_token,
        verify = facts.verify_service_sid,
        confirm = if options.press_one { "press-1" } else { "none" },
    );
    let path = |path: &Path| path.display().to_string();
    let env = BTreeMap::from([
        ("OFFDESK__DATA_DIR".to_owned(), path(data)),
        ("OFFDESK__PUSH__FCM__SERVICE_ACCOUNT_FILE".to_owned(), path(&service_account)),
    ]);
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

/// What a person needs to begin.
fn introduce(ready: &Ready, twilio: &Handle, settled: &[Settled]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Offdesk's sandbox is up. Everything stays on this machine; Ctrl-C ends it.\n")?;
    writeln!(out, "  App:               http://{}   (the agents' app and its API; Twilio's webhooks)", ready.http)?;
    writeln!(
        out,
        "  Twilio's stand-in: {}   <- open this: play the customer, and the agents on their phones\n",
        twilio.url()
    )?;
    for person in &PEOPLE {
        let role = if person.role == Role::Supervisor { "supervisor" } else { "agent" };
        writeln!(out, "  {role:<11} {:<14} {}   {}", person.name, person.phone, person.activity)?;
    }
    writeln!(out)?;
    if let Some(address) = ready.sip_udp {
        for (person, Settled { sip_password, .. }) in PEOPLE.iter().zip(settled) {
            writeln!(out, "  SIP: {}, {}, {SIP_DOMAIN}, {address}", person.sip_user, sip_password.expose())?;
        }
    }
    writeln!(
        out,
        "\nA call rings at the agent's softphones first, if any is registered, and then at the page's cell phone. The customer\n\
         at the page speaks with a tone, and shows what it hears. Softphones register at the addresses above, by UDP or TCP.\n\
         Chats are notified at the page's phones, and answered as in the agents' app.\n\
         Whoever signs in by the API (POST /api/v1/login/otp) finds the one-time code here."
    )?;
    out.flush()
}
