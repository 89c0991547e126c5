//! What an agent sees of itself, and its sessions.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    Answer, Api,
    auth::{Client, SignedIn, origin},
    failure::Failure,
    login::Me,
    shape::{Page, rfc3339},
};
use crate::{
    access::Caller,
    actors::ask,
    domain::{Device, RingTarget, SessionId},
    roster::{By, Patch},
    sessions::{End, Session, Who},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/me", web::get().to(show))
        .route("/me", web::patch().to(change))
        .route("/me/sessions", web::get().to(sessions))
        .route("/me/sessions/{session}", web::delete().to(revoke));
}

/// The agent who asks.
#[derive(Serialize, ToSchema)]
pub(super) struct Myself {
    agent: Me,
    /// The activity as TaskRouter has it; none: not known yet.
    #[schema(example = "Available on Mobile")]
    activity: Option<String>,
    /// Activities that may be chosen.
    choices: Vec<String>,
    /// The one that asks.
    session: SessionView,
    /// All of the agent's, the one used last first.
    sessions: Vec<SessionView>,
    /// Messages that were not read.
    unread: u32,
    devices: Vec<DeviceView>,
    /// What rings, in order.
    #[schema(value_type = Vec<String>, example = json!(["sip", "pstn"]))]
    ring_plan: Vec<RingTarget>,
}

/// A sign-in on one device.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct SessionView {
    #[schema(value_type = String, example = "9d1c0f2e3b4a5968")]
    id: SessionId,
    device_name: Option<String>,
    created_at: String,
    last_used_at: String,
    expires_at: String,
    /// It is the one that asks.
    current: bool,
}

/// Where notifications go.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceView {
    #[schema(example = "00000000000000d1")]
    id: String,
    name: Option<String>,
    /// `webpush` or `fcm`.
    kind: &'static str,
    added_at: String,
    /// The session that registered it.
    #[schema(value_type = Option<String>)]
    session: Option<SessionId>,
}

impl SessionView {
    fn new(session: Session, api: &Api, current: Who) -> Self {
        Self {
            id: session.id,
            created_at: rfc3339(session.created_at),
            last_used_at: rfc3339(session.last_used),
            expires_at: rfc3339(session.expires_at(api.sessions.policy())),
            current: session.id == current.session,
            device_name: session.device_name,
        }
    }
}

impl DeviceView {
    fn new(device: Device) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.name,
            kind: device.target.label(),
            added_at: rfc3339(device.added_at),
            session: device.session,
        }
    }
}

fn own_sessions(api: &Api, who: Who) -> Vec<SessionView> {
    let sessions = api.sessions.list(who.agent).into_iter();
    sessions.map(|session| SessionView::new(session, api, who)).collect()
}

/// Who am I, and how do things stand?
#[utoipa::path(
    get, operation_id = "showMe", path = "/me", tag = "me",
    responses(
        (status = 200, description = "The agent", body = Myself),
    ),
)]
pub(super) async fn show(api: web::Data<Api>, SignedIn { who, .. }: SignedIn) -> Answer {
    Ok(HttpResponse::Ok().json(myself(&api, who).await?))
}

async fn myself(api: &Api, who: Who) -> Result<Myself, Failure> {
    let view = ask::see(&api.directory, who.agent).await?;
    let profile = api.book.get(who.agent).ok_or(Failure::NoAnswer)?;
    let sessions = own_sessions(api, who);
    let session = sessions.iter().find(|session| session.current).cloned().ok_or(Failure::NoAnswer)?;
    Ok(Myself {
        activity: view.activity,
        choices: api.activities.choices.clone(),
        session,
        sessions,
        unread: view.unread,
        devices: view.devices.into_iter().map(DeviceView::new).collect(),
        ring_plan: profile.ring_plan.clone().unwrap_or_else(|| api.ring_plan.clone()),
        agent: Me::new(&profile),
    })
}

/// What an agent decides; what is not named stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "ring_plan": ["sip", "pstn"] }))]
pub(super) struct Changes {
    /// What rings, in order; null: as the operator has it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    ring_plan: Option<Value>,
}

/// What is there is given, also if it is null.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// Change what is mine to decide.
#[utoipa::path(
    patch, operation_id = "changeMe", path = "/me", tag = "me", request_body = Changes,
    responses(
        (status = 200, description = "The agent as it is now", body = Myself),
        (status = 400, description = "The body is not JSON"),
        (status = 422, description = "The body is not of this form"),
    ),
)]
pub(super) async fn change(
    api: web::Data<Api>,
    SignedIn { who, .. }: SignedIn,
    Client(address): Client,
    body: web::Json<Value>,
) -> Answer {
    // A list would be read as the fields in their order.
    let object = Some(body.into_inner()).filter(Value::is_object);
    let changes: Option<Changes> = object.and_then(|object| serde_json::from_value(object).ok());
    let changes = changes.ok_or(Failure::Invalid("expected an object with \"ring_plan\""))?;
    if let Some(ring_plan) = changes.ring_plan {
        let patch = Patch::from_value(&json!({ "ring_plan": ring_plan }));
        let patch =
            patch.map_err(|_| Failure::Invalid("ring_plan: expected a list of \"sip\" and \"pstn\", or null"))?;
        let by = By { caller: Caller::Agent(who.agent), address: Some(address), device: None };
        api.book.update_own(by, who.agent, patch).await.map_err(|_| Failure::NotNow)?;
    }
    Ok(HttpResponse::Ok().json(myself(&api, who).await?))
}

/// Where am I signed in?
#[utoipa::path(
    get, operation_id = "listSessions", path = "/me/sessions", tag = "me",
    responses(
        (status = 200, description = "The sessions, the one used last first", body = Page<SessionView>),
    ),
)]
pub(super) async fn sessions(api: web::Data<Api>, SignedIn { who, .. }: SignedIn) -> Answer {
    Ok(HttpResponse::Ok().json(Page { items: own_sessions(&api, who), next: None }))
}

/// End one of my sessions.
#[utoipa::path(
    delete, operation_id = "endSession", path = "/me/sessions/{session}", tag = "me",
    params(("session" = String, Path, description = "The session's id", example = "9d1c0f2e3b4a5968")),
    responses(
        (status = 204, description = "It is over"),
        (status = 404, description = "You have no such session"),
    ),
)]
pub(super) async fn revoke(
    api: web::Data<Api>,
    SignedIn { who, .. }: SignedIn,
    Client(address): Client,
    path: web::Path<String>,
) -> Answer {
    let session = path.parse().map_err(|_| Failure::NotFound)?;
    let origin = origin(&api, who.agent, address);
    let ended = api.sessions.end(Who { session, ..who }, End::Revoked, origin).await?;
    if ended { Ok(HttpResponse::NoContent().finish()) } else { Err(Failure::NotFound) }
}
