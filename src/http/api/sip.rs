//! An agent's softphones: where they register, which have, and another password.

use actix_web::{HttpResponse, http::header, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, Api,
    auth::{Client, SignedIn},
    failure::Failure,
    shape::rfc3339,
};
use crate::{
    access::Caller,
    domain::{AgentId, Timestamp},
    roster::{By, unescaped},
    sip::{Binding, Softphones, Standing},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/me/sip", web::get().to(show)).route("/me/sip/password", web::post().to(draw_password));
}

/// What a softphone needs, and which softphones there are.
#[derive(Serialize, ToSchema)]
pub(in crate::http::api) struct SipAccount {
    /// The agent's SIP address; null until there is a user
    #[schema(example = "sip:anna@gw.example.com")]
    aor: Option<String>,
    /// Null until there is a password
    username: Option<String>,
    domain: String,
    /// Whether there is a password
    enabled: bool,
    /// The safest first
    transports: Vec<SipTransport>,
    bindings: Vec<SipBinding>,
}

/// A way to register.
#[derive(Serialize, ToSchema)]
pub(in crate::http::api) struct SipTransport {
    /// `tls`, `tcp` or `udp`
    transport: &'static str,
    port: u16,
}

/// A softphone that has registered.
#[derive(Serialize, ToSchema)]
pub(in crate::http::api) struct SipBinding {
    transport: &'static str,
    /// As the gateway sees it
    #[schema(example = "192.0.2.7:5062")]
    address: String,
    /// `registered`; `suspect`: not heard of since a restart; `asleep`: to be woken by a push
    state: &'static str,
    /// RFC 3339
    expires_at: String,
}

/// A new password, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct SipPassword {
    #[serde(flatten)]
    account: SipAccount,
    password: String,
    /// An SVG picture of the link
    qr_code: String,
    /// What softphones open
    links: Vec<String>,
}

impl SipBinding {
    fn new(binding: &Binding) -> Self {
        Self {
            transport: binding.transport.name(),
            address: binding.address.to_string(),
            state: match binding.standing {
                Standing::Registered => "registered",
                Standing::Suspect => "suspect",
                Standing::Asleep => "asleep",
            },
            expires_at: rfc3339(Timestamp::EPOCH + std::time::Duration::from_secs(binding.expires)),
        }
    }
}

/// The agent's account, for whoever may see it.
pub(in crate::http::api) fn account(softphones: &Softphones, profile: &crate::domain::Profile) -> SipAccount {
    let username = profile.sip_username.as_deref();
    let secret = profile.sip_secret.as_ref().zip(username);
    let enabled = secret.is_some_and(|(secret, user)| secret.ha1s(&unescaped(user), softphones.domain()).is_some());
    let transport = |(transport, port): (offdesk_sip::transport::Transport, u16)| SipTransport {
        transport: transport.name(),
        port,
    };
    SipAccount {
        aor: username.map(|user| format!("sip:{user}@{}", softphones.domain())),
        username: username.map(unescaped),
        domain: softphones.domain().to_owned(),
        enabled,
        transports: softphones.transports().into_iter().map(transport).collect(),
        bindings: softphones.bindings(profile.id).iter().map(SipBinding::new).collect(),
    }
}

fn softphones(api: &Api) -> Result<&Softphones, Failure> {
    api.softphones.as_ref().ok_or(Failure::NotFound)
}

fn own(api: &Api, agent: AgentId) -> Result<SipAccount, Failure> {
    let profile = api.book.get(agent).ok_or(Failure::NoAnswer)?;
    Ok(account(softphones(api)?, &profile))
}

/// Which softphones do I have?
#[utoipa::path(
    get, operation_id = "showSip", path = "/me/sip", tag = "me",
    responses(
        (status = 200, description = "The account and its softphones", body = SipAccount),
        (status = 404, description = "There are no softphones here"),
    ),
)]
pub(super) async fn show(api: web::Data<Api>, SignedIn { who, .. }: SignedIn) -> Answer {
    Ok(HttpResponse::Ok().json(own(&api, who.agent)?))
}

/// Give my softphones a new password
///
/// It is shown this once, with a QR code. Softphones with the one before are cut off.
#[utoipa::path(
    post, operation_id = "drawSipPassword", path = "/me/sip/password", tag = "me",
    responses(
        (status = 201, description = "The password", body = SipPassword),
        (status = 404, description = "There are no softphones here"),
        (status = 503, description = "Nothing was changed; try again"),
    ),
)]
pub(super) async fn draw_password(
    api: web::Data<Api>,
    SignedIn { who, .. }: SignedIn,
    Client(address): Client,
) -> Answer {
    let softphones = softphones(&api)?;
    let by = By { caller: Caller::Agent(who.agent), address: Some(address), device: None };
    let (profile, password) = api.book.draw_sip_password(by, who.agent).await.map_err(|error| {
        tracing::error!(agent = %who.agent, %error, "a SIP password could not be drawn");
        Failure::NotNow
    })?;
    let username = profile.sip_username.as_deref().unwrap_or_default();
    let invitation = softphones.invite(username, password.expose()).map_err(|_| Failure::NoAnswer)?;
    let answer = SipPassword {
        account: account(softphones, &profile),
        password: password.expose().to_owned(),
        qr_code: invitation.qr_code,
        links: vec![invitation.link],
    };
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(answer))
}
