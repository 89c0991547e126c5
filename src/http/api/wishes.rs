//! What an agent wishes for all of its devices.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    Answer, Api,
    auth::{Client, SignedIn},
    devices::given,
    failure::Failure,
    me::{self, Myself},
};
use crate::{
    access::Caller,
    actors::devices,
    domain::{Language, NewsKind, Privacy, QuietHours, WishChange, Wishes},
    roster::{By, Patch},
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
    /// What rings, in order; null: as the operator has it.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["sip", "pstn"]))]
    ring_plan: Option<Option<Value>>,
}

/// Say what rings, and what may be pushed to my devices, when, and how much of it may be seen.
#[utoipa::path(
    patch, operation_id = "changeMe", path = "/me", tag = "me", request_body = Change,
    responses(
        (status = 200, description = "The agent as it is now", body = Myself),
        (status = 400, description = "The body is not JSON"),
        (status = 422, description = "The body is not of this form"),
    ),
)]
pub(super) async fn change(
    api: web::Data<Api>,
    SignedIn { who, .. }: SignedIn,
    Client(address): Client,
    body: web::Json<Value>,
) -> Answer {
    // A list would be read as the fields in their order.
    let object = Some(body.into_inner()).filter(Value::is_object);
    let change: Option<Change> = object.and_then(|object| serde_json::from_value(object).ok());
    let change = change.ok_or(Failure::Invalid("the body is JSON, but not of the form that this call takes"))?;
    let Change { privacy, quiet_hours, language, mute, ring_plan } = change;
    if let Some(ring_plan) = ring_plan {
        let patch = Patch::from_value(&json!({ "ring_plan": ring_plan }));
        let expected = Failure::Invalid("ring_plan: expected a list of \"sip\" and \"pstn\", or null");
        let by = By { caller: Caller::Agent(who.agent), address: Some(address), device: None };
        api.book.update_own(by, who.agent, patch.map_err(|_| expected)?).await.map_err(|_| Failure::NotNow)?;
    }
    let change = WishChange { privacy, quiet_hours, language, mute };
    if change != WishChange::default() {
        devices::wish(&api.directory, who.agent, change).await?;
    }
    Ok(HttpResponse::Ok().json(me::myself(&api, who).await?))
}
