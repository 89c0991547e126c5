//! What is there and what is wanted become steps. Pure.

use super::record::{Change, Record};
use crate::{
    config::{Config, Intake},
    domain::{RateLimitSid, SinkSid, VerifyServiceSid},
    intake::{Doors, Family, Found, Slot, TASKROUTER, missing_filters, missing_types},
    twilio::{
        conversations::Webhook,
        taskrouter::{Activity, EventCallback},
        verify,
    },
};

/// What we call what we make.
pub(super) const NAME: &str = "Offdesk";
pub(super) const VERIFY_KEY: &str = "verify_service_sid";
const RENAME: &str = "whether an activity takes tasks cannot be changed at Twilio: give it another name in the console, and \
                      run offdesk setup again, which makes a right one";

/// What an operator wants, as the configuration says it.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Name, and whether workers in it get tasks; none: either will do, and a new one gets none.
    pub(super) activities: Vec<(String, Option<bool>)>,
    pub(super) intake: Intake,
    pub(super) doors: Doors,
    /// Rate limits by name: so many within so many seconds.
    pub(super) limits: [(&'static str, u32, u64); 2],
}

/// What there is.
#[derive(Clone, Debug)]
pub(super) struct There {
    pub(super) activities: Vec<Activity>,
    pub(super) intake: Found,
    pub(super) verify: Verify,
    pub(super) vapid_key: bool,
    /// Keys of `[twilio]` that the configuration leaves empty, with what they are to be, as far as it is known.
    pub(super) unset: Vec<(&'static str, Option<String>)>,
}

/// The Verify service that there is.
#[derive(Clone, Debug)]
pub(super) enum Verify {
    /// None is configured, and none of ours is there.
    None,
    /// It is there, with these rate limits, and whether each has a bucket.
    Service { sid: VerifyServiceSid, name: String, limits: Vec<(verify::RateLimit, bool)> },
    /// The configured one is not there.
    Missing(VerifyServiceSid),
}

/// One line of what is told, and what is done about it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) state: State,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    There,
    Make(Action),
    Impossible { why: String, cure: String },
}

/// What a step does. A missing sid is that of what an earlier step makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Change(Change),
    Subscribe {
        sink: Option<SinkSid>,
        types: Vec<String>,
    },
    Limit {
        service: Option<VerifyServiceSid>,
        name: &'static str,
        max: u32,
        interval: u64,
    },
    Bucket {
        service: VerifyServiceSid,
        limit: RateLimitSid,
        max: u32,
        interval: u64,
    },
    VapidKey,
    /// None: the sid that an earlier step makes.
    Config {
        key: &'static str,
        value: Option<String>,
    },
}

impl Wanted {
    pub(super) fn of(config: &Config) -> Self {
        let activities = &config.twilio.activities;
        let takes_tasks = |name: &String| {
            if *name == activities.mobile { Some(true) } else { (*name == activities.offline).then_some(false) }
        };
        let (phone, address) = (config.login.otp_per_phone, config.login.otp_per_ip);
        Self {
            activities: activities.choices.iter().map(|name| (name.clone(), takes_tasks(name))).collect(),
            intake: config.twilio.intake,
            doors: Doors::of(&config.public_url),
            limits: [
                (verify::LIMIT_BY_PHONE, phone.times.get(), phone.per.as_secs()),
                (verify::LIMIT_BY_ADDRESS, address.times.get(), address.per.as_secs()),
            ],
        }
    }
}

pub(super) fn plan(wanted: &Wanted, there: &There, record: &Record) -> Vec<Step> {
    let mut steps: Vec<_> = wanted.activities.iter().map(|activity| of_activity(activity, there)).collect();
    let mut streamed = Vec::new();
    for family in Family::ALL {
        match way(family, wanted, there, &record.urls()) {
            Way::Callback(step) => steps.push(step),
            Way::Sink(step) => {
                steps.extend(step);
                streamed.push(family);
            }
        }
    }
    if !streamed.is_empty() {
        of_sink(&streamed, wanted, there, &mut steps);
    }
    of_verify(wanted, there, record, &mut steps);
    steps.push(step("the key that signs web pushes", there.vapid_key, || Action::VapidKey));
    for (key, value) in &there.unset {
        let what = format!("twilio.{key} in the configuration");
        steps.push(Step { what, state: State::Make(Action::Config { key, value: value.clone() }) });
    }
    steps
}

fn step(what: impl Into<String>, there: bool, action: impl FnOnce() -> Action) -> Step {
    Step { what: what.into(), state: if there { State::There } else { State::Make(action()) } }
}

fn of_activity((name, takes_tasks): &(String, Option<bool>), there: &There) -> Step {
    let found = there.activities.iter().find(|activity| activity.friendly_name == *name);
    match (found, takes_tasks) {
        (Some(found), Some(wanted)) if found.available != *wanted => {
            let why = if *wanted { "takes no tasks, and has to" } else { "takes tasks, and must not" };
            let state = State::Impossible { why: format!("it {why}"), cure: RENAME.to_owned() };
            Step { what: format!("the activity {name:?}"), state }
        }
        (found, _) => step(format!("the activity {name:?}"), found.is_some(), || {
            let available = takes_tasks.unwrap_or(false);
            Action::Change(Change::Activity { name: name.clone(), available, sid: None })
        }),
    }
}

enum Way {
    Callback(Step),
    /// And what is to be told of the slot.
    Sink(Option<Step>),
}

fn way(family: Family, wanted: &Wanted, there: &There, earlier: &[String]) -> Way {
    let slot = there.intake.slot(family, &wanted.doors, earlier);
    let what = format!("{} events by callback", family.label());
    match (wanted.intake, slot) {
        (Intake::EventStreams, _) => Way::Sink(None),
        (Intake::Callbacks, Slot::Taken { by }) => Way::Callback(Step {
            what,
            state: State::Impossible {
                why: format!("the slot is another system's, at {by}"),
                cure:
                    "set twilio.intake to \"auto\": then they come by Event Streams, and the other system keeps its own"
                        .to_owned(),
            },
        }),
        (Intake::Auto, Slot::Taken { by }) => Way::Sink(Some(Step {
            what: format!(
                "the callback for {} events stays another system's, at {by}: Event Streams instead",
                family.label()
            ),
            state: State::There,
        })),
        (_, Slot::Free | Slot::Ours) => Way::Callback(match family {
            Family::TaskRouter => of_callback(what, wanted, &there.intake),
            Family::Conversations => of_webhook(what, wanted, &there.intake, earlier),
        }),
    }
}

fn of_callback(what: String, wanted: &Wanted, found: &Found) -> Step {
    let before = found.callback.clone();
    // A free slot's filter keeps nothing out, and an empty one of ours lets everything in.
    let missing = match before.url.is_empty() && before.filter.is_empty() {
        true => TASKROUTER.to_vec(),
        false => missing_types(&before.filter),
    };
    let kept = Some(before.filter.as_str()).filter(|filter| !filter.is_empty());
    let filter = kept.into_iter().chain(missing).collect::<Vec<_>>().join(",");
    let after = EventCallback { url: wanted.doors.taskrouter.clone(), filter };
    step(what, before == after, || Action::Change(Change::EventCallback { before, after }))
}

fn of_webhook(what: String, wanted: &Wanted, found: &Found, earlier: &[String]) -> Step {
    let scope = found.conversations_slot(&wanted.doors, earlier).scope;
    let before = found.webhook(&scope).clone();
    let mut after = Webhook { post_url: wanted.doors.conversations.clone(), ..before.clone() };
    after.filters.extend(missing_filters(&before.filters).into_iter().map(str::to_owned));
    if after.method != "POST" {
        "POST".clone_into(&mut after.method);
    }
    step(what, before == after, || Action::Change(Change::Webhook { scope, before, after }))
}

fn of_sink(families: &[Family], wanted: &Wanted, there: &There, steps: &mut Vec<Step>) {
    let ours = there.intake.sinks.iter().find(|sink| !sink.failed);
    let destination = wanted.doors.events.clone();
    steps.push(step("the Event Streams sink", ours.is_some(), || {
        Action::Change(Change::Sink { destination, sid: None })
    }));
    let missing: Vec<_> = families.iter().flat_map(|family| there.intake.not_streamed(*family)).collect();
    let subscription = ours.and_then(|sink| sink.subscriptions.first());
    match subscription {
        Some((subscription, _)) if !missing.is_empty() => steps.extend(missing.into_iter().map(|kind| Step {
            what: format!("the sink's subscription to {kind}"),
            state: State::Make(Action::Change(Change::Type { subscription: subscription.clone(), kind })),
        })),
        _ => steps.push(step("the sink's subscription", missing.is_empty(), || Action::Subscribe {
            sink: ours.map(|sink| sink.sid.clone()),
            types: missing,
        })),
    }
}

fn of_verify(wanted: &Wanted, there: &There, record: &Record, steps: &mut Vec<Step>) {
    let what = "the Verify service";
    let (service, limits) = match &there.verify {
        Verify::Missing(sid) => {
            let why = format!("the account has no {sid}");
            let cure =
                "set twilio.verify_service_sid to one that Twilio's console shows below Verify, or leave it empty: \
                        then one is made"
                    .to_owned();
            return steps.push(Step { what: what.to_owned(), state: State::Impossible { why, cure } });
        }
        Verify::None => (None, [].as_slice()),
        Verify::Service { sid, limits, .. } => (Some(sid), limits.as_slice()),
    };
    steps.push(step(what, service.is_some(), || {
        Action::Change(Change::VerifyService { name: NAME.to_owned(), sid: None })
    }));
    for (name, max, interval) in wanted.limits {
        let found = limits.iter().find(|(limit, _)| limit.unique_name == name);
        let what = format!("Verify's rate limit {name}");
        steps.push(match (found, service) {
            // It was made, and what was to follow was not.
            (Some((limit, false)), Some(service)) if record.made_limit(&limit.sid) => {
                let (service, limit) = (service.clone(), limit.sid.clone());
                step(what, false, || Action::Bucket { service, limit, max, interval })
            }
            _ => step(what, found.is_some(), || Action::Limit { service: service.cloned(), name, max, interval }),
        });
    }
}
