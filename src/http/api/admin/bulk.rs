//! Many agents: imported all or none, and exported, as JSON lines (<https://jsonlines.org>).

use actix_web::{HttpResponse, web};
use futures_util::stream;

use super::{Answer, Manager, Refusal, refusal::in_a_row, shape};
use crate::{
    domain::AgentId,
    http::api::{Api, failure::Failure},
    roster::{Draft, Search},
};

/// An import's largest size, in bytes and in agents: one batch of the store must hold them.
const MAX_IMPORT: usize = 4 * 1024 * 1024;
const MOST: usize = 10_000;
/// Bad lines that are told; the rest is counted.
const TOLD: usize = 20;
/// Agents that an export has in hand at a time.
const PAGE: usize = 500;

const JSON_LINES: &str = "application/jsonl; charset=utf-8";

/// Add many agents, all or none
///
/// A JSON object a line, as `POST /api/v1/admin/agents` takes it; 10,000 agents and 4 MB at most.
#[utoipa::path(
    post,
    path = "/admin/agents/import",
    operation_id = "importAgents",
    tag = "admin",
    request_body(content = String, content_type = "application/jsonl"),
    responses(
        (status = 200, description = "All of them were added", body = shape::Imported),
        (status = 400, description = "The body did not arrive whole, or is not UTF-8"),
        (status = 403, description = "One of them is not yours to add; none was added"),
        (status = 409, description = "Some are there already; none was added"),
        (status = 413, description = "Too many"),
        (status = 422, description = "Some lines are not of their form; none was added"),
        (status = 503, description = "None was added; try again"),
    )
)]
pub(super) async fn import(api: web::Data<Api>, manager: Manager, body: web::Payload) -> Answer {
    let body = match body.to_bytes_limited(MAX_IMPORT).await {
        Ok(Ok(body)) => body,
        Err(_) => return Err(Refusal::TooLarge("an import of more than 4 MB: split it")),
        Ok(Err(_)) => return Err(Failure::Malformed("the body did not arrive whole").into()),
    };
    let text = str::from_utf8(&body).map_err(|_| Failure::Malformed("the body is not UTF-8"))?;
    let drafts = drafts(text)?;
    let added = api.book.import(manager.by, drafts).await?;
    Ok(HttpResponse::Ok().json(shape::Imported { added }))
}

fn drafts(text: &str) -> Result<Vec<Draft>, Refusal> {
    let (mut drafts, mut bad, mut bad_lines) = (Vec::new(), Vec::new(), 0);
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match Draft::from_json(line) {
            Ok(draft) => drafts.push(draft),
            Err(errors) => {
                bad_lines += 1;
                if bad_lines <= TOLD {
                    bad.push(format!("line {number}: {}", in_a_row(&errors)));
                }
            }
        }
        if drafts.len() > MOST {
            return Err(Refusal::TooLarge("an import of more than 10,000 agents: split it"));
        }
    }
    if bad_lines > TOLD {
        bad.push(format!("and {} lines more", bad_lines - TOLD));
    }
    match (bad.is_empty(), drafts.is_empty()) {
        (false, _) => Err(Refusal::Invalid(in_a_row(&bad))),
        (true, true) => Err(Refusal::Invalid("expected a JSON object a line".into())),
        (true, false) => Ok(drafts),
    }
}

/// Export all agents whom you may see, in the form that an import takes
#[utoipa::path(
    get,
    path = "/admin/agents/export",
    operation_id = "exportAgents",
    tag = "admin",
    responses(
        (status = 200, description = "An agent a line", body = String, content_type = "application/jsonl"),
        (status = 403, description = "You may not manage agents"),
    )
)]
pub(super) async fn export(api: web::Data<Api>, manager: Manager) -> Answer {
    api.book.exported(&manager.by).await?;
    let everybody = Search::default();
    // Each page as it is then: an export takes as long as its reader, and holds nobody up.
    let pages = stream::unfold(Some(None::<AgentId>), move |place| {
        let page = place.map(|after| api.book.page(&manager.access, &everybody, after, PAGE));
        let step = page.map(|page| {
            let lines = page.items.iter().map(|profile| line(&shape::Written::from(&**profile))).collect::<String>();
            (Ok::<_, actix_web::Error>(web::Bytes::from(lines)), page.next.map(Some))
        });
        std::future::ready(step)
    });
    Ok(HttpResponse::Ok().content_type(JSON_LINES).streaming(Box::pin(pages)))
}

/// A struct of texts and flags is always JSON.
fn line(written: &shape::Written) -> String {
    serde_json::to_string(written).map(|json| json + "\n").unwrap_or_default()
}
