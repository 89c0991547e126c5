//! What the configuration means to the parts that know nothing of it.

use std::{fs, path::Path, sync::Arc};

use actix::Addr;

use super::{StartError, entrance::Entrance};
use crate::{
    actors::{self, Directory, Kit},
    agent::{Policy, request::Closing},
    clock::Clock,
    config::{self, Completion, Config, Confirm, EndChat, Subject},
    handling::Handling,
    http::{self, Activities, AdminState, Api, BootstrapToken, Connections, Instance, Readiness, Webhooks},
    inbox::Inbox,
    login,
    push::{self, FcmSettings, VapidKeyFile},
    sessions,
    sip::{Line, Softphones},
    store::StoreHandle,
    telemetry::Metrics,
    twilio::{Credentials, Endpoints, Limits, Settings, Twilio, facts::WorkspaceFacts, signature::Validator},
};

/// Webhooks are checked against the public URL and the account's tokens.
pub(super) fn webhooks(
    config: &Config,
    twilio: &Twilio,
    inbox: &Inbox,
    instance: &Instance,
    directory: &Addr<Directory>,
) -> Webhooks {
    let account = &config.twilio;
    Webhooks {
        validator: Validator::new(
            config.public_url.as_url(),
            &account.auth_token,
            account.auth_token_secondary.as_ref(),
        ),
        account: account.account_sid.clone(),
        twilio: twilio.clone(),
        inbox: inbox.clone(),
        instance: instance.clone(),
        directory: directory.clone(),
        public_url: config.public_url.clone(),
    }
}

pub(super) fn settings(config: &Config) -> Result<Settings, StartError> {
    let twilio = &config.twilio;
    let credentials = match &twilio.api_key {
        Some(key) => Credentials::ApiKey { sid: key.sid.to_string(), secret: key.secret.clone() },
        None => Credentials::AuthToken(twilio.auth_token.clone()),
    };
    Ok(Settings {
        account_sid: twilio.account_sid.clone(),
        credentials,
        endpoints: endpoints(&twilio.endpoints),
        workspace_sid: twilio.workspace_sid.clone(),
        limits: Limits::default(),
        extra_roots_pem: extra_roots(config)?,
    })
}

fn extra_roots(config: &Config) -> Result<Option<Vec<u8>>, StartError> {
    config.tls.extra_ca_file.as_ref().map(fs::read).transpose().map_err(StartError::ExtraRoots)
}

/// Where the key lies that signs web pushes.
pub(super) fn vapid_key(config: &Config) -> VapidKeyFile {
    match &config.push.web.vapid_private_key_file {
        Some(path) => VapidKeyFile::Given(path.clone()),
        None => VapidKeyFile::Own(config.data_dir.path().join("vapid.pem")),
    }
}

pub(super) fn push(config: &Config) -> Result<push::Settings, StartError> {
    let config::Push { privacy, web, fcm } = &config.push;
    let vapid_key = vapid_key(config);
    let service_account = fcm.service_account_file.as_deref().map(read_account).transpose()?;
    let fcm_settings = |service_account: String| FcmSettings {
        service_account: service_account.into(),
        endpoint: fcm.endpoint.clone(),
    };
    Ok(push::Settings {
        public_url: config.public_url.clone(),
        privacy: *privacy,
        allow_hosts: web.allow_hosts.clone(),
        subject: web.subject.clone().unwrap_or_else(|| Subject::of(&config.public_url)),
        vapid_key,
        fcm: service_account.map(fcm_settings),
        extra_roots_pem: extra_roots(config)?,
        limits: push::Limits::default(),
    })
}

fn read_account(path: &Path) -> Result<String, StartError> {
    let key = "push.fcm.service_account_file";
    fs::read_to_string(path).map_err(|source| StartError::KeyFile { key, path: path.display().to_string(), source })
}

/// The FCM project whose push tokens softphones may register with. What the account lacks, the pusher has told.
pub(super) fn push_project(config: &Config) -> Option<String> {
    let account = fs::read_to_string(config.push.fcm.service_account_file.as_deref()?).ok()?;
    let account: serde_json::Value = serde_json::from_str(&account).ok()?;
    account.get("project_id")?.as_str().map(str::to_owned)
}

fn endpoints(from: &config::Endpoints) -> Endpoints {
    let url = |base: &config::BaseUrl| base.as_url().clone();
    Endpoints {
        api: url(&from.api),
        taskrouter: url(&from.taskrouter),
        conversations: url(&from.conversations),
        flex: url(&from.flex),
        verify: url(&from.verify),
        iam: url(&from.iam),
        media: url(&from.media),
        events: url(&from.events),
        sync: url(&from.sync),
    }
}

pub(super) fn kit(
    config: &Config,
    (store, clock): (&StoreHandle, &Clock),
    twilio: &Twilio,
    push: &push::Push,
    line: Option<Line>,
) -> Kit {
    let calls = &config.calls;
    let policy = Policy {
        mobile_activity: config.twilio.activities.mobile.clone(),
        offline_activity: config.twilio.activities.offline.clone(),
        plan: calls.plan.clone(),
        sip_ring: config.sip.as_ref().map(|_| calls.sip_ring),
        pstn_ring: calls.pstn_ring,
        asks: calls.confirm == Confirm::PressOne,
        missed_keep_activity: calls.missed_keep_activity,
        reoffer_hold: calls.reoffer_hold,
        closing: match calls.complete {
            Completion::Wrapup => Closing::Wrapup,
            Completion::Complete => Closing::Complete,
        },
        choices: config.twilio.activities.choices.clone(),
        leave_chats: config.twilio.end_chat == EndChat::Leave,
    };
    Kit {
        store: store.clone(),
        clock: clock.clone(),
        facts: WorkspaceFacts::new(twilio.clone()),
        twilio: twilio.clone(),
        policy,
        public_url: config.public_url.clone(),
        caller_id: config.twilio.caller_id.clone(),
        recording: calls.record,
        line,
        push: push.clone(),
        conversations: actors::Conversations::default(),
        views: actors::Views::default(),
        readings: tokio::sync::Semaphore::new(actors::READINGS),
        chat_readings: tokio::sync::Semaphore::new(actors::READINGS),
    }
}

pub(super) const fn sessions(config: &Config) -> sessions::Policy {
    let login = &config.login;
    sessions::Policy {
        ttl: login.session_ttl,
        max_age: login.session_max_age,
        max_sessions: login.max_sessions as usize,
    }
}

pub(super) fn login(config: &Config) -> login::Settings {
    login::Settings {
        service: config.twilio.verify_service_sid.clone(),
        per_phone: config.login.otp_per_phone,
        per_address: config.login.otp_per_ip,
        per_day: config.login.otp_per_day,
    }
}

pub(super) fn api(
    config: &Config,
    kit: &Kit,
    directory: &actix::Addr<actors::Directory>,
    entrance: Entrance,
    softphones: Option<Softphones>,
) -> Api {
    let activities = &config.twilio.activities;
    let Entrance { sessions, login, book, audit } = entrance;
    Api {
        sessions,
        login,
        book,
        audit,
        bootstrap: config.admin.bootstrap_token.as_ref().map(BootstrapToken::new),
        directory: directory.clone(),
        views: kit.views.clone(),
        twilio: kit.twilio.clone(),
        facts: kit.facts.clone(),
        push: kit.push.clone(),
        handling: Handling { store: kit.store.clone(), clock: kit.clock.clone() },
        softphones,
        clock: kit.clock.clone(),
        events: Connections::new(http::event_connections()),
        activities: Activities {
            choices: activities.choices.clone(),
            available: activities.mobile.clone(),
            unavailable: activities.offline.clone(),
        },
        uploads: Api::uploads(),
        ring_plan: config.calls.plan.clone(),
        origin: config.public_url.as_url().origin().ascii_serialization(),
        trusted_proxies: config.http.trusted_proxies.clone(),
    }
}

pub(super) fn admin(
    kit: &Kit,
    directory: &actix::Addr<actors::Directory>,
    inbox: &Inbox,
    readiness: &Arc<Readiness>,
    metrics: Metrics,
    (instance, softphones): (Instance, Option<Softphones>),
) -> AdminState {
    AdminState {
        readiness: readiness.clone(),
        metrics,
        twilio: kit.twilio.clone(),
        inbox: inbox.clone(),
        push: kit.push.clone(),
        directory: directory.clone(),
        instance,
        softphones,
    }
}
