//! The activity that an agent picks.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Api, WORTH_WAITING, auth::Caller};
use crate::actors::ask::{self, Command, Wait};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/me/activity", web::put().to(set));
}

/// An activity by its name, or by what it means.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = json!({ "available": true }))]
pub(super) enum Wish {
    Activity(String),
    /// The first of the choices, or the offline one.
    Available(bool),
}

#[derive(Serialize, ToSchema)]
pub(super) struct ActivityNow {
    #[schema(example = "Available on Mobile")]
    activity: Option<String>,
    /// What may be chosen.
    choices: Vec<String>,
}

impl Wish {
    fn name(self, api: &Api) -> String {
        match self {
            Self::Activity(activity) => activity,
            Self::Available(true) => api.activities.available.clone(),
            Self::Available(false) => api.activities.unavailable.clone(),
        }
    }
}

/// Choose an activity. Answers with the activity as Twilio confirms it, or while that is still to come.
#[utoipa::path(
    put, operation_id = "setActivity", path = "/me/activity", tag = "me", request_body = Wish,
    responses(
        (status = 200, description = "The activity is set", body = ActivityNow),
        (status = 202, description = "It is still being set", body = ActivityNow),
        (status = 400, description = "The body is not JSON"),
        (status = 422, description = "`not_a_choice`, or not of this form"),
    ),
)]
pub(super) async fn set(api: web::Data<Api>, Caller(agent): Caller, wish: web::Json<Wish>) -> Answer {
    let name = wish.into_inner().name(&api);
    ask::order(&api.directory, agent, Command::SetActivity(name)).await??;
    tokio::select! {
        settled = ask::settled(&api.directory, agent, Wait::Activity) => settled?,
        () = api.clock.sleep(WORTH_WAITING) => {}
    }
    let view = ask::see(&api.directory, agent).await?;
    let body = ActivityNow { activity: view.activity.clone(), choices: api.activities.choices.clone() };
    Ok(if view.is_changing_activity { HttpResponse::Accepted().json(body) } else { HttpResponse::Ok().json(body) })
}
