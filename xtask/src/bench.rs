//! `cargo xtask bench`: speed and size, in `benches/`.

use crate::args::Args;
use crate::error::{Error, Result};
use crate::group::Without;
use crate::install::{counterparts, openssl};
use crate::place::Place;
use crate::steps::Steps;

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench [webhooks|latency|scale|chats|events]...

Builds the release and measures; without a name, all of them. A ratio taken in one run decides, an absolute figure orients.

  webhooks   CPU time a durable, signed webhook costs, against Express with Twilio's own middleware and a bare handler
  latency    from a webhook in to the REST call out, at 200 a second
  scale      memory, start-up time and the admin API with 100,000 agents
  chats      memory that a conversation takes
  events     from a webhook to all WebSocket sessions of its agent, 2,000 sessions of 500 agents, and beside clients that do not read
";

const BENCHES: &[&str] = &["webhooks", "latency", "scale", "chats", "events"];

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
    steps.run("release build", || {
        let benches = names.iter().flat_map(|name| ["--bench", name]);
        place.cargo().args(["bench", "--quiet", "--locked", "--no-run"]).args(benches).run()
    })?;
    for name in &names {
        steps.run(name, || {
            let bench = place.cargo().args(["bench", "--quiet", "--locked", "--bench", name]);
            counterparts.surround(bench).run()
        })?;
    }
    steps.close();
    Ok(())
}
