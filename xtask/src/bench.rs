//! `cargo xtask bench`: speed and size, in `benches/`.

use crate::args::Args;
use crate::error::{Error, Result};
use crate::group::Without;
use crate::install::{counterparts, openssl, softphones};
use crate::place::Place;
use crate::process::Program;
use crate::steps::Steps;

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench [webhooks|latency|scale|chats|me|push|sip]...

Builds the release and measures; without a name, all of them. A ratio taken in one run decides, an absolute figure orients.

  webhooks   CPU time a durable, signed webhook costs, against Express with Twilio's own middleware and a bare handler
  latency    from a webhook in to the REST call out, at 200 a second
  scale      memory, start-up time and the admin API with 100,000 agents
  chats      memory that a conversation takes
  me         CPU time of an app's call with its session, against a bare handler, and of the look at a token
  push       CPU time a push costs, against npm's web-push and undici, and from a webhook to the last of five devices
  sip        registrations beside Kamailio, their memory and their way back, and a flood
";

const SIP: &str = "sip";
const BENCHES: &[&str] = &["webhooks", "latency", "scale", "chats", "me", "push", SIP];

pub(crate) fn run(place: &Place, args: Args) -> Result<()> {
    let chosen = args.rest();
    if let Some(name) = chosen.iter().find(|name| !BENCHES.contains(&name.as_str())) {
        return Err(Error::usage(format!("there is no benchmark `{name}`; there are {}", BENCHES.join(", "))));
    }
    let all = || BENCHES.iter().map(|name| (*name).to_owned()).collect();
    let names: Vec<_> = if chosen.is_empty() { all() } else { chosen };
    let mut steps = Steps::new("bench");
    let counterparts = steps.run("counterparts", || counterparts::ensure(place, &Without::default()))?;
    steps.run("OpenSSL's headers", openssl::ensure)?;
    if names.iter().any(|name| name == SIP) {
        let programs = [("kamailio", "kamailio"), ("sipp", "sip-tester"), ("taskset", "util-linux")];
        steps.run("Kamailio and sipp", || softphones::programs("what SIP is measured against", &programs))?;
    }
    steps.run("release build", || names.iter().try_for_each(|name| bench(place, name).args(["--no-run"]).run()))?;
    for name in &names {
        steps.run(name, || counterparts.surround(bench(place, name)).run())?;
    }
    steps.close();
    Ok(())
}

/// SIP is measured without the daemon, and built without it.
fn bench(place: &Place, name: &str) -> Program {
    let package = if name == SIP { "offdesk-sip" } else { "offdesk" };
    place.cargo().args(["bench", "--quiet", "--locked", "--package", package, "--bench", name])
}
