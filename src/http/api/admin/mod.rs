//! What administrators and supervisors call: `/api/v1/admin`. Who may do what is [`crate::access`]'s to say, and is asked
//! again where a change is made; here it becomes calls and answers.

mod agents;
mod audit;
mod bootstrap;
mod bulk;
mod caller;
mod list;
mod live;
mod pushes;
mod refusal;
mod removal;
mod reports;
mod shape;
mod sip;

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

pub use self::bootstrap::BootstrapToken;
use self::{caller::Manager, refusal::Refusal};

/// An answer, or why there is none.
type Answer = Result<HttpResponse, Refusal>;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/admin/agents", web::get().to(list::list))
        .route("/admin/agents", web::post().to(agents::add))
        .route("/admin/agents/import", web::post().to(bulk::import))
        .route("/admin/agents/export", web::get().to(bulk::export))
        .route("/admin/agents/{id}", web::get().to(agents::show))
        .route("/admin/agents/{id}", web::patch().to(agents::update))
        .route("/admin/agents/{id}", web::delete().to(removal::remove))
        .route("/admin/agents/{id}/sessions", web::get().to(agents::sessions))
        .route("/admin/agents/{id}/sessions", web::delete().to(removal::end_sessions))
        .route("/admin/live", web::get().to(live::list))
        .route("/admin/reports/handle-time", web::get().to(reports::handle_time))
        .route("/admin/agents/{id}/sip", web::get().to(sip::show))
        .route("/admin/agents/{id}/sip", web::delete().to(sip::revoke))
        .route("/admin/audit", web::get().to(audit::list))
        .route("/admin/audit/export", web::get().to(audit::export))
        .route("/admin/audit/verify", web::get().to(audit::verify))
        .route("/admin/push/dead", web::get().to(pushes::dead));
}

#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    agents::add,
    bulk::import,
    bulk::export,
    agents::show,
    agents::update,
    agents::sessions,
    removal::remove,
    removal::end_sessions,
    sip::show,
    sip::revoke,
    audit::list,
    audit::export,
    audit::verify,
    live::list,
    reports::handle_time,
    pushes::dead
))]
struct Document;

/// This part of the API's document; paths are those behind `/api/v1`.
pub(super) fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_call_has_a_name_of_its_own() {
        let document = serde_json::to_value(super::openapi()).unwrap();
        let calls = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let names: Vec<_> = calls.map(|call| call["operationId"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }
}
