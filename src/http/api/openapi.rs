//! The OpenAPI document of `/api/v1`, made from the handlers' own annotations. A new module of handlers adds its paths here,
//! and a tag if it has one of its own.

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::header::ContentType, web};
use serde::Serialize;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{activity, admin, auth::COOKIE, conversations, login, me, tasks};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Offdesk",
        description = "What agents' apps call, and who manages agents. Errors are problems (RFC 9457) with a `code` for programs.",
    ),
    servers((url = "/api/v1")),
    security(("bearer" = []), ("cookie" = [])),
    modifiers(&Security),
    tags(
        (name = "login", description = "Signing in and out"),
        (name = "me", description = "The agent who asks"),
        (name = "tasks", description = "What TaskRouter has reserved for the agent"),
        (name = "conversations", description = "Chats"),
        (name = "push", description = "Notifications"),
        (name = "admin", description = "Managing agents, and the audit log: for administrators and supervisors"),
    ),
    paths(
        login::request_code,
        login::log_in,
        login::refresh,
        login::log_out,
        me::show,
        me::sessions,
        me::revoke,
        activity::set,
        tasks::list,
        tasks::show,
        tasks::accept,
        tasks::decline,
        tasks::wrap_up,
        tasks::complete,
        conversations::history,
        conversations::write,
        conversations::read,
        super::vapid,
    ),
    components(schemas(ProblemDocument)),
)]
struct Document;

/// A problem (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": "there is no such session: sign in",
    "code": "no_session",
}))]
pub(super) struct ProblemDocument {
    r#type: String,
    title: String,
    status: u16,
    /// For people.
    detail: String,
    /// For programs.
    code: String,
}

/// How a request says whose it is.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(COOKIE, "Counts only with the app's own Origin");
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The agents' calls, and those of whoever manages them.
fn whole() -> utoipa::openapi::OpenApi {
    Document::openapi().merge_from(admin::openapi())
}

/// The document as JSON, for people to read.
///
/// # Errors
/// None that could happen: the document is texts and numbers.
pub fn document() -> serde_json::Result<String> {
    whole().to_pretty_json()
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/openapi.json", web::get().to(show));
}

/// It is made once: anybody may ask for it.
async fn show() -> HttpResponse {
    static JSON: LazyLock<web::Bytes> = LazyLock::new(|| whole().to_json().unwrap_or_default().into());
    HttpResponse::Ok().content_type(ContentType::json()).body(JSON.clone())
}
