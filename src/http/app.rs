//! The agents' app: files of `web/`, in the binary. Paths that notifications lead to show the same page.

use actix_web::{HttpResponse, http::header, web};

/// Nothing of another origin is loaded, and nobody puts the page into a frame.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

struct File {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const FILES: &[File] = &[
    File { path: "/app.js", kind: "text/javascript; charset=utf-8", bytes: include_bytes!("../../web/app.js") },
    File {
        path: "/subscription.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../web/subscription.js"),
    },
    File { path: "/sw.js", kind: "text/javascript; charset=utf-8", bytes: include_bytes!("../../web/sw.js") },
    File { path: "/style.css", kind: "text/css; charset=utf-8", bytes: include_bytes!("../../web/style.css") },
    File {
        path: "/manifest.webmanifest",
        kind: "application/manifest+json",
        bytes: include_bytes!("../../web/manifest.webmanifest"),
    },
    File { path: "/icon-180.png", kind: "image/png", bytes: include_bytes!("../../web/icon-180.png") },
    File { path: "/icon-192.png", kind: "image/png", bytes: include_bytes!("../../web/icon-192.png") },
    File { path: "/icon-512.png", kind: "image/png", bytes: include_bytes!("../../web/icon-512.png") },
];

const PAGE: &[u8] = include_bytes!("../../web/index.html");

pub(super) fn routes(config: &mut web::ServiceConfig) {
    for File { path, kind, bytes } in FILES {
        config.route(path, web::get().to(move || async move { answer(kind, bytes) }));
    }
    for path in ["/", "/t/{task}", "/c/{conversation}"] {
        config.route(path, web::get().to(async || answer("text/html; charset=utf-8", PAGE)));
    }
}

/// A new version is found at the next look: a service worker that a cache keeps is never replaced.
fn answer(kind: &'static str, bytes: &'static [u8]) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(bytes)
}
