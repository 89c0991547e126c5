//! The activity that an agent picks.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Api, WORTH_WAITING, auth::Caller, failure::Failure};
use crate::actors::ask::{self, Command, Wait};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/me/activity", web::put().to(set));
}

/// An activity by its name, or by what it means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    activity: Option<String>,
    available: Option<bool>,
}

impl Wish {
    fn name(self, api: &Api) -> Result<String, Failure> {
        match (self.activity, self.available) {
            (Some(name), None) => Ok(name),
            (None, Some(true)) => Ok(api.activities.available.clone()),
            (None, Some(false)) => Ok(api.activities.unavailable.clone()),
            _ => Err(Failure::Invalid("expected either \"activity\" or \"available\"")),
        }
    }
}

/// Answers with the activity as Twilio confirms it, or while that is still to come.
async fn set(api: web::Data<Api>, Caller(agent): Caller, wish: web::Json<Wish>) -> Answer {
    let name = wish.into_inner().name(&api)?;
    ask::order(&api.directory, agent, Command::SetActivity(name)).await??;
    tokio::select! {
        settled = ask::settled(&api.directory, agent, Wait::Activity) => settled?,
        () = api.clock.sleep(WORTH_WAITING) => {}
    }
    let view = ask::see(&api.directory, agent).await?;
    let body = json!({ "activity": view.activity, "choices": api.activities.choices });
    Ok(if view.is_changing_activity { HttpResponse::Accepted().json(body) } else { HttpResponse::Ok().json(body) })
}
