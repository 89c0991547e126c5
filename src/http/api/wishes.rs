//! What an agent wishes for all of its devices.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Api, auth::Caller, devices::given};
use crate::{
    actors::devices,
    domain::{Language, NewsKind, Privacy, QuietHours, WishChange, Wishes},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/me", web::patch().to(change));
}

/// What is wished; what is `null` is as the gateway has it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WishesView {
    /// What a lock screen may show: `full`, `sender` or `none`.
    #[schema(value_type = Option<String>, example = "sender")]
    privacy: Option<Privacy>,
    #[schema(value_type = Option<QuietHoursShape>)]
    quiet_hours: Option<QuietHours>,
    /// `en` or `de`.
    #[schema(value_type = Option<String>, example = "de")]
    language: Option<Language>,
    /// Types of notifications that are not pushed.
    #[schema(value_type = Vec<String>, example = json!(["activity"]))]
    mute: BTreeSet<NewsKind>,
}

impl WishesView {
    pub(super) fn new(wishes: Wishes) -> Self {
        let Wishes { privacy, quiet_hours, language, mute } = wishes;
        Self { privacy, quiet_hours, language, mute }
    }
}

/// Hours of every day in which nothing new is shown.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it shows how quiet hours look in JSON")]
pub(super) struct QuietHoursShape {
    #[schema(example = "22:00")]
    start: String,
    /// The first minute that is not quiet any more; it may be the next day's.
    #[schema(example = "07:00")]
    end: String,
    /// A name of the IANA database.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// Types of notifications that are pushed all the same.
    #[schema(required = false, example = json!(["task.offered"]))]
    except: Vec<String>,
}

/// What is to be otherwise. `null` takes a wish back.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({ "quiet_hours": { "start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin" } }))]
pub(super) struct Change {
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "sender")]
    privacy: Option<Option<Privacy>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<QuietHoursShape>)]
    quiet_hours: Option<Option<QuietHours>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "de")]
    language: Option<Option<Language>>,
    #[schema(value_type = Option<Vec<String>>)]
    mute: Option<BTreeSet<NewsKind>>,
}

/// Say what may be pushed to my devices, when, and how much of it may be seen.
#[utoipa::path(
    patch, operation_id = "changeMe", path = "/me", tag = "me", request_body = Change,
    responses(
        (status = 200, description = "What is wished now", body = WishesView),
        (status = 400, description = "The body is not JSON"),
        (status = 422, description = "The body is not of this form"),
    ),
)]
pub(super) async fn change(api: web::Data<Api>, Caller(agent): Caller, change: web::Json<Change>) -> Answer {
    let Change { privacy, quiet_hours, language, mute } = change.into_inner();
    let change = WishChange { privacy, quiet_hours, language, mute };
    let wishes = devices::wish(&api.directory, agent, change).await?;
    Ok(HttpResponse::Ok().json(WishesView::new(wishes)))
}
