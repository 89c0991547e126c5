//! One agent: added, shown, changed.

use actix_web::{HttpResponse, http::header, web};
use serde_json::Value;

use super::{Answer, Manager, Refusal, refusal::of_json, removal, shape};
use crate::{
    domain::AgentId,
    http::api::{Api, me::SessionView, shape::Page},
    roster::{By, Draft, Patch, ends_sessions},
};

/// A JSON body, or why there is none.
type Body = Result<web::Json<Value>, actix_web::Error>;

/// The agent that a path names; what is no name of one is nobody's.
pub(super) fn named(path: &str) -> Result<AgentId, Refusal> {
    path.parse().map_err(|_| Refusal::NotFound)
}

/// Add an agent
#[utoipa::path(
    post,
    path = "/admin/agents",
    operation_id = "addAgent",
    tag = "admin",
    request_body = shape::NewAgent,
    responses(
        (status = 201, description = "The agent was added", body = shape::Agent),
        (status = 400, description = "The body is no JSON"),
        (status = 403, description = "A role, a department or a right that is not yours to give"),
        (status = 409, description = "Another agent has the same phone, worker or SIP user"),
        (status = 413, description = "The body is larger than 64 KB"),
        (status = 422, description = "A field is not known, missing or not of its form"),
        (status = 503, description = "Nothing was changed; try again"),
    )
)]
pub(super) async fn add(api: web::Data<Api>, manager: Manager, body: Body) -> Answer {
    let body = body.map_err(|error| of_json(&error))?;
    let draft = Draft::from_patch(Patch::from_value(&body)?)?;
    let added = api.book.add(manager.by, draft).await?;
    let place = format!("/api/v1/admin/agents/{}", added.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(shape::Agent::from(&*added)))
}

/// Show an agent
#[utoipa::path(
    get,
    path = "/admin/agents/{id}",
    operation_id = "showAgent",
    tag = "admin",
    params(("id" = String, Path, description = "The agent's id")),
    responses(
        (status = 200, description = "The agent", body = shape::Agent),
        (status = 403, description = "You may not manage agents"),
        (status = 404, description = "There is no such agent, or not in your department"),
    )
)]
pub(super) async fn show(api: web::Data<Api>, manager: Manager, path: web::Path<String>) -> Answer {
    let found = api.book.get(named(&path)?).filter(|profile| manager.access.sees(profile));
    Ok(HttpResponse::Ok().json(shape::Agent::from(&*found.ok_or(Refusal::NotFound)?)))
}

/// List an agent's sessions
///
/// Where the agent is signed in, the session used last first.
#[utoipa::path(
    get,
    path = "/admin/agents/{id}/sessions",
    operation_id = "listSessionsOfAgent",
    tag = "admin",
    params(("id" = String, Path, description = "The agent's id")),
    responses(
        (status = 200, description = "The sessions", body = Page<SessionView>),
        (status = 403, description = "You may not manage agents"),
        (status = 404, description = "There is no such agent, or not in your department"),
    )
)]
pub(super) async fn sessions(api: web::Data<Api>, manager: Manager, path: web::Path<String>) -> Answer {
    let found = api.book.get(named(&path)?).filter(|profile| manager.access.sees(profile));
    let agent = found.ok_or(Refusal::NotFound)?.id;
    let sessions = api.sessions.list(agent).into_iter();
    let items = sessions.map(|session| SessionView::new(session, &api, None)).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: None }))
}

/// Change an agent
#[utoipa::path(
    patch,
    path = "/admin/agents/{id}",
    operation_id = "updateAgent",
    tag = "admin",
    params(("id" = String, Path, description = "The agent's id")),
    request_body = shape::AgentChanges,
    responses(
        (status = 200, description = "The agent as it is now", body = shape::Agent),
        (status = 400, description = "The body is no JSON"),
        (status = 403, description = "Not yours to change"),
        (status = 404, description = "There is no such agent, or not in your department"),
        (status = 409, description = "Another agent has the same phone, worker or SIP user"),
        (status = 413, description = "The body is larger than 64 KB"),
        (status = 422, description = "A field is not known or not of its form"),
        (status = 503, description = "Not all of it was done, as the answer says; try again"),
    )
)]
pub(super) async fn update(api: web::Data<Api>, manager: Manager, path: web::Path<String>, body: Body) -> Answer {
    let id = named(&path)?;
    let body = body.map_err(|error| of_json(&error))?;
    let patch = Patch::from_value(&body)?;
    // It goes on although whoever asked is gone: a change that ends sessions is not left without their end.
    let changing = actix_web::rt::spawn(async move { change(&api, manager.by, id, patch).await });
    changing.await.map_err(|_| Refusal::NotStored)?
}

async fn change(api: &Api, by: By, id: AgentId, patch: Patch) -> Answer {
    let before = api.book.get(id);
    let after = api.book.update(by.clone(), id, patch).await?;
    if before.is_some_and(|before| ends_sessions(&before, &after)) {
        removal::revoke_sessions(api, id, removal::origin(&by, &after)).await.map_err(|_| Refusal::SessionsLeft)?;
    }
    Ok(HttpResponse::Ok().json(shape::Agent::from(&*after)))
}
