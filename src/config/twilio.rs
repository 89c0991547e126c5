//! The account at Twilio, and where Twilio is.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::{BaseUrl, reader::Reader, value::choices};
use crate::domain::{AccountSid, ApiKeySid, E164, VerifyServiceSid, WorkspaceSid};

/// The table `[twilio]`.
#[derive(Clone, Debug)]
pub struct Twilio {
    pub account_sid: AccountSid,
    /// Signs webhooks.
    pub auth_token: SecretString,
    /// Signs webhooks too, while tokens are rotated.
    pub auth_token_secondary: Option<SecretString>,
    /// Used for REST in place of the auth token.
    pub api_key: Option<ApiKey>,
    /// None: the account's only workspace.
    pub workspace_sid: Option<WorkspaceSid>,
    pub verify_service_sid: Option<VerifyServiceSid>,
    pub activities: Activities,
    /// Shown on legs that the gateway makes.
    pub caller_id: E164,
    pub intake: Intake,
    pub end_chat: EndChat,
    pub endpoints: Endpoints,
}

/// TaskRouter activities, by their friendly names.
#[derive(Clone, Debug)]
pub struct Activities {
    /// In which agents are rung.
    pub mobile: String,
    /// Of agents who are not there.
    pub offline: String,
    /// What an agent may choose; the two above are among them.
    pub choices: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct ApiKey {
    pub sid: ApiKeySid,
    pub secret: SecretString,
}

choices! {
    /// How events come from Twilio.
    pub Intake {
        /// Callbacks where the slot is free or ours, else Event Streams.
        Auto = "auto",
        Callbacks = "callbacks",
        EventStreams = "event-streams",
    }

    /// What becomes of a conversation when its agent is done.
    pub EndChat {
        /// It is closed, unless another agent is in it.
        Close = "close",
        /// It stays open without the agent.
        Leave = "leave",
    }
}

/// Twilio's base URLs, one a product.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub api: BaseUrl,
    pub taskrouter: BaseUrl,
    pub conversations: BaseUrl,
    pub flex: BaseUrl,
    pub verify: BaseUrl,
    pub iam: BaseUrl,
    pub media: BaseUrl,
    pub events: BaseUrl,
    pub sync: BaseUrl,
}

impl Twilio {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let account_sid = reader.required("twilio.account_sid");
        let auth_token = reader.required_secret("twilio.auth_token");
        let auth_token_secondary = reader.secret("twilio.auth_token_secondary");
        let api_key = ApiKey::read(reader);
        let workspace_sid = reader.optional("twilio.workspace_sid");
        let verify_service_sid = reader.optional("twilio.verify_service_sid");
        let activities = Activities::read(reader);
        let caller_id = reader.required("twilio.caller_id");
        let intake = reader.or("twilio.intake", Intake::Auto);
        let end_chat = reader.or("twilio.end_chat", EndChat::Close);
        let endpoints = Endpoints::read(reader);
        Some(Self {
            account_sid: account_sid?,
            auth_token: auth_token?,
            auth_token_secondary,
            api_key,
            workspace_sid,
            verify_service_sid,
            activities,
            caller_id: caller_id?,
            intake,
            end_chat,
            endpoints: endpoints?,
        })
    }
}

impl Activities {
    fn read(reader: &mut Reader) -> Self {
        const CHOICES: &str = "twilio.agent_activities";
        let mobile = reader.or("twilio.mobile_activity", "Available on Mobile".to_owned());
        let offline = reader.or("twilio.offline_activity", "Offline".to_owned());
        let choices = reader.or(CHOICES, vec![mobile.clone(), "Break".to_owned(), offline.clone()]);
        if mobile == offline {
            reader.refuse("twilio.offline_activity", "is the same as twilio.mobile_activity");
        } else if !choices.contains(&mobile) || !choices.contains(&offline) {
            reader.refuse(CHOICES, "expected twilio.mobile_activity and twilio.offline_activity to be among them");
        } else if choices.iter().collect::<BTreeSet<_>>().len() < choices.len() {
            reader.refuse(CHOICES, "names an activity twice");
        }
        Self { mobile, offline, choices }
    }
}

impl ApiKey {
    fn read(reader: &mut Reader) -> Option<Self> {
        let sid = reader.optional("twilio.api_key_sid");
        let secret = reader.secret("twilio.api_key_secret");
        match (sid, secret) {
            (Some(sid), Some(secret)) => Some(Self { sid, secret }),
            (None, None) => None,
            (Some(_), None) => {
                reader.refuse("twilio.api_key_sid", "is set, but twilio.api_key_secret is not");
                None
            }
            (None, Some(_)) => {
                reader.refuse("twilio.api_key_secret", "is set, but twilio.api_key_sid is not");
                None
            }
        }
    }
}

impl Endpoints {
    fn read(reader: &mut Reader) -> Option<Self> {
        let api = endpoint(reader, "twilio.endpoints.api", "https://api.twilio.com");
        let taskrouter = endpoint(reader, "twilio.endpoints.taskrouter", "https://taskrouter.twilio.com");
        let conversations = endpoint(reader, "twilio.endpoints.conversations", "https://conversations.twilio.com");
        let flex = endpoint(reader, "twilio.endpoints.flex", "https://flex-api.twilio.com");
        let verify = endpoint(reader, "twilio.endpoints.verify", "https://verify.twilio.com");
        let iam = endpoint(reader, "twilio.endpoints.iam", "https://iam.twilio.com");
        let media = endpoint(reader, "twilio.endpoints.media", "https://mcs.us1.twilio.com");
        let events = endpoint(reader, "twilio.endpoints.events", "https://events.twilio.com");
        let sync = endpoint(reader, "twilio.endpoints.sync", "https://sync.twilio.com");
        Some(Self {
            api: api?,
            taskrouter: taskrouter?,
            conversations: conversations?,
            flex: flex?,
            verify: verify?,
            iam: iam?,
            media: media?,
            events: events?,
            sync: sync?,
        })
    }
}

/// The account's credentials go there, so plain http must not leave closed networks.
fn endpoint(reader: &mut Reader, path: &'static str, default: &'static str) -> Option<BaseUrl> {
    let url = reader.or(path, default.parse::<BaseUrl>().ok()?);
    if !url.is_https() && !url.is_private() {
        reader.refuse(path, "expected https:// (plain http only with a loopback or private address)");
    }
    Some(url)
}
