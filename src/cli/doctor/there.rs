//! What can be seen at Twilio.

use std::time::Duration;

use super::{
    Context,
    finding::{Finding, fail, ok, warn},
};
use crate::{
    config::{Confirm, Recording},
    intake::{self, Doors, Family, Trouble},
    twilio::{Refusal, Twilio, TwilioError, account::AccountStatus, flex::Configuration},
};

/// A webhook or a token that is older is no use, and codes are wrong.
const MAX_SKEW: Duration = Duration::from_secs(60);
/// Ringing needs 20 s, and 5 s are left before the end.
const LEAST_TIMEOUT: Duration = Duration::from_secs(30);
/// What it takes to ask whoever picks up, too.
const LEAST_TIMEOUT_TO_ASK: Duration = Duration::from_secs(45);
const SETUP: &str = "run offdesk setup, which sets it";

/// What a question that failed means.
fn refused(check: &'static str, error: &TwilioError) -> Finding {
    let cure = match error.refusal() {
        Some(Refusal::Unauthorized) => "set twilio.account_sid and auth_token, or the API key, to those of one account",
        Some(Refusal::Forbidden) => "these credentials may not see it: use the auth token, or an API key that may",
        Some(Refusal::NotFound) => "see that it is there in Twilio's console, in this account",
        _ if error.is_retryable() => "see that this machine reaches Twilio, and status.twilio.com; then try again",
        _ => "see what Twilio's console says of it",
    };
    fail(check, error.to_string(), cure)
}

/// Whether Twilio knows us; false, if nothing else needs to be asked.
pub(super) async fn account(context: &Context<'_>) -> (Vec<Finding>, bool) {
    const CHECK: &str = "account";
    let asked = context.twilio.account().await;
    let mut found = clock(context.twilio);
    match asked {
        Ok(account) if account.status == AccountStatus::Active => {
            found.push(ok(CHECK, format!("{} is active", account.sid)))
        }
        Ok(_) => found.push(fail(CHECK, "it is suspended or closed", "see Twilio's console: billing, or a notice")),
        Err(error) => {
            found.push(refused(CHECK, &error));
            return (found, false);
        }
    }
    // REST is done with the API key: whether the token is good, no other answer tells.
    if let Some(signing) = context.by_token
        && let Err(error) = signing.account().await
    {
        let cure = "set twilio.auth_token to the account's primary one: without it every webhook is refused";
        found.push(fail("auth token", error.to_string(), cure));
    }
    (found, true)
}

fn clock(twilio: &Twilio) -> Vec<Finding> {
    const CHECK: &str = "clock";
    match twilio.clock_skew() {
        Some(skew) if skew > MAX_SKEW => {
            let cure = "set it by the network: timedatectl set-ntp true; then restart the daemon";
            vec![fail(CHECK, format!("it is {} s off", skew.as_secs()), cure)]
        }
        Some(_) => vec![ok(CHECK, "it is that of Twilio")],
        None => Vec::new(),
    }
}

/// Whether the workspace is this account's; false, if nothing in it can be asked for.
pub(super) async fn workspace(context: &Context<'_>) -> (Vec<Finding>, bool) {
    const CHECK: &str = "workspace";
    match context.twilio.workspace().await {
        Ok(workspace) => (vec![ok(CHECK, format!("{} {:?}", workspace.sid, workspace.friendly_name))], true),
        Err(error) if error.refusal() == Some(Refusal::NotFound) => {
            let cure =
                "set twilio.workspace_sid to one of this account's, or twilio.account_sid to that workspace's account";
            (vec![fail(CHECK, "the account has no such workspace: it is another account's", cure)], false)
        }
        Err(error @ TwilioError::Workspace { .. }) => {
            (vec![fail(CHECK, error.to_string(), "set twilio.workspace_sid to the one that Flex uses")], false)
        }
        Err(error) => (vec![refused(CHECK, &error)], false),
    }
}

pub(super) async fn activities(context: &Context<'_>) -> Vec<Finding> {
    const CHECK: &str = "activities";
    let there = match context.twilio.activities().await {
        Ok(there) => there,
        Err(error) => return vec![refused(CHECK, &error)],
    };
    let wanted = &context.config.twilio.activities;
    let mut found = Vec::new();
    for name in &wanted.choices {
        let takes_tasks =
            there.iter().find(|activity| activity.friendly_name == *name).map(|activity| activity.available);
        match takes_tasks {
            None => found.push(fail(CHECK, format!("there is none called {name:?}"), SETUP)),
            Some(takes) if (takes && *name == wanted.offline) || (!takes && *name == wanted.mobile) => {
                let what = if takes { "takes tasks, and must not" } else { "takes no tasks, and has to" };
                let cure = "give it another name in Twilio's console, since this cannot be changed there, and run offdesk setup";
                found.push(fail(CHECK, format!("{name:?} {what}"), cure));
            }
            Some(_) => {}
        }
    }
    if found.is_empty() { vec![ok(CHECK, "all that agents may choose are there")] } else { found }
}

pub(super) async fn caller_id(context: &Context<'_>) -> Vec<Finding> {
    const CHECK: &str = "caller id";
    match context.twilio.may_call_from(&context.config.twilio.caller_id).await {
        Ok(true) => vec![ok(CHECK, "it is a number of the account")],
        Ok(false) => vec![fail(
            CHECK,
            "twilio.caller_id is no number of the account, and not verified: calls to agents will be refused",
            "set it to one of the numbers that Twilio's console lists",
        )],
        Err(error) => vec![refused(CHECK, &error)],
    }
}

pub(super) async fn events(context: &Context<'_>) -> Vec<Finding> {
    const CHECK: &str = "events";
    let doors = Doors::of(&context.config.public_url);
    let there = match intake::read(context.twilio, &doors).await {
        Ok(there) => there,
        Err(error) => return vec![refused(CHECK, &error)],
    };
    let of = |family: Family| match there.trouble(family, &doors, context.config.twilio.intake) {
        None => ok(CHECK, format!("{} events come", family.label())),
        Some(trouble) => in_words(family, &trouble),
    };
    Family::ALL.into_iter().map(of).collect()
}

fn in_words(family: Family, trouble: &Trouble) -> Finding {
    let (what, cure) = match trouble {
        Trouble::NotSet => ("go nowhere".to_owned(), SETUP),
        Trouble::Elsewhere { by } => (
            format!("go to another system, at {by}, and no sink brings them here"),
            "run offdesk setup, which adds an Event Streams sink and leaves the other system its own",
        ),
        Trouble::Filtered(missing) => {
            (format!("come without {}", missing.join(", ")), "run offdesk setup, which adds these to the filter")
        }
        Trouble::NoSink => ("have no Event Streams sink, which twilio.intake asks for".to_owned(), SETUP),
        Trouble::SinkFailed => (
            "have a sink that Twilio has given up".to_owned(),
            "see that public_url is reached (above), and run offdesk setup, which makes a new sink",
        ),
        Trouble::Unsubscribed(missing) => {
            (format!("come by a sink without {}", missing.join(", ")), "run offdesk setup, which subscribes to these")
        }
    };
    fail("events", format!("{} events {what}", family.label()), cure)
}

pub(super) async fn timeouts(context: &Context<'_>) -> Vec<Finding> {
    const CHECK: &str = "workflows";
    let workflows = match context.twilio.workflows().await {
        Ok(workflows) => workflows,
        Err(error) => return vec![refused(CHECK, &error)],
    };
    let (least, cure) = match context.config.calls.confirm {
        Confirm::None => (
            LEAST_TIMEOUT,
            "set its task reservation timeout to 30 s or more, 45 s if softphones ring before cell phones",
        ),
        Confirm::PressOne => (
            LEAST_TIMEOUT_TO_ASK,
            "set its task reservation timeout to 45 s or more, 70 s if softphones ring before cell phones",
        ),
    };
    let short: Vec<_> = workflows.iter().filter(|workflow| workflow.reservation_timeout < least).collect();
    if short.is_empty() {
        return vec![ok(CHECK, "reservations last long enough to ring")];
    }
    let of = |workflow: &&crate::twilio::taskrouter::Workflow| {
        let seconds = workflow.reservation_timeout.as_secs();
        let what = format!("reservations of {:?} end after {seconds} s: a phone hardly rings", workflow.friendly_name);
        fail(CHECK, what, cure)
    };
    short.iter().map(of).collect()
}

pub(super) async fn flex(context: &Context<'_>) -> Vec<Finding> {
    const CHECK: &str = "flex";
    let flex = match context.twilio.configuration().await {
        Ok(flex) => flex,
        Err(error) if error.refusal() == Some(Refusal::NotFound) => {
            return vec![warn(CHECK, "the account has no Flex", "use the account that Flex is in")];
        }
        Err(error) => return vec![refused(CHECK, &error)],
    };
    let mut found = vec![recording(&flex, context.config.calls.record)];
    found.extend(logout(context, &flex).await);
    found.extend(services(context, &flex).await);
    found
}

fn recording(flex: &Configuration, record: Recording) -> Finding {
    const CHECK: &str = "recording";
    const CURE: &str = "set calls.record to \"flex\", so that a call is recorded here as it is at the desk";
    match (record, flex.call_recording_enabled) {
        (Recording::Never, true) => warn(CHECK, "Flex records calls at the desk, and here none is", CURE),
        (Recording::Always, false) => warn(CHECK, "Flex records no calls at the desk, and here each is", CURE),
        (_, true) => ok(CHECK, "calls are recorded, here as at the desk"),
        (_, false) => ok(CHECK, "calls are not recorded"),
    }
}

/// Where Flex puts agents whose browser is gone, and what is not billed by the hour.
async fn logout(context: &Context<'_>, flex: &Configuration) -> Option<Finding> {
    const CHECK: &str = "logout";
    let sid = flex.taskrouter_offline_activity_sid.as_ref()?;
    let activities = context.twilio.activities().await.ok()?;
    let name = activities.into_iter().find(|activity| activity.sid == *sid)?.friendly_name;
    let offline = &context.config.twilio.activities.offline;
    if name == *offline {
        return Some(ok(CHECK, format!("agents who leave Flex, and those who go offline here, are {name:?}")));
    }
    let what = format!(
        "Flex's logout activity is {name:?}, and agents who go offline here are {offline:?}, which is billed by the hour"
    );
    let cure = format!("set twilio.offline_activity to {name:?}, or Flex's logout activity to {offline:?}");
    Some(warn(CHECK, what, cure))
}

/// Flex and the account's default service must be one: conversations are asked for in the latter.
async fn services(context: &Context<'_>, flex: &Configuration) -> Option<Finding> {
    let of_flex = flex.chat_service_instance_sid.as_ref()?;
    let default = context.twilio.chat_service_sid().await.ok()?;
    (*of_flex != default).then(|| {
        let what = format!("Flex's conversations are in {of_flex}, and the account's default service is {default}");
        fail("flex", what, "make Flex's service the default one: Twilio's console, Conversations, Defaults")
    })
}

pub(super) async fn verify(context: &Context<'_>) -> Vec<Finding> {
    const CHECK: &str = "verify";
    let Some(sid) = &context.config.twilio.verify_service_sid else {
        let cure = "run offdesk setup, which makes a service and sets it";
        return vec![fail(CHECK, "twilio.verify_service_sid is empty: nobody can sign in", cure)];
    };
    match context.twilio.verify_service(sid).await {
        Ok(_) => vec![ok(CHECK, format!("{sid} is there"))],
        Err(error) if error.refusal() == Some(Refusal::NotFound) => {
            let cure =
                "set twilio.verify_service_sid to one that Twilio's console shows, or empty, and run offdesk setup";
            vec![fail(CHECK, format!("the account has no {sid}: nobody can sign in"), cure)]
        }
        Err(error) => vec![refused(CHECK, &error)],
    }
}
