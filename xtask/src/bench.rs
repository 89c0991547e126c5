//! `cargo xtask bench`: speed and size, in `benches/`.

use crate::args::Args;
use crate::error::{Error, Result};
use crate::group::Without;
use crate::install::{counterparts, openssl, rtpengine, softphones};
use crate::place::Place;
use crate::steps::Steps;

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench [webhooks|latency|scale|chats|me|push|events|relay|sip|calls|ringing]...

Builds the release and measures; without a name, all of them. A ratio taken in one run decides, an absolute figure orients.

  webhooks   CPU time a durable, signed webhook costs, against Express with Twilio's own middleware and a bare handler
  latency    from a webhook in to the REST call out, at 200 a second
  scale      memory, start-up time and the admin API with 100,000 agents
  chats      memory that a conversation takes
  me         CPU time of an app's call with its session, against a bare handler, and of the look at a token
  push       CPU time a push costs, against npm's web-push and undici, and from a webhook to the last of five devices
  events     from a webhook to all WebSocket sessions of its agent, 2,000 sessions of 500 agents, and beside clients that do not read
  relay      CPU time of the media relay for 100,000 packets, against rtpengine where it is installed
  sip        registrations beside Kamailio, their memory and their way back, and a flood
  ringing    from a webhook in to the INVITE at the agent's softphone, at 20 a second; `calls` measures it too
  calls      CPU time of agents' calls to each other, against Kamailio, and calls without a pause between their messages
";

/// Each with the package that it belongs to.
const BENCHES: &[(&str, &str)] = &[
    ("webhooks", "offdesk"),
    ("latency", "offdesk"),
    ("scale", "offdesk"),
    ("chats", "offdesk"),
    ("me", "offdesk"),
    ("push", "offdesk"),
    ("events", "offdesk"),
    (RELAY, "offdesk-sip"),
    (SIP, "offdesk-sip"),
    (CALLS, "offdesk-sip"),
    (RINGING, "offdesk"),
];

const RELAY: &str = "relay";
const SIP: &str = "sip";
const CALLS: &str = "calls";
const RINGING: &str = "ringing";

pub(crate) fn run(place: &Place, args: Args) -> Result<()> {
    let benches = chosen(&args.rest())?;
    let mut steps = Steps::new("bench");
    let counterparts = steps.run("counterparts", || counterparts::ensure(place, &Without::default()))?;
    if benches.iter().any(|(name, _)| *name == RELAY) {
        steps.run("rtpengine", rtpengine::try_ensure)?;
    }
    steps.run("OpenSSL's headers", openssl::ensure)?;
    if benches.iter().any(|(name, _)| matches!(*name, SIP | CALLS)) {
        let programs = [("kamailio", "kamailio"), ("sipp", "sip-tester"), ("taskset", "util-linux")];
        steps.run("Kamailio and sipp", || softphones::programs("what SIP is measured against", &programs))?;
    }
    let cargo = |(name, package): &(&str, &str)| {
        place.cargo().args(["bench", "--quiet", "--locked", "--package", package, "--bench", name])
    };
    steps.run("release build", || benches.iter().try_for_each(|bench| cargo(bench).arg("--no-run").run()))?;
    for bench in &benches {
        steps.run(bench.0, || counterparts.surround(cargo(bench)).run())?;
    }
    steps.close();
    Ok(())
}

/// The benchmarks of these names; without a name, all.
fn chosen(names: &[String]) -> Result<Vec<(&'static str, &'static str)>> {
    if names.is_empty() {
        return Ok(BENCHES.to_vec());
    }
    let find = |name: &String| {
        let unknown = || {
            let known: Vec<_> = BENCHES.iter().map(|(name, _)| *name).collect();
            Error::usage(format!("there is no benchmark `{name}`; there are {}", known.join(", ")))
        };
        BENCHES.iter().find(|(known, _)| known == name).copied().ok_or_else(unknown)
    };
    let mut chosen: Vec<_> = names.iter().map(find).collect::<Result<_>>()?;
    let has = |chosen: &[(&str, &str)], wanted: &str| chosen.iter().any(|(name, _)| *name == wanted);
    if has(&chosen, CALLS) && !has(&chosen, RINGING) {
        chosen.push((RINGING, "offdesk"));
    }
    Ok(chosen)
}
