//! Agents without a worker, and workers on mobile without an agent.

use std::collections::BTreeSet;

use super::{
    Context,
    finding::{Finding, fail, ok, warn},
};
use crate::{
    cli::{
        Failure,
        agent::{self, Agents},
        failure::DAMAGED_CURE,
        stopped::Purpose,
    },
    domain::Profile,
    twilio::{TwilioError, taskrouter::Worker},
};

const CHECK: &str = "agents";
/// Names that are told; of more, how many there are.
const SHOWN: usize = 5;

pub(super) async fn agents(context: &Context<'_>) -> Vec<Finding> {
    if !context.config.store_path().exists() {
        return vec![warn(
            CHECK,
            "there are none yet",
            "add them: offdesk agent import --from-taskrouter, or agent add",
        )];
    }
    let workers = match workers(context).await {
        Ok(workers) => workers,
        Err(error) => return vec![fail(CHECK, error.to_string(), "try again")],
    };
    // It waits for the daemon or the store, on a thread of its own: there is a runtime on this one.
    let profiles = std::thread::scope(|scope| {
        let asked = scope
            .spawn(|| agent::open(context.options, context.env, Purpose::Reading).and_then(|agents| all(&*agents)));
        asked.join().unwrap_or_else(|_| Err(crate::cli::failure::internal("the agents were not read")))
    });
    match profiles {
        Ok(profiles) => compare(&profiles, &workers, &context.config.twilio.activities.mobile),
        Err(failure) => vec![not_seen(&failure)],
    }
}

fn all(agents: &dyn Agents) -> Result<Vec<Profile>, Failure> {
    let mut all = Vec::new();
    agents.each("", &mut |profile| {
        all.push(profile);
        Ok(())
    })?;
    Ok(all)
}

async fn workers(context: &Context<'_>) -> Result<Vec<Worker>, TwilioError> {
    let (mut all, mut pages) = (Vec::new(), context.twilio.workers().await?);
    while let Some(page) = pages.next(context.twilio).await? {
        all.extend(page);
    }
    Ok(all)
}

fn not_seen(failure: &Failure) -> Finding {
    let cause = match failure {
        Failure::Told { cause, .. } => cause.lines().next().unwrap_or_default().to_owned(),
        Failure::Damaged { cause } => {
            return fail(CHECK, cause.lines().next().unwrap_or_default(), DAMAGED_CURE);
        }
        Failure::ReaderGone | Failure::Found => "they cannot be read".to_owned(),
    };
    warn(
        CHECK,
        format!("they were not looked at: {cause}"),
        "set admin.bootstrap_token_file, as docs/install.md shows, or stop the daemon",
    )
}

fn compare(profiles: &[Profile], workers: &[Worker], mobile: &str) -> Vec<Finding> {
    let is_of = |profile: &Profile, worker: &Worker| match &profile.worker_sid {
        Some(sid) => *sid == worker.sid,
        None => profile.worker_name.eq_ignore_ascii_case(&worker.friendly_name),
    };
    let lost: Vec<_> = profiles.iter().filter(|profile| !workers.iter().any(|worker| is_of(profile, worker))).collect();
    let unknown: Vec<_> = workers
        .iter()
        .filter(|worker| worker.activity_name == mobile && !profiles.iter().any(|profile| is_of(profile, worker)))
        .collect();
    let mut found = Vec::new();
    if !lost.is_empty() {
        let what =
            format!("{} without a worker: {}", lost.len(), some(lost.iter().map(|profile| profile.id.to_string())));
        found.push(warn(
            CHECK,
            what,
            "have them sign in to Flex once, or set the worker: offdesk agent update ID --worker-sid WK…",
        ));
    }
    if !unknown.is_empty() {
        let what = format!(
            "{} workers are {mobile:?} and no agents here, so that nothing rings for what they are offered: {}",
            unknown.len(),
            some(unknown.iter().map(|worker| worker.sid.to_string()))
        );
        found.push(fail(
            CHECK,
            what,
            "add them: offdesk agent import --from-taskrouter; or give them another activity",
        ));
    }
    match (found.is_empty(), profiles.is_empty()) {
        (false, _) => found,
        (true, true) => {
            vec![warn(CHECK, "there are none yet", "add them: offdesk agent import --from-taskrouter, or agent add")]
        }
        (true, false) => vec![ok(CHECK, format!("{}, each with a worker", profiles.len()))],
    }
}

fn some(names: impl Iterator<Item = String>) -> String {
    let names: BTreeSet<_> = names.collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names.into_iter().take(SHOWN).collect::<Vec<_>>().join(", "))
}
