//! What agents' apps call: `/api/v1`, JSON in and out, a bearer token or a cookie for who is who. An agent is reached by a message through
//! the directory; what is Twilio's alone, such as the history of a conversation, is asked of Twilio.

mod activity;
mod admin;
mod auth;
mod conversations;
mod devices;
mod elsewhere;
mod events;
mod failure;
mod login;
mod me;
mod openapi;
mod shape;
mod sip;
mod tasks;
mod upload;
mod wishes;
mod writing;

use std::{sync::Arc, time::Duration};

use actix::Addr;
use actix_web::{HttpResponse, middleware::from_fn, web};
use ipnet::IpNet;
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

pub use self::admin::BootstrapToken;
pub use self::events::Connections;
use self::failure::Failure;
pub use self::openapi::document as openapi_document;
use super::{body, problem::problem};
use crate::{
    actors::{Directory, Views},
    audit::Audit,
    clock::Clock,
    domain::RingTarget,
    handling::Handling,
    login::Login,
    push::Push,
    roster::Book,
    sessions::Sessions,
    sip::Softphones,
    twilio::{Twilio, facts::WorkspaceFacts},
};

/// Where the API is.
const PREFIX: &str = "/api/v1";
/// A JSON body's largest size, in bytes.
const MAX_JSON: usize = 64 * 1024;
/// How long an answer waits for Twilio's word: longer, and the app is told that it is still to come.
const WORTH_WAITING: Duration = Duration::from_secs(3);
/// Files that are taken in at once: each is in memory until Twilio has it.
const UPLOADS: usize = 8;

/// What the API's handlers work with.
pub struct Api {
    pub sessions: Sessions,
    pub login: Login,
    pub book: Book,
    pub audit: Audit,
    /// None: nobody has one.
    pub bootstrap: Option<BootstrapToken>,
    pub directory: Addr<Directory>,
    pub views: Views,
    pub twilio: Twilio,
    pub facts: WorkspaceFacts,
    pub push: Push,
    pub handling: Handling,
    /// None: there is no SIP.
    pub softphones: Option<Softphones>,
    pub clock: Clock,
    /// Those who look on.
    pub events: Connections,
    /// What an agent may choose, and which of them is meant by available and by not available.
    pub activities: Activities,
    pub uploads: Arc<Semaphore>,
    /// The ring plan of agents who have none of their own.
    pub ring_plan: Vec<RingTarget>,
    /// The app's own, as browsers name it: what the cookie counts with.
    pub origin: String,
    pub trusted_proxies: Vec<IpNet>,
}

/// The activities of agents on their phones.
#[derive(Clone, Debug)]
pub struct Activities {
    pub choices: Vec<String>,
    pub available: String,
    pub unavailable: String,
}

impl Api {
    /// How many files may be taken in at once.
    pub fn uploads() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(UPLOADS))
    }
}

/// An answer, or why there is none.
type Answer = Result<HttpResponse, Failure>;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let json = web::JsonConfig::default().limit(MAX_JSON).error_handler(|error, _| failure::of_json(&error).into());
    config.configure(events::routes).service(
        web::scope(PREFIX)
            .app_data(json)
            .wrap(from_fn(body::in_time))
            .configure(openapi::routes)
            .configure(login::routes)
            .configure(me::routes)
            .configure(wishes::routes)
            .configure(devices::routes)
            .configure(sip::routes)
            .configure(tasks::routes)
            .configure(conversations::routes)
            .configure(writing::routes)
            .configure(activity::routes)
            .configure(admin::routes)
            .route("/push/vapid", web::get().to(vapid))
            .default_service(web::to(elsewhere::answer)),
    );
}

#[derive(Serialize, ToSchema)]
struct Vapid {
    /// An uncompressed point of P-256 in base64url: `applicationServerKey`.
    public_key: String,
}

/// The key that browsers subscribe with. Everybody may know it.
#[utoipa::path(
    get, operation_id = "showPushKey", path = "/push/vapid", tag = "push", security(()),
    responses((status = 200, description = "The key", body = Vapid)),
)]
async fn vapid(api: web::Data<Api>) -> HttpResponse {
    HttpResponse::Ok().json(Vapid { public_key: api.push.public_key().to_owned() })
}
