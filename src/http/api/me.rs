//! What an agent sees of itself, and its sessions.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, Api,
    auth::{Client, SignedIn, origin},
    devices::{self, DeviceView},
    failure::Failure,
    login::Me,
    shape::{Page, rfc3339},
    sip::{SipAccount, account},
    wishes::WishesView,
};
use crate::{
    actors::ask,
    domain::{RingTarget, SessionId},
    sessions::{End, Session, Who},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/me", web::get().to(show))
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
    /// What is wished for all of them.
    #[serde(flatten)]
    wishes: WishesView,
    /// What rings, in order.
    #[schema(value_type = Vec<String>, example = json!(["sip", "pstn"]))]
    ring_plan: Vec<RingTarget>,
    /// Null: there are no softphones here.
    sip: Option<SipAccount>,
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

impl SessionView {
    /// `current` is the session that asks.
    pub(super) fn new(session: Session, api: &Api, current: Option<SessionId>) -> Self {
        Self {
            id: session.id,
            created_at: rfc3339(session.created_at),
            last_used_at: rfc3339(session.last_used),
            expires_at: rfc3339(session.expires_at(api.sessions.policy())),
            current: Some(session.id) == current,
            device_name: session.device_name,
        }
    }
}

fn own_sessions(api: &Api, who: Who) -> Vec<SessionView> {
    let sessions = api.sessions.list(who.agent).into_iter();
    sessions.map(|session| SessionView::new(session, api, Some(who.session))).collect()
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

/// The agent who asks, as things are now.
pub(super) async fn myself(api: &Api, who: Who) -> Result<Myself, Failure> {
    let view = ask::glance(&api.views, &api.directory, who.agent).await?;
    let profile = api.book.get(who.agent).ok_or(Failure::NoAnswer)?;
    let sessions = own_sessions(api, who);
    let session = sessions.iter().find(|session| session.current).cloned().ok_or(Failure::NoAnswer)?;
    Ok(Myself {
        activity: view.activity.clone(),
        choices: api.activities.choices.clone(),
        session,
        sessions,
        unread: view.unread,
        devices: devices::of_agent(api, who.agent, view.devices.clone()).await,
        wishes: WishesView::new(view.wishes.clone()),
        ring_plan: profile.ring_plan.clone().unwrap_or_else(|| api.ring_plan.clone()),
        sip: api.softphones.as_ref().map(|softphones| account(softphones, &profile)),
        agent: Me::new(&profile),
    })
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
