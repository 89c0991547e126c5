//! The operator's listener: metrics, liveness, readiness, and what the agents are doing.

use std::sync::atomic::{AtomicBool, Ordering};

use actix::Addr;
use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Serialize;

use super::{problem::problem, selftest::Instance};
use crate::{
    actors::{self, Directory},
    inbox::Inbox,
    push::Push,
    sip::{self, Softphones},
    telemetry::Metrics,
    twilio::{Health, Twilio},
};

/// Whether the gateway takes work: the store is open, the ports are bound, and nothing has failed for good.
#[derive(Debug, Default)]
pub struct Readiness(AtomicBool);

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What the operator's handlers work with.
pub struct AdminState {
    pub readiness: std::sync::Arc<Readiness>,
    pub metrics: Metrics,
    pub twilio: Twilio,
    pub inbox: Inbox,
    pub push: Push,
    pub directory: Addr<Directory>,
    pub instance: Instance,
    /// None: there is no SIP.
    pub softphones: Option<Softphones>,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(healthz))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(metrics))
        .route("/debug/state", web::get().to(state));
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    instance: String,
    twilio: &'static str,
    inbox_waiting: usize,
}

async fn readyz(state: web::Data<AdminState>) -> HttpResponse {
    let ready = state.readiness.is_ready();
    let twilio = match state.twilio.health() {
        Health::Ok => "ok",
        Health::Degraded => "degraded",
        Health::Unknown => "unknown",
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(Ready {
        ready,
        instance: state.instance.to_string(),
        twilio,
        inbox_waiting: state.inbox.waiting(),
    })
}

async fn metrics(state: web::Data<AdminState>) -> HttpResponse {
    metrics::gauge!("offdesk_inbox_waiting").set(count(state.inbox.waiting()));
    if let Some(softphones) = &state.softphones {
        softphones.publish();
    }
    metrics::gauge!("offdesk_push_waiting").set(count(state.push.under_way()));
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(state.metrics.render())
}

#[expect(clippy::cast_precision_loss, reason = "a count of at most a few thousand")]
fn count(number: usize) -> f64 {
    number as f64
}

#[derive(Serialize)]
struct DebugState {
    #[serde(flatten)]
    overview: actors::Overview,
    #[serde(skip_serializing_if = "Option::is_none")]
    sip: Option<sip::State>,
}

async fn state(state: web::Data<AdminState>) -> HttpResponse {
    match actors::overview(&state.directory).await {
        Some(overview) => {
            let sip = state.softphones.as_ref().map(Softphones::state);
            HttpResponse::Ok().json(DebugState { overview, sip })
        }
        None => problem(StatusCode::SERVICE_UNAVAILABLE, "no_answer", "the directory does not answer"),
    }
}
