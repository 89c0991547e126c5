//! Agents, page by page.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answer, Manager, Refusal, shape};
use crate::{domain::AgentId, http::api::Api, roster::Search};

/// Agents or entries a page, by default and at most.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 200;

/// Which agents.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Part of a name, an e-mail address or a phone number, in any case
    search: Option<String>,
    /// `next` of the page before
    after: Option<String>,
    /// How many, 200 at most
    limit: Option<usize>,
}

/// The largest number of a place: JSON readers take whole numbers for signed ones of 64 bits.
const LAST: u64 = i64::MAX as u64;

/// Behind which place a page begins; zero: it is the first.
pub(super) fn place(after: Option<u64>) -> Result<u64, Refusal> {
    let after = after.unwrap_or(0);
    if after > LAST { Err(Refusal::Invalid("after: there is no place of such a number".into())) } else { Ok(after) }
}

/// A limit within its bounds.
pub(super) fn bounded(limit: Option<usize>) -> usize {
    limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE)
}

/// List agents
///
/// In the order of their ids: agents who come and go meanwhile move no other.
#[utoipa::path(
    get,
    path = "/admin/agents",
    operation_id = "listAgents",
    tag = "admin",
    params(Query),
    responses(
        (status = 200, description = "Some of the agents whom you may see", body = shape::Agents),
        (status = 403, description = "You may not manage agents"),
        (status = 422, description = "The query is not of its form"),
    )
)]
pub(super) async fn list(
    api: web::Data<Api>,
    manager: Manager,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> Answer {
    let query = query.map_err(|_| Refusal::Invalid("expected \"search\", \"after\" and a whole \"limit\"".into()))?;
    let after: Option<AgentId> = query.after.as_deref().map(str::parse).transpose().map_err(|_| bad_cursor())?;
    let search = Search::new(query.search.as_deref().unwrap_or_default());
    let page = api.book.page(&manager.access, &search, after, bounded(query.limit));
    let items = page.items.iter().map(|profile| shape::Agent::from(&**profile)).collect();
    Ok(HttpResponse::Ok().json(shape::Agents { items, next: page.next.map(|id| id.to_string()) }))
}

pub(super) fn bad_cursor() -> Refusal {
    Refusal::Invalid("after: expected the \"next\" of an earlier page".into())
}
