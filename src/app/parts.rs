//! What the configuration means to the parts that know nothing of it.

use super::StartError;
use crate::{
    actors::{self, Kit},
    agent::{Policy, request::Closing},
    clock::Clock,
    config::{self, Completion, Config, EndChat},
    store::StoreHandle,
    twilio::{Credentials, Endpoints, Limits, Settings, Twilio, facts::WorkspaceFacts, signature::Validator},
};

/// Checks webhooks against the public URL and the account's tokens.
pub(super) fn validator(config: &Config) -> Validator {
    let twilio = &config.twilio;
    Validator::new(config.public_url.as_url(), &twilio.auth_token, twilio.auth_token_secondary.as_ref())
}

pub(super) fn settings(config: &Config) -> Result<Settings, StartError> {
    let twilio = &config.twilio;
    let credentials = match &twilio.api_key {
        Some(key) => Credentials::ApiKey { sid: key.sid.to_string(), secret: key.secret.clone() },
        None => Credentials::AuthToken(twilio.auth_token.clone()),
    };
    let extra_roots_pem =
        config.tls.extra_ca_file.as_ref().map(std::fs::read).transpose().map_err(StartError::ExtraRoots)?;
    Ok(Settings {
        account_sid: twilio.account_sid.clone(),
        credentials,
        endpoints: endpoints(&twilio.endpoints),
        workspace_sid: twilio.workspace_sid.clone(),
        limits: Limits::default(),
        extra_roots_pem,
    })
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

pub(super) fn kit(config: &Config, store: &StoreHandle, clock: &Clock, twilio: &Twilio) -> Kit {
    let calls = &config.calls;
    let policy = Policy {
        mobile_activity: config.twilio.activities.mobile.clone(),
        offline_activity: config.twilio.activities.offline.clone(),
        plan: calls.plan.clone(),
        pstn_ring: calls.pstn_ring,
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
        readings: tokio::sync::Semaphore::new(actors::READINGS),
    }
}
