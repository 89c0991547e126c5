//! An agent's softphones, for whoever manages the agent.

use actix_web::{HttpResponse, web};

use super::{Answer, Manager, Refusal, agents::named};
use crate::{
    http::api::{
        Api,
        sip::{SipAccount, account},
    },
    roster::Patch,
};

/// Show an agent's softphones
#[utoipa::path(
    get,
    path = "/admin/agents/{id}/sip",
    operation_id = "showSipOfAgent",
    tag = "admin",
    params(("id" = String, Path, description = "The agent's id")),
    responses(
        (status = 200, description = "The account and its softphones", body = SipAccount),
        (status = 403, description = "You may not manage agents"),
        (status = 404, description = "There is no such agent, or not in your department; or there are no softphones here"),
    )
)]
pub(super) async fn show(api: web::Data<Api>, manager: Manager, path: web::Path<String>) -> Answer {
    let found = api.book.get(named(&path)?).filter(|profile| manager.access.sees(profile));
    let softphones = api.softphones.as_ref().ok_or(Refusal::NotFound)?;
    Ok(HttpResponse::Ok().json(account(softphones, &*found.ok_or(Refusal::NotFound)?)))
}

/// Cut an agent's softphones off
///
/// They are gone once this is answered, and register no more until there is a new password.
#[utoipa::path(
    delete,
    path = "/admin/agents/{id}/sip",
    operation_id = "revokeSipOfAgent",
    tag = "admin",
    params(("id" = String, Path, description = "The agent's id")),
    responses(
        (status = 204, description = "No softphone of this agent is registered any more"),
        (status = 403, description = "Not yours to change"),
        (status = 404, description = "There is no such agent, or not in your department"),
        (status = 503, description = "Nothing was changed; try again"),
    )
)]
pub(super) async fn revoke(api: web::Data<Api>, manager: Manager, path: web::Path<String>) -> Answer {
    let patch = Patch { sip_password: Some(None), ..Patch::default() };
    api.book.update(manager.by, named(&path)?, patch).await?;
    Ok(HttpResponse::NoContent().finish())
}
