//! Errors as `application/problem+json` (RFC 9457).

use actix_web::{HttpResponse, HttpResponseBuilder, http::StatusCode, http::header};
use serde::Serialize;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
}

/// A problem's answer. `code` is for programs, `detail` for people; neither repeats what the client sent.
pub(super) fn problem(status: StatusCode, code: &str, detail: &str) -> HttpResponse {
    builder(status).json(Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail,
        code,
    })
}

/// A problem that is gone in `seconds`.
pub(super) fn unavailable(code: &str, detail: &str, seconds: u32) -> HttpResponse {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, code, detail);
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    response
}

fn builder(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder.content_type("application/problem+json");
    builder
}

pub(super) async fn not_found() -> HttpResponse {
    problem(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path")
}
