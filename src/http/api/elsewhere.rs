//! Requests that no handler takes: there is nothing at their path, or not by their method (RFC 9110 §15.5.6).

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use utoipa::openapi::PathItem;

use super::openapi;
use crate::http::problem::{not_found, problem};

/// A path of the API's document.
struct Documented {
    template: String,
    /// Its methods, as the `Allow` field lists them.
    allow: String,
}

pub(super) async fn answer(request: HttpRequest) -> HttpResponse {
    static PATHS: LazyLock<Vec<Documented>> = LazyLock::new(paths);
    let path = request.path().strip_prefix(super::PREFIX).unwrap_or_default();
    match PATHS.iter().find(|documented| is_of(path, &documented.template)) {
        Some(documented) => wrong_method(&documented.allow),
        None => not_found().await,
    }
}

fn wrong_method(allow: &str) -> HttpResponse {
    let detail = format!("this path takes {allow}");
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", &detail);
    if let Ok(allow) = header::HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

fn paths() -> Vec<Documented> {
    let document = openapi::whole();
    document.paths.paths.into_iter().map(|(template, item)| Documented { template, allow: methods(&item) }).collect()
}

fn methods(item: &PathItem) -> String {
    let all = [
        ("DELETE", item.delete.is_some()),
        ("GET", item.get.is_some()),
        ("PATCH", item.patch.is_some()),
        ("POST", item.post.is_some()),
        ("PUT", item.put.is_some()),
    ];
    let taken: Vec<_> = all.into_iter().filter_map(|(method, is_taken)| is_taken.then_some(method)).collect();
    taken.join(", ")
}

/// Whether a path has a template's form, in which a segment in braces stands for any but an empty one.
fn is_of(path: &str, template: &str) -> bool {
    let (mut segments, mut places) = (path.split('/'), template.split('/'));
    loop {
        match (segments.next(), places.next()) {
            (None, None) => return true,
            (Some(segment), Some(place)) if segment == place || place.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_of_a_template_segment_by_segment() {
        for (path, template, expected) in [
            ("/me", "/me", true),
            ("/me/", "/me", false),
            ("/me/sessions", "/me", false),
            ("/tasks/WR1/accept", "/tasks/{task}/accept", true),
            ("/tasks//accept", "/tasks/{task}/accept", false),
            ("/tasks/WR1", "/tasks/{task}/accept", false),
            ("", "/me", false),
        ] {
            assert_eq!(is_of(path, template), expected, "{path} {template}");
        }
    }

    #[test]
    fn a_path_names_all_its_methods() {
        let agent = paths().into_iter().find(|documented| documented.template == "/admin/agents/{id}").unwrap();
        assert_eq!(agent.allow, "DELETE, GET, PATCH");
    }
}
