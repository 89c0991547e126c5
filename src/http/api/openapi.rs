//! The OpenAPI document of `/api/v1`, made from the handlers' own annotations: they say what is theirs, what all may answer is
//! said here. A new module of handlers adds its paths here, or its own document as `admin` does, and a tag.

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::header::ContentType, web};
use serde::Serialize;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        Content, Ref, RefOr, Response,
        path::Operation,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{activity, admin, auth::COOKIE, conversations, devices, events, login, me, sip, tasks, wishes, writing};

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
        (name = "events", description = "What happens, as it happens"),
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
        wishes::change,
        devices::list,
        devices::register,
        devices::change,
        devices::remove,
        devices::test,
        sip::show,
        sip::draw_password,
        activity::set,
        tasks::list,
        tasks::show,
        tasks::accept,
        tasks::decline,
        tasks::wrap_up,
        tasks::complete,
        conversations::history,
        writing::write,
        conversations::read,
        events::stream,
        super::vapid,
        show,
    ),
    components(schemas(ProblemDocument, events::FromClient)),
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

/// What calls may answer that each would say in the same words, and what a problem looks like.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for path in document.paths.paths.values_mut() {
            let changing = [&mut path.post, &mut path.put, &mut path.patch, &mut path.delete];
            let all = changing.into_iter().map(|call| (true, call)).chain([(false, &mut path.get)]);
            all.filter_map(|(changes, call)| Some((changes, call.as_mut()?))).for_each(|(changes, call)| {
                describe_problems(call, changes);
            });
        }
    }
}

fn describe_problems(call: &mut Operation, changes: bool) {
    let responses = &mut call.responses.responses;
    let mut say = |status: &str, description: &str| {
        responses.entry(status.to_owned()).or_insert_with(|| Response::new(description).into());
    };
    let is_public = call.security.as_ref().is_some_and(|all| all.contains(&SecurityRequirement::default()));
    if !is_public {
        say("401", "`no_session`, `expired` or `superseded`");
        say("503", "The gateway is busy, or Twilio cannot be reached; try again");
        if changes {
            say("403", "`foreign_origin`");
        }
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            let problem = Content::new(Some(Ref::from_schema_name("ProblemDocument")));
            response.content.entry("application/problem+json".to_owned()).or_insert(RefOr::T(problem));
        }
    }
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
pub(super) fn whole() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi().merge_from(admin::openapi());
    Problems.modify(&mut document);
    document
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

/// This document.
#[utoipa::path(
    get, operation_id = "showDocument", path = "/openapi.json", tag = "push", security(()),
    responses((status = 200, description = "All calls of the API (OpenAPI 3.1)", body = Object)),
)]
// It is made once: anybody may ask for it.
async fn show() -> HttpResponse {
    static JSON: LazyLock<web::Bytes> = LazyLock::new(|| whole().to_json().unwrap_or_default().into());
    HttpResponse::Ok().content_type(ContentType::json()).body(JSON.clone())
}
