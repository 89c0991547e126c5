//! The page where a person plays the customer and the agents' phones, and the stream that keeps it up to date.

use std::time::Duration;

use actix_web::{HttpResponse, http::header, web};
use futures_util::stream;
use serde_json::json;

use super::Shared;

/// No script or style but the page's own files, and nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The page shows so many of the latest of everything.
const SHOWN: usize = 60;
/// And so many of the latest exchanges.
const LOG_SHOWN: usize = 400;
/// Changes that come closer together are shown together.
const PACE: Duration = Duration::from_millis(40);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// Path, kind and text.
const FILES: [(&str, &str, &str); 16] = [
    ("/", HTML, include_str!("../page/index.html")),
    ("/page.css", CSS, include_str!("../page/page.css")),
    ("/phone.css", CSS, include_str!("../page/phone.css")),
    ("/page.js", SCRIPT, include_str!("../page/page.js")),
    ("/dom.js", SCRIPT, include_str!("../page/dom.js")),
    ("/sandbox.js", SCRIPT, include_str!("../page/sandbox.js")),
    ("/chats.js", SCRIPT, include_str!("../page/chats.js")),
    ("/customer.js", SCRIPT, include_str!("../page/customer.js")),
    ("/sound.js", SCRIPT, include_str!("../page/sound.js")),
    ("/phones.js", SCRIPT, include_str!("../page/phones.js")),
    ("/lock.js", SCRIPT, include_str!("../page/lock.js")),
    ("/tasks.js", SCRIPT, include_str!("../page/tasks.js")),
    ("/log.js", SCRIPT, include_str!("../page/log.js")),
    ("/faults.js", SCRIPT, include_str!("../page/faults.js")),
    ("/icon.svg", IMAGE, include_str!("../page/icon.svg")),
    ("/handset.svg", IMAGE, include_str!("../page/handset.svg")),
];

pub(super) fn routes(config: &mut web::ServiceConfig) {
    for (path, kind, text) in FILES {
        config.route(path, web::get().to(async move || file(kind, text)));
    }
}

fn file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(text)
}

/// Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): the state, the faults, and
/// what is new in the log.
pub(super) async fn stream(shared: web::Data<Shared>) -> HttpResponse {
    let changes = shared.engine.changes();
    let events = stream::unfold((shared, changes, 0_u64, true), async |(shared, mut changes, seen, first)| {
        if !first {
            changes.changed().await.ok()?;
            tokio::time::sleep(PACE).await;
        }
        changes.borrow_and_update();
        let (log, faults) = shared.engine.with(|inner| (inner.log.after(seen), inner.faults.clone()));
        let log = &log[log.len().saturating_sub(LOG_SHOWN)..];
        let seen = log.last().map_or(seen, |entry| entry.id);
        let event = json!({ "state": shared.engine.snapshot(SHOWN), "log": log, "faults": faults });
        let frame = web::Bytes::from(format!("data: {event}\n\n"));
        Some((Ok::<_, std::convert::Infallible>(frame), (shared, changes, seen, false)))
    });
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(Box::pin(events))
}
