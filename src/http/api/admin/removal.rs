//! What goes when an agent goes: sessions, devices, and the TaskRouter worker if that is asked for.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answer, Manager, Refusal, agents::named, shape};
use crate::{
    domain::{AgentId, Profile},
    http::api::Api,
    roster::By,
    sessions::Origin,
    twilio::{Refusal as TwilioRefusal, TwilioError},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// The TaskRouter worker is deleted too
    #[serde(default)]
    worker: bool,
}

/// Remove an agent
///
/// The agent is gone once this is answered, with sessions and devices. The worker at Twilio is deleted on request; if that
/// fails, the answer says why.
#[utoipa::path(
    delete,
    path = "/admin/agents/{id}",
    operation_id = "removeAgent",
    tag = "admin",
    params(("id" = String, Path, description = "The agent's id"), Query),
    responses(
        (status = 200, description = "The agent was removed", body = shape::Removed),
        (status = 403, description = "Not yours to remove; workers are administrators' to delete"),
        (status = 404, description = "There is no such agent, or not in your department"),
        (status = 422, description = "The query is not of its form"),
        (status = 503, description = "Nothing was changed; try again"),
    )
)]
pub(super) async fn remove(
    api: web::Data<Api>,
    manager: Manager,
    path: web::Path<String>,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> Answer {
    let query = query.map_err(|_| Refusal::Invalid("worker: expected true or false".into()))?;
    if query.worker {
        // Whoever adds an agent chooses the number, and with it which worker that is.
        manager.access.may_see_all()?;
    }
    let removed = api.book.remove(manager.by.clone(), named(&path)?).await?;
    let origin = origin(&manager.by, &removed);
    let mut not_removed = Vec::new();
    if let Err(why) = revoke_sessions(&api, removed.id, origin).await {
        not_removed.push(shape::Leftover { what: "sessions", why });
    }
    if query.worker
        && let Err(error) = delete_worker(&api, &removed).await
    {
        tracing::warn!(agent = %removed.id, %error, "a removed agent's worker stays at Twilio");
        not_removed.push(shape::Leftover { what: "worker", why: told(&error) });
    }
    Ok(HttpResponse::Ok().json(shape::Removed { id: removed.id.to_string(), not_removed }))
}

/// End all sessions of an agent
#[utoipa::path(
    delete,
    path = "/admin/agents/{id}/sessions",
    operation_id = "endSessionsOfAgent",
    tag = "admin",
    params(("id" = String, Path, description = "The agent's id")),
    responses(
        (status = 204, description = "Nobody is signed in as this agent any more"),
        (status = 403, description = "Not yours to end"),
        (status = 404, description = "There is no such agent, or not in your department"),
        (status = 503, description = "Nothing was changed; try again"),
    )
)]
pub(super) async fn end_sessions(api: web::Data<Api>, manager: Manager, path: web::Path<String>) -> Answer {
    let profile = api.book.ending_sessions(&manager.by, named(&path)?).await?;
    revoke_sessions(&api, profile.id, origin(&manager.by, &profile)).await.map_err(|_| Refusal::NotStored)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who ends sessions, as their audit entries say it.
pub(super) fn origin(by: &By, profile: &Profile) -> Origin {
    Origin { actor: by.actor(), address: by.address, department: profile.department.clone() }
}

/// The one place where sessions are ended for somebody else.
pub(super) async fn revoke_sessions(api: &Api, agent: AgentId, origin: Origin) -> Result<(), String> {
    api.sessions.revoke_all(agent, origin).await.map(drop).map_err(|error| {
        tracing::error!(%agent, %error, "sessions could not be ended");
        "they could not be deleted from the store".to_owned()
    })
}

/// By its sid if that is known, else by its name. Where there is none, nothing is left.
async fn delete_worker(api: &Api, profile: &Profile) -> Result<(), TwilioError> {
    let sid = match &profile.worker_sid {
        Some(sid) => Some(sid.clone()),
        None => api.twilio.worker_by_name(&profile.worker_name).await?.map(|worker| worker.sid),
    };
    match sid {
        Some(sid) => api.twilio.delete_worker(&sid).await,
        None => Ok(()),
    }
}

/// Twilio's own words may hold a number.
fn told(error: &TwilioError) -> String {
    match error.refusal() {
        Some(TwilioRefusal::Unauthorized | TwilioRefusal::Forbidden) => {
            "Twilio does not let these credentials delete workers".into()
        }
        Some(_) => {
            "Twilio refuses to delete the worker, as it does while tasks are open: delete it in the console".into()
        }
        None => "Twilio cannot be reached: delete the worker in the console".into(),
    }
}
