//! Pushes that were never delivered.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Answer, Manager, Refusal, list};
use crate::{
    http::api::{
        Api,
        shape::{Page, rfc3339},
    },
    push::DeadLetter,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// `next` of the page before
    #[param(maximum = 9_223_372_036_854_775_807_i64)]
    after: Option<u64>,
    /// How many, 200 at most
    limit: Option<usize>,
}

/// A push that was never delivered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadPush {
    #[schema(example = "0123456789abcdef")]
    id: String,
    agent: String,
    device: String,
    /// `webpush` or `fcm`.
    provider: String,
    #[schema(example = "task.offered")]
    r#type: &'static str,
    created_at: String,
    given_up_at: String,
    /// `refused` by the push service, or `expired` before it could be delivered.
    cause: &'static str,
    tries: u32,
    /// Why the last try failed.
    #[schema(example = "unauthorized")]
    last_failure: Option<String>,
}

impl DeadPush {
    fn new(letter: DeadLetter) -> Self {
        Self {
            id: letter.id.to_string(),
            agent: letter.agent.to_string(),
            device: letter.device.to_string(),
            provider: letter.provider,
            r#type: letter.kind.name(),
            created_at: rfc3339(letter.created),
            given_up_at: rfc3339(letter.died),
            cause: letter.cause.name(),
            tries: letter.tries,
            last_failure: letter.last,
        }
    }
}

/// List pushes that were never delivered, the oldest first
///
/// The newest thousand are kept. They hold nothing of what was said.
#[utoipa::path(
    get,
    path = "/admin/push/dead",
    operation_id = "listDeadPushes",
    tag = "admin",
    params(Query),
    responses(
        (status = 200, description = "Some of them", body = Page<DeadPush>),
        (status = 403, description = "Only an administrator sees them"),
        (status = 422, description = "The query is not of its form"),
    )
)]
pub(super) async fn dead(
    api: web::Data<Api>,
    manager: Manager,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> Answer {
    manager.access.may_see_all()?;
    let query = query.map_err(|_| Refusal::Invalid("expected whole numbers for \"after\" and \"limit\"".into()))?;
    let after = list::place(query.after)?;
    let limit = list::bounded(query.limit);
    let letters = api.push.dead_letters(after, limit).await.map_err(|_| Refusal::NotStored)?;
    let next = letters.last().filter(|_| letters.len() == limit).map(|(place, _)| place.to_string());
    let items = letters.into_iter().map(|(_, letter)| DeadPush::new(letter)).collect();
    Ok(HttpResponse::Ok().json(Page { items, next }))
}
