//! The audit log: what happened, and whether that is still what was written.

use actix_web::{HttpResponse, web};
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answer, Manager, Refusal, list, shape};
use crate::{
    audit::{Audit, Entry},
    http::api::{Api, shape::Page},
};

/// Entries that an export has in hand at a time.
const PAGE: usize = 500;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// `next` of the page before, or the number of an entry
    #[param(maximum = 9_223_372_036_854_775_807_i64)]
    after: Option<u64>,
    /// How many, 200 at most
    limit: Option<usize>,
}

/// List the audit log, the oldest entries first
///
/// A supervisor sees what concerns the own department. A page may be short, and still not be the last.
#[utoipa::path(
    get,
    path = "/admin/audit",
    operation_id = "listAudit",
    tag = "admin",
    params(Query),
    responses(
        (status = 200, description = "Some entries", body = shape::AuditPage),
        (status = 403, description = "You may not manage agents"),
        (status = 422, description = "The query is not of its form"),
    )
)]
pub(super) async fn list(
    api: web::Data<Api>,
    manager: Manager,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> Answer {
    let query = query.map_err(|_| Refusal::Invalid("expected whole numbers for \"after\" and \"limit\"".into()))?;
    let after = list::place(query.after)?;
    let found = page(&api.audit, &manager, after, list::bounded(query.limit)).await?;
    Ok(HttpResponse::Ok().json(found))
}

async fn page(audit: &Audit, manager: &Manager, after: u64, limit: usize) -> Result<Page<Entry>, Refusal> {
    let seen = |entry: &Entry| manager.access.reaches(entry.what.department.as_deref());
    let found = audit.entries(after, limit, seen).await.map_err(|_| Refusal::NotStored)?;
    Ok(Page { items: found.items, next: found.next.map(|number| number.get().to_string()) })
}

/// Export the audit log
#[utoipa::path(
    get,
    path = "/admin/audit/export",
    operation_id = "exportAudit",
    tag = "admin",
    responses(
        (status = 200, description = "An entry a line", body = String, content_type = "application/jsonl"),
        (status = 403, description = "You may not manage agents"),
    )
)]
pub(super) async fn export(api: web::Data<Api>, manager: Manager) -> Answer {
    let pages = stream::unfold(Some(0), move |place| {
        let (audit, manager) = (api.audit.clone(), manager.clone());
        async move {
            let after = place?;
            match page(&audit, &manager, after, PAGE).await {
                Ok(found) => {
                    let next = found.next.and_then(|next| next.parse().ok());
                    Some((Ok(web::Bytes::from(found.items.iter().map(line).collect::<String>())), next))
                }
                // The reader sees that the answer breaks off.
                Err(refusal) => Some((Err(actix_web::Error::from(refusal)), None)),
            }
        }
    });
    Ok(HttpResponse::Ok().content_type("application/jsonl; charset=utf-8").streaming(Box::pin(pages)))
}

/// A struct of texts and numbers is always JSON.
fn line(entry: &Entry) -> String {
    serde_json::to_string(entry).map(|json| json + "\n").unwrap_or_default()
}

/// Look through the whole audit log
///
/// `first_bad` is the number of the first entry that is changed, missing or misplaced, `fault` says which of these.
#[utoipa::path(
    get,
    path = "/admin/audit/verify",
    operation_id = "verifyAudit",
    tag = "admin",
    responses(
        (status = 200, description = "What was found", body = shape::AuditVerdict),
        (status = 403, description = "Only an administrator sees the whole log"),
    )
)]
pub(super) async fn verify(api: web::Data<Api>, manager: Manager) -> Answer {
    manager.access.may_see_all()?;
    let verdict = api.audit.verify().await.map_err(|_| Refusal::NotStored)?;
    Ok(HttpResponse::Ok().json(verdict))
}
